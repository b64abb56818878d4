"""What is posted to an address whose form is turned down when it is empty, so that who may send it is let in.

Functions of the world, as most name something in it. Without an entry an empty form is sent.
"""

import json

from accounts.models import ApiKey, User
from catalog.models import Product
from tests.support.drawn_images import upload
from tests.support.import_files import csv_file

PASSWORD = "correct horse battery"


def _of_product(**more):
    return lambda world: {"version": Product.objects.get(pk=world.product.pk).version, **more}


def _images(name):
    return lambda world: {"images": [upload(name, color="plum")]}


def _box(world):
    return json.dumps({"box": [0.2, 0.2, 0.8, 0.9], "top_category": "Outer"})


def _rotation(world):
    return ApiKey.objects.get(merchant=world.merchant, name="Kiosk").rotation


def _id_of(email):
    return lambda world: {"user_pk": User.objects.get(email=email).pk}


_WEBHOOK = {"url": "https://shop.example/other", "types": ["product.published"]}
_BOXES = "products/<slug:public_id>/images/<slug:image_id>/boxes"

FORMS = {
    "impersonation/acquire/": _id_of("bob@example.com"),
    "join/<str:secret>": lambda world: {"name": "New", "password": "long enough staple"},
    "merchant": lambda world: {"merchant": world.merchant.public_id},
    "merchants/<slug:public_id>/close": lambda world: {"name": world.merchant.name},
    "merchants/<slug:public_id>/invitations": lambda world: {"email": "more@example.com", "role": "viewer"},
    "merchants/<slug:public_id>/keys": lambda world: {"name": "Stock", "scopes": ["read"]},
    "merchants/<slug:public_id>/keys/<int:key_id>/rotate": lambda world: {
        "overlap": "0",
        "seen": _rotation(world),
    },
    "merchants/<slug:public_id>/members/<int:number>/role": lambda world: {"role": "viewer"},
    "merchants/<slug:public_id>/thresholds/<slug:code>": lambda world: {"mode": "never"},
    "merchants/<slug:public_id>/webhooks": lambda world: {"url": "https://shop.example/hook", **_WEBHOOK},
    "products/<slug:public_id>/cell": _of_product(field="name", value="Coat"),
    "products/<slug:public_id>/details": _of_product(name="Coat"),
    "products/<slug:public_id>/images": _images("side.jpg"),
    "products/<slug:public_id>/review": _of_product(**{"value-material": "linen"}),
    "products/bulk/ask": lambda world: {"action": "archive", "product": [world.product.public_id]},
    "products/bulk/start": lambda world: {"action": "archive", "product": [world.product.public_id]},
    "products/export/start": lambda world: {"format": "csv", "words": "codes"},
    "products/import": lambda world: {"files": [upload("p.csv", data=csv_file(("A-1", "Coat", "", "", "", "")))]},
    "products/import/": lambda world: {"files": [upload("p.csv", data=csv_file(("A-1", "Coat", "", "", "", "")))]},
    "products/import/<slug:public_id>/files": lambda world: {"files": [upload("more.jpg", color="plum")]},
    "products/new": _images("new.jpg"),
    "products/new/": _images("new.jpg"),
    "products/new/<slug:number>/images": _images("more.jpg"),
    "products/views/": lambda world: {"name": "Another", "query": "?status=ready"},
    "products/views/<slug:public_id>/rename": lambda world: {"name": "Other"},
    "review/<slug:public_id>/answer": _of_product(**{"value-material": "linen"}),
    "settings/account": lambda world: {"name": "Other", "language": "en"},
    "settings/webhooks/<slug:number>/change": lambda world: _WEBHOOK,
    "settings/webhooks/<slug:number>/rotate": lambda world: {"seen": world.things["webhook"].rotation},
    _BOXES: _box,
    f"{_BOXES}/<int:garment>": _box,
}


def posted(browser, path, address, world):
    """Post what is there for the address."""
    sent = FORMS.get(address.route, lambda world: {})(world)
    if isinstance(sent, str):
        return browser.post(path, sent, content_type="application/json")
    return browser.post(path, sent)
