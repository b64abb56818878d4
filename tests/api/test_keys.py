"""Who may enter the API, and how."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from catalog.models import Product
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db


def test_it_lets_a_key_in(api_key, product):
    answer = ApiClient(api_key[1]).send("get", "/products")
    assert answer.status_code == 200
    assert [entry["id"] for entry in answer.json()["results"]] == [product.public_id]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer otj_000000_wrong", "Bearer ключ", "Basic YTpi", "Token x"])
def test_it_refuses_whoever_has_no_key(product, header):
    client = Client(headers={"authorization": header} if header else {})
    for answer in (
        client.get(f"/api/v1/products/{product.public_id}"),
        client.post("/api/v1/products", {"name": "x"}, content_type="application/json"),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert error_of(answer) in {"not_authenticated", "invalid_api_key"}
    assert Product.objects.count() == 1


def test_it_refuses_a_revoked_key(api_key, product):
    key, secret = api_key
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    answer = ApiClient(secret).send("patch", f"/products/{product.public_id}", {"name": "Hijacked"})
    assert (answer.status_code, error_of(answer)) == (401, "invalid_api_key")
    product.refresh_from_db()
    assert product.name == "Oversized denim jacket"


def test_it_refuses_the_key_of_a_closed_merchant(api_key, merchant):
    merchant.is_active = False
    merchant.save()
    answer = ApiClient(api_key[1]).send("get", "/products")
    assert (answer.status_code, error_of(answer)) == (401, "invalid_api_key")


def test_it_keeps_no_secret(api_key):
    key, secret = api_key
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert not any(secret.rsplit("_", 1)[1] in str(value) for value in stored.values())


def test_it_notes_the_last_use_at_most_once_a_minute(api_key, django_assert_num_queries):
    key, secret = api_key
    client = ApiClient(secret)
    client.send("get", "/attributes")
    key.refresh_from_db()
    first = key.last_used_at
    assert timezone.now() - first < timedelta(minutes=1)
    with django_assert_num_queries(4):  # key, attributes, applies_to, values: no UPDATE
        client.send("get", "/attributes")
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(minutes=2))
    client.send("get", "/attributes")
    key.refresh_from_db()
    assert key.last_used_at >= first


def test_a_read_only_key_may_look_but_not_change(read_only_key, product):
    client = ApiClient(read_only_key[1])
    assert client.send("get", f"/products/{product.public_id}").status_code == 200
    before = Product.objects.values().get()
    address = f"/products/{product.public_id}"
    for answer in (
        client.send("post", "/products", {"name": "New"}),
        client.upload("/products", upload(), name="New"),
        client.send("patch", address, {"name": "Changed"}),
        client.upload(f"{address}/images", upload()),
        client.send("put", f"{address}/attributes/category", {"value": "Jacket"}),
        client.send("delete", f"{address}/attributes/category"),
        client.send("post", f"{address}/publish"),
        client.send("post", f"{address}/classify"),
    ):
        assert (answer.status_code, error_of(answer)) == (403, "insufficient_scope")
    assert Product.objects.values().get() == before
    assert not product.images.exists()
    assert not product.decisions.exists()


def test_a_member_may_use_the_portals_session(client_of, bob, product):
    assert client_of(bob).get(f"/api/v1/products/{product.public_id}").json()["name"] == product.name


def test_a_session_needs_the_csrf_token(bob, product):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    address = f"/api/v1/products/{product.public_id}"
    answer = client.patch(address, {"name": "Forged"}, content_type="application/json")
    assert (answer.status_code, error_of(answer)) == (403, "permission_denied")
    product.refresh_from_db()
    assert product.name == "Oversized denim jacket"
    token = client.cookies["csrftoken"] = "a" * 32
    answer = client.patch(address, {"name": "Meant"}, content_type="application/json", headers={"x-csrftoken": token})
    assert answer.status_code == 200


def test_a_key_needs_no_csrf_token(api_key):
    client = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {api_key[1]}"})
    assert client.post("/api/v1/products", {"name": "x"}, content_type="application/json").status_code == 201


def test_a_viewer_may_not_change_anything(client_of, dana, product):
    answer = client_of(dana).patch(
        f"/api/v1/products/{product.public_id}", {"name": "Changed"}, content_type="application/json"
    )
    assert (answer.status_code, error_of(answer)) == (403, "forbidden")
    product.refresh_from_db()
    assert product.name == "Oversized denim jacket"


def test_an_administrator_sees_no_merchant_but_his_own_through_the_api(client_of, admin, product):
    client = client_of(admin)
    assert client.get("/api/v1/products").json()["results"] == []
    assert client.get(f"/api/v1/products/{product.public_id}").status_code == 404
    answer = client.post("/api/v1/products", {"name": "x"}, content_type="application/json")
    assert (answer.status_code, error_of(answer)) == (403, "no_merchant")
    assert Product.objects.count() == 1


def test_a_bad_key_is_not_rescued_by_a_session(client_of, bob, product):
    client = client_of(bob)
    answer = client.get(f"/api/v1/products/{product.public_id}", headers={"authorization": "Bearer otj_x"})
    assert answer.status_code == 401


def test_an_outsider_finds_nothing_and_changes_nothing(other_merchant, api_key, product):
    foreign = ProductFactory(merchant=other_merchant, name="Charlie's coat")
    client = ApiClient(api_key[1])
    before = Product.objects.filter(pk=foreign.pk).values().get()
    address = f"/products/{foreign.public_id}"
    assert [entry["id"] for entry in client.send("get", "/products").json()["results"]] == [product.public_id]
    for answer in (
        client.send("get", address),
        client.send("patch", address, {"name": "Changed"}),
        client.upload(f"{address}/images", upload()),
        client.send("get", f"{address}/images/{'0' * 20}"),
        client.send("delete", f"{address}/images/{'0' * 20}"),
        client.send("put", f"{address}/attributes/category", {"value": "Jacket"}),
        client.send("delete", f"{address}/attributes/category"),
        client.send("post", f"{address}/publish"),
        client.send("post", f"{address}/classify"),
    ):
        assert (answer.status_code, error_of(answer)) == (404, "not_found")
    assert Product.objects.filter(pk=foreign.pk).values().get() == before
    assert not foreign.images.exists()
    assert not foreign.decisions.exists()
