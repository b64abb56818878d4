"""Products as the models left them, as rows: what bulk operations read and write. No files lie behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

CHUNK = 1000
_SAID = {"category": ("Jacket", 0.82), "material": ("denim", 0.71), "sleeve_length": ("long", 0.93)}


def add_products(merchant: Any, count: int) -> None:
    """Add products that wait for a review: one image, one garment and three predictions each, and the proposal.

    Args:
        merchant: whose they are.
        count: how many.
    """
    for first in range(0, count, CHUNK):
        _add(merchant, range(first, min(first + CHUNK, count)))


def _version(role: str) -> Any:
    from classifier.models import ModelVersion

    sha256 = hashlib.sha256(f"bulk proof {role}".encode()).hexdigest()
    defaults = {"name": f"{role}-proof", "task": "classify", "input_size": 224}
    return ModelVersion.objects.get_or_create(role=role, sha256=sha256, defaults=defaults)[0]


def _add(merchant: Any, numbers: Sequence[int]) -> None:
    from catalog.models import Product, ProductImage
    from classifier.models import Classification, Garment

    products = [
        Product(merchant=merchant, name=f"Jacket {n}", sku=f"P-{n:06}", sku_key=f"p-{n:06}", status="to_review")
        for n in numbers
    ]
    Product.objects.bulk_create(products)
    names = [product.public_id for product in products]
    products = list(Product.objects.filter(public_id__in=names).order_by("pk"))
    sums = [hashlib.sha256(product.public_id.encode()).hexdigest() for product in products]
    ProductImage.objects.bulk_create([_image(product, sha256) for product, sha256 in zip(products, sums, strict=True)])
    images = list(ProductImage.objects.filter(product__in=products).order_by("product"))
    Classification.objects.bulk_create(
        [Classification(image=image, image_sha256=image.sha256, state="done", garments_found=1) for image in images]
    )
    jobs = list(Classification.objects.filter(image__in=images).order_by("image__product"))
    for image, job in zip(images, jobs, strict=True):
        image.current_classification = job
    ProductImage.objects.bulk_update(images, ["current_classification"], batch_size=200)
    box = {"x1": 0.1, "y1": 0.1, "x2": 0.9, "y2": 0.9, "confidence": 0.9}
    Garment.objects.bulk_create(
        [Garment(image=image, classification=job, **box) for image, job in zip(images, jobs, strict=True)]
    )
    _propose(products, list(Garment.objects.filter(classification__in=jobs).order_by("image__product")))


def _image(product: Any, sha256: str) -> Any:
    from catalog.models import ProductImage

    path = f"products/{product.public_id}"
    return ProductImage(
        product=product,
        original=f"{path}/one.jpg",
        display=f"{path}/one-display.jpg",
        thumbnail=f"{path}/one-thumbnail.jpg",
        original_name="one.jpg",
        sha256=sha256,
        size=1000,
        width=600,
        height=800,
    )


def _propose(products: Sequence[Any], garments: Sequence[Any]) -> None:
    """Store what models say of each garment, and the proposal and the current values that follow from it."""
    from catalog.models import Product, ProductAttribute
    from catalog.proposal import Candidate, Proposal, ProposedValue
    from catalog.selectors import Taxonomy
    from classifier.models import Prediction

    taxonomy = Taxonomy.load()
    versions = {code: _version(code) for code in _SAID}
    chosen = {code: taxonomy.values[code][value] for code, (value, _confidence) in _SAID.items()}
    Prediction.objects.bulk_create(
        [
            Prediction(
                garment=garment,
                attribute=taxonomy.attributes[code],
                value=chosen[code],
                confidence=confidence,
                model_version=versions[code],
            )
            for garment in garments
            for code, (_value, confidence) in _SAID.items()
        ]
    )
    ids: dict[int, dict[int, int]] = {}
    rows = Prediction.objects.filter(garment__in=garments).values_list("garment", "attribute", "pk")
    for garment_id, attribute_id, pk in rows:
        ids.setdefault(garment_id, {})[attribute_id] = pk
    values = []
    for product, garment in zip(products, garments, strict=True):
        said = {
            code: ProposedValue(
                value=value,
                confidence=confidence,
                calibrated=True,
                alternatives=(),
                prediction=ids[garment.pk][taxonomy.attributes[code].pk],
                model=versions[code].name,
            )
            for code, (value, confidence) in _SAID.items()
        }
        product.certainty = min(int(confidence * Product.CERTAIN) for _value, confidence in _SAID.values())
        product.top_category, product.top_category_source = chosen["category"].parent, "auto"
        product.proposal = Proposal((Candidate("Outer", 0.9, 1, 1, (garment.pk,), said, chosen=True),))
        values += [
            ProductAttribute(
                product=product,
                merchant_id=product.merchant_id,
                attribute=taxonomy.attributes[code],
                state="proposed",
                value=chosen[code],
                confidence=confidence,
            )
            for code, (_value, confidence) in _SAID.items()
        ]
    Product.objects.bulk_update(
        products, ["top_category", "top_category_source", "proposal", "certainty"], batch_size=200
    )
    ProductAttribute.objects.bulk_create(values)
