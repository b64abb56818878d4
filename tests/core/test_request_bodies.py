"""Bodies under any server: without a length, empty, too large, or cut off. None of them changes anything."""

import io
import itertools

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client

from catalog.models import Product, ProductImage
from config import limits
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import photo
from tests.support.live_servers import application

pytestmark = pytest.mark.django_db

FORM = "multipart/form-data; boundary=b"


def part(name, content, file=None):
    file_name = f'; filename="{file}"' if file else ""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts):
    return b"".join(parts) + b"--b--\r\n"


class Connection(io.BytesIO):
    """Ends where nothing more came, as a server's input does."""


def ask(method, path, body, length, **environ):
    """Ask the site as a WSGI server does whose caller has gone."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_LANGUAGE": "en",
        "CONTENT_LENGTH": str(length),
        "wsgi.input": Connection(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | environ
    # Without the signals around it, which would close the test's connection.
    response = application.get_response(WSGIRequest(environ))
    return response.status_code, b"".join(response)


CUTS = [5, 60, 150, -20, -9, -1]


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_form_stores_nothing_through_the_api(api_key, product, cut):
    body = form(part("name", b"Coat"), part("images", photo(), "a.jpg"), part("images", photo(size=(90, 90)), "b.jpg"))
    key = {"HTTP_AUTHORIZATION": f"Bearer {api_key[1]}", "CONTENT_TYPE": FORM}
    for path in ("/api/v1/products", f"/api/v1/products/{product.public_id}/images"):
        status, answer = ask("POST", path, body[:cut], len(body), **key)
        assert status == 400
        assert b"incomplete_body" in answer
    assert list(Product.objects.all()) == [product]
    assert not ProductImage.objects.exists()


@pytest.mark.parametrize("cut", [1, 10, -1])
def test_so_does_cut_json(api_key, product, cut):
    body = b'{"name": "Another name"}  '
    key = {"HTTP_AUTHORIZATION": f"Bearer {api_key[1]}", "CONTENT_TYPE": "application/json"}
    for method, path in (("POST", "/api/v1/products"), ("PATCH", f"/api/v1/products/{product.public_id}")):
        status, answer = ask(method, path, body[:cut], len(body), **key)
        assert status == 400
        assert b"incomplete_body" in answer
    product.refresh_from_db()
    assert product.name == "Oversized denim jacket"
    assert Product.objects.count() == 1


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("token_in_form", [True, False])
def test_so_does_a_cut_form_of_the_portal(bob, client_of, product, cut, token_in_form):
    client = client_of(bob)
    client.get("/products/new/")
    token = client.cookies["csrftoken"].value
    body = form(
        part("csrfmiddlewaretoken", token.encode()) if token_in_form else b"",
        part("images", photo(), "a.jpg"),
        part("images", photo(size=(90, 90)), "b.jpg"),
    )
    environ = {
        "HTTP_COOKIE": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}",
        "CONTENT_TYPE": FORM,
        "HTTP_ACCEPT": "application/json",
    } | ({} if token_in_form else {"HTTP_X_CSRFTOKEN": token})
    for path in ("/products/new", f"/products/{product.public_id}/images"):
        status, answer = ask("POST", path, body[:cut], len(body), **environ)
        assert status == 400
        assert b"incomplete_body" in answer
    status, answer = ask("POST", "/products/new", body, len(body), **environ)
    assert status == 200, answer
    assert Product.objects.count() == 2
    assert ProductImage.objects.count() == 2


@pytest.mark.parametrize("cut", [-1, -5])
def test_a_cut_plain_form_changes_nothing(bob, client_of, product, cut):
    client = client_of(bob)
    client.get("/products/new/")
    token = client.cookies["csrftoken"].value
    body = f"csrfmiddlewaretoken={token}&name=Another+name&sku=X-1".encode()
    environ = {
        "HTTP_COOKIE": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_X_CSRFTOKEN": token,
    }
    status, _page = ask("POST", f"/products/{product.public_id}/details", body[:cut], len(body), **environ)
    assert status == 400
    product.refresh_from_db()
    assert (product.name, product.sku) == ("Oversized denim jacket", "AJ-1042")


def test_a_body_without_a_length_is_not_taken_for_none(api, bob, client_of, product):
    for method, path in (("post", "/products"), ("patch", f"/products/{product.public_id}")):
        request = getattr(api, method)
        answer = request(f"/api/v1{path}", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
        assert (answer.status_code, error_of(answer)) == (411, "length_required")
    answer = client_of(bob).post("/products/new", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert answer.status_code == 411
    assert Product.objects.count() == 1


@pytest.mark.parametrize("content_type", ["application/json", FORM])
def test_an_empty_body_stores_nothing(api, product, content_type):
    answer = api.post("/api/v1/products", data=b"", content_type=content_type)
    assert (answer.status_code, error_of(answer)) == (400, "empty_body")
    answer = api.post(f"/api/v1/products/{product.public_id}/images", data=b"", content_type=FORM)
    assert (answer.status_code, error_of(answer)) == (400, "empty_body")
    for method, path in (("patch", ""), ("put", "/attributes/material")):
        answer = getattr(api, method)(f"/api/v1/products/{product.public_id}{path}", content_type="application/json")
        assert (answer.status_code, error_of(answer)) == (400, "empty_body")
    assert Product.objects.count() == 1


def test_a_length_that_is_none_is_refused(api):
    for length in ("-5", "x", "1e3", "٣"):
        answer = api.post("/api/v1/products", {"name": "x"}, content_type="application/json", CONTENT_LENGTH=length)
        assert (answer.status_code, error_of(answer)) == (400, "bad_request")


def test_large_bodies_are_refused_unread(api, bob, client_of, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    answer = api.send("post", "/products", {"name": "x" * 2000})
    assert (answer.status_code, error_of(answer)) == (413, "too_large")
    answer = Client().post("/login", {"username": "x" * 2000})
    assert answer.status_code == 413
    # As JSON, nothing is an upload.
    answer = client_of(bob).post("/products/new", "x" * 2001, content_type="application/json")
    assert answer.status_code == 413


def test_strangers_uploads_are_not_read(settings, monkeypatch):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    monkeypatch.setattr("core.multipart.WholeFormParser._parse", lambda _self: pytest.fail("it was read"))
    file = SimpleUploadedFile("a.jpg", b"x" * 3000)
    client = Client(headers={"accept": "text/html", "accept-language": "en"})
    for cookie in (None, "gone"):
        if cookie:
            client.cookies["sessionid"] = cookie
        answer = client.post("/products/new", {"images": file})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/products/new")
    answer = ApiClient().upload("/products", file)
    assert (answer.status_code, error_of(answer)) == (401, "not_authenticated")
    answer = ApiClient("otj_wrong").upload("/products", file)
    assert (answer.status_code, error_of(answer)) == (401, "invalid_api_key")


def test_every_cut_of_a_small_form_is_noticed(api_key):
    body = form(part("name", b"Coat"))
    key = {"HTTP_AUTHORIZATION": f"Bearer {api_key[1]}", "CONTENT_TYPE": FORM}
    statuses = {ask("POST", "/api/v1/products", body[:cut], len(body), **key)[0] for cut in range(len(body))}
    assert statuses == {400}
    # The same forms sent as if they were whole: only the line's end may be missing.
    whole = [cut for cut in range(1, len(body)) if ask("POST", "/api/v1/products", body[:cut], cut, **key)[0] == 201]
    assert whole == list(itertools.islice(itertools.count(len(body) - 2), len(whole)))


def test_other_cookies_do_not_hide_the_session():
    for cookies in ('{"a": 1}; sessionid=x', "a b; sessionid=x", "x=\x01; sessionid=x", "sessionid=x; [b]=1"):
        assert limits.Announced("/", "", "", cookies).shows_credentials
    for cookies in ("", "xsessionid=x", "csrftoken=sessionid"):
        assert not limits.Announced("/", "", "", cookies).shows_credentials
