"""Thresholds as calibration would write them, and what holds for a product by them."""

from catalog.models import Attribute, AttributeValue
from classifier.models import AcceptanceThreshold
from tests.support.seen_products import version


def allow(attribute, threshold, value=None, merchant=None, model="1", **fields):
    """A threshold as calibration would write it."""
    row = Attribute.objects.get(code=attribute)
    value = AttributeValue.objects.get(attribute=row, code=value) if value else None
    model = version(attribute, model)
    return AcceptanceThreshold.objects.create(
        merchant=merchant,
        attribute=row,
        value=value,
        model_version=model,
        scope=AcceptanceThreshold.scope_of(merchant and merchant.pk, row.pk, value and value.pk, model.pk),
        **{"precision": 0.98, "decisions": 200, "threshold": threshold, "calibrated_at": "2026-11-23T00:00Z", **fields},
    )
