"""Sending a folder's files and a table, looking at what would happen, importing it: as a person does."""

import pytest
from playwright.sync_api import expect

from catalog.models import Product
from tests.support.import_files import csv_file, photos, work
from tests.support.page_checks import axe, too_wide

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = (1280, 390, 320)


def _checked(page, where):
    """What is wrong with the page as it is, in each width."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert (where, width, axe(page)) == (where, width, [])
        assert (where, width, too_wide(page)) == (where, width, [])
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_person_sends_looks_and_imports(page_of, bob, merchant, tmp_path):
    paths = []
    rows = [(f"A-{n}", "Wool coat " * (n + 1), "Coat", "", "", "") for n in range(3)]
    for name, data in {"list.csv": csv_file(*rows, ("", "x", "", "", "", "")), **photos("A-1_1.jpg")}.items():
        (tmp_path / name).write_bytes(data)
        paths.append(tmp_path / name)
    page = page_of(bob)
    page.goto("/products/")
    page.get_by_role("link", name="Import", exact=True).click()
    _checked(page, "start")
    page.get_by_text("What the files look like").click()
    page.locator("#import-files").set_input_files(paths)
    page.get_by_role("button", name="Check", exact=True).click()
    page.wait_for_url("**/products/import/*")
    expect(page.locator("#import-live")).to_contain_text("being checked")
    work()
    expect(page.locator("h1")).to_have_text("What the import would do")
    expect(page.locator(".import-lines")).to_contain_text("The line has no SKU.")
    page.get_by_text("Columns", exact=True).first.click()
    _checked(page, "checked")
    assert not Product.objects.exists()

    page.get_by_role("button", name="Import 3 products").click()
    expect(page.locator("#import-pause")).to_be_visible()
    _checked(page, "under way")
    work()
    expect(page.locator("h1")).to_have_text("Import: done")
    _checked(page, "over")
    assert {one.sku: one.images.count() for one in Product.objects.all()} == {"A-0": 0, "A-1": 1, "A-2": 0}
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report").click()
    assert download.value.suggested_filename == "import-report.csv"


@pytest.mark.failing_requests
def test_what_is_refused_is_said_beside_the_form(page_of, bob, tmp_path):
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))
    page = page_of(bob)
    page.goto("/products/import/")
    page.locator("#import-files").set_input_files([tmp_path / "old.xls"])
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("[data-problem]")).to_contain_text("old Excel file")
