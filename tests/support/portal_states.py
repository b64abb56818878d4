"""A merchant with a product in every state, each with the longest texts that fit: what pages have to hold."""

from accounts.models import Merchant, User
from catalog import services
from classifier.jobs import batches
from classifier.models import Classification
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment, serve

LONGEST_NAME = "오버사이즈데님재킷" * 22 + "끝끝"  # 200 syllables without a space
LONGEST_SKU = "WM-" * 21 + "W"
LONGEST_FILE = "정면사진" * 60 + ".jpg"  # of 255
LONGEST_PERSON = "남궁제갈황보" * 16
LONGEST_MERCHANT = "세상에서가장긴이름의상점" * 8

JACKET = garment({"Jacket": 0.39, "Jumper": 0.33}, box=(0.1, 0.1, 0.6, 0.9), material={"denim": 0.88, "knit": 0.09})
SHIRT = garment(
    {"Shirt": 0.37, "Tshirt": 0.31}, box=(0.4, 0.2, 0.9, 0.8), material={"knit": 0.52}, hidden=("sleeve_length",)
)


class Portal:
    """Fills a merchant by the same ways as people do."""

    def __init__(self, monkeypatch, client, merchant, actor):
        self.client, self.merchant, self.actor = client, merchant, actor
        self._found = ()
        serve(monkeypatch, StubEngine(answer=lambda _data: self._found))

    def product(self, name, *found, photos=1, size=(300, 400), **fields):
        """A product whose photos were looked at; `found` is what the models saw in each."""
        product = ProductFactory(merchant=self.merchant, name=name, **fields)
        for number in range(photos):
            # another colour each, as the same photo is stored once only
            file = upload(f"{number}{LONGEST_FILE}", color=(20 + number, 60, len(name) % 250), size=size)
            self.client.post(f"/products/{product.public_id}/images", {"images": file})
        self._found = found
        batches.classify_waiting()
        product.refresh_from_db()
        return product


def every_state(monkeypatch, client, merchant, actor):
    """Products by the name of their state. The person and the merchant get the longest names there are."""
    User.objects.filter(pk=actor.user.pk).update(name=LONGEST_PERSON[:100])
    Merchant.objects.filter(pk=merchant.pk).update(name=LONGEST_MERCHANT[:100])
    portal = Portal(monkeypatch, client, merchant, actor)
    states = {
        "several": portal.product(LONGEST_NAME, JACKET, SHIRT, photos=4, sku=LONGEST_SKU),
        "nothing": portal.product("nothing found", size=(300, 401)),
        "published": portal.product(
            "published", garment("Jacket", material="denim", sleeve_length="long"), size=(310, 400)
        ),
        "archived": portal.product("", garment("Shirt", material="knit", sleeve_length="short"), size=(320, 400)),
        "long_photo": portal.product("long photo", JACKET, size=(300, 2400)),
        "empty": ProductFactory(merchant=merchant, name="no photo"),
    }
    services.publish(actor=actor, product=states["published"])
    services.archive(actor=actor, product=states["archived"])
    first = states["several"].images.current().first()
    client.post(f"/products/{states['several'].public_id}/images/{first.public_id}/remove")
    for name in ("failed", "waiting"):
        states[name] = ProductFactory(merchant=merchant, name=name)
        file = upload(f"{name}.jpg", color=(1, 2, len(name)), size=(340, 400))
        client.post(f"/products/{states[name].public_id}/images", {"images": file})
    failed = Classification.objects.filter(image__product=states["failed"])
    failed.update(state="failed", open_key=None, error_code=Classification.Error.GAVE_UP)
    return states
