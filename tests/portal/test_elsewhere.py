"""A decided category outside of what was found: the page says that it is none of these, and saving again is no news."""

import re

import pytest

from accounts.models import AuditEvent
from catalog.models import AttributeValue, Decision, Product, ProductAttribute
from tests.support.page_forms import fields_of
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def jeans(client, product):
    """Tops and outerwear were found; bob says that it is jeans."""
    propose(product, candidate("Top", 0.7, category=("Tshirt", 0.7)), candidate("Outer", 0.6, category=("Coat", 0.6)))
    _send(client, product, **{"value-category": "Jeans"})
    product.refresh_from_db()
    assert (product.top_category.code, product.top_category_source) == ("Bottom", "human")
    return product


def _form(client, product, **query):
    return fields_of(client.get(f"/products/{product.public_id}", query).text, "review")


def _send(client, product, action="save", **changed):
    fields = _form(client, product) | changed | {"action": action}
    return client.post(f"/products/{product.public_id}/review", fields, follow=True)


def _everything():
    products = [product | {"version": None, "updated_at": None} for product in Product.objects.values()]
    return products, list(ProductAttribute.objects.values()), list(Decision.objects.values())


def test_it_checks_none_of_these(client, jeans):
    page = client.get(f"/products/{jeans.public_id}").text
    checked = [
        radio for radio in re.findall(r"<input[^>]*>", page) if radio.endswith(" checked>") or " checked " in radio
    ]
    assert len(checked) == 1
    assert 'id="garment-none"' in checked[0]


@pytest.mark.parametrize("action", ["save", "publish"])
def test_saving_it_again_says_nothing_of_the_garment(client, jeans, action):
    before = _everything()

    page = _send(client, jeans, action)

    jeans.refresh_from_db()
    assert (jeans.top_category.code, jeans.top_category_source) == ("Bottom", "human")
    assert not AuditEvent.objects.filter(action="product.choose_none").exists()
    assert "said that none of the garments found" not in page.text
    if action == "save":
        assert _everything() == before


def test_it_stays_so_when_another_value_is_saved(client, jeans):
    _send(client, jeans, **{"value-material": "denim"})

    jeans.refresh_from_db()
    assert jeans.top_category.code == "Bottom"
    assert [decision.value.code for decision in Decision.objects.order_by("pk")] == ["Jeans", "denim"]


def test_it_shows_the_decided_values_when_one_comes_back_to_none_of_these(client, jeans):
    sent = _form(client, jeans)["top_category"]
    values = client.get(f"/products/{jeans.public_id}/values", {"top_category": sent}).text
    assert 'value="Jeans" data-level="Bottom" selected' in values


def test_it_can_still_become_one_of_the_garments(client, jeans):
    _send(client, jeans, top_category="Outer", **{"value-category": "Coat"})

    jeans.refresh_from_db()
    assert jeans.top_category.code == "Outer"
    assert _form(client, jeans)["top_category"] == "Outer"


def test_it_can_be_saved_when_its_top_category_was_switched_off(client, jeans):
    AttributeValue.objects.filter(code="Bottom").update(active=False)
    before = _everything()

    page = _send(client, jeans)

    assert "Saved." in page.text
    assert _everything() == before


def test_it_checks_nothing_where_nobody_chose(client, product):
    propose(product, candidate("Top", 0.7, category=("Tshirt", 0.7)), candidate("Outer", 0.6, category=("Coat", 0.6)))
    assert "top_category" not in _form(client, product)
