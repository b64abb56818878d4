"""Lists are saved as views, each person's own; columns and the layout are chosen."""

import pytest

from catalog.models import SavedView
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def save(client):
    def post(name, query="?status=to_review&sort=doubt", browser=client):
        return browser.post("/products/views/", {"name": name, "query": query}, follow=True)

    return post


def test_it_keeps_search_filters_order_layout_and_columns(client, save, product):
    query = "q=denim&status=draft&status=to_review&category=Outer&below=0.6&sort=doubt&as=grid&columns=sku%2Cstatus"

    page = save(" Morning ", f"?{query}&after=xyz&evil=1").text

    assert "Saved as “Morning”." in page
    assert SavedView.objects.get().query == query
    assert f'href="/products/?{query.replace("&", "&amp;")}">Morning' in client.get("/products/views/?menu").text


def test_it_replaces_a_view_of_the_same_name(save, product):
    save("Morning")
    save("Morning", "?status=ready")

    assert SavedView.objects.get().query == "status=ready"


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "x" * 61])
def test_it_wants_a_name(save, product, name):
    page = save(name).text

    assert not SavedView.objects.exists()
    assert "name" in page


def test_it_keeps_so_many(save, product, monkeypatch):
    monkeypatch.setattr(SavedView, "MOST", 2)
    for name in ("1", "2", "3", "2"):
        page = save(name).text

    assert sorted(SavedView.objects.values_list("name", flat=True)) == ["1", "2"]
    assert "You have 2 views already" not in page


def test_it_renames_and_deletes(client, save, product):
    save("Morning")
    save("Evening")
    view = SavedView.objects.get(name="Morning")
    page = client.post(f"/products/views/{view.public_id}/rename", {"name": "Evening"}, follow=True).text
    assert "You have a view of this name already." in page

    page = client.post(f"/products/views/{view.public_id}/rename", {"name": "Night"}, follow=True).text
    assert "The view is called “Night” now." in page
    assert 'value="Night"' in page

    page = client.post(f"/products/views/{view.public_id}/delete", follow=True).text
    assert "The view “Night” was deleted." in page
    assert list(SavedView.objects.values_list("name", flat=True)) == ["Evening"]


def test_a_view_is_its_owners_alone(save, client_of, alice, charlie, product):
    save("Morning")
    view = SavedView.objects.get()
    for other in (alice, charlie):
        browser = client_of(other)
        assert "Morning" not in browser.get("/products/views/?menu").text
        assert "Morning" not in browser.get("/products/views/").text
        for move in ("rename", "delete"):
            browser.post(f"/products/views/{view.public_id}/{move}", {"name": "Mine"})

    assert SavedView.objects.get().name == "Morning"


def test_chosen_columns_stay_and_an_address_overrules_them(client, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.9)), chosen="Outer")
    page = client.get("/products/").text
    assert 'class="c-material"' in page
    assert 'class="c-changed"' not in page

    page = client.post(
        "/products/columns/", {"column": ["category", "changed", "evil"], "query": "?q=denim"}, follow=True
    )

    assert page.redirect_chain == [("/products/?q=denim", 302)]
    for text in (page.text, client.get("/products/").text):
        assert 'class="c-changed"' in text
        assert 'class="c-material"' not in text
        assert "evil" not in text
    page = client.get("/products/?columns=material").text
    assert 'class="c-material"' in page
    assert 'class="c-changed"' not in page


def test_the_grid_shows_the_same(client, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.41)), chosen="Outer")

    page = client.get("/products/?as=grid").text

    assert "41% unsure" in page
    assert "<table" not in page
    assert "as=grid&amp;" in page or "as=grid" in page
