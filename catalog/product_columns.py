"""The columns of product files, the same for import and export: their heads, and how a cell is written and read.

A line is a product: `sku`, `name`, `status`, a column for each attribute, `images`, and `updated` on export. Heads and
values are written in Korean, in English or as codes, and read in all of these and by aliases. An empty cell leaves a
thing alone; `-` says that an attribute does not apply.

What is written is read back as the same: a line whose cells all say what the product is changes nothing. A value that
a model proposed is written as a decided one is, so who reads compares with the current value before deciding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from django.utils import translation
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from catalog.models import Attribute, AttributeValue, Product, ProductAttribute
from catalog.search import normalized
from catalog.selectors import Taxonomy
from core.errors import Invalid
from core.spreadsheets import plain

SKU, NAME, STATUS, IMAGES, UPDATED = "sku", "name", "status", "images", "updated"
NOT_APPLICABLE = "-"
IMAGE_SEPARATOR = "|"


class Wording(StrEnum):
    """In which words heads and values are written."""

    KOREAN = "ko"
    ENGLISH = "en"
    CODES = "codes"


# In files both languages are read whatever the language of the page is, so these texts are not translated.
_HEADS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {  # in Korean, in English, and what else people write
    SKU: ("SKU", "SKU", ("품번", "상품코드", "상품 코드", "자체상품코드", "모델번호", "sku code", "item number")),
    NAME: ("상품명", "Name", ("이름", "제목", "상품 이름", "product", "product name", "title")),
    STATUS: ("상태", "Status", ("판매상태",)),
    IMAGES: ("사진", "Photos", ("이미지", "사진 파일", "이미지 파일", "파일", "image", "photo", "files")),
    UPDATED: ("수정 시각", "Changed", ("수정일", "changed at", "updated at")),
}
_NOT_APPLICABLE: Mapping[Wording, str] = {
    Wording.KOREAN: "해당 없음",
    Wording.ENGLISH: "not applicable",
    Wording.CODES: NOT_APPLICABLE,
}
_NAMED = 12  # values that a refusal names
_SAYS_NOT_APPLICABLE = frozenset(normalized(word) for word in (*_NOT_APPLICABLE.values(), "not_applicable", "n/a"))


@dataclass(frozen=True)
class Column:
    """A column: its code, its head in each wording, and what else its head may be; `attribute` if it holds values."""

    code: str
    heads: Mapping[Wording, str]
    also: tuple[str, ...] = ()
    attribute: Attribute | None = None

    @cached_property
    def called(self) -> frozenset[str]:
        """All heads that mean this column, normalized."""
        return frozenset(normalized(head) for head in (*self.heads.values(), *self.also))


def columns_of(taxonomy: Taxonomy) -> tuple[Column, ...]:
    """Return all columns in the order of an export. No two have the same head."""
    before, after = (SKU, NAME, STATUS), (IMAGES, UPDATED)
    attributes = [_of_attribute(attribute) for attribute in taxonomy.attributes.values()]
    return (*map(_fixed, before), *attributes, *map(_fixed, after))


def _fixed(code: str) -> Column:
    korean, english, also = _HEADS[code]
    return Column(code, {Wording.KOREAN: korean, Wording.ENGLISH: english, Wording.CODES: code}, also)


def _of_attribute(attribute: Attribute) -> Column:
    taken = {head for code in _HEADS for head in _fixed(code).called}
    heads = {
        wording: f"{head} ({attribute.code})" if normalized(head) in taken else head
        for wording, head in (
            (Wording.KOREAN, attribute.name_ko),
            (Wording.ENGLISH, attribute.name_en),
            (Wording.CODES, attribute.code),
        )
    }
    return Column(attribute.code, heads, attribute=attribute)


def column_called(head: str, columns: Iterable[Column]) -> Column | None:
    """Return the column that a file's head means, in any wording and spelling; None for one that is unknown."""
    wanted = normalized(plain(head.strip("\ufeff")))
    return next((column for column in columns if wanted in column.called), None)


def images_cell(names: Iterable[str]) -> str:
    """Write the names of a product's image files; who reads compares with this, as no name keeps a separator."""
    return IMAGE_SEPARATOR.join(name.replace(IMAGE_SEPARATOR, "_") for name in names)


def image_names(cell: str) -> list[str]:
    """Read what `images_cell` wrote, or a person: names apart by `|` or line breaks."""
    return [name.strip() for name in re.split(r"[|\r\n]", plain(cell)) if name.strip()]


def moment_cell(when: datetime) -> str:
    """Write the local time to the second, as spreadsheets sort it."""
    return f"{localtime(when):%Y-%m-%d %H:%M:%S}"


class CellWriter:
    """Writes values and statuses in one wording. What two values of an attribute are called alike is written as a code.

    Its answers are not made safe yet.
    """

    def __init__(self, taxonomy: Taxonomy, wording: Wording) -> None:
        self._wording = wording
        reader = CellReader(taxonomy)
        self._values: dict[int, str] = {}
        for code, values in taxonomy.values.items():
            for value in values.values():
                self._values[value.pk] = self._word(reader, code, taxonomy.today(code, value.code) or value)
        with translation.override("en" if wording is Wording.ENGLISH else "ko"):
            self._statuses = {
                status.value: status.value if wording is Wording.CODES else str(status.label)
                for status in Product.Status
            }

    def _word(self, reader: CellReader, attribute: str, value: AttributeValue) -> str:
        if self._wording is Wording.CODES:
            return value.code
        word = value.name_ko if self._wording is Wording.KOREAN else value.name_en
        return word if reader.means(attribute, word) == value else value.code

    def status(self, status: str) -> str:
        """Write a status."""
        return self._statuses[status]

    def value(self, value_id: int | None, state: str) -> str:
        """Write a current value, as what it stands for today; nothing where none is known."""
        if state == ProductAttribute.State.NOT_APPLICABLE:
            return _NOT_APPLICABLE[self._wording]
        return self._values.get(value_id, "") if value_id is not None else ""


class CellReader:
    """Reads values and statuses in any wording."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._known = {code: self._by_word(code) for code in taxonomy.attributes}
        self._statuses: dict[str, str] = {}
        for language in ("ko", "en"):
            with translation.override(language):
                for status in Product.Status:
                    self._statuses[normalized(str(status.label))] = status.value
        self._statuses |= {normalized(status): status for status in Product.Status.values}

    def _by_word(self, attribute: str) -> dict[str, AttributeValue | None]:
        """What each word means today; None for several values.

        Codes count before names, these before aliases, and parts of names last; what is offered before what is retired.
        """
        known: dict[str, AttributeValue | None] = {}
        values = list(self._taxonomy.values[attribute].values())
        for active in (True, False):
            for words_of in (_codes, _names, _aliases, _parts):
                found: dict[str, set[AttributeValue]] = {}
                for value in values:
                    today = self._taxonomy.today(attribute, value.code)
                    if today is None or today.active != active:
                        continue
                    for word in words_of(value):
                        found.setdefault(normalized(word), set()).add(today)
                for word, meant in found.items():
                    known.setdefault(word, next(iter(meant)) if len(meant) == 1 else None)
        known.pop("", None)
        return known

    def _some_values(self, attribute: str) -> str:
        """The first values that people can choose, by their names, for a sentence."""
        leaves = self._taxonomy.leaves(attribute)
        names = [value.name for value in leaves[:_NAMED]]
        return ", ".join([*names, "…"] if len(leaves) > _NAMED else names)

    def means(self, attribute: str, word: str) -> AttributeValue | None:
        """Return the value of today that a word means, switched off or not; None for no or several values."""
        return self._known[attribute].get(normalized(word))

    def value(self, attribute: str, cell: str) -> AttributeValue | str | None:
        """Read a cell of an attribute's column.

        Returns:
            The value of today, NOT_APPLICABLE, or None for an empty cell. The value may be switched off or have values
            below it; services refuse to decide such a one, but a product may have it already.

        Raises:
            Invalid: `unknown_value`, `ambiguous_value`.
        """
        text = plain(cell).strip()
        word = normalized(text)
        if not word:
            return None
        known = self._known[attribute]
        if known.get(word) is None and word in _SAYS_NOT_APPLICABLE:
            return NOT_APPLICABLE
        if word not in known:
            message = _("%(value)s is not a value of this column. Its values: %(known)s.")
            raise Invalid("unknown_value", message, {"value": text[:60], "known": self._some_values(attribute)})
        if (value := known[word]) is None:
            message = _("%(value)s may mean several values. Write the value's code.")
            raise Invalid("ambiguous_value", message, {"value": text[:60]})
        return value

    def status(self, cell: str) -> str | None:
        """Read a cell of the status column; None for an empty one. Raises Invalid `unknown_status`."""
        text = plain(cell).strip()
        if not text:
            return None
        if (status := self._statuses.get(normalized(text))) is None:
            raise Invalid("unknown_status", _("%(status)s is not a status."), {"status": text[:60]})
        return status


def _codes(value: AttributeValue) -> tuple[str, ...]:
    return (value.code,)


def _names(value: AttributeValue) -> tuple[str, ...]:
    return (value.name_ko, value.name_en)


def _parts(value: AttributeValue) -> tuple[str, ...]:
    """What a name like "Wool / cashmere" is made of: merchants write one of them."""
    return tuple(part for name in _names(value) if "/" in name for part in name.split("/"))


def _aliases(value: AttributeValue) -> tuple[str, ...]:
    return tuple(alias for alias in value.aliases if isinstance(alias, str))
