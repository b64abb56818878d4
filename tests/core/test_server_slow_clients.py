"""Callers who send slowly, or nothing, cost no thread: everybody else is answered."""

import time

import pytest

from catalog.models import Product
from tests.support.drawn_images import photo
from tests.support.live_servers import head_of

pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "multipart/form-data; boundary=b"


def _form(*contents):
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.jpg"\r\n\r\n' + content + b"\r\n"
        for content in contents
    ]
    return b"".join(parts) + b"--b--\r\n"


def _slow(site, count):
    """Connections that have sent nothing, half a head, or half a body."""
    starts = (b"", head_of("GET", "/")[:-9], head_of("POST", "/login", Content_Length=900) + b"x")
    return [site.connect(starts[number % 3]) for number in range(count)]


def test_fifty_of_them_leave_pages_and_health_under_a_second(site):
    slow = _slow(site, 50)
    try:
        for path in ("/healthz", "/login") * 3:
            for connection in slow:
                connection.sendall(b"x")
            started = time.monotonic()
            assert site.ask("GET", path).status == 200
            assert time.monotonic() - started < 1
    finally:
        for connection in slow:
            connection.close()


def test_they_are_not_kept_for_ever(site):
    slow = _slow(site, 6)
    for connection in slow:
        connection.sendall(b"x")
    assert site.ask("GET", "/healthz").status == 200
    site.site.servers[0].maintenance(time.time() + 70)
    for connection in slow:
        with connection:
            assert connection.recv(1) == b""


def test_a_slow_line_is_given_its_time(site):
    head = head_of("POST", "/login", Content_Length=900_000)
    with site.connect(head + b"x" * 100_000) as connection:
        assert site.ask("GET", "/healthz").status == 200
        site.site.servers[0].maintenance(time.time() + 50)
        connection.sendall(b"x" * 800_000)
        assert site.read(connection).status == 403  # no token


def test_what_ends_in_the_middle_of_an_image_stores_nothing(site, api_key):
    body = _form(photo(), photo(size=(90, 90)))
    head = {"Authorization": f"Bearer {api_key[1]}", "Content_Type": UPLOAD, "Content_Length": len(body)}
    for sent in (10, len(body) // 2, len(body) - 1):
        with site.connect(head_of("POST", "/api/v1/products", **head) + body[:sent]):
            pass
    assert site.ask("GET", "/healthz").status == 200
    assert not Product.objects.exists()
    del head["Content_Length"]
    assert site.ask("POST", "/api/v1/products", body, **head).status == 201
