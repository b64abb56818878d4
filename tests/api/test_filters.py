"""The API's list of products: search, filters and orders of the portal's."""

from datetime import UTC, datetime

import pytest

from catalog import services
from catalog.models import Product
from tests.support.api_clients import problem_of
from tests.support.factories import ProductFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(merchant):
    jacket = ProductFactory(merchant=merchant, name="베이직 코튼 재킷", sku="B-2")
    jeans = ProductFactory(merchant=merchant, name="Jeans", sku="A-1")
    ProductFactory(merchant=merchant, name="Plain", sku="C-3")
    propose(jacket, candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.6)), chosen="Outer")
    propose(jeans, candidate("Bottom", 0.9, category=("Jeans", 0.95)), chosen="Bottom")
    Product.objects.filter(name="Plain").update(failed_images=1)
    ProductFactory(merchant=merchant, name="Away", status="archived")


def names(api, query):
    answer = api.send("get", f"/products?{query}")
    assert answer.status_code == 200, answer.content
    return [entry["name"] for entry in answer.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Plain", "Jeans", "베이직 코튼 재킷"]),
        ("q=재킷 베이직", ["베이직 코튼 재킷"]),
        ("status=draft&status=to_review", ["Plain", "Jeans", "베이직 코튼 재킷"]),
        ("status=archived", ["Away"]),
        ("category=Jacket&category=Jeans", ["Jeans", "베이직 코튼 재킷"]),
        ("category=-", ["Plain"]),
        ("value=material:denim", ["베이직 코튼 재킷"]),
        ("value=material:denim&value=category:Jeans", []),
        ("value=category:Jacket&value=category:Jeans", ["Jeans", "베이직 코튼 재킷"]),
        ("value=material:-", ["Plain", "Jeans"]),
        ("category_state=proposed", ["Jeans", "베이직 코튼 재킷"]),
        ("category_state=unset", ["Plain"]),
        ("confidence_below=0.7", ["베이직 코튼 재킷"]),
        ("failed=true", ["Plain"]),
        ("failed=false", ["Plain", "Jeans", "베이직 코튼 재킷"]),
        ("created_since=2020-01-01&created_until=2020-01-02", []),
        ("sku=a-1", ["Jeans"]),
        ("changed_since=2020-01-01T00:00:00Z", ["Plain", "Jeans", "베이직 코튼 재킷"]),
        ("changed_since=2200-01-01T00:00:00Z", []),
        ("ordering=oldest", ["베이직 코튼 재킷", "Jeans", "Plain"]),
        ("ordering=sku", ["Jeans", "베이직 코튼 재킷", "Plain"]),
        ("ordering=doubt", ["베이직 코튼 재킷", "Jeans", "Plain"]),
    ],
)
def test_it_finds_what_the_portal_finds(api, shop, query, found):
    assert names(api, query) == found


@pytest.mark.parametrize("ordering", ["newest", "oldest", "changed", "name", "sku", "doubt"])
@pytest.mark.parametrize("more", ["", "&created_since=2020-01-01"])
def test_pages_of_every_order_have_everything_once(api, merchant, ordering, more):
    for number in range(7):
        ProductFactory(merchant=merchant, name="Same" if number % 2 else f"N{number}")
    whole = [entry["id"] for entry in api.send("get", f"/products?ordering={ordering}{more}").json()["results"]]
    page, seen = api.send("get", f"/products?page_size=2&ordering={ordering}{more}").json(), []
    while True:
        seen += [entry["id"] for entry in page["results"]]
        if page["next"] is None:
            break
        page = api.get(page["next"]).json()
    assert seen == whole
    back = []
    while True:
        back = [entry["id"] for entry in page["results"]] + back
        if page["previous"] is None:
            break
        page = api.get(page["previous"]).json()
    assert back == whole


def test_a_copy_fetches_what_changed_since_it_last_did(api, shop, actor):
    last = api.send("get", "/products?ordering=changed").json()["results"][0]["updated_at"]
    product = Product.objects.get(name="Plain")
    services.update_product(actor=actor, product=product, name="Plainer")
    since = datetime.fromisoformat(last).astimezone(UTC).isoformat().replace("+00:00", "Z")
    found = api.send("get", f"/products?ordering=changed&changed_since={since}").json()["results"]
    assert found[0]["name"] == "Plainer"
    assert {entry["updated_at"] >= last for entry in found} == {True}


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("status=lost", "/status", "invalid_choice"),
        ("ordering=price", "/ordering", "invalid_choice"),
        ("catgory=Jacket", "/catgory", "unknown_field"),
        ("category=Jackett", "/category", "unknown_value"),
        ("value=colour:red", "/value", "unknown_attribute"),
        ("value=material:Jacket", "/value", "unknown_value"),
        ("value=denim", "/value", "invalid"),
        ("confidence_below=0", "/confidence_below", "min_value"),
        ("confidence_below=NaN", "/confidence_below", "invalid"),
        ("failed=yes", "/failed", "invalid_choice"),
        ("created_since=yesterday", "/created_since", "invalid"),
        ("changed_since=yesterday", "/changed_since", "invalid"),
        ("changed_since=", "/changed_since", "unknown_value"),
        ("q=%00", "/q", "null_characters_not_allowed"),
        ("q=" + "x" * 201, "/q", "max_length"),
        ("&".join(f"category=x{number}" for number in range(60)), "/category", "max_length"),
    ],
)
def test_it_refuses_what_it_does_not_understand(api, shop, query, pointer, code):
    body = problem_of(api.send("get", f"/products?{query}"))
    assert (body["status"], body["errors"][0]["pointer"], body["code"]) == (400, pointer, code)
