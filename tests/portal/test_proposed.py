"""What a product's page says of a value that is open, or is not the model's: its value, never its name alone."""

import re

import pytest

from catalog.models import Product
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db

SAYS_LONG = "the model says Long sleeve, 55%"
CHIP = 'data-choose="long"'
BY_MODEL = "model sleeve_length-test; not decided yet"


@pytest.fixture
def proposed(product):
    propose(
        product,
        candidate("Outer", 0.9, category=("Jacket", 0.94), sleeve_length=("long", 0.55)),
        candidate("Top", 0.6, category=("Tshirt", 0.7)),
        chosen="Outer",
    )
    return product


@pytest.fixture
def public(client, proposed):
    """Published while nothing was said of its sleeves; the model has said something since."""
    propose(proposed, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    client.post(f"/products/{proposed.public_id}/moves/publish")
    propose(proposed, candidate("Outer", 0.9, category=("Jacket", 0.94), sleeve_length=("long", 0.55)), chosen="Outer")
    assert proposed.status == Product.Status.PUBLISHED
    return proposed


def _page(client, product, **query):
    """The page as it is read: without what is hidden."""
    page = client.get(f"/products/{product.public_id}", query).text
    page = re.sub(r"<span [^>]* hidden>(<span[^>]*>[^<]*</span>|[^<])*</span>", "", page)
    return re.sub(r"<button [^>]* hidden>.*?</button>", "", page)


def _sleeves(page):
    return page[page.index('for="value-sleeve_length"') :].split("</div>")[0]


def test_it_names_the_model_of_the_value_that_is_selected(client, proposed):
    sleeves = _sleeves(_page(client, proposed))
    assert BY_MODEL in sleeves
    assert SAYS_LONG not in sleeves
    assert CHIP not in sleeves  # there is nothing else to choose with it


def test_it_says_what_the_model_suggests_where_the_public_value_is_open(client, public):
    sleeves = _sleeves(_page(client, public))
    assert SAYS_LONG in sleeves
    assert CHIP in sleeves
    assert "not decided yet" not in sleeves
    assert "55% <span>" not in sleeves  # its certainty stands beside its value only


def test_it_says_so_to_viewers_too(client_of, dana, public):
    page = _page(client_of(dana), public)
    assert SAYS_LONG in page
    assert BY_MODEL not in page
    assert CHIP not in page


def test_it_offers_what_the_model_suggests_beside_another_decision(client, proposed):
    data = {"version": proposed.version, "top_category": "Outer", "value-sleeve_length": "short"}
    client.post(f"/products/{proposed.public_id}/review", data)
    assert CHIP in _sleeves(_page(client, proposed))


def test_it_asks_for_a_garment_until_one_is_chosen(client, product):
    propose(product, candidate("Outer", 0.5, category=("Jacket", 0.5)), candidate("Top", 0.5, category=("Tshirt", 0.7)))
    assert "choose the garment above" in _page(client, product)


@pytest.mark.parametrize("category", ["", "Jeans"])
def test_it_asks_no_more_once_it_is_none_of_these(client, proposed, category):
    before = _page(client, proposed, top_category="")
    client.post(
        f"/products/{proposed.public_id}/review",
        {"version": proposed.version, "top_category": "", "value-category": category},
    )
    for page in (before, _page(client, proposed)):
        assert "choose the garment above" not in page
        assert "no proposal; not decided yet" in page
