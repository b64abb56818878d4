"""The admin's pages of classification jobs, what models said, which models there are, and how good they are."""

from classifier.admin import jobs, operations, predictions, products, registry, shadow_reports, thresholds

__all__ = ["jobs", "operations", "predictions", "products", "registry", "shadow_reports", "thresholds"]
