"""Export, change in a spreadsheet, import: exactly the changes. ROUND_TRIP_PRODUCTS says with how many products."""

import io
import os

import openpyxl
import pytest

from catalog.models import Decision, Product, ProductAttribute
from catalog.services.imports import sending
from catalog.services.uploads import add_images
from tests.support.drawn_images import upload
from tests.support.import_files import checked, imported, work, xlsx_file

pytestmark = pytest.mark.django_db

PRODUCTS = int(os.environ.get("ROUND_TRIP_PRODUCTS", "120"))
CATEGORIES = ("Coat", "Dress", "Jeans", "Blouse", "Cardigan", "Vest", "Skirt")
MATERIALS = ("wool", "denim", "silk", "-", "", "leather")
ODD_NAMES = ("=SUM(A1:A9)", "+82 10", "-1", "@home", "'quoted", "a|b", "0012", "1E5", "코트 ☃", "2026-01-02", "TRUE")


def beginning(number):
    """A product as a line: sku, name, category, material."""
    name = ODD_NAMES[number] if number < len(ODD_NAMES) else f"Product {number}"
    sku = f"{number:06d}" if number % 3 else f"-SKU {number}"
    return sku, name, CATEGORIES[number % len(CATEGORIES)], MATERIALS[number % len(MATERIALS)]


def snapshot(merchant):
    """All that an import may change, by SKU."""
    values = {}
    rows = ProductAttribute.objects.filter(merchant=merchant).exclude(state="unset")
    for product, attribute, value, state in rows.values_list("product_id", "attribute__code", "value__code", "state"):
        values.setdefault(product, {})[attribute] = (value, state)
    products = Product.objects.filter(merchant=merchant)
    return {
        sku: (name, status, version, tuple(sorted(values.get(pk, {}).items())))
        for pk, sku, name, status, version in products.values_list("pk", "sku", "name", "status", "version")
    }


@pytest.fixture
def shop(actor):
    """So many products, made by an import."""
    lines = [beginning(number) for number in range(PRODUCTS)]
    safe = [[f"'{cell}" if cell[:1] in "=+-@" and cell != "-" and cell else cell for cell in line] for line in lines]
    found = imported(actor, products_xlsx=xlsx_file(*safe, heads=("sku", "name", "category", "material")))
    assert found.counts == {"new": PRODUCTS}
    return actor.merchant


def exported(client, **data):
    """The file of an export of everything, however large."""
    response = client.post("/products/export/start", {"format": "xlsx", "words": "ko", **data})
    if response.status_code == 302:
        work()
        response = client.get(f"{response.url}/download")
    return b"".join(response.streaming_content)


def changed_by_hand(raw):
    """Change some cells as a person does, and say what each SKU became."""
    book = openpyxl.load_workbook(io.BytesIO(raw))
    sheet = book.active
    heads = {cell.value: place for place, cell in enumerate(sheet[1], 1)}
    said = {}
    for row in range(2, sheet.max_row + 1, 7):
        sku = sheet.cell(row, heads["SKU"]).value.removeprefix("'")
        kind = (row // 7) % 4
        if kind == 0:
            sheet.cell(row, heads["상품명"]).value = f"Renamed {row}"
            said[sku] = ("name", f"Renamed {row}")
        elif kind == 1:
            sheet.cell(row, heads["카테고리"]).value = "재킷"
            said[sku] = ("category", ("Jacket", "decided"))
        elif kind == 2:
            sheet.cell(row, heads["소재"]).value = "cotton"
            said[sku] = ("material", ("cotton", "decided"))
        else:
            sheet.cell(row, heads["소재"]).value = None  # leaves it as it is
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue(), said


def test_exactly_what_was_changed_in_the_spreadsheet_changes(shop, actor, client):
    before, decisions = snapshot(shop), Decision.objects.count()
    raw, said = changed_by_hand(exported(client))

    found = imported(actor, products_xlsx=raw)

    assert found.counts == {"change": len(said), "same": PRODUCTS - len(said)}
    after = snapshot(shop)
    assert set(after) == set(before)
    assert {sku for sku in after if after[sku] != before[sku]} == set(said)
    for sku, (what, new) in said.items():
        name, _status, _version, values = after[sku]
        old_name, _old_status, _old_version, old_values = before[sku]
        expected = dict(old_values) if what == "name" else dict(old_values) | {what: new}
        assert (name, dict(values)) == (new if what == "name" else old_name, expected)
    values_said = sum(what != "name" for what, _new in said.values())
    assert Decision.objects.count() == decisions + values_said


@pytest.mark.parametrize("data", [{"words": "en"}, {"words": "codes", "format": "csv"}, {"mapping": "google_apparel"}])
def test_a_file_that_nobody_changed_changes_nothing(shop, actor, client, data):
    before = snapshot(shop)
    ending = data.get("format", "xlsx")
    found = checked(actor, **{f"products_{ending}": exported(client, **data)})
    assert found.counts == {"same": PRODUCTS}
    sending.drop(actor=actor, found=found)
    assert snapshot(shop) == before


def test_a_zip_with_its_photos_changes_nothing_either(product, actor, client):
    add_images(actor=actor, product=product, files=[upload("x.jpg"), upload("x.jpg", color="navy")])
    found = checked(actor, products_zip=exported(client, format="zip", images="1"))
    assert found.counts == {"same": 1}
