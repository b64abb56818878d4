"""From the class names of other people's labels to the taxonomy's codes, with classes left out or merged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.engine.taxonomy import DEFAULT_TAXONOMY, Taxonomy

# What the original system left out of K-Fashion: 탑, 브라탑, 레깅스, 짚업; 퍼, 앙고라, 합성섬유, 면.
LEFT_OUT_BY_ORIGINAL = (
    "category=SleevelessTop,Bratop,Leggings,Zipup",
    "material=fur,angora,synthetic,cotton",
)


class UnknownName(ValueError):
    """A class name that the taxonomy does not have."""


class VocabularyError(ValueError):
    """An option names an attribute or a class that does not exist, or has another form than it should."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which code a class name becomes. Names are codes, aliases or Korean names, in any case and spacing."""

    taxonomy: Taxonomy
    left_out: frozenset[tuple[str, str]] = frozenset()
    merged: Mapping[tuple[str, str], str] | None = None
    keeps_unknown: bool = False

    @classmethod
    def load(
        cls,
        leave_out: Iterable[str] = (),
        merge: Iterable[str] = (),
        *,
        keeps_unknown: bool = False,
        taxonomy: Taxonomy | None = None,
    ) -> Vocabulary:
        """A taxonomy, by default the project's, with changes.

        Args:
            leave_out: `ATTRIBUTE=CLASS,CLASS`; garments of these classes lose that label.
            merge: `ATTRIBUTE=CLASS,CLASS:INTO`; they get another class's label, before anything is left out.
            keeps_unknown: whether a name that the taxonomy does not have stays as it is.

        Raises:
            VocabularyError: naming the option.
        """
        plain = cls(taxonomy or Taxonomy.load(), keeps_unknown=keeps_unknown)
        merged = {}
        for option in merge:
            left, _colon, into = option.rpartition(":")
            attribute, codes = plain._parse(left, option)
            for code in codes:
                merged[attribute, code] = plain._code(attribute, into, option)
        left_out = set()
        for option in leave_out:
            attribute, codes = plain._parse(option, option)
            left_out |= {(attribute, code) for code in codes}
        return cls(plain.taxonomy, frozenset(left_out), merged, keeps_unknown)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The codes of all attributes of the taxonomy."""
        return tuple(self.taxonomy.attributes)

    def code_of(self, attribute: str, name: str) -> str:
        """The code for a name, after merging; it may be one that is left out. Raises UnknownName."""
        code = self.taxonomy.attributes[attribute].find(name)
        if code is None:
            if not self.keeps_unknown:
                raise UnknownName(f"{attribute}: {name}")
            code = name
        return (self.merged or {}).get((attribute, code), code)

    def leaves_out(self, attribute: str, code: str) -> bool:
        """Whether garments of this class shall have no label for the attribute."""
        return (attribute, code) in self.left_out

    def in_order(self, attribute: str, codes: Iterable[str]) -> list[str]:
        """Codes in the taxonomy's order, which for K-Fashion is the original's; unknown ones last, by name."""
        position = {code: index for index, code in enumerate(self.taxonomy.attributes[attribute].leaves)}
        return sorted(codes, key=lambda code: (position.get(code, len(position)), code))

    def _parse(self, text: str, option: str) -> tuple[str, list[str]]:
        attribute, equals, names = text.partition("=")
        if not equals or attribute not in self.taxonomy.attributes:
            raise VocabularyError(f"{option!r} does not begin with {', '.join(self.taxonomy.attributes)} and '='.")
        return attribute, [self._code(attribute, name, option) for name in names.split(",")]

    def _code(self, attribute: str, name: str, option: str) -> str:
        try:
            return self.code_of(attribute, name)
        except UnknownName:
            raise VocabularyError(f"{option!r}: there is no {attribute} {name!r}.") from None


def joined(taxonomies: Iterable[Path]) -> dict[str, Any]:
    """The project's taxonomy and these files, as JSON; of an attribute that several describe, the last one counts.

    Raises VocabularyError for a file that is not a valid taxonomy.
    """
    attributes: dict[str, Any] = {}
    for path in (DEFAULT_TAXONOMY, *taxonomies):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            Taxonomy.parse(content)
        except (ValueError, KeyError, TypeError) as error:
            raise VocabularyError(f"{path} is not a valid taxonomy: {error!r}.") from error
        attributes |= {item["code"]: item for item in content["attributes"]}
    return {"attributes": list(attributes.values())}
