"""What a line says, and what would change if it were done: the same for the dry run and for the import."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from catalog.also_called import ALSO_CALLED
from catalog.imports import xlsx_tables
from catalog.imports.refusals import refusal
from catalog.models import CATEGORY, AttributeValue, ImportLine, Product, ProductAttribute, ProductImage
from catalog.product_columns import (
    IMAGES,
    NAME,
    NOT_APPLICABLE,
    SKU,
    STATUS,
    CellReader,
    image_names,
    images_cell,
)
from catalog.search import normalized
from catalog.selectors import Taxonomy
from catalog.services.decisions import category_needed, find_leaf, top_categories
from catalog.services.imports.sources import Found
from catalog.services.products import clean_name, clean_sku
from catalog.services.status import category_open
from core.errors import Invalid, Refused
from core.spreadsheets import plain
from core.text import has_control_characters, lookup_key

Status = Product.Status
Action = ImportLine.Action
Value = AttributeValue | str

_FOLLOWS = frozenset((Status.DRAFT, Status.CLASSIFYING, Status.TO_REVIEW))  # statuses that nobody chooses


def _called(attribute: str) -> dict[str, str]:
    """The value of each word that merchants use for one value only."""
    found: dict[str, set[str]] = {}
    for code, words in ALSO_CALLED[attribute].items():
        for word in words.split():
            found.setdefault(normalized(word), set()).add(code)
    return {word: next(iter(codes)) for word, codes in found.items() if len(codes) == 1}


_CALLED = {attribute: _called(attribute) for attribute in ALSO_CALLED}


@dataclass(frozen=True)
class Said:
    """What a line says, as far as it can be read."""

    sku: str = ""
    name: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    status: str | None = None
    images: Sequence[str] = ()
    problems: Sequence[Refused] = ()

    @cached_property
    def sku_key(self) -> str:
        """By which the product is found; empty without an SKU."""
        return lookup_key(self.sku) if self.sku else ""


class LineReader:
    """Reads lines: cells by the codes of their columns."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._cells = CellReader(taxonomy)
        self._taxonomy, self._attributes = taxonomy, taxonomy.attributes

    def read(self, cells: Mapping[str, Any]) -> Said:
        """Read a line; what cannot be read is in `problems`. Cells of columns that are no longer there say nothing."""
        problems: list[Refused] = []
        texts = {}
        for column, cell in cells.items():
            try:
                texts[column] = _text(column, cell)
            except Refused as refused:
                problems.append(refused)
        found: dict[str, Any] = {}
        for column, text in texts.items():
            try:
                found[column] = self._read(column, text)
            except Refused as refused:
                problems.append(refused)
        sku = found.pop(SKU, None)
        if not sku and not any(problem.code.startswith("sku") for problem in problems):
            problems.append(refusal("sku_missing"))
        return Said(
            sku=sku or "",
            name=found.pop(NAME, None) or None,
            status=found.pop(STATUS, None),
            images=found.pop(IMAGES, ()),
            values={code: value for code, value in found.items() if value is not None},
            problems=problems,
        )

    def _read(self, column: str, text: str) -> Any:
        if column == SKU:
            return clean_sku(plain(text))
        if column == NAME:
            return clean_name(plain(text))
        if column == STATUS:
            return self._cells.status(text)
        if column == IMAGES:
            return image_names(text)
        return self._value(column, text) if column in self._attributes else None

    def _value(self, column: str, text: str) -> Value | None:
        """A value by its code, names or aliases, or by what merchants call it."""
        try:
            return self._cells.value(column, text)
        except Invalid as unknown:
            code = _CALLED.get(column, {}).get(normalized(plain(text)))
            value = self._taxonomy.today(column, code) if code else None
            if unknown.code != "unknown_value" or value is None:
                raise
            return value


def _text(column: str, cell: Any) -> str:
    """Return a cell's text. Raises Refused."""
    if cell is xlsx_tables.FORMULA:
        raise refusal("formula", column=column)
    if isinstance(cell, xlsx_tables.ErrorValue):
        raise refusal("error_value", column=column, value=str(cell)[:20])
    text = str(cell)
    if column not in {SKU, NAME} and has_control_characters(
        text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
    ):
        raise refusal("control_characters", column=column)
    return text


@dataclass
class Present:
    """A product as it is, as far as lines may change it."""

    product: Product
    values: dict[str, ProductAttribute]
    checksums: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def present_of(merchant_id: int, keys: Collection[str], images: bool, *, lock: bool = False) -> dict[str, Present]:
    """Read the merchant's products of these SKUs, by their keys; two queries, three with images.

    Args:
        merchant_id: whose.
        keys: of the SKUs.
        images: whether their images are asked for.
        lock: whether they are to be changed in this transaction.
    """
    products = Product.objects.filter(merchant=merchant_id, sku_key__in=[key for key in keys if key])
    products = products.order_by("pk").defer("proposal", "search_text")
    found = {product.pk: Present(product, {}) for product in (products.select_for_update() if lock else products)}
    rows = ProductAttribute.objects.filter(product__in=found).select_related("attribute").order_by()
    for row in rows if found else ():
        found[row.product_id].values[row.attribute.code] = row
    if images and found:
        current = ProductImage.objects.filter(product__in=found, archived_at=None).order_by()
        for pk, checksum, name in current.values_list("product", "sha256", "original_name"):
            found[pk].checksums.add(checksum)
            found[pk].names.add(images_cell([name]))
    return {str(one.product.sku_key): one for one in found.values()}


@dataclass
class Plan:
    """What a line changes. `wrong` lines change nothing; other problems cost only what they are about."""

    name: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    status: str | None = None
    images: list[Found] = field(default_factory=list)
    changes: list[dict[str, str]] = field(default_factory=list)
    problems: list[Refused] = field(default_factory=list)
    wrong: bool = False
    new: bool = False

    @property
    def action(self) -> Action:
        """In a word."""
        if self.wrong:
            return Action.WRONG
        if self.new:
            return Action.NEW
        return Action.CHANGE if self.changes else Action.SAME


class Planner:
    """Says what lines change."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.reader = LineReader(taxonomy)

    def plan(self, said: Said, present: Present | None, images: Iterable[Found]) -> Plan:
        """Compare what a line says with what is there.

        Args:
            said: the line.
            present: its product; None if there is none yet.
            images: the line's images that can be read.
        """
        plan = Plan(problems=list(said.problems), wrong=bool(said.problems), new=present is None)
        try:
            self._name(plan, said, present)
            self._values(plan, said, present)
            self._status(plan, said, present)
        except Refused as refused:
            plan.problems.append(refused)
            plan.wrong = True
        self._images(plan, present, images)
        archived = present is not None and present.product.status == Status.ARCHIVED
        if archived and plan.changes and plan.status != Status.READY:
            plan.problems.append(refusal("archived_line"))
            plan.wrong = True
        return plan

    @staticmethod
    def _name(plan: Plan, said: Said, present: Present | None) -> None:
        before = present.product.name if present is not None else ""
        if said.name is not None and said.name != before:
            plan.name = said.name
            plan.changes.append({"column": NAME, "before": before, "after": said.name})

    def _values(self, plan: Plan, said: Said, present: Present | None) -> None:
        top = self._top_category(present)
        for code, value in sorted(said.values.items(), key=lambda item: item[0] != CATEGORY):
            before = self._before(code, present)
            after = value if isinstance(value, str) else value.code
            if after == before:
                continue
            if not isinstance(value, str):
                find_leaf(self.taxonomy, code, value.code)
            elif code == CATEGORY:
                raise category_needed()
            if code == CATEGORY and not isinstance(value, str):
                top = top_categories(self.taxonomy, value)[0]
            elif not self.taxonomy.applies(code, top):
                if after != NOT_APPLICABLE:
                    plan.problems.append(refusal("column_not_applicable", column=code))
                continue
            plan.values[code] = after
            plan.changes.append({"column": code, "before": before, "after": after})

    def _top_category(self, present: Present | None) -> AttributeValue | None:
        pk = present.product.top_category_id if present is not None else None
        return self.taxonomy.stored(CATEGORY, pk) if pk is not None else None

    def _before(self, code: str, present: Present | None) -> str:
        """What the product's attribute is today: a code, NOT_APPLICABLE or nothing."""
        row = present.values.get(code) if present is not None else None
        if row is None:
            return ""
        if row.state == ProductAttribute.State.NOT_APPLICABLE:
            return NOT_APPLICABLE
        if row.value_id is None:
            return ""
        stored = self.taxonomy.stored(code, row.value_id)
        return (self.taxonomy.today(code, stored.code) or stored).code

    def _status(self, plan: Plan, said: Said, present: Present | None) -> None:
        before = present.product.status if present is not None else Status.DRAFT
        if said.status is None or said.status == before:
            return
        chosen = before in {Status.PUBLISHED, Status.ARCHIVED}
        if said.status in _FOLLOWS or (said.status == Status.READY and not chosen):
            if chosen:
                plan.problems.append(refusal("cannot_follow", status=Status(said.status).label))
            return
        if said.status == Status.PUBLISHED:
            if before == Status.ARCHIVED:
                raise refusal("archived_line")
            if CATEGORY not in plan.values and not self._before(CATEGORY, present):
                raise category_open()
        plan.status = said.status
        plan.changes.append({"column": STATUS, "before": before, "after": said.status})

    @staticmethod
    def _images(plan: Plan, present: Present | None, images: Iterable[Found]) -> None:
        known = set(present.checksums) if present is not None else set()
        for image in images:
            if image.sha256 not in known:
                known.add(image.sha256)
                plan.images.append(image)
        if plan.images:
            names = images_cell(image.photo.name for image in plan.images)
            plan.changes.append({"column": IMAGES, "before": "", "after": names})
