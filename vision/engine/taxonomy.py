"""What the engine needs to know about attributes: parents, aliases, and where an attribute applies."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_TAXONOMY = Path(__file__).resolve().parents[1] / "taxonomy.json"
CATEGORY = "category"


def _spelling(name: str) -> str:
    # File names and labels from some systems spell Korean in separate letters (NFD).
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute's vocabulary. Only leaves are predicted: a value that is another's parent is not a leaf.

    `codes` holds what leaves are called, `top_levels` what their parents are called: `Top` may be both.
    """

    code: str
    leaves: tuple[str, ...]
    parents: Mapping[str, str]
    codes: Mapping[str, str]
    top_levels: Mapping[str, str]
    applies_to: frozenset[str] | None

    def find(self, name: str) -> str | None:
        """The code that a class name stands for: a code, an alias or a Korean name; None for an unknown one."""
        return self.codes.get(name) or self.codes.get(_spelling(name))

    def find_top_level(self, name: str) -> str | None:
        """The value with children that a class name stands for, such as a top-level category; None for another name."""
        return self.top_levels.get(_spelling(name))

    def code_of(self, name: str) -> str:
        """The same as `find`, but an unknown name stands for itself."""
        return self.find(name) or name


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The attributes by code. An attribute that is not in it has no parents or aliases and applies to every garment."""

    attributes: Mapping[str, Attribute]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Taxonomy:
        """From the structure of `vision/taxonomy.json`, wherever it comes from."""
        return cls({item["code"]: _parse_attribute(item) for item in data["attributes"]})

    @classmethod
    def load(cls, path: Path = DEFAULT_TAXONOMY) -> Taxonomy:
        """From a JSON file of that structure."""
        return cls.parse(json.loads(path.read_text(encoding="utf-8")))

    def code_of(self, attribute: str, name: str) -> str:
        """The code for a class name of a model; an unknown name stands for itself."""
        known = self.attributes.get(attribute)
        return known.code_of(name) if known else name

    def parent_of(self, attribute: str, code: str) -> str | None:
        """The top-level category of a second-level value, None for values without one."""
        known = self.attributes.get(attribute)
        return known.parents.get(code) if known else None

    def top_category_of(self, name: str) -> str | None:
        """The top-level category that a class of a detector of garments stands for, None for any other class.

        By its own code, alias or Korean name, or by those of a category of it.
        """
        known = self.attributes.get(CATEGORY)
        if known is None:
            return None
        leaf = known.find(name)
        return known.find_top_level(name) or (known.parents.get(leaf, leaf) if leaf else None)

    def applies(self, attribute: str, top_category: str | None) -> bool:
        """Whether garments of this top-level category have the attribute; one that only some have needs to know."""
        known = self.attributes.get(attribute)
        return known is None or known.applies_to is None or top_category in known.applies_to


def _spelled(values: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Codes of values by whatever they are called, spelled loosely: codes win over aliases, those over Korean names."""
    codes = {_spelling(value["ko"]): value["code"] for value in values if value.get("ko")}
    codes |= {_spelling(alias): value["code"] for value in values for alias in value.get("aliases", [])}
    return codes | {_spelling(value["code"]): value["code"] for value in values}


def _parse_attribute(item: Mapping[str, Any]) -> Attribute:
    parents = {value["code"]: value["parent"] for value in item["values"] if value.get("parent")}
    leaves = [value for value in item["values"] if value["code"] not in parents.values()]
    codes = _spelled(leaves)
    # Exact spellings win over loose ones.
    codes |= {alias: value["code"] for value in leaves for alias in value.get("aliases", [])}
    codes |= {value["code"]: value["code"] for value in leaves}
    applies_to = item.get("applies_to")
    return Attribute(
        item["code"],
        tuple(value["code"] for value in leaves),
        parents,
        codes,
        _spelled([value for value in item["values"] if value["code"] in parents.values()]),
        frozenset(applies_to) if applies_to else None,
    )
