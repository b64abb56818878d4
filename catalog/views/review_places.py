"""Where the review sends and leads: to a merchant's in the portal, or to all merchants' in the administration."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.portal import PortalRequest


@dataclass(frozen=True)
class ReviewPlaces:
    """Names of addresses. `across`: the review is of all merchants, whose names are shown with their products."""

    page: str
    batch: str
    claims: str
    answer: str
    undo: str
    image: str
    across: bool = False


IN_PORTAL = ReviewPlaces(
    page="catalog:review_queue",
    batch="catalog:review_batch",
    claims="catalog:review_claims",
    answer="catalog:review_answer",
    undo="catalog:review_undo",
    image="catalog:media",
)
ACROSS = ReviewPlaces(
    page="admin:catalog_product_review",
    batch="admin:catalog_product_review_batch",
    claims="admin:catalog_product_review_claims",
    answer="admin:catalog_product_review_answer",
    undo="admin:catalog_product_review_undo",
    image="admin:catalog_productimage_media",
    across=True,
)


def places_of(request: PortalRequest) -> ReviewPlaces:
    """Return where a request's review is: the administration says so, else it is the portal's."""
    places: ReviewPlaces = getattr(request, "review_places", IN_PORTAL)
    return places
