"""The admin's pages of classification jobs, what models said, which models serve, and how good they are."""

from classifier.admin import jobs, predictions, products, registry, thresholds

__all__ = ["jobs", "predictions", "products", "registry", "thresholds"]
