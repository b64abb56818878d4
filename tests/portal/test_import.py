"""Importing through the portal: sending files, the dry run, the columns, the import, its report."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Operation
from catalog.models import ImportFile, Product, ProductImport
from catalog.services.imports import sending
from tests.support.import_files import csv_file, photos, work, zip_file

pytestmark = pytest.mark.django_db

TABLE = csv_file(("A-1", "Wool coat", "Coat", "knit", "", ""), ("", "nobody", "", "", "", ""))


def _send(client, *files):
    return client.post("/products/import/", {"files": [SimpleUploadedFile(name, data) for name, data in files]})


def _page(client):
    """The page of the newest import, after what waits was done."""
    work()
    return client.get(f"/products/import/{ProductImport.objects.latest('id').public_id}")


def _move(client, action, **data):
    return client.post(f"/products/import/{ProductImport.objects.latest('id').public_id}/moves/{action}", data)


def test_a_member_sends_looks_imports_and_downloads_the_report(client):
    assert _send(client, ("list.csv", TABLE), ("photos.zip", zip_file(photos("A-1.jpg")))).status_code == 302
    page = _page(client)
    assert "Import 1 product" in page.text
    assert "The line has no SKU." in page.text
    assert not Product.objects.exists()

    assert _move(client, "import").status_code == 302
    page = _page(client)
    product = Product.objects.get()
    assert (product.name, product.images.count()) == ("Wool coat", 1)
    assert f'href="/products/{product.public_id}"' in page.text
    report = client.get(f"/products/import/{ProductImport.objects.get().public_id}/report")
    report = b"".join(report.streaming_content).decode()  # in the language of who imports
    assert "이 줄에 SKU가 없습니다." in report
    assert "만듦" in report
    assert _move(client, "import").status_code == 302
    assert Product.objects.count() == 1


@pytest.mark.parametrize("address", ["/products/import/", "/products/export/", "/products/bulk/"])
def test_pages_about_products_are_marked_as_within_products(client, address):
    assert '<a href="/products/" aria-current="true">' in client.get(address).text


def test_columns_are_said_on_the_page(client):
    _send(client, ("list.csv", csv_file(("A-1", "Coat"), heads=("our code", "words"))))
    page = _page(client)
    assert "No column is the SKU." in page.text
    _move(client, "check", **{"column-0": "sku", "column-1": "sku"})
    assert "Choose one of them" in client.get(f"/products/import/{ProductImport.objects.get().public_id}").text
    _move(client, "check", **{"column-0": "sku", "column-1": "category"})
    assert "Import 1 product" in _page(client).text


def test_pause_go_on_and_stop(client):
    _send(client, ("list.csv", TABLE))
    _page(client)
    _move(client, "import")
    _move(client, "pause")
    page = _page(client)
    assert 'id="import-resume"' in page.text
    assert not Product.objects.exists()
    _move(client, "resume")
    _move(client, "cancel")
    page = _page(client)
    assert not Product.objects.exists()
    assert "cancelled" in page.text
    assert client.get(f"/products/import/{ProductImport.objects.get().public_id}/report").status_code == 200


def test_a_folder_comes_in_parts_with_its_paths(client):
    begun = client.post("/products/import/", {"begin": "1"}, headers={"accept": "application/json"}).json()
    for name, data in photos("A/1.jpg", "A/2.jpg", "B/1.jpg").items():
        file = SimpleUploadedFile("x.jpg", data)
        answer = client.post(
            begun["files"], {"files": file, "paths": f'["{name}"]'}, headers={"accept": "application/json"}
        )
        assert answer.status_code == 200
    client.post(begun["check"], {}, headers={"accept": "application/json"})
    assert "Import 2 products" in _page(client).text
    assert sorted(ImportFile.objects.values_list("name", flat=True)) == ["A/1.jpg", "A/2.jpg", "B/1.jpg"]
    _move(client, "import")
    work()
    assert {product.sku: product.images.count() for product in Product.objects.all()} == {"A": 2, "B": 1}


def test_what_cannot_be_imported_is_refused_with_a_sentence_and_leaves_nothing(client):
    for name, sentence in (("x.xls", "old Excel"), ("x.7z", "Pack it as ZIP"), ("x.pdf", "neither a table")):
        content = {"x.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.7z": b"7z\xbc\xaf\x27\x1c"}.get(name, b"%PDF-1.4")
        answer = _send(client, (name, content))
        assert answer.status_code == 400
        assert sentence in answer.text
    assert "Choose a table" in client.post("/products/import/", {}).text
    sending.prune()
    assert not ProductImport.objects.exists()


def test_a_dropped_import_is_gone_with_its_files(client):
    from django.core.files.storage import default_storage

    _send(client, ("list.csv", TABLE))
    _page(client)
    stored = ImportFile.objects.get().stored
    _move(client, "drop")
    assert _page(client).status_code == 404
    sending.prune()
    assert not default_storage.exists(stored)
    assert not ProductImport.objects.exists()


def test_others_see_nothing_of_it(client, charlie, dana):
    from django.test import Client

    _send(client, ("list.csv", TABLE))
    number = ProductImport.objects.get().public_id
    outsider, viewer = Client(), Client()
    outsider.force_login(charlie)
    viewer.force_login(dana)
    for path in ("", "/live", "/report"):
        assert outsider.get(f"/products/import/{number}{path}").status_code == 404
    assert outsider.post(f"/products/import/{number}/moves/import").status_code == 404
    assert viewer.post("/products/import/", {}).status_code == 403
    assert viewer.post(f"/products/import/{number}/moves/drop").status_code == 403
    assert viewer.get(f"/products/import/{number}").status_code == 200


def test_paths_without_end_are_none(client):
    table = SimpleUploadedFile("t.csv", csv_file(("A", "x", "", "", "", "")))
    answer = client.post("/products/import", {"files": [table], "paths": "[" * 200_000})
    assert answer.status_code == 302
    assert ImportFile.objects.get().name == "t.csv"


def test_the_list_costs_the_same_for_many(client, api_key, merchant, django_assert_max_num_queries):
    def made(number):
        operations = [
            Operation(merchant=merchant, kind="import_check", api_key=api_key[0], state="done") for _ in range(number)
        ]
        for operation in operations:
            operation.save()
            ends = timezone.now() + timedelta(days=1)
            ProductImport.objects.create(merchant=merchant, operation=operation, expires_at=ends)

    made(1)
    with CaptureQueriesContext(connection) as one:
        client.get("/products/import/")
    made(5)
    with django_assert_max_num_queries(len(one)):
        page = client.get("/products/import/").text
    assert page.count(f"<td>{api_key[0]}</td>") == 6
