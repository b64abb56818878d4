"""What the models said of each image of a product, as the database has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q

from catalog.models import AttributeValue, ProductImage
from catalog.selectors import Taxonomy
from classifier.models import Garment, ModelSet, Prediction
from vision.engine.manifest import GARMENT
from vision.engine.results import Box

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of one attribute of a garment: probabilities by code, the value itself being the first."""

    prediction: int
    model: str
    calibrated: bool
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """A garment in an image, with what was said of it by attribute code.

    An attribute that the image does not show is not in `said`. `named`: the detector that found it said its category
    too, so that `confidence` is that of both. `box`: in fractions of the image.
    """

    garment: int
    confidence: float
    said: Mapping[str, Said]
    named: bool = False
    box: Box = WHOLE

    @property
    def area(self) -> float:
        """The share of the image that its box covers."""
        x1, y1, x2, y2 = self.box
        return (x2 - x1) * (y2 - y1)

    def resolved(self, attribute: str, taxonomy: Taxonomy) -> list[tuple[AttributeValue, float]]:
        """What was said of an attribute, by the values of today; what is switched off is left out."""
        said = self.said.get(attribute)
        pairs = said.probabilities.items() if said else ()
        values = ((taxonomy.resolve(attribute, code), probability) for code, probability in pairs)
        return [(value, probability) for value, probability in values if value is not None]


def load(product_id: int) -> list[list[Seen]]:
    """Read the garments of each current image: of its current classification, and those that people drew.

    Three queries, however many images.
    """
    images = list(ProductImage.objects.filter(product_id=product_id).current().values_list("pk", flat=True))
    seen = read(images, Q(classification=F("image__current_classification")))
    return [seen[pk] for pk in images]


def read(images: Sequence[int], found: Q) -> dict[int, list[Seen]]:
    """The garments in images, by the images' ids: those that `found` selects, and those that people drew."""
    seen: dict[int, list[Seen]] = {pk: [] for pk in images}
    sets = ModelSet.objects.filter(pk=OuterRef("classification__model_set"))
    garments = list(
        Garment.objects.filter(found | Q(source=Garment.Source.HUMAN), image__in=images)
        .annotate(named=Exists(sets.exclude(versions__role=GARMENT)))
        .values_list("pk", "image_id", "confidence", "named", "x1", "y1", "x2", "y2")
    )
    predictions = Prediction.objects.filter(garment__in=[pk for pk, *_rest in garments]).values(
        "pk", "garment_id", "attribute__code", "value__code", "confidence", "calibrated", "alternatives",
        "model_version__name",
    )  # fmt: skip
    said: dict[int, dict[str, Said]] = defaultdict(dict)
    for row in predictions.order_by("pk"):
        probabilities = {row["value__code"]: row["confidence"]}
        probabilities |= {other["value"]: other["confidence"] for other in row["alternatives"]}
        said[row["garment_id"]][row["attribute__code"]] = Said(
            row["pk"], row["model_version__name"], row["calibrated"], probabilities
        )
    for pk, image_id, confidence, named, *box in garments:
        x1, y1, x2, y2 = box
        score = 1.0 if confidence is None else confidence
        seen[image_id].append(Seen(pk, score, said[pk], named, (x1, y1, x2, y2)))
    return seen
