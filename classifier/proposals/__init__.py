"""From what the models said of each image to what is proposed for the product: a candidate per top-level category.

A product is one garment, but its images may show others beside it. For a top-level category L:

- A garment's share in L is the confidence of its box times the probability that its category distribution (value and
  alternatives) gives to categories of L. A detector that names what it finds gives one score for both: it counts once.
- L gets a candidate if, in at least one image, a garment's most probable category belongs to it.
- The candidate's confidence is the mean over *all* current images of the largest share in L that any of an
  image's garments has. So agreement counts: a garment on every image beats one that is on two of five,
  and an image that takes a jacket for a jumper still speaks for outerwear.
- An attribute of the candidate is the mean of the distributions of those garments (the best one of each image that
  shows it), weighted by the confidence of their boxes. Probability that a distribution gives to no value that it
  names is nobody's. An image in which no model said anything about the attribute does not count for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q

from catalog.models import CATEGORY, AttributeValue, Product, ProductImage
from catalog.proposal import Alternative, Candidate, Proposal, ProposedValue
from catalog.selectors import Taxonomy, images_wait
from catalog.services import write_proposal
from classifier.models import Garment, ModelSet, Prediction
from classifier.quality import thresholds
from vision.engine.manifest import GARMENT

MOST_ALTERNATIVES = 5
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of one attribute of a garment: probabilities by code, the value itself being the first."""

    prediction: int
    model: str
    calibrated: bool
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """A garment in an image, with what was said of it by attribute code.

    `named`: the detector that found it said its category too, so that `confidence` is that of both.
    """

    garment: int
    confidence: float
    said: Mapping[str, Said]
    named: bool = False


@dataclass(frozen=True, slots=True)
class _Showing:
    """The garment that speaks for a candidate in one image, and its share in it."""

    share: float
    garment: Seen


def build(images: Sequence[Sequence[Seen]], taxonomy: Taxonomy) -> Proposal:
    """Return what is proposed, by the rule of this module; nothing is marked yet.

    Args:
        images: the garments of each current image; an empty sequence for one without.
        taxonomy: where the codes get their top-level categories, merges and scope from.
    """
    shares: dict[str, float] = defaultdict(float)
    showing: dict[str, list[_Showing]] = defaultdict(list)
    levels: dict[str, AttributeValue] = {}
    for garments in images:
        best: dict[str, float] = {}
        shown: dict[str, _Showing] = {}
        for garment in garments:
            masses: dict[str, float] = defaultdict(float)
            for value, probability in _resolved(garment, CATEGORY, taxonomy):
                first = taxonomy.top_categories.get(value.pk)
                if first is not None:
                    levels[first.code] = first
                    masses[first.code] += probability
            for level, mass in masses.items():
                share = mass if garment.named else garment.confidence * mass
                best[level] = max(best.get(level, 0.0), share)
                # Codes come with the most probable first, so the top-level category met is the garment's own.
                if level == next(iter(masses)) and (level not in shown or share > shown[level].share):
                    shown[level] = _Showing(share, garment)
        for level, share in best.items():
            shares[level] += share
        for level, entry in shown.items():
            showing[level].append(entry)
    candidates = [
        _candidate(levels[level], shares[level] / len(images), entries, len(images), taxonomy)
        for level, entries in showing.items()
    ]
    return Proposal(tuple(sorted(candidates, key=lambda found: (-found.confidence, found.top_category))))


def clear_top_category(proposal: Proposal, threshold: float) -> str | None:
    """Return the top-level category that is chosen without a person: the only one at or above `threshold`, if any."""
    clear = [found.top_category for found in proposal.candidates if found.confidence >= threshold]
    return clear[0] if len(clear) == 1 else None


def _resolved(garment: Seen, attribute: str, taxonomy: Taxonomy) -> list[tuple[AttributeValue, float]]:
    said = garment.said.get(attribute)
    pairs = said.probabilities.items() if said else ()
    resolved = ((taxonomy.resolve(attribute, code), probability) for code, probability in pairs)
    return [(value, probability) for value, probability in resolved if value is not None]


def _candidate(
    level: AttributeValue, confidence: float, showing: list[_Showing], images: int, taxonomy: Taxonomy
) -> Candidate:
    ranked = [entry.garment for entry in sorted(showing, key=lambda entry: -entry.share)]
    attributes = {
        code: found
        for code in taxonomy.attributes
        if taxonomy.applies(code, level) and (found := _attribute(code, level, ranked, taxonomy))
    }
    return Candidate(
        top_category=level.code,
        confidence=round(confidence, _DIGITS),
        images=len(ranked),
        total=images,
        garments=tuple(garment.garment for garment in ranked),
        attributes=attributes,
    )


def _attribute(code: str, level: AttributeValue, garments: Sequence[Seen], taxonomy: Taxonomy) -> ProposedValue | None:
    """The mean distribution of one attribute over the garments that speak for a candidate, best first."""
    speaking = [garment for garment in garments if code in garment.said]
    weight = sum(garment.confidence for garment in speaking)
    mean: dict[str, float] = defaultdict(float)
    for garment in speaking:
        for leaf, probability in _resolved(garment, code, taxonomy):
            if code != CATEGORY or taxonomy.top_categories.get(leaf.pk) == level:
                mean[leaf.code] += garment.confidence * probability / weight
    if not mean:
        return None
    (value, confidence), *others = sorted(mean.items(), key=lambda item: (-item[1], item[0]))
    answered = _answered(code, value, speaking, taxonomy)
    return ProposedValue(
        value=value,
        confidence=round(min(confidence, 1.0), _DIGITS),
        calibrated=all(garment.said[code].calibrated for garment in speaking),
        alternatives=tuple(
            Alternative(other, round(probability, _DIGITS)) for other, probability in others[:MOST_ALTERNATIVES]
        ),
        prediction=answered.prediction,
        model=answered.model,
    )


def _answered(attribute: str, value: str, garments: Sequence[Seen], taxonomy: Taxonomy) -> Said:
    """The prediction that a decision answers: the best garment's that says the same, else the best garment's."""
    for garment in garments:
        resolved = _resolved(garment, attribute, taxonomy)
        if resolved and resolved[0][0].code == value:
            return garment.said[attribute]
    return garments[0].said[attribute]


def load(product_id: int) -> list[list[Seen]]:
    """Read the garments of each current image: of its current classification, and those that people drew.

    Three queries, however many images.
    """
    images = list(ProductImage.objects.filter(product_id=product_id).current().values_list("pk", flat=True))
    seen = read(images, Q(classification=F("image__current_classification")))
    return [seen[pk] for pk in images]


def read(images: Sequence[int], found: Q) -> dict[int, list[Seen]]:
    """The garments in images, by the images' ids: those that `found` selects, and those that people drew."""
    seen: dict[int, list[Seen]] = {pk: [] for pk in images}
    sets = ModelSet.objects.filter(pk=OuterRef("classification__model_set"))
    garments = list(
        Garment.objects.filter(found | Q(source=Garment.Source.HUMAN), image__in=images)
        .annotate(named=Exists(sets.exclude(versions__role=GARMENT)))
        .values_list("pk", "image_id", "confidence", "named")
    )
    predictions = Prediction.objects.filter(garment__in=[pk for pk, *_rest in garments]).values(
        "pk", "garment_id", "attribute__code", "value__code", "confidence", "calibrated", "alternatives",
        "model_version__name",
    )  # fmt: skip
    said: dict[int, dict[str, Said]] = defaultdict(dict)
    for row in predictions.order_by("pk"):
        probabilities = {row["value__code"]: row["confidence"]}
        probabilities |= {other["value"]: other["confidence"] for other in row["alternatives"]}
        said[row["garment_id"]][row["attribute__code"]] = Said(
            row["pk"], row["model_version__name"], row["calibrated"], probabilities
        )
    for pk, image_id, confidence, named in garments:
        seen[image_id].append(Seen(pk, 1.0 if confidence is None else confidence, said[pk], named))
    return seen


def propose(product: Product, taxonomy: Taxonomy) -> None:
    """Build the proposal of a locked product again and hand it to the catalogue, in the caller's transaction."""
    proposal = build(load(product.pk), taxonomy)
    waiting = images_wait(product)
    if not waiting:  # what half of the images say is not accepted
        proposal = thresholds.mark(proposal, product=product, taxonomy=taxonomy)
    write_proposal(
        product=product,
        proposal=proposal,
        top_category=clear_top_category(proposal, settings.OTJANG_TOP_CATEGORY_THRESHOLD),
        classifying=waiting,
        taxonomy=taxonomy,
    )
