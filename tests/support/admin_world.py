"""Something of everything that the administration lists."""

import re
from urllib.parse import urlsplit

from django.utils import timezone

from accounts.models import ApiKey, AuditEvent, Operation
from catalog.models import AttributeValue, ProductImage
from catalog.services import decide
from classifier.models import (
    AcceptanceThreshold,
    Classification,
    Deployment,
    Garment,
    ModelSet,
    ModelVersion,
    Prediction,
    ShadowReport,
)
from tests.support.factories import ProductImageFactory


def full_world(product, actor):
    """Give the product images, jobs that are done and failed, predictions and decisions; and add operations.

    Args:
        product: a product of the actor's merchant, which is returned.
        actor: an owner.
    """
    image, broken = (ProductImageFactory(product=product, original_name=name) for name in ("front.jpg", "back.jpg"))
    version = ModelVersion.objects.create(
        role="category",
        name="category-test",
        task="classify",
        sha256="c" * 64,
        input_size=224,
        metrics={"top1": 0.8},
        classes=["Jacket"],
    )
    model_set = ModelSet.objects.create(name="set", fingerprint="f" * 64)
    model_set.versions.add(version)
    Deployment.objects.create(active=model_set)
    Classification.objects.filter(image__product=product).delete()
    job = Classification.objects.create(image=image, state="done", model_set=model_set, timings={"decode": 12.5})
    Classification.objects.create(image=broken, state="failed", error_code="file_missing")
    ProductImage.objects.filter(pk=image.pk).update(current_classification=job)
    garment = Garment.objects.create(image=image, classification=job, x1=0.25, y1=0.1, x2=0.75, y2=0.9)
    jacket = AttributeValue.objects.get(attribute__code="category", code="Jacket")
    Prediction.objects.create(
        garment=garment,
        attribute=jacket.attribute,
        value=jacket,
        confidence=0.914,
        alternatives=[{"value": "Jumper", "confidence": 0.05}],
        model_version=version,
    )
    decide(actor=actor, product=product, attribute="material", value="linen")
    ApiKey.objects.create(merchant=product.merchant, name="till", prefix="otj_abcdef", key_hash="0" * 64)
    operation = Operation.objects.create(
        kind="bulk_set",
        merchant=product.merchant,
        created_by=actor.user,
        parameters={"attribute": "material", "value": "linen", "channel": "portal"},
    )
    AuditEvent.objects.create(
        merchant=product.merchant,
        user=actor.user,
        channel="portal",
        action="operation.start",
        subject_type="operation",
        subject_id=operation.public_id,
        details={"kind": "bulk_set", "total": 3},
    )
    AuditEvent.objects.create(
        channel="admin",
        user=actor.user,
        action="attributevalue.change",
        subject_type="attributevalue",
        subject_id=str(jacket.pk),
        details={"before": {"name_en": "Coat"}, "after": {"name_en": "Jacket"}},
    )
    figures = {"images": 1, "products": 1, "changed": 0, "attributes": {}, "moves": []}
    ShadowReport.objects.create(operation=operation, candidate=model_set, figures=figures)
    AcceptanceThreshold.objects.create(
        attribute=jacket.attribute,
        model_version=version,
        scope="category",
        precision=0.95,
        decisions=200,
        calibrated_at=timezone.now(),
    )
    product.status = "to_review"
    product.save(update_fields=["status"])
    return product


def page_shape(address):
    """What pages of the same kind have in common: their path without numbers, and the names of their parameters."""
    parts = urlsplit(address)
    keys = sorted(pair.partition("=")[0] for pair in parts.query.split("&") if pair)
    return re.sub(r"/(\d+|[0-9a-z]{12,})(?=/|$)", "/#", parts.path), tuple(keys)
