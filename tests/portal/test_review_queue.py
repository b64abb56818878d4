"""The review: which products come, what an answer does, and how it is taken back."""

import base64

import pytest

from catalog import services
from catalog.models import Decision, Product, ProductAttribute, ReviewClaim
from catalog.proposal import Alternative
from tests.support.factories import ProductFactory
from tests.support.seen_products import current_values, look, seen_product
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


def fetch(client, query="", **fields):
    response = client.post(f"/review/batch?{query}", fields, headers=JSON)
    assert response.status_code == 200, response.text
    return response.json()


def ids(answer):
    return [item["id"] for item in answer["items"]]


def say(client, product, version=None, **fields):
    data = {"version": version or product.version}
    data |= {name if name == "top_category" else f"value-{name}": value for name, value in fields.items()}
    return client.post(f"/review/{product.public_id}/answer", data, headers=JSON)


def doubtful(merchant, confidence=0.54, **fields):
    return seen_product(merchant, category=("Jacket", confidence), material=("denim", 0.95), **fields)


@pytest.fixture
def three(merchant):
    return [doubtful(merchant, confidence) for confidence in (0.7, 0.4, 0.55)]


def test_it_brings_the_least_sure_first(client, three):
    assert ids(fetch(client)) == [three[1].public_id, three[2].public_id, three[0].public_id]


def test_it_goes_on_where_the_last_products_ended(client, three):
    first = fetch(client, want=2)
    assert len(first["items"]) == 2
    assert not first["ended"]

    second = fetch(client, want=2, after=first["after"])

    assert ids(second) == [three[0].public_id]
    assert second["ended"]
    assert ids(fetch(client, want=2, after=second["after"])) == []


@pytest.mark.parametrize("after", ["x", "[]", "[1]", '["x", "y"]', "[null, 1]", '{"a": 1}', "[" * 5000])
def test_it_begins_at_the_beginning_after_a_place_that_is_none(client, three, after):
    assert len(ids(fetch(client, after=after))) == 3
    assert len(ids(fetch(client, after=base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")))) == 3


def test_it_asks_for_what_is_in_doubt_and_shows_the_rest(client, merchant):
    doubtful(merchant)

    html = fetch(client)["items"][0]["html"]

    category, material = html[html.index('data-line="category"') :].split('data-line="material"')[:2]
    assert "54% unsure" in category
    assert "unsure" not in material
    assert 'class="review-line asked" data-line="category"' in html
    assert 'class="review-line" data-line="material"' in html
    assert "Category is only 54% sure" in html


def test_it_says_that_photos_disagree(client, merchant):
    product = seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.97))
    look(product, {"category": ("Coat", 0.9), "material": ("denim", 0.97)})

    html = fetch(client)["items"][0]["html"]

    assert "photos disagree" in html
    assert "Jacket in 1 photo" in html
    assert "Coat in 1 photo" in html


def test_it_asks_which_garment_is_the_product(client, product):
    outer = candidate("Outer", 0.5, images=2, total=4, category=("Jacket", 0.94))
    top = candidate("Top", 0.45, images=2, total=4, category=("Tshirt", 0.7), sleeve_length=("short", 0.9))
    propose(product, outer, top)

    html = fetch(client)["items"][0]["html"]

    assert "the photos show several garments" in html
    assert 'class="review-line asked" data-line="garment"' in html
    assert 'value="Outer" data-name="Outerwear" checked data-key="1"' in html
    assert 'value="Top" data-name="Tops" data-key="2"' in html
    assert 'data-panel="Top" hidden' in html


def test_it_says_that_nothing_was_found(client, product):
    propose(product)

    html = fetch(client)["items"][0]["html"]

    assert "no garment was found" in html
    assert 'class="review-line asked" data-line="category"' in html


def test_it_offers_at_most_five_answers_with_a_key(client, product):
    others = [Alternative(code, 0.1) for code in ("Coat", "Jumper", "Vest", "Cardigan", "Padding")]
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.4), alternatives=others), chosen="Outer")

    html = fetch(client)["items"][0]["html"]

    line = html[html.index('data-line="category"') :].split("</fieldset>")[0]
    assert 'value="Jacket" data-name="Jacket" data-level="Outer" data-key="1" checked' in line
    assert 'data-key="5"' in line
    assert 'data-key="6"' not in line


def test_what_was_accepted_counts_as_looked_at(client, bob, merchant):
    product = doubtful(merchant)

    answer = say(client, product, category="Jacket", material="denim")

    assert answer.status_code == 200
    product.refresh_from_db()
    assert (product.status, product.version) == (Product.Status.READY, answer.json()["version"])
    assert current_values(product)["material"] == ("decided", "denim")
    assert set(Decision.objects.values_list("user", "channel", "answers")) == {(bob.pk, "portal", "proposal")}
    assert ids(fetch(client)) == []


def test_an_answer_to_what_was_changed_is_refused_and_brings_it_as_it_is(client, client_of, alice, merchant):
    product = doubtful(merchant)
    say(client_of(alice), product, category="Coat")

    answer = say(client, product, category="Jacket")

    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    item = answer.json()["item"]
    product.refresh_from_db()
    assert (item["id"], item["version"]) == (product.public_id, product.version)
    assert 'data-decided="Coat"' in item["html"]
    assert current_values(product)["category"] == ("decided", "Coat")


@pytest.mark.parametrize("version", ["", "x", "0"])
def test_it_saves_nothing_without_a_version(client, merchant, version):
    product = doubtful(merchant)

    answer = client.post(
        f"/review/{product.public_id}/answer", {"version": version, "value-category": "Coat"}, headers=JSON
    )

    assert answer.status_code == 409
    assert not Decision.objects.exists()


def test_a_value_that_is_not_offered_is_refused(client, merchant):
    product = doubtful(merchant)

    answer = say(client, product, category="Spacesuit")

    assert (answer.status_code, answer.json()["code"]) == (409, "unknown_value")
    assert not Decision.objects.exists()


def test_an_answer_to_what_was_deleted_says_so(client, merchant, alice, actor_of):
    product = doubtful(merchant)
    owner = actor_of(alice)
    services.delete_product(actor=owner, product=services.archive(actor=owner, product=product))

    assert say(client, product, category="Coat").status_code == 404


def test_it_takes_the_last_answer_back(client, merchant):
    product = doubtful(merchant)
    before = current_values(product)
    done = say(client, product, category="Coat", material="wool").json()

    answer = client.post(f"/review/{product.public_id}/undo", {"undo": done["undo"]}, headers=JSON)

    assert answer.status_code == 200
    product.refresh_from_db()
    assert current_values(product) == before
    assert product.status == Product.Status.TO_REVIEW
    assert answer.json()["item"]["version"] == product.version
    assert ReviewClaim.objects.filter(product=product).exists()
    assert ids(fetch(client)) == [product.public_id]


def test_it_takes_answers_back_in_order(client, three):
    done = [say(client, product, category="Coat").json() for product in three]

    for product, said in zip(reversed(three), reversed(done), strict=True):
        answer = client.post(f"/review/{product.public_id}/undo", {"undo": said["undo"]}, headers=JSON)
        assert answer.status_code == 200

    assert not ProductAttribute.objects.filter(state="decided").exists()
    assert len(ids(fetch(client))) == 3


def test_what_others_changed_since_is_not_taken_back(client, client_of, alice, merchant):
    product = doubtful(merchant)
    done = say(client, product, category="Coat").json()
    product.refresh_from_db()
    say(client_of(alice), product, category="Vest")

    answer = client.post(f"/review/{product.public_id}/undo", {"undo": done["undo"]}, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert 'data-decided="Vest"' in answer.json()["item"]["html"]
    assert current_values(product)["category"] == ("decided", "Vest")


def test_nobody_takes_back_what_somebody_else_answered(client, client_of, alice, three):
    done = say(client, three[0], category="Coat").json()["undo"]

    for who, product, undo in (
        (client_of(alice), three[0], done),
        (client, three[1], done),
        (client, three[0], done + "x"),
        (client, three[0], ""),
    ):
        answer = who.post(f"/review/{product.public_id}/undo", {"undo": undo}, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (409, "unknown_answer")
    assert current_values(three[0])["category"] == ("decided", "Coat")


def test_it_reads_several_products_with_few_queries(client, merchant, django_assert_max_num_queries):
    for _number in range(5):
        look(doubtful(merchant), {"category": ("Coat", 0.6)})
    fetch(client, want=1)

    # session, user, memberships; taxonomy 4; old claims, queue, claim 5, queue again; products, values, images,
    # garments, predictions with what they name 4, jobs; the last place
    with django_assert_max_num_queries(30):
        assert len(fetch(client, want=5)["items"]) == 5


def test_the_page_says_how_many_wait(client, three):
    page = client.get("/review/")

    assert 'data-total="3"' in page.text
    assert 'data-values-of="material"' in page.text


def test_other_merchants_products_do_not_come(client, client_of, charlie, three):
    other = client_of(charlie)

    assert ids(fetch(other)) == []
    assert say(other, three[0], category="Coat").status_code == 404
    assert not Decision.objects.exists()


def test_a_viewer_is_told(client_of, dana, three):
    viewer = client_of(dana)

    page = viewer.get("/review/")

    assert "Your role in this shop lets you look at products" in page.text
    assert "Look at the 3 products that wait" in page.text
    assert viewer.post("/review/batch", headers=JSON).status_code == 403
    assert viewer.post("/review/claims", {"id": three[0].public_id}, headers=JSON).status_code == 403
    assert say(viewer, three[0], category="Coat").status_code == 403
    assert not ReviewClaim.objects.exists()
    assert not Decision.objects.exists()


def test_who_is_logged_out_is_told(client, three):
    client.logout()

    assert client.post("/review/batch", headers=JSON).status_code == 401
    assert say(client, three[0], category="Coat").status_code == 401


def test_what_has_no_photo_yet_does_not_come(client, merchant):
    ProductFactory(merchant=merchant)

    assert ids(fetch(client)) == []
