from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class ClassifierConfig(AppConfig):
    name = "classifier"
    verbose_name = _("Classifier")

    def ready(self) -> None:
        """Connect what happens by itself: a saved photograph is classified, a deleted product's files go."""
        from catalog.models import Product, ProductImage
        from classifier.signals import image_saved, product_deleted

        post_save.connect(image_saved, sender=ProductImage, dispatch_uid="classifier.image_saved")
        post_delete.connect(product_deleted, sender=Product, dispatch_uid="classifier.product_deleted")
