"""The database is away: 503 everywhere, in the form that the caller reads, and well again once it is back."""

import io
from contextlib import contextmanager
from threading import Event

import MySQLdb
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client

from catalog.models import Product
from config import health
from core.outage import database_is_away
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import photo
from tests.support.live_servers import application

GONE = OperationalError(2006, "Server has gone away")


@contextmanager
def away(error=GONE, after=0):
    """Let every query fail but the first so many."""
    left = [after]

    def refuse(execute, sql, parameters, many, context):
        left[0] -= 1
        if left[0] >= 0:
            return execute(sql, parameters, many, context)
        raise error

    with connection.execute_wrapper(refuse):
        yield


def quiet(client):
    """Let the site answer for its exceptions, as it does to everybody."""
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("error", [GONE, InterfaceError(0, ""), OperationalError("database is locked")])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_the_api_says_so_in_json(api_key, product, error, after):
    api = quiet(ApiClient(api_key[1]))
    file = SimpleUploadedFile("a.jpg", photo())
    with away(error, after):
        answers = [
            api.send("get", "/products"),
            api.send("get", f"/products/{product.public_id}"),
            api.upload("/products", file, name="Coat"),
        ]
    for answer in answers:
        assert (answer.status_code, error_of(answer)) == (503, "database_away")
        assert answer.headers["Retry-After"] == "5"


@pytest.mark.django_db
@pytest.mark.parametrize("after", range(8))
def test_pages_say_so_without_asking_it(alice, client_of, product, after):
    client = quiet(client_of(alice))
    with away(after=after):
        answer = client.get(f"/products/{product.public_id}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert b"The database cannot be reached." in answer.content
    assert client.get(f"/products/{product.public_id}").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/products/new", "/nowhere", "/admin/", "/admin/catalog/product/", "/media/x/display"]
)
def test_so_they_do_everywhere(admin, client_of, path):
    client = quiet(client_of(admin))
    with away():
        answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_scripts_and_forms_are_told_too(bob, client_of, product):
    client = quiet(client_of(bob))
    with away():
        answer = client.post(
            "/products/new",
            {"images": SimpleUploadedFile("a.jpg", photo())},
            headers={"accept": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
        assert client.post(f"/products/{product.public_id}/details", {"name": "x"}).status_code == 503
        assert quiet(Client()).post("/login", {"username": "a@example.com", "password": "x"}).status_code == 503
    assert Product.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error",
    [
        ProgrammingError(1146, "no such table"),
        IntegrityError(1062, "twice"),
        OperationalError(1054, "no such column"),
        OperationalError("no such column: x"),
    ],
)
def test_what_is_wrong_with_the_question_is_ours(api_key, error):
    api = quiet(ApiClient(api_key[1]))
    with away(error):
        answer = api.send("get", "/products")
    assert (answer.status_code, error_of(answer)) == (500, "server_error")
    assert not database_is_away(error)


@pytest.mark.django_db
def test_everything_below_the_api_is_json(api_key, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError

    api = quiet(ApiClient(api_key[1]))
    assert error_of(api.get("/api/")) == "not_found"
    assert error_of(api.post("/api/v2/products")) == "not_found"
    assert error_of(api.get("/api/v1/products", HTTP_HOST="evil.example")) == "bad_request"
    monkeypatch.setattr("catalog.selectors.products_for_list", broken)
    answer = api.send("get", "/products")
    assert (answer.status_code, error_of(answer)) == (500, "server_error")
    monkeypatch.setattr("accounts.middleware.cast", broken)
    answer = api.send("get", "/products")
    assert (answer.status_code, error_of(answer)) == (500, "server_error")


def ask(path, **environ):
    """Ask as a server does, with the signals that look after connections."""
    answered = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    } | environ
    response = application(environ, lambda status, headers: answered.append(int(status.split()[0])))
    body = b"".join(response)
    response.close()
    return answered[0], body


@pytest.mark.django_db(transaction=True)
def test_the_next_request_works_after_connections_were_killed(api_key, product):
    if connection.vendor != "mysql":
        pytest.skip("SQLite has no connections to kill")
    key = {"HTTP_AUTHORIZATION": f"Bearer {api_key[1]}"}
    parameters = connection.get_connection_params()
    administrator = MySQLdb.connect(
        **{name: parameters[name] for name in ("user", "unix_socket") if name in parameters}
    )

    def kill():
        connection.ensure_connection()
        with administrator.cursor() as cursor:
            cursor.execute(f"KILL {connection.connection.thread_id()}")

    assert ask("/api/v1/products", **key)[0] == 200
    kill()  # between requests
    assert ask("/api/v1/products", **key)[0] == 200
    for number in range(4):  # in the middle of one
        queries = [0]

        def kill_once(execute, sql, parameters, many, context, number=number, queries=queries):
            queries[0] += 1
            if queries[0] == number + 1:
                kill()
            return execute(sql, parameters, many, context)

        with connection.execute_wrapper(kill_once):
            status, body = ask("/api/v1/products", **key)
        assert (status, b"database_away" in body) == (503, True)
        assert ask("/api/v1/products", **key)[0] == 200
    administrator.close()


@pytest.mark.django_db
def test_health_does_not_hang_with_it(client, monkeypatch):
    release = Event()
    monkeypatch.setattr(health, "_TIMEOUT", 0.01)
    monkeypatch.setattr(health, "_ask", lambda: release.wait(20))
    try:
        for _time in range(3):
            answer = client.get("/healthz")
            assert (answer.status_code, answer.content) == (503, b"database: Timeout")
    finally:
        release.set()
    assert health._asked.result(20)


@pytest.mark.django_db
def test_health_names_what_is_wrong(client, monkeypatch):
    def refuse():
        raise GONE

    monkeypatch.setattr(health, "_ask", refuse)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (503, b"database: OperationalError")
