"""Boxes that open over a page: each can be reached with its buttons, and Escape closes it."""

import pytest
from playwright.sync_api import expect

from catalog.models import ProductImage
from tests.support.drawn_images import upload
from tests.support.factories import MembershipFactory, MerchantFactory
from webhooks.services import create_endpoint

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = [(1280, 720), (390, 700)]


@pytest.fixture
def product(client_of, alice, product):
    """One image is left, three were removed."""
    files = [upload(f"{color}.jpg", color=color, size=(600, 900)) for color in ("red", "navy", "green", "white")]
    client_of(alice).post(f"/products/{product.public_id}/images", {"images": files})
    for image in product.images.current()[1:]:
        client_of(alice).post(f"/products/{product.public_id}/images/{image.public_id}/remove")
    assert ProductImage.objects.exclude(archived_at=None).count() == 3
    return product


@pytest.mark.parametrize("size", SIZES)
def test_every_removed_image_can_be_deleted_for_good(page_of, alice, product, size):
    page = page_of(alice)
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.goto(f"/products/{product.public_id}")
    page.get_by_text("3 removed photos").click()
    confirm = page.locator(".removed .confirm").last
    page.evaluate("scrollTo(0, 99999)")
    button = confirm.get_by_role("button", name="Delete this photo for good")

    confirm.locator("summary").click()
    expect(button).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(button).to_be_hidden()
    expect(confirm.locator("summary")).to_be_focused()
    confirm.locator("summary").click()
    button.click()

    expect(page.get_by_text("2 removed photos")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_what_settings_ask_before_doing_it_is_on_the_screen(page_of, alice, merchant, api_key, actor_of, width):
    endpoint = create_endpoint(
        actor=actor_of(alice), merchant=merchant, url="https://shop.example/", description="", types=[]
    )
    page = page_of(alice)
    page.set_viewport_size({"width": width, "height": 740})
    for address in ("/settings/", f"/settings/webhooks/{endpoint.public_id}/"):
        page.goto(address)
        for confirm in page.locator("main .confirm").all():
            confirm.locator("summary").click()
            box = confirm.locator("form").bounding_box()
            assert box["x"] >= 0, (address, confirm.inner_text())
            assert box["x"] + box["width"] <= width, (address, confirm.inner_text())
            page.keyboard.press("Escape")


def test_escape_closes_the_list_of_merchants(page_of, alice):
    MembershipFactory(user=alice, merchant=MerchantFactory(name="Second merchant"))
    page = page_of(alice)
    page.goto("/")
    page.locator(".menu summary").click()
    expect(page.get_by_role("button", name="Second merchant")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Second merchant")).to_be_hidden()


def test_nothing_covers_what_the_list_opens(page_of, alice, product):
    page = page_of(alice)
    page.goto("/products/")
    for menu in page.locator("main details.menu").all():
        menu.locator("summary").click()
        for control in menu.locator("input:not([type=hidden]), select, button").all():
            if control.is_visible():
                control.click(trial=True, timeout=5_000)
        page.keyboard.press("Escape")
