"""What a product's page shows, put together from what is already read: photos, garments, fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.models import CATEGORY, Attribute, AttributeValue, Product, ProductImage
from catalog.progress import Progress, progress_of
from catalog.proposal import ReasonCode
from catalog.selectors import SameImages, Taxonomy, same_images_elsewhere
from catalog.services import NO_GARMENT
from catalog.views.product_fields import Field, Option, chosen_garment, fields_of, suggestions_of
from catalog.views.product_photos import PageImage, photos_of

if TYPE_CHECKING:
    from catalog.models.of_classifier import Classification


@dataclass(frozen=True)
class ProposedGarment:
    """A candidate as the page shows it; its `number` is that of its boxes. `images` of `total` images show it.

    `reasons` say in words why it is as probable as it is, beside the number of images that show it.
    """

    number: int
    top_category: AttributeValue
    confidence: float
    images: int
    total: int
    cells: list[tuple[Attribute, Option]]
    chosen: bool
    decided: frozenset[str]
    reasons: list[str]

    @property
    def undecided(self) -> list[tuple[Attribute, Option]]:
        """The cells that nobody has decided on; the others would contradict the page, or repeat it."""
        return [cell for cell in self.cells if cell[0].code not in self.decided]


def garments_of(
    product: Product, taxonomy: Taxonomy, chosen: str | None, decided: Collection[str] = ()
) -> list[ProposedGarment]:
    """Return the proposal's candidates in its order, without top-level categories that the taxonomy no longer has.

    `decided`: the product's attributes that somebody stands for.
    """
    garments = []
    for number, candidate in enumerate(product.proposal.candidates, start=1):
        level = taxonomy.resolve(CATEGORY, candidate.top_category)
        if level is None:
            continue
        cells = []
        for code, attribute in taxonomy.attributes.items():
            suggestions = suggestions_of(candidate, code, taxonomy)
            if suggestions:
                cells.append((attribute, suggestions[0]))
        garments.append(
            ProposedGarment(
                number=number,
                top_category=level,
                confidence=candidate.confidence,
                images=candidate.images,
                total=candidate.total,
                cells=cells,
                chosen=level.code == chosen,
                decided=frozenset(decided) if level.code == chosen else frozenset(),
                reasons=[reason.text for reason in candidate.reasons if reason.code != ReasonCode.FOUND],
            )
        )
    return garments


@dataclass(frozen=True)
class ProductPage:
    """Everything that the templates of a product's page read."""

    product: Product
    images: list[PageImage]
    progress: Progress
    garments: list[ProposedGarment]
    fields: list[Field]
    garment: str | None
    may_edit: bool
    may_delete: bool
    removed: list[ProductImage]
    taxonomy: Taxonomy
    seen: str

    @property
    def editable(self) -> bool:
        """Whether the reader may change it now; what is archived has to be restored first."""
        return self.may_edit and self.product.status != Product.Status.ARCHIVED

    @property
    def places(self) -> int:
        """How many places among the images are taken: the next one that is added comes after them."""
        return max((image.image.position for image in self.images), default=-1) + 1

    @property
    def same_images(self) -> list[SameImages]:
        """Other products that have images of this one; asked for only where they are shown."""
        return same_images_elsewhere(self.product, [image.image for image in self.images])

    @property
    def stored_images(self) -> int:
        """How many images go with the product when it is deleted for good."""
        return len(self.images) + len(self.removed)

    @property
    def elsewhere(self) -> str:
        """The product's top-level category where no garment found is of it; else `NO_GARMENT`.

        It is what "none of these" stands for then: the product is none of the garments already, and yet is something.
        """
        own = chosen_garment(self.product)
        return own if own and all(found.top_category.code != own for found in self.garments) else NO_GARMENT


def build_page(
    product: Product,
    jobs: Mapping[int, Classification],
    *,
    may_edit: bool,
    may_delete: bool = False,
    removed: Sequence[ProductImage] = (),
    garment: str | None = None,
    wanted: Mapping[str, str] | None = None,
) -> ProductPage:
    """Put the page together.

    Args:
        product: from `catalog.selectors.product_for_page`.
        jobs: from `catalog.progress.jobs_of`, read before the product.
        may_edit: whether the reader may change it.
        may_delete: whether the reader may delete for good what is archived of it.
        removed: images that were removed from it and that the reader may put back.
        garment: the one to show instead of the product's own; `NO_GARMENT` is "none of these".
        wanted: unsaved choices to keep, by attribute code.
    """
    taxonomy = Taxonomy.load()
    images: list[ProductImage] = product.current_images  # type: ignore[attr-defined]  # prefetched to this attribute
    shown = garment if garment is not None else chosen_garment(product)
    states = ".".join(f"{job.pk}{job.state[0]}{job.error_code}" for job in jobs.values())
    progress = progress_of(images, jobs)
    fields = fields_of(product, images, taxonomy, shown, wanted)
    return ProductPage(
        product=product,
        images=photos_of(product, images, jobs, taxonomy),
        progress=progress,
        garments=garments_of(product, taxonomy, shown, {field.attribute.code for field in fields if field.said}),
        fields=fields,
        garment=shown,
        may_edit=may_edit,
        may_delete=may_delete,
        removed=list(removed),
        taxonomy=taxonomy,
        seen=f"{product.version}-{product.updated_at.timestamp():.6f}-{states}{progress.slow:d}{progress.late:d}",
    )
