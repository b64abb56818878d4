"""The admin's pages of the taxonomy, products, their images and what was decided about them."""

from catalog.admin import decisions, images, mappings, products, taxonomy

__all__ = ["decisions", "images", "mappings", "products", "taxonomy"]
