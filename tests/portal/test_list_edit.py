"""Names, SKUs and values are changed in the rows of the list."""

import pytest

from catalog import services
from catalog.models import AttributeValue, Product
from tests.support.factories import ProductFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


@pytest.fixture
def edit(client, product):
    """Post a change of the product as its row's script does."""

    def post(field, value, version=None, browser=client):
        version = product.version if version is None else version
        data = {"field": field, "value": value, "version": version, "query": "?columns=sku,category"}
        return browser.post(f"/products/{product.public_id}/cell", data, headers=JSON)

    return post


def test_it_changes_a_name_and_answers_with_the_row(edit, product):
    answer = edit("name", " Suede coat ").json()

    product.refresh_from_db()
    assert product.name == "Suede coat"
    assert "Suede coat" in answer["row"]
    assert f'data-version="{product.version}"' in answer["row"]
    assert 'class="c-sku"' in answer["row"]
    assert "c-material" not in answer["row"]


def test_it_changes_and_takes_away_an_sku(edit, product):
    edit("sku", "C-77")
    product.refresh_from_db()
    assert product.sku == "C-77"

    edit("sku", "")
    product.refresh_from_db()
    assert product.sku is None


def test_it_sets_a_value_and_can_undo_it(client, edit, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.4)), chosen="Outer")

    answer = edit("category", "Coat").json()

    value = product.attributes.get(attribute__code="category")
    assert (value.value.code, value.state) == ("Coat", "decided")
    undone = client.post(answer["undo"]["url"], {"token": answer["undo"]["token"]}, headers=JSON)
    assert undone.status_code == 200
    value.refresh_from_db()
    assert (value.value.code, value.state) == ("Jacket", "proposed")


def test_it_confirms_what_is_proposed(edit, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.4)), chosen="Outer")

    edit("category", "Jacket")

    assert product.attributes.get(attribute__code="category").state == "decided"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "x" * 201, "name_too_long"),
        ("sku", "taken", "sku_taken"),
        ("category", "Spacesuit", "unknown_value"),
        ("category", "Outer", "not_a_leaf"),
        ("colour", "red", "unknown_attribute"),
    ],
)
def test_it_says_why_nothing_was_saved(edit, product, merchant, field, value, code):
    ProductFactory(merchant=merchant, sku="Taken")
    before = Product.objects.filter(pk=product.pk).values().get()

    answer = edit(field, value)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"]
    assert Product.objects.filter(pk=product.pk).values().get() == before


@pytest.mark.parametrize("field", ["name", "category"])
def test_it_does_not_overwrite_what_somebody_else_changed(edit, product, actor_of, alice, field):
    services.update_product(actor=actor_of(alice), product=product, name="Hers")

    answer = edit(field, "Coat")

    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    product.refresh_from_db()
    assert product.name == "Hers"
    assert answer.json()["version"] == product.version
    assert edit(field, "Coat", answer.json()["version"]).status_code == 200


def test_viewers_and_outsiders_change_nothing(edit, product, client_of, dana, charlie):
    assert edit("name", "x", browser=client_of(dana)).status_code == 403
    assert edit("name", "x", browser=client_of(charlie)).status_code == 404
    product.refresh_from_db()
    assert product.name == "Oversized denim jacket"


def test_viewers_are_offered_no_editing(client_of, dana, product):
    page = client_of(dana).get("/products/").text

    assert product.name in page
    assert "data-edit" not in page
    assert "data-pick" not in page


def test_an_archived_product_is_not_editable(client, product):
    Product.objects.update(status=Product.Status.ARCHIVED)

    assert "data-edit=" not in client.get("/products/?status=archived").text


def test_it_offers_values_by_their_other_names(client, product):
    AttributeValue.objects.filter(code="Jacket").update(aliases=["blouson"])

    assert "blouson" in client.get("/products/").text
