"""An export that is too large to wait for: a worker writes its file, which members download for a week."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import Membership, Operation
from accounts.services import operations, result_files
from catalog.models import Product
from catalog.services.exports import files, running
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 2)


@pytest.fixture
def products(merchant):
    return ProductFactory.create_batch(5, merchant=merchant)


def start(client, **data):
    response = client.post("/products/export/start", {"format": "csv", "words": "codes", **data})
    assert response.status_code == 302, response.content[:200]
    return response.url, Operation.objects.get(kind="export_products")


def test_it_becomes_an_operation_with_a_file(client_of, bob, products, merchant):
    client = client_of(bob)
    page, operation = start(client)
    late = ProductFactory(merchant=merchant)
    assert client.get(f"{page}/download").status_code == 404
    assert "hx-get" in client.get(f"{page}/live").text

    assert operations.continue_long() == 5

    assert "Download" in client.get(page).text
    assert "hx-get" not in client.get(f"{page}/live").text
    response = client.get(f"{page}/download")
    assert "attachment" in response.headers["Content-Disposition"]
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    skus = [line["sku"] for line in csv.DictReader(io.StringIO(text))]
    assert sorted(skus) == sorted(product.sku for product in products)
    assert late.sku not in skus
    operation.refresh_from_db()
    assert (operation.state, operation.done, operation.total) == ("done", 5, 5)


def test_the_address_leads_to_the_page_where_it_is_started(client_of, bob, products):
    response = client_of(bob).get("/products/export.xlsx?q=product&words=ko")
    assert response.url == "/products/export/?q=product&words=ko"
    page = client_of(bob).get(response.url).text
    assert "More than 2 products" in page
    assert not Operation.objects.exists()


def test_others_see_nothing_of_it_and_viewers_may_download(client_of, bob, charlie, dana, products):
    page, _operation = start(client_of(bob))
    operations.continue_long()
    for path in ("", "/live", "/download"):
        assert client_of(charlie).get(page + path).status_code == 404
        assert client_of(dana).get(page + path).status_code == 200


def test_the_form_sent_twice_is_one_export(client_of, bob, products):
    once = client_of(bob).get("/products/export/").context["once"]
    assert start(client_of(bob), once=once)[0] == start(client_of(bob), once=once)[0]


def test_cancelled_it_leaves_no_file_and_paused_it_begins_again(client_of, bob, products):
    client = client_of(bob)
    page, operation = start(client)
    client.post(f"{page}/moves/pause")
    assert operations.continue_long() == 0
    client.post(f"{page}/moves/resume")
    assert operations.continue_long() == 5
    operation.delete()

    page, operation = start(client)
    client.post(f"{page}/moves/cancel")
    assert operations.continue_long() == 0
    assert client.get(f"{page}/download").status_code == 404


def test_what_a_killed_worker_began_another_one_writes_whole(client_of, bob, products, monkeypatch):
    _page, operation = start(client_of(bob))

    def killed(_lines, _tick):
        yield b"sku"
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(running, "file_chunks", killed)
        assert operations.continue_long() == 0
    operation.refresh_from_db()
    assert operation.state == "running"
    assert not default_storage.exists(operation.result_file)

    Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert operations.continue_long() == 5
    operation.refresh_from_db()
    assert default_storage.exists(operation.result_file)


def test_it_gives_up_what_breaks_off_again_and_again(client_of, bob, products, monkeypatch):
    page, operation = start(client_of(bob))
    monkeypatch.setattr(running, "file_chunks", lambda _lines, _tick: 1 / 0)
    for _attempt in range(6):
        operations.continue_long()
        Operation.objects.update(lease_until=None)
    operation.refresh_from_db()
    assert (operation.state, operation.error) == ("failed", "broke_off")
    assert "given up" in client_of(bob).get(page).text


def test_paused_in_the_middle_it_stops_at_the_next_batch(client_of, bob, products, monkeypatch):
    page, operation = start(client_of(bob))
    written = files.csv_chunks

    def paused_on_the_way(lines, tick):
        chunks = written(lines, tick)
        yield next(chunks)
        client_of(bob).post(f"{page}/moves/pause")
        yield from chunks

    monkeypatch.setattr(files, "csv_chunks", paused_on_the_way)
    assert operations.continue_long() == 0
    operation.refresh_from_db()
    assert (operation.state, operation.attempts) == ("paused", 0)
    assert not default_storage.exists(operation.result_file)


def test_who_left_the_shop_gets_no_file(client_of, bob, products):
    _page, operation = start(client_of(bob))
    Membership.objects.filter(user=bob).delete()
    operations.continue_long()
    operation.refresh_from_db()
    assert (operation.state, operation.error, operation.result_file) == ("failed", "forbidden", "")


def test_after_a_week_the_page_says_that_the_file_is_gone(client_of, bob, products):
    page, _operation = start(client_of(bob))
    operations.continue_long()
    Operation.objects.update(finished_at=timezone.now() - timedelta(days=8))
    assert result_files.prune() == 1
    assert "deleted now" in client_of(bob).get(page).text
    assert client_of(bob).get(f"{page}/download").status_code == 404


def test_nothing_is_started_without_products(client_of, bob, products):
    Product.objects.update(status="archived")
    response = client_of(bob).post("/products/export/start", {"format": "csv", "q": "nothing like it"})
    assert response.status_code == 200  # a file with a head and no line
    assert b"".join(response.streaming_content).count(b"\r\n") == 1
