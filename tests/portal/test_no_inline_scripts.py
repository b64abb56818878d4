"""No page has a script in it, whatever shops, products and photos are called; the portal's have no styles either."""

import re

import pytest
from django.contrib import admin as django_admin
from django.test import Client
from django.urls import reverse

from catalog.models import Product, ProductImage
from tests.portal.test_addresses import ADDRESSES
from tests.support.bad_images import form
from tests.support.drawn_images import photo
from tests.support.inline_scripts import inline_scripts, inline_styles

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

ATTACK = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
OUTSIDE = ("/login", "/password", "/admin/login/", "/api/v1/docs", "/api/v1/redoc", "/api/v1/problems", "/nowhere")


def test_the_check_finds_scripts():
    for html in (
        "<script>x</script>",
        "<a onclick='x'>",
        "<a href=' JavaScript:x'>",
        "<iframe srcdoc='<p>'>",
        "<b hx-on:click='x'>",
    ):
        assert inline_scripts(html)
    assert not inline_scripts('<script src="/a.js"></script><script type="application/json">{}</script><a href="/x">')
    assert inline_styles("<p style='x'>")


@pytest.fixture
def attacked(client, merchant, bob):
    """A shop, a person, a product and a photo that are called like a script."""
    merchant.name = bob.name = ATTACK
    merchant.save()
    bob.save()
    body, kind = form([(ATTACK.replace("/", "").encode() + b".jpg", photo())], name=ATTACK, sku="<b>'&\"")
    assert client.generic("POST", "/products/new", body, kind).status_code == 302
    return Product.objects.get()


def _paths(product):
    image = product.images.first()
    parts = {"public_id": product.public_id, "image_id": image.public_id, "action": "archive", "variant": "display"}
    parts |= {"number": product.public_id, "garment": 1, "secret": "x", "session_id": 1, "code": "category"}
    parts |= {"key_id": 1, "delivery": "x"}
    for address in ADDRESSES:
        path = "/" + str(address)
        for name, converter in address.converters.items():
            path = re.sub(rf"<\w+:{name}>", converter.to_url(parts[name]), path)
        yield path
    yield from ("/products/?view=grid", f"/products/?q={ATTACK}", f"/products/new?draft={ATTACK}")


def _pages(client, paths):
    seen = 0
    for path in paths:
        response = client.get(path, follow=True)
        if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
            seen += 1
            yield path, response.text
    assert seen


def test_the_portal_has_none(client, client_of, alice, attacked):
    paths = list(_paths(attacked))
    shown = 0
    for browser in (client, client_of(alice)):
        for path, html in _pages(browser, paths):
            assert inline_scripts(html) == [], path
            assert inline_styles(html) == [], path
            shown += "&lt;script&gt;" in html
    assert shown > 20
    refused = client.post("/products/new", {"name": ATTACK})
    assert refused.status_code == 400
    assert inline_scripts(refused.text) == []


def test_pages_for_strangers_have_none(db):
    for path, html in _pages(Client(), OUTSIDE):
        assert inline_scripts(html) == [], path


def test_the_admin_has_none(client_of, admin, attacked):
    client = client_of(admin)
    image = ProductImage.objects.get()
    paths = [reverse("admin:index"), reverse("admin:catalog_productimage_change", args=[image.pk])]
    for model in django_admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths.append(reverse(f"{base}_changelist"))
        if row := model._default_manager.order_by("pk").first():
            paths += [reverse(f"{base}_change", args=[row.pk]), reverse(f"{base}_history", args=[row.pk])]
    for path, html in _pages(client, paths):
        assert inline_scripts(html) == [], path
