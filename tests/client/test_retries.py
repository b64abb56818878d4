"""The client sends a request again where that may help, and never does a thing twice."""

import httpx
import pytest

import otjang
from tests.support.asynchronously import run

QUICK = otjang.Retries(most=3, first_pause=0, longest_pause=1)


class Site(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers what it is told to, one after the other, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    def handle_request(self, request):
        self.requests.append((request, request.read()))
        return self._next()

    async def handle_async_request(self, request):
        self.requests.append((request, await request.aread()))
        return self._next()

    def _next(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def problem(status, code="some_code", **headers):
    return httpx.Response(status, json={"code": code, "detail": "No.", "errors": []}, headers=headers)


def made():
    return httpx.Response(201, json={"id": "70pf28xnx4hv0vm239at", "name": "Coat"})


def client_of(site):
    return otjang.Client("http://site.test", "otj_1", retries=QUICK, transport=site)


LOST = httpx.ReadError("the connection broke")


@pytest.mark.parametrize("trouble", [LOST, problem(503, Retry_After="0"), problem(409, "idempotency_key_in_use")])
def test_a_post_is_sent_again_under_the_same_key_and_with_the_same_files(trouble, images):
    site = Site(trouble, trouble, made())
    client_of(site).create_product("Coat", images=images)
    keys = {request.headers["Idempotency-Key"] for request, _body in site.requests}
    assert (len(site.requests), len(keys)) == (3, 1)
    assert all(images[0].read_bytes() in body for _request, body in site.requests)


def test_each_call_has_a_key_of_its_own_or_the_one_that_it_is_given():
    site = Site(made(), made(), made())
    client = client_of(site)
    client.create_product("Coat")
    client.create_product("Coat")
    client.create_product("Coat", idempotency_key="order-17")
    keys = [request.headers["Idempotency-Key"] for request, _body in site.requests]
    assert len(set(keys)) == 3
    assert keys[2] == "order-17"


@pytest.mark.parametrize(("status", "code"), [(400, "unknown_value"), (409, "sku_taken"), (401, "invalid_api_key")])
def test_what_would_be_refused_again_is_not_sent_again(status, code):
    site = Site(problem(status, code))
    with pytest.raises(otjang.ApiError) as refused:
        client_of(site).create_product("Coat")
    assert (refused.value.status, refused.value.code, len(site.requests)) == (status, code, 1)


def test_it_gives_up_in_the_end():
    site = Site(*[LOST] * 4)
    with pytest.raises(otjang.Unreachable):
        client_of(site).product("70pf28xnx4hv0vm239at")
    assert len(site.requests) == 4


def test_a_quota_of_the_day_is_not_waited_for():
    site = Site(problem(429, "image_quota_exceeded", **{"Retry-After": "40000"}))
    with pytest.raises(otjang.RateLimited) as refused:
        client_of(site).create_product("Coat")
    assert refused.value.retry_after == 40000


def test_a_delete_whose_answer_was_lost_is_done():
    site = Site(LOST, problem(404, "not_found"))
    client_of(site).delete_product("70pf28xnx4hv0vm239at")
    with pytest.raises(otjang.NotFound):
        client_of(Site(problem(404, "not_found"))).delete_product("70pf28xnx4hv0vm239at")


def test_pages_of_a_proxy_are_refusals_too():
    site = Site(*[httpx.Response(502, text="<h1>Bad Gateway</h1>")] * 4)
    with pytest.raises(otjang.ServerError) as refused:
        client_of(site).product("70pf28xnx4hv0vm239at")
    assert refused.value.code == "unknown"


def test_the_next_page_is_asked_of_the_same_site():
    elsewhere = "https://elsewhere.test/api/v1/products?cursor=abc&page_size=1"
    pages = [{"results": [{"id": "a"}], "next": elsewhere}, {"results": [{"id": "b"}], "next": None}]
    site = Site(*[httpx.Response(200, json=page) for page in pages])
    assert [product.id for product in client_of(site).products()] == ["a", "b"]
    assert str(site.requests[1][0].url) == "http://site.test/api/v1/products?cursor=abc&page_size=1"


def test_without_waiting_as_well(images):
    site = Site(LOST, problem(503), made())

    async def work():
        async with otjang.AsyncClient("http://site.test/api/v1", "otj_1", retries=QUICK, transport=site) as client:
            return await client.create_product("Coat", images=images)

    assert run(work()).name == "Coat"
    assert len({request.headers["Idempotency-Key"] for request, _body in site.requests}) == 1
    assert all(images[1].read_bytes() in body for _request, body in site.requests)


def test_address_and_key_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("OTJANG_URL", raising=False)
    with pytest.raises(otjang.OtjangError, match="OTJANG_URL"):
        otjang.Client(key="otj_1")
    monkeypatch.setenv("OTJANG_URL", "http://site.test/api/v1")
    monkeypatch.setenv("OTJANG_KEY", "otj_2")
    site = Site(made())
    otjang.Client(transport=site).product("70pf28xnx4hv0vm239at")
    request, _body = site.requests[0]
    assert request.headers["Authorization"] == "Bearer otj_2"
    assert str(request.url) == "http://site.test/api/v1/products/70pf28xnx4hv0vm239at"
