"""A product's page: the proposal, the decisions, and who made them."""

import pytest

from catalog import services
from catalog.models import Decision, Product
from catalog.proposal import Alternative
from tests.support.seen_products import current_values
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(product):
    jacket = {"category": ("Jacket", 0.94), "alternatives": [Alternative("Jumper", 0.04)]}
    outer = candidate("Outer", 0.91, images=4, total=4, **jacket, material=("denim", 0.88))
    top = candidate("Top", 0.6, images=2, total=4, category=("Tshirt", 0.71), sleeve_length=("short", 0.55))
    propose(product, outer, top, chosen="Outer")
    return product


def _save(client, product, action="save", **fields):
    product.refresh_from_db()
    data = {"version": product.version, "action": action}
    data |= {name if name in ("top_category", "version") else f"value-{name}": value for name, value in fields.items()}
    return client.post(f"/products/{product.public_id}/review", data, follow=True)


def test_it_shows_a_garment_per_top_category_with_its_agreement(client, proposed):
    page = client.get(f"/products/{proposed.public_id}").text

    assert "Outerwear" in page
    assert "in 4 of 4 photos" in page
    assert "Tops" in page
    assert "in 2 of 4 photos" in page
    assert 'value="Outer" checked' in page


def test_it_lists_what_the_model_suggests_first(client, proposed):
    page = client.get(f"/products/{proposed.public_id}").text

    options = page[page.index('id="value-category"') :]
    assert options.index("Jacket · 94%") < options.index("Casual jacket · 4%") < options.index(">Coat<")
    assert 'value="Jacket" data-level="Outer" selected' in options


def test_it_says_which_model_proposed_a_value(client, proposed):
    page = client.get(f"/products/{proposed.public_id}").text

    assert "model category-test; not decided yet" in page
    assert "94% <span>sure</span>" in page


def test_it_saves_the_row_and_the_values(client, bob, proposed):
    page = _save(client, proposed, top_category="Outer", category="Jacket", material="woven", sleeve_length="long")

    assert "Saved." in page.text
    assert current_values(proposed) == {
        "category": ("decided", "Jacket"),
        "material": ("decided", "woven"),
        "sleeve_length": ("decided", "long"),
    }
    proposed.refresh_from_db()
    assert (proposed.status, proposed.top_category.code, proposed.top_category_source) == (
        Product.Status.READY,
        "Outer",
        "human",
    )
    assert {(decision.user, decision.channel) for decision in Decision.objects.all()} == {(bob, "portal")}


def test_it_says_who_decided_and_what_the_model_thinks(client, proposed):
    page = _save(client, proposed, top_category="Outer", category="Jacket", material="woven").text

    assert "Woven: decided by bob, " in page
    assert "the model says Denim, 88%" in page
    assert "Jacket: decided by bob, " in page
    assert "the model agrees, 94%" in page


def test_it_keeps_a_history(client, client_of, alice, proposed):
    _save(client, proposed, top_category="Outer", category="Jacket", material="woven")
    page = _save(client_of(alice), proposed, top_category="Outer", category="Jacket", material="denim").text

    history = page[page.index('id="history"') :]
    assert history.index("Material: Woven → Denim") < history.index("Material: Woven</span>")
    assert "alice" in history
    assert "bob" in history


def test_it_shows_the_values_of_another_row_before_saving(client, proposed):
    fragment = client.get(f"/products/{proposed.public_id}/values", {"top_category": "Top"}).text

    assert "T-shirt · 71%" in fragment
    assert 'value="short" data-level="" selected' in fragment
    assert "<html" not in fragment
    proposed.refresh_from_db()
    assert proposed.top_category.code == "Outer"


def test_it_shows_the_values_of_another_row_without_script(client, proposed):
    response = _save(client, proposed, action="look", top_category="Top", category="Jacket")

    assert 'value="Top" checked' in response.text
    assert "T-shirt · 71%" in response.text
    assert not Decision.objects.exists()


def test_it_lets_a_category_of_another_top_category_choose_the_row(client, proposed):
    _save(client, proposed, top_category="Outer", category="Shirt", material="denim")

    proposed.refresh_from_db()
    assert proposed.top_category.code == "Top"


def test_it_drops_sleeves_when_trousers_are_chosen(client, proposed):
    _save(client, proposed, top_category="", category="Jeans", material="denim", sleeve_length="long")

    assert current_values(proposed)["sleeve_length"] == ("not_applicable", None)
    assert not Decision.objects.filter(attribute__code="sleeve_length").exists()


def test_it_can_say_that_an_attribute_does_not_apply(client, proposed):
    page = _save(client, proposed, top_category="Outer", category="Vest", sleeve_length="-").text

    assert current_values(proposed)["sleeve_length"] == ("not_applicable", None)
    assert "not applicable, says bob" in page


def test_it_opens_what_was_decided(client, proposed):
    _save(client, proposed, top_category="Outer", category="Coat", material="woven")
    page = _save(client, proposed, top_category="Outer", category="Coat", material="")

    assert current_values(proposed)["material"] == ("unset", None)
    assert "left open by bob" in page.text
    assert "the model says Denim, 88%" in page.text


def test_it_publishes_what_it_saved(client, proposed):
    page = _save(client, proposed, action="publish", top_category="Outer", category="Jacket", material="denim")

    proposed.refresh_from_db()
    assert proposed.status == Product.Status.PUBLISHED
    assert "Published." in page.text
    assert "Unpublish" in page.text


def test_it_does_not_publish_without_a_category(client, product):
    response = _save(client, product, action="publish", top_category="", category="", material="denim")

    product.refresh_from_db()
    assert response.status_code == 400
    assert "The category is still open. Choose one, then publish." in response.text
    assert product.status != Product.Status.PUBLISHED


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"category": "Spacesuit"}, "There is no value “Spacesuit”. Choose one of the list."),
        ({"category": "Top"}, "“Tops” is a group of categories."),
        ({"category": "-"}, "Every product has a category. Choose one."),
        ({"top_category": "Spacesuit"}, "There is no top-level category “Spacesuit”."),
    ],
)
def test_it_refuses_values_that_it_did_not_offer(client, proposed, values, sentence):
    response = _save(client, proposed, **values)

    assert response.status_code == 400
    assert sentence in response.text
    assert not Decision.objects.exists()


def test_it_loses_nothing_when_somebody_else_was_quicker(client, client_of, alice, proposed):
    stale = proposed.version
    _save(client_of(alice), proposed, top_category="Outer", category="Coat")

    response = _save(client, proposed, version=stale, top_category="Outer", category="Vest", material="wool")

    assert response.status_code == 409
    assert "This product was changed in the meantime." in response.text
    assert 'value="Vest" data-level="Outer" selected' in response.text
    assert 'value="wool" data-level="" selected' in response.text
    assert "Coat: decided by alice" in response.text
    assert current_values(proposed)["category"] == ("decided", "Coat")

    proposed.refresh_from_db()
    _save(client, proposed, top_category="Outer", category="Vest", material="wool")  # its answer had the new version
    assert current_values(proposed)["category"] == ("decided", "Vest")


@pytest.mark.parametrize("version", ["", "x", "0"])
def test_it_saves_nothing_without_a_version(client, proposed, version):
    response = _save(client, proposed, version=version, top_category="Outer", category="Vest")

    assert response.status_code == 409
    assert not Decision.objects.exists()


def test_it_archives_and_restores(client, proposed):
    page = client.post(f"/products/{proposed.public_id}/moves/archive", follow=True).text
    proposed.refresh_from_db()
    assert proposed.status == Product.Status.ARCHIVED
    assert "Restore" in page
    assert "<select" not in page

    page = client.post(f"/products/{proposed.public_id}/moves/restore", follow=True).text
    proposed.refresh_from_db()
    assert proposed.status == Product.Status.TO_REVIEW
    assert "<select" in page


def test_it_takes_a_publication_back(client, proposed):
    _save(client, proposed, action="publish", top_category="Outer", category="Jacket")

    client.post(f"/products/{proposed.public_id}/moves/unpublish")

    proposed.refresh_from_db()
    assert proposed.status == Product.Status.READY


def test_it_says_why_a_move_is_not_possible(client, product):
    page = client.post(f"/products/{product.public_id}/moves/unpublish", follow=True).text

    assert "This product is not published." in page
    assert client.post(f"/products/{product.public_id}/moves/burn").status_code == 404


def test_it_changes_name_and_sku(client, product):
    client.post(f"/products/{product.public_id}/details", {"name": "Denim jacket", "sku": ""})

    product.refresh_from_db()
    assert (product.name, product.sku) == ("Denim jacket", None)


def test_it_keeps_what_was_typed_when_a_sku_is_refused(client, product):
    response = client.post(f"/products/{product.public_id}/details", {"name": "Denim jacket", "sku": "x" * 65})

    assert response.status_code == 400
    assert "The SKU has 65 characters" in response.text
    assert 'value="Denim jacket"' in response.text
    product.refresh_from_db()
    assert (product.name, product.sku) == ("Oversized denim jacket", "AJ-1042")


def test_it_tells_the_script_why_a_sku_is_refused(client, product):
    response = client.post(
        f"/products/{product.public_id}/details", {"sku": "A\x07"}, headers={"accept": "application/json"}
    )

    assert (response.status_code, response.json()["code"]) == (400, "sku_control_characters")


def test_it_writes_names_as_text(client, product, bob, actor_of):
    services.update_product(actor=actor_of(bob), product=product, name="<script>alert(1)</script>")

    for path in ("/products/", f"/products/{product.public_id}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
