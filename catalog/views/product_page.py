"""What a product's page shows, put together from what is already read: boxes, garments, fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, Product, ProductAttribute, ProductImage
from catalog.progress import Progress, progress_of
from catalog.proposal import Candidate, ReasonCode
from catalog.selectors import SameImages, Taxonomy, same_images_elsewhere, values_of
from catalog.services import LEAVE_OPEN, NO_GARMENT, NOT_APPLICABLE

if TYPE_CHECKING:
    from catalog.models.of_classifier import Classification, Garment


_MOST_CHIPS = 4
_LEAST_CHIP = 0.01


@dataclass(frozen=True)
class Option:
    """A value to choose; with a confidence where a model suggests it."""

    value: AttributeValue
    confidence: float | None = None


@dataclass(frozen=True)
class Group:
    """Values under one heading of a list; an empty label where there is but one group."""

    label: str
    options: list[Option]


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
    reasons: list[str]


@dataclass(frozen=True)
class Field:
    """One attribute of the product: what holds now, what the model says, and what else may be chosen.

    `today` is what the current value is called today. `shown` is what the control selects at first, `selected` what a
    person has chosen in place of it. `former` is a decided value that can be chosen no more.
    """

    attribute: Attribute
    current: ProductAttribute | None
    today: AttributeValue | None
    shown: str
    selected: str
    former: AttributeValue | None
    applies: bool
    applies_to: str
    suggestions: list[Option]
    groups: list[Group]
    model: str
    calibrated: bool

    @property
    def suggestion(self) -> Option | None:
        """What the model puts first."""
        return self.suggestions[0] if self.suggestions else None

    @property
    def chips(self) -> list[Option]:
        """What is worth a button of its own: the likeliest values, if there is one that is not selected already."""
        likely = [option for option in self.suggestions[:_MOST_CHIPS] if (option.confidence or 0) >= _LEAST_CHIP]
        return likely if any(option.value.code != self.selected for option in likely) else []

    @property
    def is_suggested(self) -> bool:
        """Whether what the model puts first is selected."""
        return self.suggestion is not None and self.suggestion.value.code == self.selected

    @property
    def model_differs(self) -> bool:
        """Whether a person decided otherwise than the model says."""
        if self.suggestion is None or self.current is None or self.current.decision is None:
            return False
        return self.today != self.suggestion.value

    @property
    def may_not_apply(self) -> bool:
        """Whether "not applicable" is an answer; every product has a category."""
        return self.attribute.code != CATEGORY


@dataclass(frozen=True)
class Box:
    """A garment's place in an image, in per cent of its width and height, as SVG attributes want it.

    `hidden` are the names of the attributes that the image does not show.
    """

    x: str
    y: str
    width: str
    height: str
    number: int | None
    top_category: AttributeValue | None
    label: str
    hidden: list[str]


@dataclass(frozen=True)
class PageImage:
    """An image with its boxes and the state of its last job."""

    image: ProductImage
    boxes: list[Box]
    job: Classification | None

    @property
    def boxes_with_hidden(self) -> list[Box]:
        """The boxes of garments of which the image does not show everything, and that the page numbers."""
        return [box for box in self.boxes if box.hidden and box.number is not None]


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.2f}%"


def _numbers(product: Product) -> dict[int, tuple[int, str]]:
    """The number and the top-level category of the candidate that each garment speaks for, by the garment's id.

    A garment that may be of two speaks for the more probable one.
    """
    numbers: dict[int, tuple[int, str]] = {}
    for number, candidate in enumerate(product.proposal.candidates, start=1):
        for garment in candidate.garments:
            numbers.setdefault(garment, (number, candidate.top_category))
    return numbers


def _boxes(image: ProductImage, numbers: Mapping[int, tuple[int, str]], taxonomy: Taxonomy) -> list[Box]:
    shown: list[Garment] = image.shown_garments  # type: ignore[attr-defined]  # prefetched to this attribute
    boxes = []
    for garment in shown:
        number, code = numbers.get(garment.pk, (None, ""))
        level = taxonomy.resolve(CATEGORY, code)
        category = next((said for said in garment.predictions.all() if said.attribute.code == CATEGORY), None)
        boxes.append(
            Box(
                x=_percent(garment.x1),
                y=_percent(garment.y1),
                width=_percent(garment.x2 - garment.x1),
                height=_percent(garment.y2 - garment.y1),
                number=number,
                top_category=level,
                label=category.value.name if category else level.name if level else "",
                hidden=[taxonomy.attributes[code].name for code in garment.hidden or () if code in taxonomy.attributes],
            )
        )
    return boxes


def _suggestions(candidate: Candidate | None, attribute: str, taxonomy: Taxonomy) -> list[Option]:
    proposed = candidate.attributes.get(attribute) if candidate else None
    if proposed is None:
        return []
    options: dict[int, Option] = {}
    for option in proposed.options:
        value = taxonomy.resolve(attribute, option.value)
        if value is not None and value.pk not in options:
            options[value.pk] = Option(value, option.confidence)
    return list(options.values())


def _groups(attribute: str, suggested: set[int], taxonomy: Taxonomy) -> list[Group]:
    """The values that the model does not suggest, under their top-level category where they have one."""
    groups: dict[str, list[Option]] = {}
    for value in taxonomy.leaves(attribute):
        if value.pk not in suggested:
            groups.setdefault(value.parent.name if value.parent else "", []).append(Option(value))
    return [Group(label, options) for label, options in groups.items()]


def _shown(
    current: ProductAttribute | None, today: AttributeValue | None, suggestions: list[Option], *, other_garment: bool
) -> str:
    by_person = current is not None and current.decision is not None and current.decision.source != Decision.Source.AUTO
    if other_garment and not (by_person and current is not None and current.attribute.code != CATEGORY):
        return suggestions[0].value.code if suggestions else LEAVE_OPEN
    if current is None:
        return LEAVE_OPEN
    if today is not None and (by_person or today.active):
        return today.code
    return NOT_APPLICABLE if by_person and current.state == ProductAttribute.State.NOT_APPLICABLE else LEAVE_OPEN


def chosen_garment(product: Product) -> str | None:
    """Return which garment the product is, by its top-level category's code.

    `NO_GARMENT` where a person said that it is none of those found, None where nobody chose.
    """
    if product.top_category is not None:
        return product.top_category.code
    return NO_GARMENT if product.is_none_of_the_garments else None


def fields_of(
    product: Product, taxonomy: Taxonomy, garment: str | None, wanted: Mapping[str, str] | None = None
) -> list[Field]:
    """Return the attributes' fields as they look with that garment chosen.

    Args:
        product: with its current values prefetched.
        taxonomy: the taxonomy.
        garment: the one that the page shows, as `chosen_garment` says it; another than the product's is a look ahead.
        wanted: what the person has chosen but not saved, by attribute code; it stays selected.
    """
    values = values_of(product)
    top_category = taxonomy.resolve(CATEGORY, garment) if garment else None
    candidate = product.proposal.candidate(garment)
    other_garment = garment != chosen_garment(product)
    fields = []
    for code, attribute in taxonomy.attributes.items():
        suggestions = _suggestions(candidate, code, taxonomy)
        proposed = candidate.attributes.get(code) if candidate else None
        current = values.get(code)
        today = (taxonomy.today(code, current.value.code) or current.value) if current and current.value else None
        shown = _shown(current, today, suggestions, other_garment=other_garment)
        offered = {value.pk for value in taxonomy.leaves(code)}
        levels = taxonomy.applies_to[code]
        fields.append(
            Field(
                attribute=attribute,
                current=current,
                today=today,
                shown=shown,
                selected=(wanted or {}).get(code, shown),
                former=today if today and today.pk not in offered and today.code == shown else None,
                applies=taxonomy.applies(code, top_category),
                applies_to=" ".join(value.code for value in taxonomy.values[CATEGORY].values() if value.pk in levels),
                suggestions=suggestions,
                groups=_groups(code, {option.value.pk for option in suggestions}, taxonomy),
                model=proposed.model if proposed else "",
                calibrated=proposed is not None and proposed.calibrated,
            )
        )
    return fields


def garments_of(product: Product, taxonomy: Taxonomy, chosen: str | None) -> list[ProposedGarment]:
    """Return the proposal's candidates in its order, without top-level categories that the taxonomy no longer has."""
    garments = []
    for number, candidate in enumerate(product.proposal.candidates, start=1):
        level = taxonomy.resolve(CATEGORY, candidate.top_category)
        if level is None:
            continue
        cells = []
        for code, attribute in taxonomy.attributes.items():
            suggestions = _suggestions(candidate, code, taxonomy)
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
    garment: str | None = None,
    wanted: Mapping[str, str] | None = None,
) -> ProductPage:
    """Put the page together.

    Args:
        product: from `catalog.selectors.product_for_page`.
        jobs: from `catalog.progress.jobs_of`, read before the product.
        may_edit: whether the reader may change it.
        may_delete: whether the reader may delete for good what is archived of it.
        garment: the one to show instead of the product's own; `NO_GARMENT` is "none of these".
        wanted: unsaved choices to keep, by attribute code.
    """
    taxonomy = Taxonomy.load()
    images: list[ProductImage] = product.current_images  # type: ignore[attr-defined]  # prefetched to this attribute
    numbers = _numbers(product)
    shown = garment if garment is not None else chosen_garment(product)
    states = ".".join(f"{job.pk}{job.state[0]}{job.error_code}" for job in jobs.values())
    progress = progress_of(images, jobs)
    return ProductPage(
        product=product,
        images=[PageImage(image, _boxes(image, numbers, taxonomy), jobs.get(image.pk)) for image in images],
        progress=progress,
        garments=garments_of(product, taxonomy, shown),
        fields=fields_of(product, taxonomy, shown, wanted),
        garment=shown,
        may_edit=may_edit,
        may_delete=may_delete,
        removed=list(product.images.exclude(archived_at=None)) if may_delete else [],
        seen=f"{product.version}-{product.updated_at.timestamp():.6f}-{states}{progress.late:d}",
    )
