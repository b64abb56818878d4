from django.apps import AppConfig
from django.db.models.signals import post_save, pre_delete
from django.utils.translation import gettext_lazy as _


class ClassifierConfig(AppConfig):
    name = "classifier"
    verbose_name = _("Classifier")

    def ready(self) -> None:
        """Connect the signal handlers: a saved image is queued, a renamed product gets its proposal again.

        And add to the catalogue's bulk operations the one that is the classifier's, and name what tries again.
        """
        from accounts.services import operations
        from catalog.models import Product, ProductImage
        from classifier.jobs import bulk, failures
        from classifier.models import ClassifyRequest
        from classifier.quality import counting
        from classifier.signals import image_saved, product_saved, request_deleted

        post_save.connect(image_saved, sender=ProductImage, dispatch_uid="classifier.image_saved")
        post_save.connect(product_saved, sender=Product, dispatch_uid="classifier.product_saved")
        pre_delete.connect(request_deleted, sender=ClassifyRequest, dispatch_uid="classifier.request_deleted")
        bulk.provide()
        operations.provide(failures.KIND, failures.run)
        operations.provide(counting.CALIBRATE, counting.run_calibration, long=True)
        operations.provide(counting.QUALITY, counting.run_counting, long=True)
