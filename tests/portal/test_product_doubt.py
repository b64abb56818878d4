"""A value that the model is unsure of is nobody's word until a person has looked at it."""

import pytest

from catalog.models import Decision
from classifier.quality.metrics import verdicts
from tests.support.page_forms import fields_of, review_form
from tests.support.seen_products import current_values, seen_product
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


@pytest.fixture
def doubtful(merchant):
    """A jacket of which the model is sure, its material it guesses."""
    return seen_product(merchant, category=("Jacket", 0.94), material=("denim", 0.39), sleeve_length=("long", 0.75))


def _send(client, product, fields, action="save", **more):
    return client.post(f"/products/{product.public_id}/review", fields | {"action": action}, **more)


def _field(page, attribute):
    return page[page.index(f'data-attribute="{attribute}"') :].split("</details>")[0]


def test_it_is_marked_and_asks_for_a_look(client, doubtful):
    page = client.get(f"/products/{doubtful.public_id}").text

    material = _field(page, "material")
    assert 'class="share unsure chip doubt"' in material
    assert 'name="looked-material" value="denim">' in material
    for sure in ("category", "sleeve_length"):
        assert "looked-" not in _field(page, sure)
        assert "doubt" not in _field(page, sure)


def test_saving_leaves_it_proposed_and_says_so(client, doubtful):
    page = _send(client, doubtful, review_form(client, doubtful), follow=True).text

    assert "Saved. Still to be confirmed: Material." in page
    assert current_values(doubtful) == {
        "category": ("decided", "Jacket"),
        "material": ("proposed", "denim"),
        "sleeve_length": ("decided", "long"),
    }
    assert not Decision.objects.filter(attribute__code="material").exists()


def test_publishing_asks_for_it_first(client, doubtful):
    fields = review_form(client, doubtful) | {"name": "Typed"}

    page = _send(client, doubtful, fields, "publish")

    assert page.status_code == 409
    assert "Not certain yet: Material. Confirm the value, choose another, or leave it open." in page.text
    assert fields_of(page.text, "review")["name"] == "Typed"
    answer = _send(client, doubtful, fields, "publish", headers=JSON).json()
    assert (answer["code"], answer["field"]) == ("unconfirmed", "looked-material")
    assert not Decision.objects.exists()
    doubtful.refresh_from_db()
    assert doubtful.status != "published"


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ({"looked-material": "denim"}, ("decided", "denim")),
        ({"value-material": "wool"}, ("decided", "wool")),
        ({"value-material": ""}, ("unset", None)),
    ],
)
def test_a_look_is_all_that_it_needs(client, doubtful, said, value):
    _send(client, doubtful, review_form(client, doubtful) | said, "publish")
    doubtful.refresh_from_db()
    assert doubtful.status == "published"
    assert current_values(doubtful)["material"] == value


def test_a_look_at_another_value_is_none_at_this_one(client, doubtful):
    _send(client, doubtful, review_form(client, doubtful) | {"looked-material": "wool"})
    assert current_values(doubtful)["material"] == ("proposed", "denim")


def test_what_was_confirmed_stays_so_when_something_else_is_refused(client, doubtful):
    page = _send(client, doubtful, review_form(client, doubtful) | {"looked-material": "denim", "sku": "x" * 65})
    assert fields_of(page.text, "review")["looked-material"] == "denim"


def test_figures_of_quality_count_only_what_was_looked_at(client, merchant, doubtful):
    _send(client, doubtful, review_form(client, doubtful))
    assert not verdicts().filter(attribute__code="material").exists()
    assert verdicts().filter(attribute__code="category").count() == 1

    looked_at = seen_product(merchant, category=("Jacket", 0.94), material=("denim", 0.39))
    _send(client, looked_at, review_form(client, looked_at) | {"looked-material": "denim"})
    assert verdicts().filter(attribute__code="material").count() == 1


def test_an_unsure_category_holds_the_product_back(client, merchant):
    product = seen_product(merchant, category=("Jacket", 0.45))
    _send(client, product, review_form(client, product))
    product.refresh_from_db()
    assert product.status == "to_review"


def test_what_a_person_or_nobody_said_asks_for_no_look(client, doubtful):
    _send(client, doubtful, review_form(client, doubtful) | {"looked-material": "denim"})
    propose(doubtful, candidate("Outer", 0.9, category=("Jacket", 0.3), material=("denim", 0.2)), chosen="Outer")
    assert "looked-" not in client.get(f"/products/{doubtful.public_id}").text
