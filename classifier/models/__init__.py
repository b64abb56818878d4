"""Models in service, classification jobs, and what the models said."""

from classifier.models.garments import Garment, GarmentQuerySet, Prediction, PredictionQuerySet
from classifier.models.jobs import Chore, Classification
from classifier.models.quality import AcceptanceThreshold, MerchantThreshold, QualityFigures, ShadowReport
from classifier.models.registry import Deployment, ModelSet, ModelVersion, ModelVersionQuerySet
from classifier.models.requests import ClassifyRequest

__all__ = [
    "AcceptanceThreshold",
    "Chore",
    "Classification",
    "ClassifyRequest",
    "Deployment",
    "Garment",
    "GarmentQuerySet",
    "MerchantThreshold",
    "ModelSet",
    "ModelVersion",
    "ModelVersionQuerySet",
    "Prediction",
    "PredictionQuerySet",
    "QualityFigures",
    "ShadowReport",
]
