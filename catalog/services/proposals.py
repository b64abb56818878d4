"""What models say of a product. They are written in the caller's transaction."""

from __future__ import annotations

from django.db.models import Case, F, Value, When

from catalog.models import CATEGORY, Product
from catalog.proposal import Proposal
from catalog.selectors import Taxonomy
from catalog.values.recompute import recompute_values
from catalog.values.status import MAY_CLASSIFY, show_waiting, update_status

Source = Product.TopCategorySource


def write_proposal(
    *,
    product: Product,
    proposal: Proposal,
    top_category: str | None,
    classifying: bool,
    failed_images: int = 0,
    taxonomy: Taxonomy | None = None,
) -> None:
    """Store what the models propose, in the caller's transaction, with the product locked by `lock_product`.

    A top-level category that a person chose stays, and a published product's values stay. Values that are marked as fit
    for it are auto-accepted once no image waits; a product of which all are needs no review. The version does not
    change: nobody's open page becomes stale because a model finished.

    Args:
        product: the locked product.
        proposal: as classifier.proposals builds it and classifier.quality.thresholds marks it.
        top_category: the one that the models choose without a person, if exactly one stands out.
        classifying: whether images of the product still wait.
        failed_images: how many of its current images could not be classified.
        taxonomy: the taxonomy, if the caller has read it already.
    """
    taxonomy = taxonomy or Taxonomy.load()
    published = product.status == Product.Status.PUBLISHED
    if product.top_category_source != Source.HUMAN and not published:
        product.top_category = taxonomy.resolve(CATEGORY, top_category) if top_category else None
        product.top_category_source = Source.AUTO if product.top_category else Source.NONE
    by_models = product.top_category if product.top_category_source == Source.AUTO else None
    product.proposal = proposal.with_chosen(by_models.code if by_models else None)
    product.failed_images = failed_images
    show_waiting(product, waits=classifying)
    if not published:
        values = recompute_values(product, taxonomy, accept=not classifying)
        if not classifying:
            update_status(product, values)
    product.save(
        update_fields=["proposal", "top_category", "top_category_source", "status", "failed_images", "updated_at"]
    )


def mark_classifying(*, product_id: int) -> None:
    """Show that images of the product wait, in the caller's transaction; what is public or put away stays."""
    nothing = Product.Unclear.NOTHING  # is said of what was looked at only, as `Product.save` has it
    Product.objects.filter(pk=product_id, status__in=MAY_CLASSIFY).update(
        status=Product.Status.CLASSIFYING,
        unclear=Case(When(unclear=nothing, then=Value(Product.Unclear.NO)), default=F("unclear")),
    )
