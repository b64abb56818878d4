"""What the models said of each image of a product, as the database has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from catalog.models import CATEGORY, AttributeValue, ProductImage
from catalog.selectors import Taxonomy
from classifier.models import Garment, ModelSet, Prediction
from classifier.proposals.covered import Judged, covered
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
    too, so that `confidence` is that of both. `box`: in fractions of the image. `top_category`: what the person who
    drew it says that it is.
    """

    garment: int
    confidence: float
    said: Mapping[str, Said]
    named: bool = False
    box: Box = WHOLE
    top_category: str | None = None

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


@dataclass(frozen=True, slots=True)
class Findings:
    """What images show, by their ids. `covering`: what `Garment.covered_by` is where something else is stored."""

    seen: Mapping[int, list[Seen]]
    covering: Mapping[int, int | None]


def load(product_id: int) -> Findings:
    """Read the garments of each current image: of its current classification, and those that people drew.

    Three queries, however many images, and a fourth where people changed what an earlier run found.
    """
    images = list(ProductImage.objects.filter(product_id=product_id).current().values_list("pk", flat=True))
    return read(images, Q(classification=F("image__current_classification")))


def read(images: Sequence[int], found: Q, model_set: int | None = None) -> Findings:
    """The garments in images: those that `found` selects, and those that people drew.

    Args:
        images: the ids of the images.
        found: selects garments of models.
        model_set: the id of the set whose word counts for what people drew; by default the last that described it.
    """
    rows = _rows(found & Q(source=Garment.Source.MODEL) | Q(source=Garment.Source.HUMAN), images)
    known = {row["pk"] for row in rows}
    replaced = {row["replaces"] for row in rows} - known - {None}
    earlier = _rows(Q(pk__in=replaced), images) if replaced else []
    said, levels = _said([row["pk"] for row in (*rows, *earlier)], model_set)
    judged: dict[int, list[Judged]] = {pk: [] for pk in images}
    for row in (*rows, *earlier):
        judged[row["image_id"]].append(
            Judged(
                pk=row["pk"],
                box=_box(row),
                level=row["top_category__code"] or levels.get(row["pk"]),
                counts=row["pk"] in known and row["ended_at"] is None,
                by_person=row["source"] == Garment.Source.HUMAN,
                absent=row["absent"],
                replaces=row["replaces"],
            )
        )
    covering = {pk: person for garments in judged.values() for pk, person in covered(garments).items()}
    seen: dict[int, list[Seen]] = {pk: [] for pk in images}
    for row in rows:
        if row["ended_at"] is None and not row["absent"] and row["pk"] not in covering:
            score = 1.0 if row["confidence"] is None else row["confidence"]
            level = row["top_category__code"]
            seen[row["image_id"]].append(Seen(row["pk"], score, said[row["pk"]], row["named"], _box(row), level))
    changed = (row["pk"] for row in rows if row["covered_by"] != covering.get(row["pk"]))
    return Findings(seen, {pk: covering.get(pk) for pk in changed})


def _rows(wanted: Q, images: Sequence[int]) -> list[Mapping[str, Any]]:
    sets = ModelSet.objects.filter(pk=OuterRef("classification__model_set"))
    garments = Garment.objects.filter(wanted, image__in=images)
    rows: Iterable[Mapping[str, Any]] = (
        garments.annotate(named=Exists(sets.exclude(versions__role=GARMENT))).values(
            "pk", "image_id", "source", "confidence", "named", "x1", "y1", "x2", "y2", "ended_at", "absent", "replaces",
            "top_category__code", "covered_by",
        )
    )  # fmt: skip
    return list(rows)


def _box(row: Mapping[str, Any]) -> Box:
    return row["x1"], row["y1"], row["x2"], row["y2"]


def _said(garments: Sequence[int], model_set: int | None) -> tuple[Mapping[int, dict[str, Said]], dict[int, str]]:
    """What was said of each garment by attribute, and the top-level category of what it was taken for."""
    predictions = Prediction.objects.counting(model_set).filter(garment__in=garments).values(
        "pk", "garment_id", "attribute__code", "value__code", "value__parent__code", "confidence", "calibrated",
        "alternatives", "model_version__name",
    )  # fmt: skip
    said: dict[int, dict[str, Said]] = defaultdict(dict)
    levels = {}
    for row in predictions.order_by("pk"):
        probabilities = {row["value__code"]: row["confidence"]}
        probabilities |= {other["value"]: other["confidence"] for other in row["alternatives"]}
        said[row["garment_id"]][row["attribute__code"]] = Said(
            row["pk"], row["model_version__name"], row["calibrated"], probabilities
        )
        if row["attribute__code"] == CATEGORY:
            levels[row["garment_id"]] = row["value__parent__code"] or row["value__code"]
    return said, levels
