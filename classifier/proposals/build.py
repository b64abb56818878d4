"""The candidates of a proposal with their attributes, and which of them is chosen without a person.

- A top-level category gets a candidate if, in at least one image, a garment's most probable category belongs to it. Its
  confidence is the probability that the product is this garment: see `evidence`.
- The candidate's garments are one of each image that shows it: where an image shows two of the same top-level category
  (a cardigan over a shirt), the one of the category that the other images and the name speak for. Of the most probable
  candidate that is one of every image with garments: where none may be it, the largest, which was misread.
- An attribute of the candidate is the mean of the distributions of these garments, weighted by the confidence of their
  boxes. Probability that a distribution gives to no value that it names is nobody's. An image in which no model said
  anything about the attribute, or that does not show it, does not count for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import OuterRef, Subquery

from catalog.models import CATEGORY, AttributeValue, Product
from catalog.proposal import Alternative, Candidate, Proposal, ProposedValue
from catalog.selectors import Taxonomy, images_wait
from catalog.services import write_proposal
from classifier.models import Classification, Garment
from classifier.proposals.evidence import Evidence, Weighed, judge, weigh
from classifier.proposals.seen import Findings, Said, Seen, load
from classifier.proposals.words import Hint, hint_of
from classifier.quality import thresholds

MOST_ALTERNATIVES = 5
LEAD = 2.0  # the top-level category that is chosen must be this many times as probable as the next one
_MAY_BE = 0.1  # from this probability of the top-level category on, a garment taken for another one has a say
_LINKED = 0.01  # and from this one on it is what the image shows of the product, if nothing else is
_NAMED = 0.5  # what the name's word adds to the agreement of garments of its category, in shares of an image
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Shown:
    """A garment of a candidate. `may_be`: it was taken for one, if not most probably; `speaks`: what was said of its
    attributes counts."""

    garment: Seen
    may_be: bool
    speaks: bool


def build(images: Sequence[Sequence[Seen]], taxonomy: Taxonomy, hint: Hint | None = None) -> Proposal:
    """Return what is proposed, by the rule of this module; nothing is marked yet.

    Args:
        images: the garments of each current image; an empty sequence for one without.
        taxonomy: where the codes get their top-level categories, merges and scope from.
        hint: the garment that the product's name mentions, if any.
    """
    voting, levels = weigh(images, taxonomy)
    evidence = judge(voting, hint)
    first = max(evidence, key=lambda code: evidence[code].probability, default=None)
    candidates = []
    for code in evidence:
        showing = _showing(code, voting, hint, taxonomy, in_all=code == first)
        if showing:
            candidates.append(_candidate(levels[code], evidence[code], showing, len(images), taxonomy))
    return Proposal(tuple(sorted(candidates, key=lambda found: (-found.confidence, found.top_category))))


def clear_top_category(proposal: Proposal, threshold: float) -> str | None:
    """Return the top-level category that is chosen without a person, if any.

    It is the first one where that reaches `threshold` and is clearly ahead of the next one (`LEAD`).
    """
    ranked = sorted(proposal.candidates, key=lambda found: -found.confidence)
    if not ranked or ranked[0].confidence < threshold:
        return None
    next_one = ranked[1].confidence if len(ranked) > 1 else 0.0
    return ranked[0].top_category if ranked[0].confidence >= LEAD * next_one else None


def _showing(
    level: str, images: Sequence[Sequence[Weighed]], hint: Hint | None, taxonomy: Taxonomy, *, in_all: bool
) -> list[_Shown]:
    """One garment of each image that shows one of the top-level category, the best first.

    Where none of an image's garments is taken for one, it is the one that may be: the product is in most of its images.
    `in_all`: and where none may be, the largest. What was hardly taken for one has no say in the attributes, which were
    read as those of something else.
    """
    mentioned = hint is not None and hint.top_category == level
    if not mentioned and all(weighed.own != level for garments in images for weighed in garments):
        return []
    chosen = []
    for number, garments in enumerate(images):
        own = [weighed for weighed in garments if weighed.own == level]
        may_be = own or [weighed for weighed in garments if weighed.masses.get(level, 0.0) >= _LINKED]
        if may_be:
            agreement = _agreement(level, [*images[:number], *images[number + 1 :]], hint, taxonomy)
            chosen.append(
                max(may_be, key=lambda weighed: weighed.share(level) * weighed.prominence * agreement(weighed))
            )
        elif in_all:
            chosen.append(max(garments, key=lambda weighed: weighed.prominence))
    ranked = sorted(chosen, key=lambda weighed: (weighed.own != level, -weighed.share(level)))
    masses = [weighed.masses.get(level, 0.0) for weighed in ranked]
    return [
        _Shown(weighed.garment, may_be=mass >= _LINKED, speaks=mass >= _MAY_BE)
        for weighed, mass in zip(ranked, masses, strict=True)
    ]


def _agreement(
    level: str, others: Sequence[Sequence[Weighed]], hint: Hint | None, taxonomy: Taxonomy
) -> Callable[[Weighed], float]:
    """How well a garment's categories agree with those of the other images, and with the name; 1 without either."""
    sums: dict[int, float] = defaultdict(float)
    for garments in others:
        own = [weighed for weighed in garments if weighed.own == level]
        for weighed in own:
            weight = weighed.share(level) * weighed.prominence / len(own)
            for value, probability in weighed.garment.resolved(CATEGORY, taxonomy):
                sums[value.pk] += weight * probability
    named = taxonomy.resolve(CATEGORY, hint.category) if hint and hint.category else None
    if named is not None:
        sums[named.pk] += _NAMED * (len(others) + 1)

    def agreement(weighed: Weighed) -> float:
        if not sums:
            return 1.0
        return sum(sums[value.pk] * share for value, share in weighed.garment.resolved(CATEGORY, taxonomy))

    return agreement


def _candidate(
    level: AttributeValue, evidence: Evidence, showing: Sequence[_Shown], images: int, taxonomy: Taxonomy
) -> Candidate:
    speaking = [shown.garment for shown in showing if shown.speaks]
    attributes = {
        code: found
        for code in taxonomy.attributes
        if taxonomy.applies(code, level) and (found := _attribute(code, level, speaking, taxonomy))
    }
    return Candidate(
        top_category=level.code,
        confidence=round(evidence.probability, _DIGITS),
        images=sum(shown.may_be for shown in showing),
        total=images,
        garments=tuple(shown.garment.garment for shown in showing),
        attributes=attributes,
        reasons=evidence.reasons,
    )


def _attribute(code: str, level: AttributeValue, garments: Sequence[Seen], taxonomy: Taxonomy) -> ProposedValue | None:
    """The mean distribution of one attribute over the garments that speak for a candidate, best first."""
    speaking = [garment for garment in garments if code in garment.said]
    weight = sum(garment.confidence for garment in speaking)
    mean: dict[str, float] = defaultdict(float)
    for garment in speaking:
        for leaf, probability in garment.resolved(code, taxonomy):
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
        resolved = garment.resolved(attribute, taxonomy)
        if resolved and resolved[0][0].code == value:
            return garment.said[attribute]
    return garments[0].said[attribute]


def _cover(findings: Findings) -> None:
    """Write down which of the models' garments count no more, where that is not what is written there already."""
    changed: dict[int | None, list[int]] = defaultdict(list)
    for pk, person in findings.covering.items():
        changed[person].append(pk)
    for person, garments in changed.items():
        Garment.objects.filter(pk__in=garments).update(covered_by=person)


def propose(product: Product, taxonomy: Taxonomy) -> None:
    """Build the proposal of a locked product again and hand it to the catalogue, in the caller's transaction."""
    findings = load(product.pk)
    _cover(findings)
    proposal = build(list(findings.seen.values()), taxonomy, hint_of(product.name, product.sku, taxonomy))
    waiting = images_wait(product)
    if not waiting:  # what half of the images say is not accepted
        proposal = thresholds.mark(proposal, product=product, taxonomy=taxonomy)
    write_proposal(
        product=product,
        proposal=proposal,
        top_category=clear_top_category(proposal, settings.OTJANG_TOP_CATEGORY_THRESHOLD),
        classifying=waiting,
        failed_images=failed_images(product),
        taxonomy=taxonomy,
    )


def failed_images(product: Product) -> int:
    """Return how many of the product's current images were not classified: their last job failed or was cancelled."""
    last = (
        Classification.objects.filter(image=OuterRef("pk"), purpose=Classification.Purpose.LIVE)
        .order_by("-pk")
        .values("state")[:1]
    )
    without = (Classification.State.FAILED, Classification.State.CANCELLED)
    current = product.images.filter(archived_at=None).order_by()
    return current.annotate(last=Subquery(last)).filter(last__in=without).count()
