"""What a key may do: its scopes, how long it is good, and what it does not get at the API nor of files."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.access import required_scope
from accounts.models import ApiKey
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload

pytestmark = pytest.mark.django_db


def _key_with(merchant, *scopes, **fields):
    secret, prefix, key_hash = ApiKey.generate()
    may = {f"may_{scope}": scope in scopes for scope in ("read", "write", "classify")}
    key = ApiKey.objects.create(merchant=merchant, name="x", prefix=prefix, key_hash=key_hash, **may, **fields)
    return key, ApiClient(secret)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/v1/products", "read"),
        ("head", "/api/v1/products/x/images", "read"),
        ("POST", "/api/v1/products", "write"),
        ("POST", "/api/v1/products/x/classify", "write"),
        ("DELETE", "/api/v1/products/classify", "write"),
        ("POST", "/api/v1/classify", "classify"),
        ("GET", "/api/v1/classify/abc", "classify"),
        ("GET", "/api/v1/classify/{id}", "classify"),
        ("GET", "/api/v1/classifications", "read"),
    ],
)
def test_the_operation_alone_says_which_scope_it_needs(method, path, scope):
    assert required_scope(method, path) == scope


def test_no_scope_includes_another(merchant, product):
    address = f"/products/{product.public_id}"
    calls = (("get", address, None), ("patch", address, {"name": "Changed"}))
    for scope, statuses in (("read", [200, 403]), ("write", [403, 200]), ("classify", [403, 403])):
        _key, client = _key_with(merchant, scope)
        answers = [client.send(*call) for call in calls]
        assert [answer.status_code for answer in answers] == statuses
        assert {error_of(answer) for answer in answers if answer.status_code == 403} == {"insufficient_scope"}


def test_it_tells_which_scope_is_missing(merchant):
    _key, client = _key_with(merchant, "read")
    assert "“write”" in client.send("post", "/products", {"name": "x"}).text


def test_a_key_is_good_until_its_time_is_over(merchant):
    key, client = _key_with(merchant, "read", expires_at=timezone.now() + timedelta(minutes=1))
    assert client.send("get", "/attributes").status_code == 200

    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())

    answer = client.send("get", "/attributes")
    assert (answer.status_code, error_of(answer)) == (401, "api_key_expired")


def test_a_key_that_may_not_read_gets_no_image_either(merchant, product, api):
    api.upload(f"/products/{product.public_id}/images", upload())
    image = product.images.get()
    for scope, status in (("read", 200), ("write", 403), ("classify", 403)):
        _key, client = _key_with(merchant, scope)
        assert client.get(f"/media/{image.public_id}/display").status_code == status


def test_it_says_of_an_image_why_a_key_does_not_get_it(merchant, product, api):
    api.upload(f"/products/{product.public_id}/images", upload())
    address = f"/media/{product.images.get().public_id}/display"
    for key, code in (
        (_key_with(merchant, "read", expires_at=timezone.now()), "api_key_expired"),
        (_key_with(merchant, "read", revoked_at=timezone.now()), "invalid_api_key"),
        (_key_with(merchant, "write"), "insufficient_scope"),
    ):
        answer = key[1].get(address)
        assert (error_of(answer), "WWW-Authenticate" in answer.headers) == (code, answer.status_code == 401)
