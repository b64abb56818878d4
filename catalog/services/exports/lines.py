"""Products as lines of a file, read in batches, each from where the last one ended: a late one costs no more.

Nothing is held but a batch. No statement runs while the file is sent, so neither the database nor its driver keeps rows
for who reads slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from django.db.models import QuerySet

from accounts.actors import Actor
from catalog.listing import Cursor
from catalog.mapping import Mapper, Unmapped, current_values
from catalog.models import Product, ProductImage, TaxonomyMapping
from catalog.product_columns import (
    IMAGES,
    NAME,
    SKU,
    STATUS,
    UPDATED,
    CellWriter,
    Wording,
    columns_of,
    images_cell,
    moment_cell,
)
from catalog.selection import Selection
from catalog.selectors import Taxonomy
from catalog.services.exports.choice import ExportChoice
from core.spreadsheets import safe

BATCH = 1_000
_READ = ("pk", "public_id", "sku", "name", "status", "updated_at", "created_at")
_CELL = 32_000  # characters: a cell of a spreadsheet holds 32,767


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image of a product: its name in the storage, and in the ZIP."""

    stored: str
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A product as cells, with the image files that go into a ZIP."""

    cells: list[str]
    images: list[ImageFile]


@dataclass(slots=True)
class Row:
    """The columns that are read of a product, named as the model's."""

    pk: int
    public_id: str
    sku: str | None
    name: str
    status: str
    updated_at: datetime
    created_at: datetime

    @property
    def id(self) -> int:
        return self.pk


def _selected(actor: Actor, choice: ExportChoice, taxonomy: Taxonomy) -> tuple[QuerySet[Product], tuple[str, ...]]:
    """The chosen products, and the order that they are walked in."""
    chosen = choice.filter(taxonomy)
    if choice.ids:  # whatever their status
        return choice.narrowed(Product.objects.visible_to(actor)), chosen.order
    return choice.narrowed(Selection.of(actor, chosen).in_order()), chosen.order


def count_up_to(actor: Actor, choice: ExportChoice, most: int) -> int:
    """Count the products of an export, up to `most`; two queries at most."""
    selected, _order = _selected(actor, choice, Taxonomy.load())
    return selected.order_by().values("pk")[:most].count()


@dataclass
class ExportLines:
    """The lines of an export, with what is learnt while they are read.

    Attributes:
        unmapped: values that the chosen mapping says nothing of.
        read: how many products were read.
    """

    actor: Actor
    choice: ExportChoice
    unmapped: Unmapped = field(default_factory=Unmapped)
    read: int = 0

    def __post_init__(self) -> None:
        self._taxonomy = Taxonomy.load()
        self._columns = columns_of(self._taxonomy)
        self._writer = CellWriter(self._taxonomy, self.choice.wording)
        version = TaxonomyMapping.objects.filter(pk=self.choice.mapping).first() if self.choice.mapping else None
        self.mapper = Mapper(version, self._taxonomy) if version is not None else None

    @property
    def heads(self) -> list[str]:
        """The first line."""
        heads = [column.heads[self.choice.wording] for column in self._columns]
        if self.mapper is None:
            return heads
        mapping = self.mapper.mapping
        if self.choice.wording is Wording.CODES:
            return [*heads, mapping.code, f"{mapping.code}_name", f"{mapping.code}_missing"]
        code, name, missing = (
            ("code", "name", "no counterpart")
            if self.choice.wording is Wording.ENGLISH
            else ("코드", "이름", "대응 없음")
        )
        return [*heads, *(f"{mapping.name}: {word}" for word in (code, name, missing))]

    def unmapped_rows(self) -> list[tuple[str, int]]:
        """The values without a counterpart, as they are written, with the number of products; most first."""
        return [(self._writer.value(pk, ""), count) for pk, count in self.unmapped.products.most_common()]

    def first(self, most: int) -> list[Product]:
        """The first few products."""
        selected, order = _selected(self.actor, self.choice, self._taxonomy)
        return list(selected.order_by(*order)[:most])

    def batches(self) -> Iterator[list[Line]]:
        """Read the products, a batch of lines at a time; three queries for each."""
        return (self._lines(rows) for rows in self.rows(BATCH))

    def rows(self, size: int) -> Iterator[list[Row]]:
        """Read the columns of the products alone, so many at a time; a query for each."""
        selected, order = _selected(self.actor, self.choice, self._taxonomy)
        walked = selected.order_by(*order)
        cursor: Cursor | None = None
        while True:
            behind = walked if cursor is None else walked.filter(cursor.behind(order)).order_by(*order)
            rows = [Row(*row) for row in behind.values_list(*_READ)[:size]]
            if rows:
                self.read += len(rows)
                yield rows
            if len(rows) < size:
                return
            cursor = Cursor(tuple(getattr(rows[-1], column.lstrip("-")) for column in order))

    def _lines(self, rows: list[Row]) -> list[Line]:
        ids = [row.pk for row in rows]
        attributes = [attribute.pk for attribute in self._taxonomy.attributes.values()]
        values = current_values(ids, attributes)
        images = self._images(rows)
        return [self._line(row, values.get(row.pk, {}), images.get(row.pk, [])) for row in rows]

    def _images(self, rows: list[Row]) -> dict[int, list[ImageFile]]:
        found: dict[int, list[ImageFile]] = {}
        images = ProductImage.objects.filter(product__in=[row.pk for row in rows], archived_at=None)
        by_id = {row.pk: row for row in rows}
        ordered = images.order_by("product_id", "position", "id")
        for product, stored, name in ordered.values_list("product_id", "original", "original_name"):
            own = found.setdefault(product, [])
            if self.choice.images:
                name = _name_in_zip(by_id[product], len(own) + 1, stored)
            own.append(ImageFile(stored, name))
        return found

    def _line(self, row: Row, values: dict[int, tuple[int | None, str]], images: list[ImageFile]) -> Line:
        fixed = {
            SKU: row.sku or "",
            NAME: row.name,
            STATUS: self._writer.status(row.status),
            IMAGES: images_cell(image.name for image in images),
            UPDATED: moment_cell(row.updated_at),
        }
        cells = [
            fixed[column.code]
            if column.attribute is None
            else self._writer.value(*values.get(column.attribute.pk, (None, "")))
            for column in self._columns
        ]
        if self.mapper is not None:
            cells += self._mapped(values, self.mapper)
        return Line([safe(cell[:_CELL]) for cell in cells], images if self.choice.images else [])

    def _mapped(self, values: dict[int, tuple[int | None, str]], mapper: Mapper) -> tuple[str, str, str]:
        target = mapper.target({attribute: pk for attribute, (pk, _state) in values.items()})
        if target is not None:
            return target.code, target.name, ""
        own = values.get(mapper.mapping.attribute_id, (None, ""))[0]
        self.unmapped.meet(own, mapper)
        return "", "", self._writer.value(own, "")


def _name_in_zip(row: Row, number: int, stored: str) -> str:
    """Name an image so that an import finds its product: SKU_1.jpg. What no folder may be named is left out of it."""
    sku = row.sku or ""
    plain = "".join(character if character.isalnum() or character in "-_. " else "_" for character in sku).strip(" .")
    stem = plain if plain == sku and sku else f"{plain}-{row.public_id}".lstrip("-")
    return f"{stem}_{number}{PurePosixPath(stored).suffix.lower()}"
