"""What the server receives of a body, and what it turns away by the headers alone."""

import os

import pytest

from catalog.models import Product
from tests.support.drawn_images import photo
from tests.support.live_servers import application, head_of, running_server

pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "multipart/form-data; boundary=b"
MUCH = 40 * 2**20


@pytest.fixture
def key(api_key):
    return {"Authorization": f"Bearer {api_key[1]}"}


def _refusal(site, method, path, **headers):
    """What is answered though nothing of the body was sent."""
    with site.connect(head_of(method, path, **headers)) as connection:
        return site.read(connection)


@pytest.mark.parametrize("path", ["/login", "/products/new", "/nowhere", "/admin/login/", "/password"])
def test_a_large_form_is_refused_before_it_comes(site, path):
    answer = _refusal(site, "POST", path, Content_Length=MUCH, Accept="text/html")
    assert answer.status == 413
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/v1/products", "/api/v1/products/x", "/api/v1/nowhere", "/api/elsewhere"])
def test_so_is_large_json(site, key, path):
    answer = _refusal(site, "POST", path, Content_Length=MUCH, Content_Type="application/json", **key)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/api/v1/products", f"/api/v1/products/{'0' * 20}/images"])
def test_an_upload_from_nobody_is_refused_before_it_comes(site, path):
    answer = _refusal(site, "POST", path, Content_Length=MUCH, Content_Type=UPLOAD)
    assert (answer.status, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_in_the_portal_nobody_is_asked_to_log_in(site):
    answer = _refusal(site, "POST", "/products/new", Content_Length=MUCH, Content_Type=UPLOAD, Accept="text/html")
    assert (answer.status, answer.headers["location"]) == (302, "/login?next=/products/new")
    answer = _refusal(
        site, "POST", "/products/x/images", Content_Length=MUCH, Content_Type=UPLOAD, Accept="application/json"
    )
    assert (answer.status, answer.json()["code"]) == (401, "not_authenticated")


def test_an_upload_with_a_key_has_its_own_limit(site, key, settings):
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT, settings.OTJANG_MAX_UPLOAD_BYTES = 2, 2**20
    head = {"Content_Type": UPLOAD, **key}
    assert _refusal(site, "POST", "/api/v1/products", Content_Length=3 * 2**20 + 1, **head).status == 413
    image = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n' + photo()
    padding = b'\r\n--b\r\nContent-Disposition: form-data; name="images"; filename="b.jpg"\r\n\r\n' + bytes(2 * 2**20)
    answer = site.ask("POST", "/api/v1/products", image + padding + b"\r\n--b--\r\n", **head)
    assert (answer.status, [entry["error"] is None for entry in answer.json()["uploads"]]) == (207, [True, False])


def test_who_waits_for_leave_to_send_is_refused_instead(site):
    answer = _refusal(site, "POST", "/login", Content_Length=MUCH, Expect="100-continue")
    assert answer.status == 413


def test_the_answer_reaches_who_sends_on(site):
    with site.connect(head_of("POST", "/login", Content_Length=MUCH)) as connection:
        for _mebibyte in range(8):
            connection.sendall(os.urandom(2**20))
        assert site.read(connection).status == 413


def test_nothing_behind_a_refused_body_is_a_request(site):
    inside = head_of("GET", "/healthz")
    with site.connect(head_of("POST", "/login", Content_Length=MUCH) + inside * 3) as connection:
        assert site.read(connection).status == 413
        assert connection.recv(1) == b""


def _chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def test_chunks_are_read_whole(site, key):
    head = head_of("POST", "/api/v1/products", Transfer_Encoding="chunked", Content_Type="application/json", **key)
    with site.connect(head + _chunked(b'{"name": "De', b'nim jacket"}')) as connection:
        answer = site.read(connection)
    assert (answer.status, answer.json()["name"]) == (201, "Denim jacket")
    assert Product.objects.get().name == "Denim jacket"


def test_chunks_end_at_the_limit(site, key, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2**16
    head = head_of("POST", "/api/v1/products", Transfer_Encoding="chunked", Content_Type="application/json", **key)
    with site.connect(head + b"%x\r\n" % MUCH + b"x" * 2**17) as connection:
        answer = site.read(connection)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_what_is_no_http_is_answered_in_json_below_the_api(site):
    answer = _refusal(site, "POST", "/api/v1/products", Content_Length="many")
    assert (answer.status, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(("behind_proxy", "seen"), [(False, None), (True, "203.0.113.9")])
def test_what_callers_say_of_proxies_counts_only_behind_one(behind_proxy, seen):
    environs = []

    def application(environ, start_response):
        environs.append(environ)
        start_response("204 No Content", [])
        return []

    with running_server(application, behind_proxy=behind_proxy) as served:
        served.ask(
            "GET", "/", X_Forwarded_For="203.0.113.9", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example"
        )
    assert environs[0].get("HTTP_X_FORWARDED_FOR") == seen
    assert environs[0].get("HTTP_X_FORWARDED_PROTO") == ("https" if behind_proxy else None)
    assert environs[0]["HTTP_HOST"] == "localhost"
    assert environs[0]["REMOTE_ADDR"] == "127.0.0.1"


def test_an_upload_that_a_stop_cuts_off_stores_nothing(key):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n' + photo() + b"\r\n--b--\r\n"
    )
    head = head_of("POST", "/api/v1/products", Content_Length=len(body), Content_Type=UPLOAD, **key)
    with running_server(application, stop_seconds=0) as site, site.connect(head + body[:-1]) as connection:
        assert site.ask("GET", "/healthz").status == 200
        site.site.stop()
        assert connection.recv(1) == b""
    assert not Product.objects.exists()
