"""One product of the review: its questions, the answers to choose from, and why it is here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext

from catalog.certainty import CERTAINTY, is_doubtful, percent
from catalog.models import CATEGORY, Attribute, Product, ProductAttribute, ProductImage
from catalog.proposal import Acceptance, Candidate
from catalog.selectors import Taxonomy
from catalog.views.product_fields import Field, Group, Option, Vote, chosen_garment, fields_of, groups_of
from catalog.views.product_page import ProposedGarment, garments_of
from catalog.views.product_photos import PageImage, photos_of

if TYPE_CHECKING:
    from catalog.models.of_classifier import Classification

MOST_CHOICES = 5  # one for each of the keys 1 to 5
_LEAST_CHOICE = 0.01
SURE: float = CERTAINTY[0][0]


@dataclass(frozen=True)
class Line:
    """One attribute of the product as the review asks for it.

    `asked`: it needs a look of its own. `selected`: the code that goes along on accept, "" where nothing does.
    `votes`: what the photos say where they disagree. `open_to_doubt`: a model says so, and nobody else yet.
    """

    attribute: Attribute
    choices: list[Option]
    selected: str
    selected_name: str
    confidence: float | None
    decided: bool
    asked: bool
    open_to_doubt: bool
    votes: list[Vote]
    applies_to: str
    applies: bool

    @property
    def selected_is_choice(self) -> bool:
        """Whether what is selected is one of the choices that have a key."""
        return any(option.value.code == self.selected for option in self.choices)

    @property
    def doubtful(self) -> bool:
        """Whether a model is unsure of what is selected."""
        return not self.decided and is_doubtful(self.confidence)

    @property
    def needed(self) -> bool:
        """Whether the product cannot be done without a value: every product has a category."""
        return self.attribute.code == CATEGORY


@dataclass(frozen=True)
class Panel:
    """The lines of one garment that the product may be; `code` is its top-level category's, "" for none of them."""

    code: str
    name: str
    number: int | None
    lines: list[Line]
    shown: bool


@dataclass(frozen=True)
class ReviewItem:
    """Everything that the review shows of one product."""

    product: Product
    images: list[PageImage]
    garments: list[ProposedGarment]
    asks_garment: bool
    garment: str
    panels: list[Panel]
    reasons: list[str]

    @property
    def may_choose_garment(self) -> bool:
        """Whether there is another garment to choose, asked for or not."""
        return len(self.garments) > 1


def _choices(field: Field) -> list[Option]:
    likely = [option for option in field.suggestions if (option.confidence or 0) >= _LEAST_CHOICE]
    choices = field.with_named((likely or field.suggestions)[:MOST_CHOICES])
    return choices if len(choices) <= MOST_CHOICES else [*choices[: MOST_CHOICES - 1], choices[-1]]


def _selected_name(field: Field) -> str:
    if field.today is not None and field.today.code == field.shown:
        return field.today.name
    return next((option.value.name for option in field.suggestions if option.value.code == field.shown), "")


def _line(field: Field, candidate: Candidate | None) -> Line:
    code = field.attribute.code
    choices = _choices(field)
    automatic = field.current is not None and field.current.state == ProductAttribute.State.AUTO
    proposed = candidate.attributes.get(code) if candidate else None
    confidence = next((option.confidence for option in choices if option.value.code == field.shown), None)
    # Where the models are sure all the same, a photo that says otherwise is no reason to ask.
    disagree = len(field.votes) > 1 and (confidence or 0) < SURE
    sampled = proposed is not None and proposed.acceptance == Acceptance.SAMPLE
    missing = code == CATEGORY and not field.shown
    return Line(
        attribute=field.attribute,
        choices=choices,
        selected=field.shown,
        selected_name=_selected_name(field),
        confidence=confidence,
        decided=field.said,
        asked=not field.said and not automatic and (is_doubtful(confidence) or sampled or disagree or missing),
        open_to_doubt=not field.said and not automatic and confidence is not None,
        votes=field.votes if disagree else [],
        applies_to=field.applies_to,
        applies=field.applies,
    )


def _with_a_question(lines: list[Line]) -> list[Line]:
    """Ask for the least sure value where none is doubtful, so that there is always one with a key."""
    open_to_doubt = [line for line in lines if line.applies and line.open_to_doubt]
    if not open_to_doubt or any(line.asked and line.applies for line in lines):
        return lines
    least = min(open_to_doubt, key=lambda line: line.confidence or 0)
    return [replace(line, asked=True) if line is least else line for line in lines]


def _panel(product: Product, images: Sequence[ProductImage], code: str, taxonomy: Taxonomy) -> Panel:
    candidate = product.proposal.candidate(code)
    level = taxonomy.resolve(CATEGORY, code) if code else None
    lines = _with_a_question([_line(field, candidate) for field in fields_of(product, images, taxonomy, code)])
    numbers = {found.top_category: number for number, found in enumerate(product.proposal.candidates, start=1)}
    return Panel(code, level.name if level else "", numbers.get(code), lines, shown=False)


def _sampled(product: Product) -> bool:
    candidate = product.candidate
    values = candidate.attributes.values() if candidate else ()
    return any(value.acceptance == Acceptance.SAMPLE for value in values)


def _reasons(item: ReviewItem, failed: int) -> list[str]:
    """Why a person has to look, what weighs most first; `failed` is the number of images without a classification."""
    reasons = []
    shown = next((panel for panel in item.panels if panel.shown), None)
    asked = [line for line in shown.lines if line.asked and line.applies] if shown else []
    if failed:
        reasons.append(
            ngettext("%(n)d photo could not be classified", "%(n)d photos could not be classified", failed)
            % {"n": failed}
        )
    if not item.garments:
        reasons.append(gettext("no garment was found"))
    if item.asks_garment:
        reasons.append(gettext("the photos show several garments"))
    if any(line.votes for line in asked):
        reasons.append(gettext("photos disagree"))
    doubtful = [line for line in asked if line.choices and line.confidence is not None and line.confidence < SURE]
    if doubtful:
        least = min(doubtful, key=lambda line: line.confidence or 0)
        reasons.append(
            gettext("%(attribute)s is only %(share)s sure")
            % {"attribute": least.attribute.name, "share": percent(least.confidence)}
        )
    if _sampled(item.product):
        reasons.append(gettext("a sample of what is accepted without a person"))
    return reasons


def review_item(product: Product, jobs: Mapping[int, Classification], taxonomy: Taxonomy) -> ReviewItem:
    """Put together what the review shows of a product.

    Args:
        product: from `catalog.selectors.products_for_review`.
        jobs: the last job of each of its images, by the image's id.
        taxonomy: the taxonomy.
    """
    images: list[ProductImage] = product.current_images  # type: ignore[attr-defined]  # prefetched to this attribute
    chosen = chosen_garment(product)
    garments = garments_of(product, taxonomy, chosen)
    asks_garment = chosen is None and len(garments) > 1
    shown = garments[0].top_category.code if chosen is None and garments else chosen or ""
    codes = [garment.top_category.code for garment in garments]
    panels = [_panel(product, images, code, taxonomy) for code in dict.fromkeys([shown, *codes, ""])]
    item = ReviewItem(
        product=product,
        images=photos_of(product, images, jobs, taxonomy),
        garments=garments,
        asks_garment=asks_garment,
        garment=chosen or "",
        panels=[replace(panel, shown=panel.code == shown) for panel in panels],
        reasons=[],
    )
    failed = sum(job.state in {"failed", "cancelled"} for image in images if (job := jobs.get(image.pk)) is not None)
    return replace(item, reasons=_reasons(item, failed))


def values_to_type(taxonomy: Taxonomy) -> list[tuple[Attribute, list[Group]]]:
    """Return the values of each attribute that can be chosen, for fields in which they are found by typing."""
    return [(attribute, groups_of(code, set(), taxonomy)) for code, attribute in taxonomy.attributes.items()]
