"""Proposals as the classifier would store them, without a network."""

from django.db import transaction

from catalog import services
from catalog.proposal import Candidate, Proposal, ProposedValue


def candidate(top_category, confidence, images=1, total=1, prediction=0, alternatives=(), **attributes):
    """One candidate of a proposal; attributes by code as (value, confidence). No prediction has the number 0."""
    return Candidate(
        top_category=top_category,
        confidence=confidence,
        images=images,
        total=total,
        garments=(),
        attributes={
            code: ProposedValue(
                value=value,
                confidence=probability,
                calibrated=True,
                alternatives=tuple(alternatives) if code == "category" else (),
                prediction=prediction,
                model=f"{code}-test",
            )
            for code, (value, probability) in attributes.items()
        },
    )


def propose(product, *candidates, chosen=None):
    """Store a proposal as the worker does when the last image is done."""
    with transaction.atomic():
        services.mark_classifying(product_id=product.pk)
        locked = services.lock_product(product.pk)
        services.write_proposal(product=locked, proposal=Proposal(candidates), top_category=chosen, classifying=False)
    product.refresh_from_db()


def top_categories(product):
    """The top-level categories of a product's candidates, in the proposal's order."""
    return [candidate.top_category for candidate in product.proposal.candidates]
