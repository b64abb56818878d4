"""Choosing products of the list and doing the same to all of them, by mouse and by keyboard."""

import pytest
from playwright.sync_api import expect

from accounts.services import operations
from catalog.models import Product
from tests.support.seen_products import current_values, seen_product

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _photos(page):
    """The products of these tests are rows alone, without the files of their images."""
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="5"/>'
    page.context.route("**/media/**", lambda route: route.fulfill(content_type="image/svg+xml", body=drawn))


@pytest.fixture
def seen(merchant):
    return [seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.8)) for _n in range(4)]


def _statuses(merchant):
    return sorted(Product.objects.filter(merchant=merchant).values_list("status", flat=True))


def _boxes(page):
    return page.locator("#rows [data-pick]")


def test_publishing_what_was_chosen_and_undoing_it(page_of, bob, merchant, seen):
    page = page_of(bob)
    page.goto("/products/")
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    _boxes(page).nth(0).check()
    expect(bar).to_be_visible()
    _boxes(page).nth(2).click(modifiers=["Shift"])
    expect(page.locator("#bulk [data-number]")).to_have_text("3")
    page.get_by_role("button", name="Publish", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Publish: 3 products")
    assert _statuses(merchant) == ["to_review"] * 4
    page.keyboard.press("Enter")  # the button that does it has the focus
    toast = page.locator("#toasts .toast")
    expect(toast).to_contain_text("3 products published")
    expect(bar).to_be_hidden()
    assert _statuses(merchant) == ["published"] * 3 + ["to_review"]
    expect(page.locator(".bulk-last")).to_contain_text("last: 3 products published")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("undone for 3 products")
    assert _statuses(merchant) == ["to_review"] * 4


def test_setting_a_value_for_all_that_match_by_typing_it(page_of, bob, merchant, seen):
    page = page_of(bob)
    page.goto("/products/?status=to_review")
    page.locator("[data-pick-all]").focus()
    page.keyboard.press("Space")
    expect(page.locator("#bulk [data-number]")).to_have_text("4")
    page.locator("#bulk [data-all]").check()
    page.get_by_role("button", name="Set a value…").click()
    page.get_by_role("dialog").get_by_role("combobox").fill("coat")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Set the value").click()
    expect(page.locator("#toasts")).to_contain_text("value set for 4 products")
    assert {current_values(product)["category"] for product in seen} == {("decided", "Coat")}


def test_leaving_the_dialog_changes_nothing_and_keeps_what_was_chosen(page_of, bob, merchant, seen):
    page = page_of(bob)
    page.goto("/products/")
    _boxes(page).nth(1).check()
    archive = page.locator("#bulk").get_by_role("button", name="Archive")
    archive.click()
    page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(archive).to_be_focused()
    expect(_boxes(page).nth(1)).to_be_checked()
    assert _statuses(merchant) == ["to_review"] * 4


def test_many_show_their_progress_on_a_page_of_their_own(page_of, bob, merchant, seen, monkeypatch):
    monkeypatch.setattr("catalog.services.bulk.starting.AT_ONCE", 1)
    page = page_of(bob)
    page.goto("/products/")
    page.locator("[data-pick-all]").check()
    page.locator("#bulk").get_by_role("button", name="Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive (4)").click()
    expect(page.get_by_role("heading", name="Archive products")).to_be_visible()
    expect(page.locator("#bulk-live")).to_contain_text("0 of 4")
    operations.continue_some()
    expect(page.locator("#bulk-live")).to_contain_text("4 products archived")
    page.get_by_role("button", name="Undo all of it").click()
    expect(page.get_by_role("heading", name="Undo")).to_be_visible()
    operations.continue_some()
    expect(page.locator("#bulk-live")).to_contain_text("undone for 4 products")
    assert _statuses(merchant) == ["to_review"] * 4
