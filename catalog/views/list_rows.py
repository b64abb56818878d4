"""The rows of the list of products: what each shows, and by what a page sees that it has changed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.certainty import is_doubtful
from catalog.listing import CurrentValue, values_by_product
from catalog.models import CATEGORY, Attribute, AttributeValue, Product, ProductAttribute
from catalog.selectors import Taxonomy

State = ProductAttribute.State
SKU, STATUS, CREATED, CHANGED = "sku", "status", "created", "changed"


@dataclass(frozen=True)
class Cell:
    """What a row shows of one attribute. `value` is None where it is open, or the product has no such attribute."""

    attribute: Attribute
    value: AttributeValue | None
    state: str
    confidence: float | None

    @property
    def proposed(self) -> bool:
        """Whether a model only proposes it."""
        return self.state == State.PROPOSED

    @property
    def doubtful(self) -> bool:
        """Whether it is proposed, and the model is unsure of it."""
        return self.proposed and is_doubtful(self.confidence or 0)

    @property
    def applies(self) -> bool:
        """Whether the product has such an attribute."""
        return self.state != State.NOT_APPLICABLE

    @property
    def code(self) -> str:
        """What an editor of the cell selects at first."""
        if self.value is not None:
            return self.value.code
        return "" if self.applies else "-"


@dataclass(frozen=True)
class Row:
    """One product of the list."""

    product: Product
    cells: list[Cell]
    garments: list[str]

    @property
    def cover(self) -> str | None:
        """The public id of its first image."""
        cover: str | None = self.product.cover  # type: ignore[attr-defined]  # annotated by with_cover
        return cover

    @property
    def image_count(self) -> int:
        """How many images it has."""
        return self.product.image_count or 0  # type: ignore[attr-defined]  # annotated by with_cover

    @property
    def nothing_found(self) -> bool:
        """Whether the models found no garment, and nobody has chosen one."""
        return self.product.unclear == Product.Unclear.NOTHING and not self.product.failed_images

    @property
    def mark(self) -> str:
        """What changes when the row does."""
        product = self.product
        shown = (
            product.version, product.updated_at, product.status, product.failed_images, self.cover, self.image_count,
            [(cell.code, cell.state, cell.confidence) for cell in self.cells],
        )  # fmt: skip
        return f"{zlib.crc32(repr(shown).encode()):08x}"


def rows_of(products: Sequence[Product], taxonomy: Taxonomy, columns: Iterable[str]) -> list[Row]:
    """Return the rows of products that `with_cover` read; one query, for their values.

    Args:
        products: the page's products.
        taxonomy: names the values.
        columns: codes of the attributes that are shown; other columns are of no interest here.
    """
    shown = [taxonomy.attributes[code] for code in columns if code in taxonomy.attributes]
    values = values_by_product(products)
    known = {value.pk: value for attribute in shown for value in taxonomy.values[attribute.code].values()}
    categories = taxonomy.values.get(CATEGORY, {})
    return [
        Row(
            product,
            [_cell(attribute, values[product.pk].get(attribute.pk), known) for attribute in shown],
            [
                categories[candidate.top_category].name
                for candidate in product.proposal.candidates
                if product.unclear == Product.Unclear.SEVERAL and candidate.top_category in categories
            ],
        )
        for product in products
    ]


def _cell(attribute: Attribute, current: CurrentValue | None, known: dict[int, AttributeValue]) -> Cell:
    if current is None:
        return Cell(attribute, None, State.UNSET, None)
    value = known.get(current.value_id or 0)
    return Cell(attribute, value.today if value is not None else None, current.state, current.confidence)
