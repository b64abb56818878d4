"""Ids of another merchant's things below one's own, and the other way round: nobody finds or changes anything."""

import json

import pytest

from catalog.models import Product
from tests.support.access_table import TABLE as OPERATIONS
from tests.support.address_forms import posted
from tests.support.address_world import AddressWorld
from tests.support.addresses import of_the_api, without_operations
from tests.support.everything import everything
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

ADDRESSES = without_operations()
NESTED = [
    one
    for one in ADDRESSES.values()
    if not one.route.startswith("admin/")
    and len(set(one.arguments) - {"action", "variant", "code", "uidb36", "key"}) > 1
]
NESTED_OPERATIONS = [
    (method, path, name)
    for method in ("get", "post", "put", "patch", "delete")
    for path, name in of_the_api(method)
    if path.count("{") > 1 and "{code}" not in path
]


@pytest.fixture
def worlds(actor, product, charlie, actor_of, other_merchant, monkeypatch):
    """The things of Alice's merchant and of Charlie's."""
    serve(monkeypatch, StubEngine(garment("Jacket")))
    theirs = ProductFactory(merchant=other_merchant, sku="C-1", name="Charlie's coat")
    return AddressWorld(actor, product), AddressWorld(actor_of(charlie), theirs)


def _crossed(own, foreign):
    """Both ways to mix them, by the argument that is the other merchant's."""
    for name in own:
        if own[name] != foreign[name]:
            yield name, {**own, name: foreign[name]}


def test_there_are_such_addresses():
    assert len(NESTED) > 12
    assert len(NESTED_OPERATIONS) > 10


def test_of_the_portal(worlds, client_of, charlie):
    alices, charlies = worlds
    browser = client_of(charlie)
    mixed = []
    for one in NESTED:
        own, foreign = charlies.values(one), alices.values(one)
        mixed += [(one, name, one.path(values)) for name, values in _crossed(own, foreign)]
    before = everything()
    for one, name, path in mixed:
        assert browser.get(path).status_code in {302, 403, 404, 405}, (path, name)
        assert posted(browser, path, one, charlies).status_code < 500, (path, name)
        assert everything() == before, (one.route, name)


@pytest.mark.parametrize(("method", "path", "operation"), NESTED_OPERATIONS, ids=lambda value: str(value))
def test_of_the_api(method, path, operation, worlds, client_of, charlie):
    alices, charlies = (world.things for world in worlds)
    row, browser = OPERATIONS[operation], client_of(charlie)
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    own, foreign = ({name: world[row.ids.get(name, name)] for name in names} for world in (charlies, alices))
    before = everything()
    for name, values in _crossed(own, foreign):
        address = path.format(**values)
        body = row.body(alices) if callable(row.body) else row.body
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(browser, method)(address, **sent)
        assert answer.status_code == 404, (address, name)
        assert everything() == before


@pytest.mark.parametrize("field", ["images", "order", "products"])
def test_ids_in_bodies(field, worlds, client_of, charlie):
    """Lists of ids: those of others are not found among one's own."""
    alices, charlies = worlds
    browser, before = client_of(charlie), everything()
    mine, theirs = charlies.product.public_id, alices.product.public_id
    image = alices.things["image_id"]
    path, body = {
        "images": (f"/api/v1/products/{mine}/images/order", {"images": [image]}),
        "order": (f"/products/{mine}/details", {"version": charlies.product.version + 9, "order": [image]}),
        "products": ("/api/v1/operations/bulk", {"action": "archive", "products": {"ids": [theirs]}}),
    }[field]
    send = browser.put if field == "images" else browser.post
    kind = {} if field == "order" else {"content_type": "application/json"}
    assert send(path, body, **kind).status_code in {302, 400, 404, 409}
    assert everything() == before
    assert Product.objects.get(public_id=theirs).status != "archived"
