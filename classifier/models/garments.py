"""Garments in images, found by models or drawn by people, and what models said of them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Attribute, AttributeValue, ProductImage
from classifier.models.jobs import Classification
from classifier.models.registry import ModelSet, ModelVersion


class GarmentQuerySet(models.QuerySet["Garment"]):
    """Garments, and which of them count."""

    def drawn(self) -> GarmentQuerySet:
        """What people drew and nobody changed or removed since."""
        return self.filter(source=Garment.Source.HUMAN, ended_at=None, absent=False)

    def shown(self) -> GarmentQuerySet:
        """What an image shows today: what people drew, and what its current classification found beside that."""
        found = Q(source=Garment.Source.MODEL, covered_by=None, classification=F("image__current_classification"))
        return self.filter(found | Q(source=Garment.Source.HUMAN, ended_at=None, absent=False))


class Garment(models.Model):
    """A garment in an image. The box is in fractions of the upright display copy.

    Nobody's box is ever changed. Who moves, resizes or removes one adds a garment that `replaces` it, so that a change
    can be taken back, and a later run's garment in the same place is known for the one that a person judged:
    `classifier.proposals.covered` says which garments of models these cover.
    """

    class Source(models.TextChoices):
        """Who found it; people's boxes survive re-runs."""

        MODEL = "model", _("model")
        HUMAN = "human", _("person")

    image = models.ForeignKey(ProductImage, models.CASCADE, related_name="garments")
    classification = models.ForeignKey(
        Classification, models.CASCADE, null=True, blank=True, related_name="garments", verbose_name=_("classification")
    )
    source = models.CharField(_("source"), max_length=5, choices=Source.choices, default=Source.MODEL)
    x1 = models.FloatField()
    y1 = models.FloatField()
    x2 = models.FloatField()
    y2 = models.FloatField()
    confidence = models.FloatField(_("confidence"), null=True, blank=True)
    # Codes of the attributes that a model says cannot be seen here. NULL: drawn by a person, or older than that.
    hidden = models.JSONField(_("not visible in the photo"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    # Of a person's garment: what it stands for in place of, and that there is none (its box then only says where).
    replaces = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="replaced_by", editable=False
    )
    absent = models.BooleanField(_("removed by a person"), default=False, db_default=False, editable=False)
    top_category = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("top-level category")
    )
    # The set whose predictions of it count; NULL until a worker has described it.
    described_by = models.ForeignKey(
        ModelSet, models.SET_NULL, null=True, blank=True, related_name="+", editable=False, verbose_name=_("model set")
    )
    # Another garment of a person replaced it, or it was taken back.
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Of a model's garment: the person's that counts in its place. Written with the product's proposal.
    covered_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="covers", editable=False
    )

    objects: ClassVar[GarmentQuerySet] = GarmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("garment")
        verbose_name_plural = _("garments")
        ordering = ("-confidence", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(x1__gte=0, y1__gte=0, x2__lte=1, y2__lte=1, x1__lt=F("x2"), y1__lt=F("y2")),
                name="garment_box",
            ),
            models.CheckConstraint(
                condition=Q(source="human") | Q(source="model", classification__isnull=False), name="garment_source"
            ),
            models.CheckConstraint(
                condition=Q(source="human", covered_by=None) | Q(source="model", absent=False, ended_at=None),
                name="garment_drawn",
            ),
        )

    def __str__(self) -> str:
        return f"{self.image_id}: {self.x1:.2f} {self.y1:.2f} {self.x2:.2f} {self.y2:.2f}"


class PredictionQuerySet(models.QuerySet["Prediction"]):
    """Predictions, and which of them count."""

    def counting(self, model_set: int | None = None) -> PredictionQuerySet:
        """Of a model's garment all; of a person's, which every set describes, those of the set that did so last.

        Args:
            model_set: the id of the set that counts for people's garments instead.
        """
        members = ModelSet.versions.through.objects.filter(modelversion=OuterRef("model_version"))
        of_set = members.filter(modelset=OuterRef("garment__described_by") if model_set is None else model_set)
        return self.filter(Q(garment__source=Garment.Source.MODEL) | Exists(of_set))


class Prediction(models.Model):
    """What one model said of one attribute of one garment. Append-only."""

    garment = models.ForeignKey(Garment, models.CASCADE, related_name="predictions")
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    value = models.ForeignKey(AttributeValue, models.PROTECT, related_name="+", verbose_name=_("value"))
    confidence = models.FloatField(_("confidence"))
    calibrated = models.BooleanField(_("calibrated"), default=False)
    alternatives = models.JSONField(_("alternatives"), default=list)  # [{"value": code, "confidence": float}, …]
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="predictions", verbose_name=_("model"))
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    objects: ClassVar[PredictionQuerySet] = PredictionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        ordering = ("garment", "attribute")
        constraints = (
            models.UniqueConstraint(fields=("garment", "attribute", "model_version"), name="prediction_once"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="prediction_confidence"),
        )
        indexes = (
            models.Index(fields=("attribute", "value"), name="prediction_value"),
            models.Index(fields=("created_at",), name="prediction_created_at"),
        )

    def __str__(self) -> str:
        return f"{self.attribute}: {self.value}"
