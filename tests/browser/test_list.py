"""The list of products in a browser: it filters, edits and follows without leaving the page."""

import re

import pytest
from playwright.sync_api import expect

from catalog.models import Product
from tests.support.factories import ProductFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db(transaction=True)

ROW = "[data-row]"


@pytest.fixture
def page(page_of, bob, merchant, product):
    """The list of a denim jacket that the model takes for one, and a linen shirt."""
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.41), material=("denim", 0.9)), chosen="Outer")
    ProductFactory(merchant=merchant, name="Linen shirt", sku="SH-7")
    page = page_of(bob)
    page.goto("/products/")
    return page


def test_it_filters_as_one_types_and_keeps_the_address(page):
    page.get_by_label("Search", exact=True).fill("jacket denim")

    expect(page.locator(ROW)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=jacket\+denim$"))
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.reload()
    expect(page.locator(ROW)).to_have_count(1)

    page.get_by_label("Search", exact=True).fill("")
    expect(page.locator(ROW)).to_have_count(2)
    page.locator("summary", has_text="Category").first.click()
    page.get_by_label("Outerwear", exact=True).check()
    expect(page.locator(ROW)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?category=Outer$"))


def test_on_a_phone_the_filters_wait_behind_a_button(page):
    page.set_viewport_size({"width": 390, "height": 844})
    button, order = page.get_by_role("button", name="Filters"), page.get_by_label("Order", exact=True)
    expect(order).to_be_hidden()
    expect(button).to_have_attribute("aria-expanded", "false")

    button.click()
    page.locator("summary", has_text="Category").first.click()
    page.get_by_label("Outerwear", exact=True).check()
    expect(page.locator(ROW)).to_have_count(1)
    button.click()
    expect(order).to_be_hidden()
    expect(button).to_have_text("Filters 1")

    page.set_viewport_size({"width": 1280, "height": 844})
    expect(order).to_be_visible()
    expect(button).to_be_hidden()


@pytest.mark.failing_requests
def test_it_edits_a_name_and_says_in_place_why_an_sku_is_refused(page, product):
    row = page.locator(f"#row-{product.public_id}")
    row.get_by_role("button", name="Change the name").click()
    row.get_by_label("Name", exact=True).fill("Suede coat")
    page.keyboard.press("Enter")
    expect(row.get_by_role("link", name="Suede coat")).to_be_visible()
    expect(row.locator("[data-edit=name]")).to_be_focused()

    row.locator("[data-edit=sku]").click()
    row.get_by_label("SKU", exact=True).fill("sh-7")
    page.keyboard.press("Enter")
    expect(row.get_by_role("alert")).to_contain_text("Another product of this shop has this SKU")
    page.keyboard.press("Escape")
    expect(row.locator("[data-edit=sku]")).to_have_text("AJ-1042")
    product.refresh_from_db()
    assert (product.name, product.sku) == ("Suede coat", "AJ-1042")


def test_it_sets_a_value_by_typing_and_takes_it_back(page, product):
    cell = page.locator(f"#row-{product.public_id} [data-edit=category]")
    cell.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("coat")
    page.keyboard.press("Enter")
    expect(cell).to_have_text("Coat")
    expect(cell).to_be_focused()

    page.locator("#toasts").get_by_role("button", name="Undo").click()

    expect(cell).to_contain_text("Jacket")
    expect(cell).to_contain_text("41% unsure")


def test_it_follows_what_happens(page, product, merchant):
    row = page.locator(f"#row-{product.public_id}")
    Product.objects.filter(pk=product.pk).update(failed_images=1)
    ProductFactory(merchant=merchant, name="Just came in")

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when the tab is looked at again

    expect(row).to_contain_text("1 photo failed")
    expect(page.get_by_role("link", name="1 new product")).to_be_visible()
    expect(page.locator(ROW)).to_have_count(2)
