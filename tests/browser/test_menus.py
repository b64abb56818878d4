"""Boxes that open over a page: each can be reached with its buttons, and Escape closes it."""

import pytest
from playwright.sync_api import expect

from catalog.models import ProductImage
from tests.support.drawn_images import upload
from tests.support.factories import MembershipFactory, MerchantFactory

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


def test_escape_closes_the_list_of_merchants(page_of, alice):
    MembershipFactory(user=alice, merchant=MerchantFactory(name="Second merchant"))
    page = page_of(alice)
    page.goto("/")
    page.locator(".menu summary").click()
    expect(page.get_by_role("button", name="Second merchant")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Second merchant")).to_be_hidden()
