"""What a merchant has, made when somebody asks for it by the name that addresses of the API have for it."""

from catalog.models import Product
from catalog.services import bulk, fetching, uploads
from classifier import stateless
from classifier.jobs import batches
from classifier.models import ModelVersion
from tests.support import bulk_operations, import_files
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from webhooks import services as webhooks


class World(dict):
    """Begins with a product whose image is classified. Serve an engine before."""

    def __init__(self, actor, product):
        super().__init__(product=product, public_id=product.public_id, attribute="material", problem="not_found")
        self._actor = actor

    def __missing__(self, name):
        self[name] = getattr(self, f"_{name}")()
        return self[name]

    def show_image(self):
        """Give the product its image."""
        product = self["product"]
        uploads.add_images(actor=self._actor, product=product, files=[upload("front.jpg")])
        batches.classify_waiting()
        image = product.images.get()
        job = image.current_classification
        self |= {"image_id": image.public_id, "job_id": job.pk, "garment": job.garments.get().pk}

    def _model_id(self):
        return ModelVersion.objects.earliest("pk").pk

    def _fetch_id(self):
        urls = ["https://shop.example/a.jpg"]
        (fetch,) = fetching.request_images(actor=self._actor, product=self["product"], urls=urls)
        return fetch.public_id

    def _webhook(self):
        url = "https://shop.example/hook"
        return webhooks.create_endpoint(actor=self._actor, merchant=self._actor.merchant, url=url)

    def _webhook_id(self):
        return self["webhook"].public_id

    def _delivery_id(self):
        return webhooks.send_test(actor=self._actor, endpoint=self["webhook"]).public_id

    def _asked(self):
        return stateless.ask(actor=self._actor, files=[upload("asked.jpg", color="teal")]).public_id

    def _ended_operation(self):
        other = ProductFactory(merchant=self._actor.merchant, sku="OTHER-1")
        return bulk_operations.run(self._actor, "archive", other).public_id

    def _operation(self):
        chosen = Product.objects.filter(pk=self["product"].pk)
        return bulk.start(actor=self._actor, action="archive", products=chosen, parameters={}, at_once=False).public_id

    def _checked_import(self):
        lines = import_files.csv_file(("AJ-7", "Coat", "", "", "", ""))
        return import_files.checked(self._actor, p_csv=lines).operation.public_id
