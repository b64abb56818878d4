"""The admin's pages of classification jobs, what models said, and which models serve."""

from classifier.admin import jobs, predictions, products, registry

__all__ = ["jobs", "predictions", "products", "registry"]
