"""How often the API may be called: by a key, a merchant, and by nobody in particular."""

import re

import pytest
from django.test import Client

from accounts.models import ApiKey
from core import rates
from tests.support.api_clients import ApiClient, error_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    """No stretch of time ends within a test."""
    monkeypatch.setattr(rates.time, "time", lambda: 1_000_000_020.0)


def _remaining(answer, name):
    return int(re.search(rf'"{name}";r=(\d+)', answer.headers["RateLimit"])[1])


def test_each_key_has_its_own_allowance(api_key, read_only_key, settings):
    settings.API_RATE = "2/min"
    client = ApiClient(api_key[1])
    answers = [client.send("get", "/attributes") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [_remaining(answer, "caller") for answer in answers] == [1, 0, 0]
    assert error_of(answers[-1]) == "throttled"
    assert int(answers[-1].headers["Retry-After"]) == 60
    assert ApiClient(read_only_key[1]).send("get", "/attributes").status_code == 200


def test_all_keys_of_a_merchant_have_one_allowance_together(api_key, read_only_key, alice, client_of, settings):
    settings.API_MERCHANT_RATE = "2/min"
    assert ApiClient(api_key[1]).send("get", "/attributes").status_code == 200
    assert client_of(alice).get("/api/v1/attributes").status_code == 200
    answer = ApiClient(read_only_key[1]).send("get", "/attributes")
    assert (answer.status_code, error_of(answer)) == (429, "throttled")


def test_headers_say_what_may_come(api_key):
    answer = ApiClient(api_key[1]).send("get", "/attributes")
    assert answer.headers["RateLimit-Policy"] == '"caller";q=1200;w=60, "merchant";q=6000;w=60'
    assert answer.headers["RateLimit"] == '"caller";r=1199;t=60, "merchant";r=5999;t=60'


def test_what_is_refused_counts_too(read_only_key, settings):
    settings.API_RATE = "2/min"
    client = ApiClient(read_only_key[1])
    statuses = [client.send("post", "/products", {"name": "x"}).status_code for _ in range(3)]
    assert statuses == [403, 403, 429]


def test_wrong_keys_are_counted_before_they_are_looked_up(settings, django_assert_num_queries):
    settings.API_ANONYMOUS_RATE = "3/min"
    for number in range(3):
        assert ApiClient(f"otj_00000{number}_{'0' * 40}").send("get", "/products").status_code == 401
    with django_assert_num_queries(0):
        answer = ApiClient(f"otj_000009_{'0' * 40}").send("get", "/products")
    assert (answer.status_code, error_of(answer)) == (429, "throttled")
    assert answer.headers["RateLimit"].startswith('"address";r=0')
    assert int(answer.headers["Retry-After"]) == 60
    assert Client().get("/api/v1/products").status_code == 429, "the same allowance without a key"


def test_wrong_keys_for_images_are_counted_too(settings, django_assert_num_queries):
    settings.API_ANONYMOUS_RATE = "1/min"
    client = Client(headers={"authorization": f"Bearer otj_000000_{'0' * 40}"})
    assert client.get("/media/x/display").status_code == 401
    with django_assert_num_queries(0):
        answer = client.get("/media/x/display")
    assert (answer.status_code, error_of(answer), answer.headers["Retry-After"]) == (429, "throttled", "60")


def test_a_key_in_use_goes_on_whatever_others_try_at_its_address(api_key, settings):
    settings.API_ANONYMOUS_RATE = "2/min"
    client = ApiClient(api_key[1])
    assert [client.send("get", "/attributes").status_code for _ in range(5)] == [200] * 5, "a good key costs nothing"
    for _ in range(4):
        ApiClient("otj_wrong").send("get", "/products")
    assert client.send("get", "/attributes").status_code == 200


def test_a_key_that_was_revoked_is_counted_from_then_on(api_key, settings):
    settings.API_ANONYMOUS_RATE = "2/min"
    client = ApiClient(api_key[1])
    assert client.send("get", "/attributes").status_code == 200
    ApiKey.objects.filter(pk=api_key[0].pk).update(revoked_at="2026-01-01T00:00Z")
    assert [client.send("get", "/attributes").status_code for _ in range(4)] == [401, 401, 429, 429]


def test_calls_without_a_key_are_counted_where_one_is_needed_and_where_none_is(client, settings):
    settings.API_ANONYMOUS_RATE = "2/min"
    assert client.get("/api/v1/docs").status_code == 200
    assert client.get("/api/v1/products").status_code == 401
    assert client.get("/api/v1/docs").status_code == 429


def _calls_of(client, *addresses):
    return [client.get("/api/v1/docs", headers={"x-forwarded-for": each}).status_code for each in addresses]


def test_it_counts_strangers_by_an_address_that_they_cannot_choose(client, settings):
    settings.API_ANONYMOUS_RATE = "2/min"
    assert _calls_of(client, "10.0.0.1", "10.0.0.2", "10.0.0.3") == [200, 200, 429]

    settings.BEHIND_PROXY = True
    assert _calls_of(client, "10.0.0.1, 10.0.0.9", "10.0.0.2, 10.0.0.9", "10.0.0.3, 10.0.0.9") == [200, 200, 429]
    assert _calls_of(client, "10.0.0.9, 10.0.0.4") == [200]


def test_it_counts_one_customers_whole_ipv6_network_as_one(client, settings):
    settings.API_ANONYMOUS_RATE = "1/min"
    settings.BEHIND_PROXY = True
    assert _calls_of(client, "2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1") == [200, 429, 200]
    assert rates.network_of("::ffff:10.0.0.1") == "10.0.0.1"


def test_a_cache_that_is_away_lets_everybody_through(api_key, settings, caplog):
    settings.CACHES = {
        **settings.CACHES,
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 1},
        },
    }
    settings.API_RATE = settings.API_ANONYMOUS_RATE = "1/min"
    client = ApiClient(api_key[1])
    assert [client.send("get", "/attributes").status_code for _ in range(3)] == [200, 200, 200]
    assert ApiClient("otj_wrong").send("get", "/attributes").status_code == 401
    assert "the cache of the rate limits is away" in caplog.text


def test_nobody_keeps_the_apis_json(api_key, client):
    answer = ApiClient(api_key[1]).send("get", "/products")
    assert answer.headers["Cache-Control"] in {"no-store", "private, no-cache"}
    assert client.get("/api/v1/products").headers["Cache-Control"] == "no-store"
    assert client.get("/api/v1/nowhere").headers["Cache-Control"] == "no-store"
