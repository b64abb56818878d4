"""One product of the review: its questions, the answers to choose from, and why it is here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext

from catalog.certainty import SURE, percent
from catalog.models import CATEGORY, Attribute, Decision, Product
from catalog.proposal import Acceptance, Candidate
from catalog.selectors import Taxonomy
from catalog.views.product_page import (
    Field,
    Option,
    PageImage,
    ProposedGarment,
    chosen_garment,
    fields_of,
    garments_of,
    page_images,
)

if TYPE_CHECKING:
    from catalog.models.of_classifier import Classification, Garment

MOST_CHOICES = 5  # one for each of the keys 1 to 5
_LEAST_CHOICE = 0.01
_VOTE = 0.5  # a photo that is less sure than this contradicts nobody


@dataclass(frozen=True)
class Line:
    """One attribute of the product as the review asks for it.

    `asked`: it needs a look of its own. `selected`: the code that goes along on accept, "" where nothing does.
    `votes`: what the photos say where they disagree, as the values' names with their number of photos.
    """

    attribute: Attribute
    choices: list[Option]
    selected: str
    selected_name: str
    confidence: float | None
    decided: bool
    auto_accepted: bool
    asked: bool
    votes: list[tuple[str, int]]
    applies_to: str
    applies: bool

    @property
    def selected_is_choice(self) -> bool:
        """Whether what is selected is one of the choices that have a key."""
        return any(option.value.code == self.selected for option in self.choices)

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
        return self.asks_garment or len(self.garments) > 1


def _speaking(images: Sequence[PageImage], candidate: Candidate | None) -> list[Garment]:
    """The garments that speak for a candidate: one of each image that shows it."""
    wanted = set(candidate.garments) if candidate else set()
    found = []
    for entry in images:
        classification = entry.image.current_classification
        found += [garment for garment in classification.garments.all() if garment.pk in wanted] if classification else []
    return found


def _votes(garments: Sequence[Garment], attribute: str, taxonomy: Taxonomy) -> list[tuple[str, int]]:
    """What the photos say of an attribute, the most frequent first; nothing where those that are sure agree."""
    said: Counter[str] = Counter()
    for garment in garments:
        for prediction in garment.predictions.all():
            if prediction.attribute.code == attribute and prediction.confidence >= _VOTE:
                said[(taxonomy.today(attribute, prediction.value.code) or prediction.value).name] += 1
    return said.most_common() if len(said) > 1 else []


def _choices(field: Field) -> list[Option]:
    likely = [option for option in field.suggestions if (option.confidence or 0) >= _LEAST_CHOICE]
    return (likely or field.suggestions)[:MOST_CHOICES]


def _selected_name(field: Field) -> str:
    if field.today is not None and field.today.code == field.shown:
        return field.today.name
    return next((option.value.name for option in field.suggestions if option.value.code == field.shown), "")


def _line(field: Field, candidate: Candidate | None, garments: Sequence[Garment], taxonomy: Taxonomy) -> Line:
    code = field.attribute.code
    choices = _choices(field)
    decision = field.current.decision if field.current else None
    automatic = decision is not None and decision.source == Decision.Source.AUTO
    decided = decision is not None and not automatic
    proposed = candidate.attributes.get(code) if candidate else None
    confidence = next((option.confidence for option in choices if option.value.code == field.shown), None)
    votes = _votes(garments, code, taxonomy)
    doubtful = bool(choices) and (confidence is None or confidence < SURE)
    sampled = proposed is not None and proposed.acceptance == Acceptance.SAMPLE
    return Line(
        attribute=field.attribute,
        choices=choices,
        selected=field.shown,
        selected_name=_selected_name(field),
        confidence=confidence,
        decided=decided,
        auto_accepted=automatic,
        asked=not decided and not automatic and (doubtful or sampled or bool(votes) or (code == CATEGORY and not field.shown)),
        votes=votes,
        applies_to=field.applies_to,
        applies=field.applies,
    )


def _panel(product: Product, images: Sequence[PageImage], code: str, taxonomy: Taxonomy) -> Panel:
    candidate = product.proposal.candidate(code)
    level = taxonomy.resolve(CATEGORY, code) if code else None
    speaking = _speaking(images, candidate)
    lines = [_line(field, candidate, speaking, taxonomy) for field in fields_of(product, taxonomy, code)]
    numbers = {found.top_category: number for number, found in enumerate(product.proposal.candidates, start=1)}
    return Panel(code, level.name if level else "", numbers.get(code), lines, shown=False)


def _sampled(product: Product) -> bool:
    candidate = product.candidate
    values = candidate.attributes.values() if candidate else ()
    return any(value.acceptance == Acceptance.SAMPLE for value in values)


def _reasons(item: ReviewItem, jobs: Mapping[int, Classification]) -> list[str]:
    """Why a person has to look, what weighs most first."""
    reasons = []
    shown = next((panel for panel in item.panels if panel.shown), None)
    asked = [line for line in shown.lines if line.asked and line.applies] if shown else []
    failed = sum(job.state == "failed" for job in jobs.values())
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
    images = page_images(product, taxonomy, jobs)
    chosen = chosen_garment(product)
    garments = garments_of(product, taxonomy, chosen)
    asks_garment = chosen is None and bool(garments)
    shown = garments[0].top_category.code if chosen is None and garments else chosen or ""
    codes = [garment.top_category.code for garment in garments]
    panels = [_panel(product, images, code, taxonomy) for code in dict.fromkeys([shown, *codes, ""])]
    item = ReviewItem(
        product=product,
        images=images,
        garments=garments,
        asks_garment=asks_garment,
        garment=chosen or "",
        panels=[replace(panel, shown=panel.code == shown) for panel in panels],
        reasons=[],
    )
    own = {image.image.pk: job for image in images if (job := image.job) is not None}
    return replace(item, reasons=_reasons(item, own))


def values_to_type(taxonomy: Taxonomy) -> dict[str, list[dict[str, object]]]:
    """Return the values of each attribute that can be chosen, as the page's script reads them."""
    return {
        code: [
            {
                "code": value.code,
                "name": value.name,
                "group": value.parent.name if value.parent else "",
                "level": (value.parent or value).code if code == CATEGORY else "",
                "aliases": [value.name_ko, value.name_en, *value.aliases],
            }
            for value in taxonomy.leaves(code)
        ]
        for code in taxonomy.attributes
    }
