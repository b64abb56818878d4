"""Each line of a product's history says from what to what, and one that still stands can be undone alone."""

import re

import pytest

from accounts.models import AuditEvent
from catalog import services
from catalog.models import Decision, ProductImage
from catalog.services.single_undo import change_of
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.seen_products import current_values
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(product):
    outer = candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.88))
    propose(product, outer, candidate("Top", 0.6, category=("Tshirt", 0.71)), chosen="Outer")
    return product


@pytest.fixture
def review(client, proposed):
    def send(**said):
        proposed.refresh_from_db()
        data = {"version": proposed.version, "action": "save"} | said
        return client.post(f"/products/{proposed.public_id}/review", data)

    return send


@pytest.fixture
def undo(client, proposed):
    def send(line):
        path = f"/products/{proposed.public_id}/undo"
        answer = client.post(path, {"change": change_of(line)}, headers={"accept": "application/json"})
        proposed.refresh_from_db()
        return answer.json()["message"]

    return send


def _history(client, product):
    page = client.get(f"/products/{product.public_id}").text
    return page[page.index('id="history"') :].split("</section>")[0]


def _offered(client, product):
    """The texts of the lines that can be undone, newest first."""
    return re.findall(r'Undo<span class="visually-hidden">: ([^<]*)</span>', _history(client, product))


def _last(attribute):
    return Decision.objects.filter(attribute__code=attribute).first()


def _event(action):
    return AuditEvent.objects.filter(action=action).latest("pk")


def test_it_undoes_the_last_of_two_values_and_leaves_the_rest(client, proposed, review, undo):
    review(**{"top_category": "Outer", "value-category": "Jacket", "value-material": "wool"})
    review(**{"value-material": "silk", "name": "Renamed"})
    assert "Material: Wool / cashmere → Silk" in _history(client, proposed)

    assert undo(_last("material")) == "Undone."

    assert current_values(proposed)["material"] == ("decided", "wool")
    assert current_values(proposed)["category"] == ("decided", "Jacket")
    assert proposed.name == "Renamed"


def test_where_nobody_decided_before_the_model_s_value_shows_again(proposed, review, undo):
    review(**{"value-material": "silk"})
    undo(_last("material"))
    assert current_values(proposed)["material"] == ("proposed", "denim")


def test_what_was_replaced_since_is_not_undone(client, proposed, review, undo):
    review(**{"value-material": "wool"})
    first = _last("material")
    review(**{"value-material": "silk"})

    assert undo(first) == "Something newer has replaced this change. Undo that first."
    assert current_values(proposed)["material"] == ("decided", "silk")
    assert [text for text in _offered(client, proposed) if "Material" in text] == ["Material: Wool / cashmere → Silk"]


def test_a_category_takes_its_garment_back_along(proposed, review, undo):
    review(**{"top_category": "Top", "value-category": "Tshirt"})
    assert proposed.top_category.code == "Outer"  # not read again yet
    undo(_last("category"))
    assert (proposed.top_category.code, proposed.top_category_source) == ("Outer", "auto")
    assert current_values(proposed)["category"] == ("proposed", "Jacket")


def test_it_undoes_another_garment(client, proposed, review, undo):
    review(top_category="Top")
    assert "Garment: Outerwear → Tops" in _history(client, proposed)
    undo(_event("product.review"))
    assert (proposed.top_category.code, proposed.top_category_source) == ("Outer", "auto")


def test_it_undoes_none_of_these(client, proposed, review, undo):
    review(top_category="")
    assert "none of the garments found is the product (Garment: Outerwear → open)" in _history(client, proposed)
    undo(_event("product.choose_none"))
    assert proposed.top_category.code == "Outer"


def test_a_garment_stays_whose_category_was_decided(proposed, review, undo):
    review(top_category="Top")
    garment = _event("product.review")
    review(**{"value-category": "Shirt"})
    assert undo(garment).startswith("The category “Shirt” belongs to this garment.")
    assert proposed.top_category.code == "Top"


def test_it_undoes_name_and_sku_unless_they_changed_since(client, merchant, proposed, review, undo):
    review(name="Red", sku="R-1")
    renamed = _event("product.update")
    ProductFactory(merchant=merchant, sku="aj-1042")
    assert undo(renamed) == "Another product of this shop has this SKU already. Give another one."
    review(sku="R-2")
    assert undo(renamed) == "Something newer has replaced this change. Undo that first."
    assert (proposed.name, proposed.sku) == ("Red", "R-2")
    undo(_event("product.update"))
    assert (proposed.name, proposed.sku) == ("Red", "R-1")


@pytest.mark.parametrize(
    ("moves", "back", "said"),
    [
        (["publish"], "to_review", "Undone. The product is no longer published."),
        (["publish", "unpublish"], "published", "Undone. The product is published again."),
        (["archive"], "to_review", "Undone."),
        (["publish", "archive"], "published", "Undone. The product is published again."),
        (["archive", "restore"], "archived", "Undone."),
    ],
)
def test_it_undoes_a_status(client, proposed, undo, moves, back, said):
    for move in moves:
        client.post(f"/products/{proposed.public_id}/moves/{move}")
    assert "Status: " in _history(client, proposed)
    assert any("Status: " in text for text in _offered(client, proposed))

    assert undo(_event(f"product.{moves[-1]}")) == said

    assert proposed.status == back
    assert (proposed.archived_at is not None) == (back == "archived")
    assert (proposed.published_at is not None) == (back == "published")


def test_what_publishing_decided_is_only_proposed_again(client, proposed, undo):
    before = current_values(proposed)
    client.post(f"/products/{proposed.public_id}/moves/publish")
    undo(_event("product.publish"))
    assert current_values(proposed) == before


def test_only_the_last_status_is_undone(client, proposed, undo):
    client.post(f"/products/{proposed.public_id}/moves/publish")
    client.post(f"/products/{proposed.public_id}/moves/unpublish")
    assert undo(_event("product.publish")) == "Something newer has replaced this change. Undo that first."
    assert proposed.status == "ready"


def test_a_public_value_is_not_opened_and_an_archived_product_not_changed(client, proposed, review, undo):
    review(**{"value-category": "Jacket", "value-material": "silk"})
    client.post(f"/products/{proposed.public_id}/moves/publish")
    assert undo(_last("material")).startswith("This product is published, so its values stay decided.")
    client.post(f"/products/{proposed.public_id}/moves/archive")
    assert undo(_last("material")) == "This product is archived. Restore it before you change it."
    assert current_values(proposed)["material"] == ("decided", "silk")
    assert [text.partition(" ")[0] for text in _offered(client, proposed)] == ["archived"]


def test_it_undoes_the_removal_of_a_photo(client, proposed, undo):
    client.post(f"/products/{proposed.public_id}/images", {"images": upload("front.jpg")})
    image = ProductImage.objects.get()
    client.post(f"/products/{proposed.public_id}/images/{image.public_id}/remove")
    assert undo(_event("image.archive")) == "Undone."
    assert ProductImage.objects.current().count() == 1
    assert undo(_event("image.archive")) == "Something newer has replaced this change. Undo that first."


def test_it_says_that_nothing_else_can_be_undone(proposed, undo, bob, actor_of):
    other = ProductFactory(merchant=proposed.merchant)
    decision = services.decide(actor=actor_of(bob), product=other, attribute="material", value="silk")
    assert undo(decision) == "This cannot be undone here."
    assert current_values(other)["material"] == ("decided", "silk")


@pytest.mark.parametrize("change", ["", "decision-", "decision-x", "event-99999999999999999999", "nonsense"])
def test_it_knows_nothing_of_made_up_changes(client, proposed, change):
    page = client.post(f"/products/{proposed.public_id}/undo", {"change": change}, follow=True)
    assert "This cannot be undone here." in page.text


def test_who_may_not_change_it_sees_no_undo(client, client_of, dana, charlie, proposed, review):
    review(**{"value-material": "silk"})
    assert _offered(client, proposed)
    assert not _offered(client_of(dana), proposed)
    for person, status in ((dana, 403), (charlie, 404)):
        answer = client_of(person).post(
            f"/products/{proposed.public_id}/undo", {"change": change_of(_last("material"))}
        )
        assert answer.status_code == status
    assert current_values(proposed)["material"] == ("decided", "silk")
