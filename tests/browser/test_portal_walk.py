"""The main job by hand: images in, result without reloading, corrected, saved."""

import base64

import pytest
from playwright.sync_api import expect

from catalog.models import Attribute, AttributeValue, Product
from classifier.jobs import batches
from tests.support.comboboxes import choose, combobox
from tests.support.drawn_images import photo, upload

pytestmark = pytest.mark.django_db(transaction=True)


def _file(name, data):
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def _drop(page, name, data):
    """Drop a file on the page, as from the desktop."""
    page.evaluate(
        """([name, data]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
            const event = { dataTransfer: transfer, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", event));
        }""",
        [name, base64.b64encode(data).decode()],
    )


def _log_in(page, user):
    page.goto("/")
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": page.url}])
    page.goto("/")
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in", exact=True).click()


def test_it_takes_a_product_from_images_to_saved_values(page, alice, settings, network_weights):
    settings.WEIGHTS_DIR = network_weights
    _log_in(page, alice)

    page.get_by_label("Name").fill("Red jacket")
    page.locator("#images").set_input_files([_file("front.jpg", photo()), _file("letter.jpg", b"Dear all")])
    expect(page.locator(".file[data-state=refused]")).to_contain_text("This is not a photo.")
    _drop(page, "back.jpg", photo("navy"))
    expect(page.locator(".file[data-state=kept]")).to_have_count(2)
    page.get_by_role("button", name="Register and check").click()

    expect(page.get_by_role("heading", name="Red jacket")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("waiting: place 1 in the queue")
    product = Product.objects.get()
    assert [image.original_name for image in product.images.current()] == ["front.jpg", "back.jpg"]

    page.evaluate("window.notReloaded = true")
    choose(page, "Material", "Silk")
    assert batches.classify_waiting() == 2

    expect(page.locator("#live")).to_contain_text("classified in")
    expect(page.locator(".photo:not([hidden]) .box").first).to_be_attached()
    expect(page.locator("#garment-none")).to_be_visible()
    assert page.evaluate("window.notReloaded")
    expect(combobox(page, "Material")).to_have_value("Silk")  # what the person did stays
    assert page.locator("#live").get_attribute("hx-trigger") == "refresh"  # the page no longer asks

    page.locator(".garment input").first.check()
    choose(page, "Category", "Vest")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator("#toasts")).to_contain_text("Saved.")
    expect(page.locator("#values")).to_contain_text("Vest: decided by alice")
    product.refresh_from_db()
    assert product.status == Product.Status.READY


def test_it_adds_images_to_a_product_without_reloading(page, alice, product, client_of):
    client_of(alice).post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})
    _log_in(page, alice)
    page.goto(f"/products/{product.public_id}")
    page.evaluate("window.notReloaded = true")

    page.locator("input[type=file]").set_input_files([_file("back.jpg", photo("navy"))])

    expect(page.locator(".strip a")).to_have_count(2)
    page.locator(".strip a").last.click()
    expect(page.locator(".photo:not([hidden])")).to_contain_text("back.jpg")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".photo:not([hidden])")).to_contain_text("front.jpg")
    assert page.evaluate("window.notReloaded")


def test_it_hides_the_attributes_that_a_category_does_not_have(page, alice, product):
    category = Attribute.objects.get(code="category")
    AttributeValue.objects.create(attribute=category, code="Hat", name_ko="모자", name_en="Hat")
    _log_in(page, alice)
    page.goto(f"/products/{product.public_id}")
    sleeve = combobox(page, "Sleeve length")

    for chosen, has_sleeves in (("Jeans", False), ("Jacket", True), ("Hat", False), ("— not set —", True)):
        choose(page, "Category", chosen)
        expect(sleeve).to_be_visible(visible=has_sleeves)
