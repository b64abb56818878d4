"""The admin's pages of classification jobs, what models said, which models there are and which serve."""

from classifier.admin import jobs, operations, predictions, products, registry, shadow_reports

__all__ = ["jobs", "operations", "predictions", "products", "registry", "shadow_reports"]
