"""One form for a product: name and SKU are saved with everything else, or nothing is; a script is told how to undo."""

import pytest

from accounts.models import AuditEvent
from catalog.models import Decision
from tests.support.factories import ProductFactory
from tests.support.page_forms import fields_of, review_form
from tests.support.seen_products import current_values
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


@pytest.fixture
def proposed(product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.88)), chosen="Outer")
    return product


def _send(client, product, fields, action="save", **more):
    return client.post(f"/products/{product.public_id}/review", fields | {"action": action}, **more)


def test_what_was_typed_is_saved_and_published_with_the_values(client, proposed):
    fields = review_form(client, proposed) | {"name": "Red jacket", "sku": "R-1"}

    _send(client, proposed, fields, "publish")

    proposed.refresh_from_db()
    assert (proposed.name, proposed.sku, proposed.status) == ("Red jacket", "R-1", "published")
    assert current_values(proposed)["category"] == ("decided", "Jacket")
    renamed = AuditEvent.objects.get(action="product.update")
    assert renamed.details["before"]["sku"] == "AJ-1042"
    assert renamed.details["after"] == {"name": "Red jacket", "sku": "R-1"}


def test_it_leaves_name_and_sku_alone_that_the_page_did_not_send(client, proposed):
    fields = review_form(client, proposed)
    del fields["name"], fields["sku"]
    _send(client, proposed, fields)
    proposed.refresh_from_db()
    assert (proposed.name, proposed.sku) == ("Oversized denim jacket", "AJ-1042")


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"sku": "TAKEN"}, "sku", "Another product of this shop has this SKU already."),
        ({"sku": "x" * 65}, "sku", "The SKU has 65 characters"),
        ({"name": "n" * 201}, "name", "The name has 201 characters"),
    ],
)
def test_a_refused_name_or_sku_saves_nothing_and_loses_nothing(client, merchant, proposed, typed, field, sentence):
    ProductFactory(merchant=merchant, sku="taken")
    fields = review_form(client, proposed) | {"value-material": "silk"} | typed

    page = _send(client, proposed, fields, "publish")

    assert page.status_code == 400
    assert sentence in page.text
    kept = fields_of(page.text, "review")
    assert kept["value-material"] == "silk"
    assert kept[field] == typed[field]
    assert not Decision.objects.exists()
    answer = _send(client, proposed, fields, "publish", headers=JSON)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    proposed.refresh_from_db()
    assert (proposed.name, proposed.sku, proposed.status) == ("Oversized denim jacket", "AJ-1042", "to_review")


def test_it_says_that_a_published_product_has_no_name(client, proposed):
    fields = review_form(client, proposed) | {"name": ""}
    assert _send(client, proposed, fields, "publish", headers=JSON).json()["message"] == (
        "Published. It has no name yet."
    )
    named = _send(client, proposed, review_form(client, proposed) | {"name": "Jacket"}, headers=JSON)
    assert named.json()["message"] == "Saved."


def test_a_script_may_take_back_what_it_saved_until_somebody_changes_it(client, client_of, alice, proposed):
    fields = review_form(client, proposed) | {"name": "Red jacket", "value-material": "silk"}
    before = current_values(proposed)
    saved = _send(client, proposed, fields, "publish", headers=JSON).json()
    assert saved["message"].startswith("Published.")

    undone = client.post(saved["undo"]["url"], {"token": saved["undo"]["token"]}, headers=JSON)

    assert undone.json() == {"message": "Undone. The product is no longer published."}
    proposed.refresh_from_db()
    assert (proposed.name, proposed.status) == ("Oversized denim jacket", "to_review")
    assert current_values(proposed) == before

    saved = _send(client, proposed, review_form(client, proposed), headers=JSON).json()
    _send(client_of(alice), proposed, review_form(client, proposed) | {"value-material": "wool"})
    late = client.post(saved["undo"]["url"], {"token": saved["undo"]["token"]}, headers=JSON)
    assert (late.status_code, late.json()["code"]) == (409, "stale")
    assert current_values(proposed)["material"] == ("decided", "wool")


@pytest.mark.parametrize("token", ["", "nonsense", "of another product"])
def test_nobody_undoes_with_a_token_of_something_else(client, merchant, proposed, token):
    if token == "of another product":
        other = ProductFactory(merchant=merchant)
        propose(other, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
        token = _send(client, other, review_form(client, other), headers=JSON).json()["undo"]["token"]
    answer = client.post(f"/products/{proposed.public_id}/undo", {"token": token}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")


def test_it_offers_nothing_to_undo_where_nothing_changed(client, proposed):
    _send(client, proposed, review_form(client, proposed))
    assert _send(client, proposed, review_form(client, proposed), headers=JSON).json()["undo"] is None


def test_a_viewer_undoes_nothing(client, client_of, dana, proposed):
    saved = _send(client, proposed, review_form(client, proposed), headers=JSON).json()
    answer = client_of(dana).post(saved["undo"]["url"], {"token": saved["undo"]["token"]}, headers=JSON)
    assert answer.status_code == 403
    assert current_values(proposed)["category"] == ("decided", "Jacket")


def test_no_browser_keeps_the_page(client, proposed):
    """Going back would mix what it showed with what was typed since."""
    page = client.get(f"/products/{proposed.public_id}")
    assert "no-store" in page["Cache-Control"]
    assert '<form id="review"' in page.text
    assert 'autocomplete="off" data-unguarded' in page.text
