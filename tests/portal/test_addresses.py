"""What a browser's address bar may show can be looked at: after a refusal, a log-in or a change of language, too."""

import re

import pytest
from django.test import Client

from accounts.urls import urlpatterns as of_accounts
from catalog.models import Product
from catalog.urls import urlpatterns as of_catalog
from classifier.urls import urlpatterns as of_classifier
from tests.support.factories import ProductFactory
from webhooks.urls import urlpatterns as of_webhooks

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
ADDRESSES = [pattern.pattern for pattern in (*of_accounts, *of_catalog, *of_classifier, *of_webhooks)]


def _snapshot(product):
    return Product.objects.values().get(pk=product.pk), product.decisions.count()


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_it_answers_every_address_without_a_form(client, product, address):
    before = _snapshot(product)
    parts = {"public_id": product.public_id, "image_id": "x", "action": "archive", "variant": "display", "key_id": 1}
    parts["number"] = product.public_id
    parts |= {"garment": 1, "secret": "x", "session_id": 1, "code": "category", "delivery": "x"}
    path = "/" + str(address)
    for name, converter in address.converters.items():
        path = re.sub(rf"<\w+:{name}>", converter.to_url(parts[name]), path)

    assert client.get(path, follow=True).status_code in {200, 404, 403}
    assert _snapshot(product) == before


def test_it_changes_the_language_of_a_refusal_to_that_of_its_product(client, product):
    page = f"/products/{product.public_id}"
    other = ProductFactory(merchant=product.merchant)
    for path, data in (("review", {"action": "publish"}), ("details", {"sku": other.sku})):
        refusal = client.post(f"{page}/{path}", {"version": product.version, **data})
        assert f'name="next" value="{page}/{path}"' in refusal.text

        response = client.post("/language", {"language": "ko", "next": f"{page}/{path}"}, follow=True)

        assert response.redirect_chain[-1] == (page, 302)
        assert (response.status_code, 'lang="ko"' in response.text) == (200, True)


@pytest.mark.parametrize("path", ["review", "moves/archive", "images/x/remove", "classify-again"])
def test_it_leads_back_to_the_product_after_a_log_in_and_says_that_nothing_was_saved(bob, product, path):
    before = _snapshot(product)
    client = Client(headers={"accept-language": "en"})

    asked = client.post(
        f"/products/{product.public_id}/{path}", {"version": 1, "value-category": "Jacket"}, follow=True
    )
    address = asked.redirect_chain[-1][0]
    back = client.post(address, {"username": bob.email, "password": PASSWORD}, follow=True)

    assert "You were no longer logged in, so nothing was saved." in asked.text
    assert back.redirect_chain[-1] == (f"/products/{product.public_id}", 302)
    assert back.status_code == 200
    assert _snapshot(product) == before


def test_it_says_nothing_of_saving_to_whoever_only_looked(product):
    asked = Client(headers={"accept-language": "en"}).get(f"/products/{product.public_id}", follow=True)
    assert "nothing was saved" not in asked.text


def test_it_leads_from_the_log_out_address_home_or_to_the_log_in_page(client):
    assert client.get("/logout", follow=True).redirect_chain[-1] == ("/", 302)  # and still logged in
    client.post("/logout")
    assert client.get("/logout", follow=True).redirect_chain[-1] == ("/login", 302)


def test_it_leads_strangers_from_a_form_s_address_to_the_log_in_page(product):
    response = Client().get(f"/products/{product.public_id}/review", follow=True)
    assert response.redirect_chain[-1] == (f"/login?next=/products/{product.public_id}", 302)


@pytest.mark.parametrize(
    "there",
    [
        "/login",
        "/login?next=/login",
        "/login?next=/password",
        "login",
        "?next=/x",
        "./login",
        "/logout",
        "/admin/login/",
        "/admin/logout/",
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "\x00",
    ],
)
def test_a_way_back_that_leads_nowhere_ends_on_the_first_page(client_of, alice, there):
    assert client_of(alice).get("/login", {"next": there}).url == "/"
    alice.set_password(PASSWORD)
    alice.save()
    sent = {"username": alice.email, "password": PASSWORD, "next": there}
    assert Client().post("/login", sent).url == "/"
    assert client_of(alice).get("/admin/login/", {"next": there}).status_code in {200, 302}


def test_a_way_back_within_the_site_is_gone(client_of, alice):
    assert client_of(alice).get("/login", {"next": "/new?x=1"}).url == "/new?x=1"
