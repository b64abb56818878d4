"""Lines of the log as JSON: what they belong to, a line for each request, and nothing secret in them."""

import io
import json
import logging

import pytest

from core import logs
from tests.support.factories import ProductFactory


@pytest.fixture
def lines(settings):
    """Collect what the site's loggers write as JSON lines."""
    settings.ACCESS_LOG = True
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(logs.JsonLines())
    loggers = [logging.getLogger(name) for name in ("otjang", "django", "classifier", "tests.logs")]
    for logger in loggers:
        logger.addHandler(handler)
    logging.getLogger("tests.logs").setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    for logger in loggers:
        logger.removeHandler(handler)
    logs.begin()


def _access(lines):
    return [line for line in lines() if line["logger"] == "otjang.access"]


def test_a_request_has_a_line_without_its_query(client, db, lines):
    answer = client.get("/login?next=/products&email=kim@shop.example")
    (line,) = _access(lines)
    assert line["request"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/login", 200)
    assert line["bytes"] == len(answer.content)
    assert line["ms"] > 0
    assert "user" not in line
    assert "kim" not in str(lines())


@pytest.mark.parametrize("path", ["/nowhere", "/admin/login/", "/healthz", "/api/v1/attributes"])
def test_every_answer_has_the_id_of_its_lines(client, db, lines, path):
    answer = client.get(path, headers={"X-Request-ID": "proxy-1"})
    assert answer.headers["X-Request-ID"] == "proxy-1"
    assert {line["request"] for line in lines()} == {"proxy-1"}  # Django's own warnings as well


def test_an_id_that_would_break_lines_is_replaced(client, db, lines):
    answer = client.get("/healthz", headers={"X-Request-ID": "a b\tc"})
    assert len(answer.headers["X-Request-ID"]) == 20


def test_a_person_is_an_id_in_a_merchant(client, alice, merchant, lines):
    client.force_login(alice)
    client.get("/")
    line = _access(lines)[-1]
    assert (line["user"], line["merchant"]) == (alice.pk, merchant.public_id)
    text = str(lines())
    assert alice.email not in text
    assert client.session.session_key not in text


def test_a_key_is_an_id(client, api_key, lines):
    key, secret = api_key
    client.get("/api/v1/products", headers={"Authorization": f"Bearer {secret}"})
    line = _access(lines)[-1]
    assert (line["key"], line["merchant"], line["status"]) == (key.pk, key.merchant.public_id, 200)
    assert secret not in str(lines())


def test_the_next_request_of_a_thread_knows_nothing_of_the_last(client, db, lines):
    client.get("/healthz")
    logging.getLogger("tests.logs").info("between")
    assert "request" not in lines()[-1]


def test_a_file_s_line_comes_when_it_is_sent(client, db, lines):
    answer = client.get("/static/icon.svg")
    sent = b"".join(answer.streaming_content)
    answer.close()
    assert _access(lines)[-1]["bytes"] == len(sent) > 0


def test_a_block_gives_its_lines_the_ids_of_jobs(lines):
    with logs.about(jobs=[1, 2]), logs.about(images=["a", "b"]):
        logging.getLogger("tests.logs").info("looked at", extra=logs.fields(code="done", left_out=None))
    logging.getLogger("tests.logs").info("after")
    inside, after = lines()
    assert (inside["jobs"], inside["images"], inside["code"]) == ([1, 2], ["a", "b"], "done")
    assert "left_out" not in inside
    assert "jobs" not in after


@pytest.mark.parametrize("formatter", [logs.JsonLines(), logs.Lines()])
@pytest.mark.parametrize(
    "secret",
    [
        "otj_abcdef12_0123456789abcdefghijklmnop",
        "Bearer abcdefghijklmnop",
        "sessionid=u7d8f9a0b1c2",
        "mysql://otjang:pass-word@db/otjang",
        "redis://:pass-word@cache:6379/0",
        "https://bucket.example/image?X-Amz-Signature=0123abcd&x=1",
        "kim.minji@shop.example",
    ],
)
def test_no_line_holds_a_secret(formatter, secret):
    try:
        raise ValueError(f"it was {secret} there")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "broke off: %s", (error,), (ValueError, error, None))
    text = formatter.format(record)
    for part in ("abcdef12", "abcdefghijkl", "u7d8", "pass-word", "0123abcd", "minji"):
        assert part not in text
    assert "[hidden]" in text


def test_line_breaks_stay_in_one_line(lines):
    logging.getLogger("tests.logs").info("first\nsecond")
    assert [line["message"] for line in lines()] == ["first\nsecond"]


def test_a_product_s_page_has_no_name_in_its_line(client, alice, merchant, lines):
    product = ProductFactory(merchant=merchant, name="Very secret coat")
    client.force_login(alice)
    client.get(f"/products/{product.public_id}")
    assert "secret coat" not in str(lines())
