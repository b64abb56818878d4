from django.apps import AppConfig
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = _("Catalogue")

    def ready(self) -> None:
        """Connect the signal handlers that let the files of a deleted image go, and the terms of a deleted product.

        And name what goes on with the catalogue's operations, and what its codes in the audit trail mean.
        """
        from accounts import audit_details
        from accounts.services import operations, personal
        from catalog.audit_words import CatalogueWords
        from catalog.models import Product, ProductImage
        from catalog.services import bulk, closing, exports, shop_data
        from catalog.services.imports import checking, leased, running
        from catalog.signals import image_deleted, product_deleted

        post_delete.connect(image_deleted, sender=ProductImage, dispatch_uid="catalog.image_deleted")
        post_delete.connect(product_deleted, sender=Product, dispatch_uid="catalog.product_deleted")
        operations.provide(bulk.KIND, bulk.run)
        operations.provide(exports.KIND, exports.run, long=True)
        operations.provide(leased.CHECK, checking.run, long=True)
        operations.provide(leased.IMPORT, running.run)
        audit_details.provide(CatalogueWords)
        operations.provide(shop_data.KIND, shop_data.run, long=True)
        personal.provide("catalogue", closing.export_person, closing.erase_person)
