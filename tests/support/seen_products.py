"""Products as the models saw them: images, garments and predictions as rows, and the proposal made of them."""

import hashlib

from catalog.models import AttributeValue, ProductAttribute, ProductImage
from classifier.jobs.requests import propose_again
from classifier.models import Classification, Garment, ModelVersion, Prediction
from tests.support.factories import ProductFactory, ProductImageFactory


def version(role, name="1"):
    """A model version of that role, the same one for the same name."""
    return ModelVersion.objects.get_or_create(
        role=role,
        sha256=hashlib.sha256(f"{role} {name}".encode()).hexdigest(),
        defaults={"name": f"{role}-{name}", "task": "classify", "input_size": 224},
    )[0]


def look(product, *garments, model="1", at=None):
    """Let the models see one new image of a product: garments as {attribute: (value, confidence)}."""
    image = ProductImageFactory.build(product=product)
    ProductImage.objects.bulk_create([image])  # no signal: nothing is queued
    image = ProductImage.objects.get(public_id=image.public_id)
    job = Classification.objects.create(
        image=image, image_sha256=image.sha256, state="done", garments_found=len(garments)
    )
    ProductImage.objects.filter(pk=image.pk).update(current_classification=job)
    if at is not None:
        Classification.objects.filter(pk=job.pk).update(finished_at=at)
    rows = []
    for said in garments:
        garment = Garment.objects.create(image=image, classification=job, confidence=1.0, x1=0, y1=0, x2=1, y2=1)
        wanted = AttributeValue.objects.filter(attribute__code__in=said).select_related("attribute")
        values = {(value.attribute.code, value.code): value for value in wanted}
        rows += [
            Prediction(
                garment=garment,
                attribute=values[code, value].attribute,
                value=values[code, value],
                confidence=confidence,
                model_version=version(code, model),
            )
            for code, (value, confidence) in said.items()
        ]
    Prediction.objects.bulk_create(rows)
    if at is not None:
        Prediction.objects.filter(garment__classification=job).update(created_at=at)
    propose_again(product_id=product.pk)
    product.refresh_from_db()
    return product


def seen_product(merchant, model="1", **said):
    """A new product with one image of one garment."""
    return look(ProductFactory(merchant=merchant, status="to_review"), said, model=model)


def current_values(product):
    """State and code of each current value of a product, by the attribute's code."""
    rows = ProductAttribute.objects.filter(product=product).select_related("attribute", "value")
    return {row.attribute.code: (row.state, row.value and row.value.code) for row in rows}
