"""Products as models leave them to people: their images, what was found in each, and what a careful person answers.

Runs inside the site (`manage.py shell`). No network is asked: what is proposed is written here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import Image

from accounts.models import Merchant, User
from catalog import copies, services
from catalog.models import AttributeValue, Product, ProductAttribute, ProductImage
from catalog.proposal import Alternative, Candidate, Proposal, ProposedValue
from classifier.models import Classification, Garment, ModelVersion, Prediction

DEMO_IMAGES = Path(__file__).resolve().parent.parent / "demo" / "images"
_SETS = 12  # different images; their files are shared by the products


@dataclass(frozen=True)
class Said:
    """What is proposed of one garment: by attribute code the values with their confidences, the likeliest first."""

    top_category: str
    confidence: float
    values: dict[str, list[tuple[str, float]]]
    votes: dict[str, list[str]] = field(default_factory=dict)  # what each image says where they disagree


@dataclass(frozen=True)
class Case:
    """A kind of product, and what is right: `truth` names what differs from what is put first."""

    garments: list[Said]
    images: int
    chosen: str | None
    truth: dict[str, str]


_JACKET = [("Jacket", 0.54), ("Jumper", 0.31), ("Coat", 0.08), ("Vest", 0.03)]
_DENIM, _LONG = [("denim", 0.93), ("woven", 0.04)], [("long", 0.96)]


def _outer(**values: list[tuple[str, float]]) -> Said:
    return Said("Outer", 0.97, {"category": _JACKET, "material": _DENIM, "sleeve_length": _LONG, **values})


_SURE = [("Jacket", 0.94), ("Jumper", 0.03)]
_TOP = Said(
    "Top", 0.44, {"category": [("Tshirt", 0.92)], "material": [("jersey", 0.9)], "sleeve_length": [("short", 0.95)]}
)
_UNCLEAR = Said("Outer", 0.49, {"category": _SURE, "material": _DENIM, "sleeve_length": _LONG})
# Ten kinds, as they come in a shop: most often one value is in doubt, and most often what is put first is right.
CASES: Sequence[Case] = (
    Case([_outer()], 1, "Outer", {}),
    Case([_outer()], 2, "Outer", {}),
    Case([_outer()], 4, "Outer", {"category": "Jumper"}),
    Case([_outer()], 1, "Outer", {}),
    Case([_outer()], 3, "Outer", {"category": "Coat"}),
    Case([_outer(category=_SURE, material=[("denim", 0.48), ("woven", 0.4)])], 2, "Outer", {"material": "woven"}),
    Case([_outer(category=_SURE, sleeve_length=[("long", 0.58), ("three-quarter", 0.4)])], 1, "Outer", {}),
    Case([_outer(category=_JACKET, material=[("denim", 0.52), ("woven", 0.4)])], 2, "Outer", {}),
    Case(
        [Said("Outer", 0.97, {"category": _JACKET, "material": _DENIM}, {"category": ["Jacket", "Jumper"]})],
        2,
        "Outer",
        {"category": "Jumper"},
    ),
    Case([_UNCLEAR, _TOP], 2, None, {"top_category": "Top"}),
)


def _files() -> list[ProductImage]:
    """Images without a product, their files stored once."""
    found = []
    for path in sorted(DEMO_IMAGES.glob("*.jpg"))[:_SETS]:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        row = ProductImage(
            original_name=path.name,
            sha256=path.stem.encode().hex()[:64].ljust(64, "0"),
            size=path.stat().st_size,
            width=image.width,
            height=image.height,
        )
        thumbnail, small = copies.thumbnails(image)
        for name, content in (
            ("original", path.read_bytes()),
            ("display", copies.display_copy(image)),
            ("thumbnail", thumbnail),
            ("small", small),
        ):
            stored = default_storage.save(f"bench/{path.stem}-{name}.jpg", ContentFile(content))
            setattr(row, name, stored)
        found.append(row)
    return found


def _versions() -> dict[str, ModelVersion]:
    return {
        role: ModelVersion.objects.create(
            name=f"{role}-bench", role=role, task="classify", sha256=f"{number:064x}", input_size=224
        )
        for number, role in enumerate(("category", "material", "sleeve_length"), start=1)
    }


class _Writer:
    """Writes products of a merchant."""

    def __init__(self, merchant: Merchant) -> None:
        self.merchant = merchant
        self.files = _files()
        self.versions = _versions()
        self.values = {(value.attribute.code, value.code): value for value in _all_values()}

    @transaction.atomic
    def write(self, number: int, case: Case) -> Product:
        product = Product.objects.create(merchant=self.merchant, name=f"Bench {number}", sku=f"B-{number:04d}")
        images = [self._image(product, number + place, place) for place in range(case.images)]
        candidates = tuple(self._candidate(said, images) for said in case.garments)
        services.write_proposal(
            product=services.lock_product(product.pk),
            proposal=Proposal(candidates),
            top_category=case.chosen,
            classifying=False,
        )
        Product.objects.filter(pk=product.pk).update(status=Product.Status.TO_REVIEW)
        return product

    def _image(self, product: Product, which: int, place: int) -> ProductImage:
        like = self.files[which % len(self.files)]
        names = ("original", "display", "thumbnail", "original_name", "sha256", "size", "width", "height")
        image = ProductImage(product=product, position=place, **{name: getattr(like, name) for name in names})
        image.sha256 = f"{product.pk:032x}{place:032x}"
        ProductImage.objects.bulk_create([image])  # no signal, so that nothing is queued
        stored = ProductImage.objects.get(public_id=image.public_id)
        job = Classification.objects.create(image=stored, image_sha256=stored.sha256, state="done", garments_found=1)
        ProductImage.objects.filter(pk=stored.pk).update(current_classification=job)
        stored.current_classification = job
        return stored

    def _candidate(self, said: Said, images: Sequence[ProductImage]) -> Candidate:
        garments: list[int] = []
        predictions: dict[str, int] = {}
        for place, image in enumerate(images):
            garment = Garment.objects.create(
                image=image,
                classification=image.current_classification,
                confidence=0.9,
                x1=0.2,
                y1=0.15,
                x2=0.8,
                y2=0.85,
            )
            garments.append(garment.pk)
            for code, options in said.values.items():
                votes = said.votes.get(code)
                value = votes[place % len(votes)] if votes else options[0][0]
                prediction = Prediction.objects.create(
                    garment=garment,
                    attribute=self.values[code, value].attribute,
                    value=self.values[code, value],
                    confidence=0.8 if votes else options[0][1],
                    model_version=self.versions[code],
                )
                predictions.setdefault(code, prediction.pk)
        return Candidate(
            top_category=said.top_category,
            confidence=said.confidence,
            images=len(images),
            total=len(images),
            garments=tuple(garments),
            attributes={
                code: ProposedValue(
                    value=options[0][0],
                    confidence=options[0][1],
                    calibrated=True,
                    alternatives=tuple(Alternative(*option) for option in options[1:]),
                    prediction=predictions[code],
                    model=f"{code}-bench",
                )
                for code, options in said.values.items()
            },
        )


def _all_values() -> list[AttributeValue]:
    return list(AttributeValue.objects.select_related("attribute"))


def prepare(products: int, email: str) -> None:
    """Write so many doubtful products for the person's merchant; prints what is right of each, by its public id."""
    merchant = Merchant.objects.get(memberships__user=User.objects.get(email=email))
    writer = _Writer(merchant)
    truth = {}
    for number in range(products):
        case = CASES[number % len(CASES)]
        truth[writer.write(number, case).public_id] = case.truth
    print(json.dumps(truth))


def answers() -> None:
    """Print what is decided now, by the product's public id."""
    decided: dict[str, dict[str, str]] = {}
    rows = ProductAttribute.objects.filter(state="decided").select_related("product", "attribute", "value")
    for row in rows:
        if row.value is not None:
            decided.setdefault(row.product.public_id, {})[row.attribute.code] = row.value.code
    print(json.dumps(decided))
