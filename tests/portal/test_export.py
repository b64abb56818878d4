"""Merchants take their products with them as a file: which lines it has, in which words, and what it never does."""

import csv
import io
import zipfile

import openpyxl
import pytest
from django.test import Client

from catalog.models import AttributeValue, Product, ProductAttribute
from catalog.services.exports import lines
from catalog.services.uploads import add_images
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


def content(response):
    assert response.status_code == 200, response.status_code
    return b"".join(response.streaming_content)


def rows_of(response):
    text = content(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def set_value(product, attribute, code):
    value = AttributeValue.objects.get(attribute__code=attribute, code=code)
    ProductAttribute.objects.update_or_create(
        product=product,
        attribute=value.attribute,
        defaults={"merchant": product.merchant, "value": value, "state": ProductAttribute.State.DECIDED},
    )


def test_a_line_says_everything_of_a_product_in_the_chosen_words(client_of, bob, product):
    set_value(product, "category", "Jacket")
    set_value(product, "material", "denim")
    ProductImageFactory(product=product, original_name="front.jpg", position=1)
    ProductImageFactory(product=product, original_name="back.jpg", position=2)
    client = client_of(bob)

    (line,) = rows_of(client.get("/products/export.csv?words=ko"))
    assert (line["SKU"], line["상품명"], line["상태"]) == ("AJ-1042", "Oversized denim jacket", "분류 중")
    assert (line["카테고리"], line["소재"]) == ("재킷", "데님")
    assert line["사진"] == "front.jpg|back.jpg"

    (line,) = rows_of(client.get("/products/export.csv?words=codes"))
    assert {name: line[name] for name in ("sku", "status", "category", "material")} == {
        "sku": "AJ-1042",
        "status": "classifying",
        "category": "Jacket",
        "material": "denim",
    }


def test_it_exports_what_the_list_shows_and_nothing_of_others(client_of, bob, merchant, other_merchant):
    coat, _shirt = ProductFactory(merchant=merchant, name="Coat"), ProductFactory(merchant=merchant, name="Shirt")
    ProductFactory(merchant=merchant, name="Old coat", status=Product.Status.ARCHIVED)
    theirs = ProductFactory(merchant=other_merchant, name="Coat of others")
    client = client_of(bob)

    assert [line["Name"] for line in rows_of(client.get("/products/export.csv"))] == ["Shirt", "Coat"]
    assert [line["Name"] for line in rows_of(client.get("/products/export.csv?q=coat"))] == ["Coat"]
    assert [line["Name"] for line in rows_of(client.get("/products/export.csv?q=coat&status=archived"))] == ["Old coat"]
    chosen = f"/products/export.csv?product={coat.public_id}&product={theirs.public_id}"
    assert [line["Name"] for line in rows_of(client.get(chosen))] == ["Coat"]


def test_a_viewer_may_export_and_a_stranger_may_not(client_of, dana, product):
    assert len(rows_of(client_of(dana).get("/products/export.csv"))) == 1
    assert Client().get("/products/export.csv").status_code == 302


def test_no_cell_is_a_formula(client_of, bob, merchant):
    ProductFactory(merchant=merchant, sku="-1", name='=HYPERLINK("http://evil.example")')
    client = client_of(bob)

    (line,) = rows_of(client.get("/products/export.csv"))
    assert (line["SKU"], line["Name"]) == ("'-1", '\'=HYPERLINK("http://evil.example")')

    sheet = openpyxl.load_workbook(io.BytesIO(content(client.get("/products/export.xlsx")))).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert "'-1" in [cell.value for cell in cells]


def test_xlsx_keeps_zeros_at_the_beginning(client_of, bob, merchant):
    ProductFactory(merchant=merchant, sku="00123", name="Coat")
    sheet = openpyxl.load_workbook(io.BytesIO(content(client_of(bob).get("/products/export.xlsx")))).active
    assert [cell.value for cell in sheet[2]][:2] == ["00123", "Coat"]
    assert sheet["A3"].number_format == "@" or sheet.column_dimensions["A"].number_format == "@"


@pytest.mark.parametrize("address", ["", "?sort=oldest", "?since=2020-01-01", "?q=product", "?sort=name"])
def test_every_product_is_on_one_line_however_many_batches_it_takes(client_of, bob, merchant, monkeypatch, address):
    monkeypatch.setattr(lines, "BATCH", 3)
    made = {product.sku for product in ProductFactory.create_batch(10, merchant=merchant)}
    found = [line["SKU"] for line in rows_of(client_of(bob).get(f"/products/export.csv{address}"))]
    assert sorted(found) == sorted(made)


def test_a_batch_costs_three_queries(client_of, bob, merchant, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(lines, "BATCH", 3)
    ProductFactory.create_batch(8, merchant=merchant)
    response = client_of(bob).get("/products/export.csv")
    with django_assert_num_queries(9):
        content(response)


def test_a_product_that_changes_meanwhile_is_neither_lost_nor_doubled(client_of, bob, merchant, monkeypatch):
    monkeypatch.setattr(lines, "BATCH", 2)
    products = ProductFactory.create_batch(6, merchant=merchant)
    response = client_of(bob).get("/products/export.csv?sort=changed")
    chunks = iter(response.streaming_content)
    read = next(chunks) + next(chunks)
    products[0].save()  # now the first one of the list
    products[5].save()
    text = (read + b"".join(chunks)).decode("utf-8-sig")
    skus = [line["SKU"] for line in csv.DictReader(io.StringIO(text))]
    assert sorted(skus) == sorted(product.sku for product in products)


def test_a_zip_has_the_table_and_the_photos_by_their_sku(client_of, bob, actor, merchant):
    product = ProductFactory(merchant=merchant, sku="A-1")
    odd = ProductFactory(merchant=merchant, sku="B/../2")
    for one in (product, odd):
        add_images(actor=actor, product=one, files=[upload("x.jpg")])
    lost = ProductImageFactory(product=product, original="products/x/gone.jpg", position=9)

    archive = zipfile.ZipFile(io.BytesIO(content(client_of(bob).get("/products/export.zip?images=1&sheet=csv"))))
    assert archive.testzip() is None
    names = archive.namelist()
    assert names[-2:] == ["products.csv", "report.csv"]
    assert set(names[:-2]) == {"images/A-1_1.jpg", f"images/B_.._2-{odd.public_id}_1.jpg"}
    table = list(csv.DictReader(io.StringIO(archive.read("products.csv").decode("utf-8-sig"))))
    assert [line["Photos"] for line in table] == [f"B_.._2-{odd.public_id}_1.jpg", "A-1_1.jpg|A-1_2.jpg"]
    assert f"missing photo,A-1_2{lost.original.name[-4:]}" in archive.read("report.csv").decode("utf-8-sig")
    assert archive.read("images/A-1_1.jpg") == product.images.order_by("position").first().original.read()


def test_a_zip_without_photos_has_an_xlsx(client_of, bob, product):
    archive = zipfile.ZipFile(io.BytesIO(content(client_of(bob).get("/products/export.zip"))))
    assert archive.namelist() == ["products.xlsx"]
    assert openpyxl.load_workbook(archive.open("products.xlsx")).active["A2"].value == product.sku


def test_the_page_offers_what_the_list_chose(client_of, bob, merchant):
    one, two, _other = ProductFactory.create_batch(3, merchant=merchant)
    client = client_of(bob)
    assert "3 products" in client.get("/products/export/").text

    page = client.post("/products/export/", {"query": "sort=name", "product": [one.public_id, two.public_id]})
    assert "2 products" in page.text
    assert "chosen in the list" in page.text
    everything = client.post("/products/export/", {"query": "q=product", "product": one.public_id, "all": "1"})
    assert "3 products" in everything.text

    data = {"format": "csv", "words": "codes", "product": [one.public_id, two.public_id]}
    assert {line["sku"] for line in rows_of(client.post("/products/export/start", data))} == {one.sku, two.sku}


def test_head_is_answered_without_the_file(client_of, bob, product):
    response = client_of(bob).head("/products/export.xlsx")
    assert response.status_code == 200
    assert "attachment" in response.headers["Content-Disposition"]
