"""Choosing products in the list and taking them away as a file; and the pages of an export, for everybody."""

import csv

import pytest
from playwright.sync_api import expect

from accounts.services import operations
from catalog.services import mappings
from catalog.services.exports import running
from tests.support.page_checks import axe, too_wide
from tests.support.seen_products import seen_product

pytestmark = pytest.mark.django_db(transaction=True)

WIDTHS = {1280: 800, 390: 844, 320: 640}


@pytest.fixture(autouse=True)
def _photos(page):
    """The products of these tests are rows alone, without the files of their images."""
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="5"/>'
    page.context.route("**/media/**", lambda route: route.fulfill(content_type="image/svg+xml", body=drawn))


def _check(page):
    """Nothing is wrong with the page in any width."""
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        assert axe(page) == [], width
        assert not too_wide(page), width
    page.set_viewport_size({"width": 1280, "height": 800})


def test_chosen_products_leave_as_a_file_with_a_marketplaces_categories(page_of, bob, merchant):
    mappings.load_shipped()
    products = [seen_product(merchant, category=(code, 0.9)) for code in ("Jacket", "Zipup", "Coat")]
    page = page_of(bob)
    page.goto("/products/")
    for product in products[:2]:
        page.locator(f'[data-pick][value="{product.public_id}"]').check()
    page.locator("#bulk").get_by_role("button", name="Export").click()
    expect(page.locator("form.export")).to_contain_text("2 products")
    page.get_by_label("Also as a marketplace's categories").select_option("naver_women")
    page.get_by_role("button", name="Show what it says").click()
    expect(page.locator(".export-preview")).to_contain_text("These values have no counterpart")
    _check(page)

    page.get_by_label("codes").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        lines = {line["sku"]: line["naver_women"] for line in csv.DictReader(file)}
    assert lines == {products[0].sku: "50021360", products[1].sku: ""}
    with page.expect_download():  # once more from the same page
        page.get_by_role("button", name="XLSX", exact=True).click()


def test_a_large_export_shows_how_far_it_is_and_then_its_file(page_of, bob, merchant, monkeypatch):
    monkeypatch.setattr(running, "AT_ONCE", 1)
    for _number in range(2):
        seen_product(merchant, category=("Jacket", 0.9))
    page = page_of(bob)
    page.goto("/products/")
    page.get_by_role("link", name="Export").click()
    page.get_by_role("button", name="XLSX", exact=True).click()
    expect(page.locator("#bulk-live")).to_contain_text("waiting")
    _check(page)
    operations.continue_long()
    expect(page.locator("#bulk-live")).to_contain_text("done")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    _check(page)
