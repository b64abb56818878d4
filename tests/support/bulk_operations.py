"""Bulk operations from start to end, as a worker would carry them out."""

from accounts.models import Operation
from accounts.services import operations
from catalog.models import BulkChange, Product
from catalog.services import bulk
from tests.support.seen_products import current_values


def run(actor, action, *products, **parameters):
    """Start an operation on these products, carry it out, and return it as it ended."""
    chosen = Product.objects.filter(pk__in=[product.pk for product in products])
    return finish(bulk.start(actor=actor, action=action, products=chosen, parameters=parameters))


def finish(operation):
    """Carry an operation out, whoever's turn it is."""
    Operation.objects.filter(pk=operation.pk).update(lease_token="", lease_until=None)
    operations.continue_some()
    operation.refresh_from_db()
    return operation


def outcomes(operation):
    """What became of each product: (outcome, reason) by the product's id."""
    rows = BulkChange.objects.filter(operation=operation)
    return {product: (outcome, reason) for product, outcome, reason in rows.values_list("product", "outcome", "reason")}


def state_of_all(merchant):
    """All that people see of the merchant's products, but for when they were changed."""
    return {
        product.pk: (
            product.status,
            product.top_category_id,
            product.top_category_source,
            product.published_at,
            product.archived_at,
            {code: value for code, value in current_values(product).items() if value != ("unset", None)},
        )
        for product in Product.objects.filter(merchant=merchant)
    }
