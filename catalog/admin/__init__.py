"""The admin's pages of the taxonomy, products, their images and what was decided about them."""

from catalog.admin import decisions, images, products, taxonomy

__all__ = ["decisions", "images", "products", "taxonomy"]
