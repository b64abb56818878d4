"""Exports with a marketplace's categories: what a merchant chooses, gets, and is told of what has no counterpart."""

import csv
import io
import zipfile

import openpyxl
import pytest

from accounts.services import operations
from catalog.models import Product, TaxonomyMapping
from catalog.services import mappings
from catalog.services.exports import running
from tests.portal.test_export import content, rows_of, set_value
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(merchant):
    mappings.load_shipped()
    for sku, category in (("J", "Jacket"), ("Z", "Zipup"), ("Z2", "Zipup"), ("N", None)):
        product = ProductFactory(merchant=merchant, sku=sku, name=sku)
        if category:
            set_value(product, "category", category)
    set_value(Product.objects.get(sku="J"), "material", "leather")


def test_the_file_has_their_code_and_name_and_says_what_has_none(client_of, bob):
    lines = rows_of(client_of(bob).get("/products/export.csv?words=codes&mapping=naver_women"))
    found = {
        line["sku"]: (line["naver_women"], line["naver_women_name"], line["naver_women_missing"]) for line in lines
    }
    assert found == {
        "J": ("50021320", "패션의류 > 여성의류 > 아우터 > 가죽재킷", ""),
        "Z": ("", "", "Zipup"),
        "Z2": ("", "", "Zipup"),
        "N": ("", "", ""),
    }


def test_a_spreadsheet_lists_what_has_no_counterpart_in_a_sheet_of_its_own(client_of, bob):
    data = io.BytesIO(content(client_of(bob).get("/products/export.xlsx?words=en&mapping=naver_women")))
    book = openpyxl.load_workbook(data)
    assert [[cell.value for cell in row] for row in book["no counterpart"].iter_rows()] == [
        ["no counterpart", "Zip-up", "2"],
        ["no counterpart", "(no value)", "1"],
    ]


def test_a_zip_lists_it_in_its_report(client_of, bob):
    response = client_of(bob).get("/products/export.zip?words=ko&mapping=naver_women&sheet=csv")
    report = zipfile.ZipFile(io.BytesIO(content(response))).read("report.csv").decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(report))) == [["대응 없음", "짚업", "2"], ["대응 없음", "(값 없음)", "1"]]


def test_the_page_shows_it_before_with_real_products(client_of, bob):
    client = client_of(bob)
    page = client.get("/products/export/?mapping=naver_women").text
    assert "These values have no counterpart" in page
    assert "50021320" in page
    assert "Looked at the first 4 products" in page
    everything = client.get("/products/export/?mapping=google_apparel&q=J").text
    assert "The product that was looked at has a counterpart" in everything


def test_a_large_export_lists_it_on_its_page(client_of, bob, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 1)
    client = client_of(bob)
    page = client.post("/products/export/start", {"format": "csv", "mapping": "naver_women"}).url
    operations.continue_long()
    text = client.get(page).text
    assert "Zip-up" in text
    assert "2 products" in text
    assert "no value" in text


def test_a_mapping_that_is_not_offered_cannot_be_chosen(client_of, bob):
    TaxonomyMapping.objects.filter(code="naver_women").update(offered=False)
    client = client_of(bob)
    assert 'value="naver_women"' not in client.get("/products/export/?mapping=naver_women").text
    lines = rows_of(client.get("/products/export.csv?words=codes&mapping=naver_women"))
    assert "naver_women" not in lines[0]


def test_an_export_keeps_the_version_that_it_was_started_with(client_of, bob, admin, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 1)
    client = client_of(bob)
    page = client.post("/products/export/start", {"format": "csv", "words": "codes", "mapping": "google_apparel"}).url
    old = TaxonomyMapping.objects.get(code="google_apparel")
    TaxonomyMapping.objects.create(code=old.code, version=2, name="Newer", attribute=old.attribute)
    operations.continue_long()
    text = b"".join(client.get(f"{page}/download").streaming_content).decode("utf-8-sig")
    assert {line["sku"]: line["google_apparel"] for line in csv.DictReader(io.StringIO(text))}["J"] == "5598"
