"""What models say of a product. They are written in the caller's transaction."""

from __future__ import annotations

from typing import Any

from catalog.models import CATEGORY, Product
from catalog.selectors import Taxonomy
from catalog.services.writing import settle
from catalog.values import current
from catalog.values.answered import CHOSEN

_MAY_CLASSIFY = (Product.Status.DRAFT, Product.Status.TO_REVIEW, Product.Status.READY)


def write_proposal(
    *,
    product: Product,
    proposal: list[dict[str, Any]],
    row: str | None,
    classifying: bool,
    taxonomy: Taxonomy | None = None,
) -> None:
    """Store what the models propose, in the caller's transaction, with the product locked by `lock_product`.

    A row that a person chose stays, and a published product's values stay. Values that are marked as fit for it are
    auto-accepted once no image waits; a product of which all are needs no review. The version does not
    change: nobody's open page becomes stale because a model finished.

    Args:
        product: the locked product.
        proposal: entries as classifier.proposals builds them, marked by classifier.quality.thresholds.
        row: top-level category that the models choose by themselves, if exactly one stands out.
        classifying: whether images of the product still wait.
        taxonomy: the taxonomy, if the caller has read it already.
    """
    taxonomy = taxonomy or Taxonomy.load()
    published = product.status == Product.Status.PUBLISHED
    if product.row_source != Product.RowSource.HUMAN and not published:
        product.row = taxonomy.resolve(CATEGORY, row) if row else None
        product.row_source = Product.RowSource.AUTO if product.row else Product.RowSource.NONE
    by_models = product.row.code if product.row and product.row_source == Product.RowSource.AUTO else None
    product.proposal = [{**entry, CHOSEN: entry["top_category"] == by_models} for entry in proposal]
    if classifying and product.status in _MAY_CLASSIFY:
        product.status = Product.Status.CLASSIFYING
    elif not classifying and product.status == Product.Status.CLASSIFYING:
        product.status = Product.Status.TO_REVIEW
    if not published:
        values = current.refresh(product, taxonomy, accept=not classifying)
        if not classifying:
            settle(product, values)
    product.save(update_fields=["proposal", "row", "row_source", "status", "updated_at"])


def mark_classifying(*, product_id: int) -> None:
    """Show that images of the product wait, in the caller's transaction; what is public or put away stays."""
    Product.objects.filter(pk=product_id, status__in=_MAY_CLASSIFY).update(status=Product.Status.CLASSIFYING)
