"""Products, with the one thing that the catalogue cannot do itself: have the models look again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet

from catalog.admin.products import ProductAdmin
from catalog.models import Product
from classifier.admin.again import ClassifiesAgain

admin.site.unregister(Product)


@admin.register(Product)
class ClassifiedProductAdmin(ProductAdmin, ClassifiesAgain[Product]):
    """The catalogue's pages and the action."""

    actions = (*ProductAdmin.actions, "classify_selected_again")
    actions_detail = (*ProductAdmin.actions_detail, "classify_again")

    def products_of(self, rows: QuerySet[Product]) -> QuerySet[Product]:
        """The rows themselves."""
        return rows
