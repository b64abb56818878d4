"""Who gets into the portal, in which language, and as a member of which merchant."""

import re

import pytest
from django.conf import settings
from django.test import Client

from catalog.models import Product
from tests.support.drawn_images import upload
from tests.support.factories import MembershipFactory, MerchantFactory, ProductFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def test_it_sends_strangers_to_the_log_in_page(product):
    for path in ("/", "/products/", "/products/new/", f"/products/{product.public_id}"):
        response = Client().get(path)
        assert response.status_code == 302
        assert response.url == f"/login?next={path}"


def test_it_logs_in_by_e_mail_in_any_spelling(alice):
    response = Client().post("/login", {"username": " Alice@Example.com ", "password": PASSWORD})

    assert response.status_code == 302
    assert response.url == "/"


def test_it_says_why_it_lets_nobody_in(alice):
    response = Client(headers={"accept-language": "en"}).post("/login", {"username": alice.email, "password": "wrong"})

    assert response.status_code == 200
    assert "No account has this e-mail and password" in response.text


def test_it_logs_out(client_of, alice):
    client = client_of(alice)

    assert client.post("/logout").url == "/login"
    assert client.get("/").status_code == 302


def test_it_speaks_korean_unless_asked_otherwise(alice):
    assert 'lang="ko"' in Client().get("/login").text
    assert 'lang="en"' in Client(headers={"accept-language": "en"}).get("/login").text


def test_it_takes_over_the_language_of_the_account(alice):
    client = Client(headers={"accept-language": "en"})
    client.post("/login", {"username": alice.email, "password": PASSWORD})

    assert 'lang="ko"' in client.get("/").text


def test_it_remembers_the_language_that_a_person_switches_to(client_of, alice):
    client = client_of(alice, language="ko")

    assert client.post("/language", {"language": "en", "next": "/"}).url == "/"

    assert 'lang="en"' in client.get("/").text
    alice.refresh_from_db()
    assert alice.language == "en"


def test_it_ignores_a_language_that_it_does_not_speak(client_of, alice):
    client_of(alice).post("/language", {"language": "xx", "next": "/"})

    alice.refresh_from_db()
    assert alice.language in dict(settings.LANGUAGES)


def test_it_switches_between_the_merchants_of_a_person(client_of, alice, product):
    second = MerchantFactory(name="Second merchant")
    MembershipFactory(user=alice, merchant=second, role="viewer")
    ProductFactory(merchant=second, name="Only in the second")
    client = client_of(alice)
    assert product.name in client.get("/products/").text

    client.post("/merchant", {"merchant": second.public_id})

    page = client.get("/products/").text
    assert "Only in the second" in page
    assert product.name not in page
    assert "/products/new" not in page  # only a viewer here
    assert product.name not in client.get(f"/products/{product.public_id}").text  # but an offer to switch


def test_it_stores_no_image_in_a_merchant_that_the_page_does_not_name(client_of, alice, merchant):
    other = MembershipFactory(user=alice, merchant=MerchantFactory(name="Zweitladen"), role="owner").merchant
    client = client_of(alice)
    page = client.get("/products/new/").text
    address = re.search(r'data-register="([^"]+)"', page)[1]
    client.post("/merchant", {"merchant": other.public_id})

    for headers in ({}, {"accept": "application/json"}):
        answer = client.post(address, {"images": [upload("front.jpg")]}, headers=headers)
        assert answer.status_code == 400
        assert "You now work in Zweitladen, but this page is of another shop." in answer.text
    assert not Product.objects.exists()

    client.post("/merchant", {"merchant": merchant.public_id})
    client.post(address, {"images": [upload("front.jpg")]})
    assert Product.objects.get().merchant == merchant


def test_it_does_not_let_a_person_into_a_merchant_that_is_not_theirs(client_of, charlie, product):
    client = client_of(charlie)

    assert client.post("/merchant", {"merchant": product.merchant.public_id}).status_code == 404

    assert product.name not in client.get("/products/").text


def test_it_forgets_a_merchant_that_was_switched_off(client_of, alice, product):
    product.merchant.is_active = False
    product.merchant.save()

    response = client_of(alice).get("/")

    assert response.status_code == 200
    assert product.name not in response.text
    assert "You belong to no shop" in response.text


def test_it_shows_administrators_without_a_merchant_no_products(client_of, admin, product):
    response = client_of(admin).get("/")

    assert (response.status_code, response.url) == (302, "/admin/")
    assert "You belong to no shop" in client_of(admin).get("/products/new/").text
    assert client_of(admin).get(f"/products/{product.public_id}").status_code == 404


WRITES = (
    ("review", {"version": "1", "value-category": "Jacket"}),
    ("details", {"name": "Stolen"}),
    ("moves/archive", {}),
    ("moves/publish", {}),
    ("classify-again", {}),
    ("images", {}),
)


def _snapshot(product):
    return Product.objects.values().get(pk=product.pk), product.images.count(), product.decisions.count()


@pytest.mark.parametrize(("path", "data"), WRITES)
def test_it_hides_products_from_outsiders(client_of, charlie, product, path, data):
    before = _snapshot(product)

    response = client_of(charlie).post(f"/products/{product.public_id}/{path}", {**data, "images": upload()})

    assert response.status_code == 404
    assert _snapshot(product) == before


@pytest.mark.parametrize(("path", "data"), WRITES)
def test_it_lets_viewers_look_but_not_write(client_of, dana, product, path, data):
    before = _snapshot(product)

    response = client_of(dana).post(f"/products/{product.public_id}/{path}", {**data, "images": upload()})

    assert response.status_code == 403
    assert "You may look, but not change this" in response.text
    assert _snapshot(product) == before


SCRIPT = {"accept": "application/json"}


def test_it_tells_scripts_who_is_not_logged_in_and_who_may_not_write(client_of, dana, product):
    before = _snapshot(product)
    for path in ("images", "details"):
        address = f"/products/{product.public_id}/{path}"

        stranger = Client(headers={"accept-language": "en"}).post(address, headers=SCRIPT)
        viewer = client_of(dana).post(address, {"images": upload(), "name": "Mine"}, headers=SCRIPT)

        assert (stranger.status_code, stranger.json()["code"]) == (401, "not_authenticated")
        assert stranger.json()["message"].startswith("You are no longer logged in.")
        assert (viewer.status_code, viewer.json()["code"]) == (403, "forbidden")
        assert "Your role in this shop" in viewer.json()["message"]
    assert client_of(dana).post("/products/new", headers=SCRIPT).json()["code"] == "forbidden"
    assert _snapshot(product) == before


def test_it_tells_scripts_that_their_form_is_too_old(alice, product):
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    client.force_login(alice)

    response = client.post(f"/products/{product.public_id}/details", {"name": "New"}, headers=SCRIPT)

    assert (response.status_code, response.json()["code"]) == (403, "form_too_old")


def test_it_shows_viewers_no_buttons_that_they_may_not_use(client_of, dana, product):
    page = client_of(dana).get(f"/products/{product.public_id}").text

    for word in ("Save", "Archive", "Classify again", "Add photos", "<select", 'type="radio"'):
        assert word not in page


def test_it_does_not_let_viewers_create_products(client_of, dana):
    client = client_of(dana)

    assert client.get("/products/new/").status_code == 403
    assert client.post("/products/new", {"images": upload()}).status_code == 403
    assert not Product.objects.exists()


def test_it_answers_reading_views_of_outsiders_with_404(client_of, charlie, product):
    for path in ("", "/live", "/values"):
        assert client_of(charlie).get(f"/products/{product.public_id}{path}").status_code == 404


@pytest.mark.parametrize(("language", "sentence"), [("en", "There is nothing here"), ("ko", 'lang="ko"')])
def test_it_says_in_both_languages_that_nothing_is_there(client_of, alice, language, sentence):
    response = client_of(alice, language).get("/no-such-page")

    assert response.status_code == 404
    assert sentence in response.text


def test_it_explains_a_form_that_is_too_old(alice):
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})

    response = client.post("/login", {"username": alice.email, "password": PASSWORD})

    assert response.status_code == 403
    assert "This form is too old" in response.text


def test_it_explains_a_fault_of_its_own(client_of, alice, monkeypatch):
    client = client_of(alice)
    client.raise_request_exception = False
    monkeypatch.setattr("catalog.home.waiting", lambda actor: 1 / 0)

    response = client.get("/")

    assert response.status_code == 500
    assert "Something broke on our side" in response.text
