"""Registering a product: images in by whatever way, put in order, and nothing before the person says so."""

import base64

import pytest
from playwright.sync_api import expect

from catalog.models import DraftImage, Product, UploadDraft
from tests.support.drawn_images import photo

pytestmark = pytest.mark.django_db(transaction=True)

DROP = """(files) => {
    const transfer = new DataTransfer();
    for (const [name, type, data] of files) {
        transfer.items.add(new File([Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))], name, { type }));
    }
    const event = { dataTransfer: transfer, clipboardData: transfer, bubbles: true, cancelable: true };
    document.body.dispatchEvent(KIND);
}"""


def chosen(name, data=None, color="firebrick"):
    return {"name": name, "mimeType": "image/jpeg", "buffer": photo(color) if data is None else data}


def bring(page, kind, *files):
    """Drop or paste files on the page, as from the desktop."""
    event = {"drop": 'new DragEvent("drop", event)', "paste": 'new ClipboardEvent("paste", event)'}[kind]
    sent = [(file["name"], file["mimeType"], base64.b64encode(file["buffer"]).decode()) for file in files]
    page.evaluate(DROP.replace("KIND", event), sent)


def kept(page):
    return page.locator(".file[data-state=kept]")


def names(page):
    return page.locator(".file .file-name").all_inner_texts()


@pytest.fixture
def form(page_of, alice):
    """The page for a new product."""
    page = page_of(alice)
    page.goto("/products/new/")
    return page


def test_it_registers_a_product_of_four_images(form):
    files = [chosen(f"{name}.jpg", color=name) for name in ("red", "navy", "olive", "teal")]
    form.locator("#images").set_input_files(files)
    expect(kept(form)).to_have_count(4)
    assert not Product.objects.exists()

    form.get_by_role("button", name="Register and check").click()

    form.wait_for_url("**/products/*")
    product = Product.objects.get()
    assert form.url.endswith(f"/products/{product.public_id}")
    assert [image.original_name for image in product.images.current()] == [file["name"] for file in files]
    assert not UploadDraft.objects.exists()


@pytest.mark.parametrize("where", ["new", "product"])
def test_images_that_are_chosen_before_the_scripts_are_there_are_not_lost(page_of, alice, product, where):
    page = page_of(alice)
    held = []
    come = False
    page.route("**/*.js", lambda route: route.continue_() if come else held.append(route))
    page.goto("/products/new/" if where == "new" else f"/products/{product.public_id}", wait_until="commit")
    page.locator("input[type=file]").first.set_input_files([chosen("early.jpg"), chosen("letter.jpg", b"Dear all")])

    come = True
    for route in held:
        route.continue_()

    expect(page.locator(".file[data-state=refused]")).to_contain_text("This is not a photo.")
    expect(kept(page) if where == "new" else page.locator(".photo:not([hidden])")).to_contain_text("early.jpg")


def test_images_come_by_drop_paste_and_choice_and_in_the_order_that_is_wanted(form):
    bring(form, "drop", chosen("front.jpg"), chosen("letter.pdf", b"%PDF-1.4 Dear all"))
    expect(form.locator(".file[data-state=refused]")).to_contain_text("PDF files cannot be stored")
    bring(form, "paste", chosen("back.jpg", color="navy"))
    form.locator("#images").set_input_files([chosen("label.jpg", color="olive")])
    expect(kept(form)).to_have_count(3)
    form.get_by_role("button", name="Remove letter.pdf").click()
    assert names(form) == ["front.jpg", "back.jpg", "label.jpg"]

    form.get_by_role("button", name="label.jpg: move it").press("Home")
    expect(form.locator("[data-said]")).to_have_text("label.jpg is photo 1 now")
    form.get_by_role("button", name="Move front.jpg back").click()
    assert names(form) == ["label.jpg", "back.jpg", "front.jpg"]

    # by the mouse: the last one in front of the second
    start, end = (form.locator(".file .preview").nth(place).bounding_box() for place in (2, 1))
    form.mouse.move(start["x"] + 40, start["y"] + 40)
    form.mouse.down()
    form.mouse.move(end["x"] + 20, end["y"] + 30, steps=8)
    form.mouse.up()
    assert names(form) == ["label.jpg", "front.jpg", "back.jpg"]

    form.get_by_label("Name").fill("Red jacket")
    form.get_by_label("SKU").fill("AJ-7")
    form.get_by_role("button", name="Register and check").click()
    form.wait_for_url("**/products/*")
    product = Product.objects.get()
    assert (product.name, product.sku) == ("Red jacket", "AJ-7")
    assert [image.original_name for image in product.images.current()] == ["label.jpg", "front.jpg", "back.jpg"]


def test_a_reload_goes_on_with_the_same_draft(form):
    form.locator("#images").set_input_files([chosen("front.jpg"), chosen("back.jpg", color="navy")])
    expect(kept(form)).to_have_count(2)
    form.get_by_label("Name").fill("Red jacket")
    with form.expect_response("**/save"):
        form.get_by_label("Name").press("Tab")
    with form.expect_response("**/save"):
        form.get_by_role("button", name="Move back.jpg forward").click()

    form.reload()

    expect(kept(form)).to_have_count(2)
    assert names(form) == ["back.jpg", "front.jpg"]
    expect(form.get_by_label("Name")).to_have_value("Red jacket")
    form.get_by_role("button", name="Remove back.jpg").click()
    expect(kept(form)).to_have_count(1)
    form.goto("/products/new/")
    form.get_by_role("link", name="Go on with 1 photo from").click()
    expect(kept(form)).to_have_count(1)
    form.get_by_role("button", name="Discard", exact=True).click()
    expect(form.locator(".file")).to_have_count(0)
    assert not UploadDraft.objects.exists()
    assert not Product.objects.exists()


def test_two_quick_clicks_make_one_product(form):
    form.locator("#images").set_input_files([chosen("front.jpg")])
    expect(kept(form)).to_have_count(1)

    form.get_by_role("button", name="Register and check").dblclick(no_wait_after=True)

    form.wait_for_url("**/products/*")
    assert Product.objects.count() == 1


def test_the_next_product_may_begin_while_uploads_go_on(form):
    held = []
    form.route("**/images", lambda route: held.append(route))
    form.locator("#images").set_input_files([chosen("front.jpg")])
    form.get_by_label("Name").fill("First")
    form.get_by_role("button", name="Register, next product").click()
    expect(form.get_by_label("Name")).to_have_value("")
    expect(form.locator(".earlier-products")).to_contain_text("0 / 1 stored")
    for route in held:
        route.continue_()
    form.unroute("**/images")

    expect(form.locator(".earlier-products")).to_contain_text("registered")
    form.locator("#images").set_input_files([chosen("back.jpg", color="navy")])
    expect(kept(form)).to_have_count(1)
    form.get_by_label("Name").fill("Second")
    form.get_by_role("button", name="Register, next product").click()
    expect(form.locator(".earlier-products li .earlier-state", has_text="registered")).to_have_count(2)
    form.locator(".earlier-products").get_by_role("link", name="First").click()
    form.wait_for_url("**/products/*")
    assert set(Product.objects.values_list("name", flat=True)) == {"First", "Second"}


@pytest.mark.failing_requests
def test_what_was_not_stored_offline_says_so_and_comes_by_itself(form):
    form.context.set_offline(True)
    form.locator("#images").set_input_files([chosen("front.jpg"), chosen("back.jpg", color="navy")])
    expect(form.locator(".file[data-state=broken]")).to_have_count(2)
    expect(form.locator(".file[data-state=broken]").first).to_contain_text("You are offline")
    expect(form.locator("#connection")).to_contain_text("You are offline")
    expect(form.get_by_role("button", name="Try all again")).to_be_visible()
    assert not DraftImage.objects.exists()

    form.context.set_offline(False)

    expect(kept(form)).to_have_count(2)
    expect(form.locator("#connection")).to_be_empty()


@pytest.mark.failing_requests
def test_a_taken_sku_is_said_beside_it_and_costs_nothing(form, product):
    form.locator("#images").set_input_files([chosen("front.jpg")])
    expect(kept(form)).to_have_count(1)
    form.get_by_label("SKU").fill(product.sku)

    form.get_by_role("button", name="Register and check").click()

    expect(form.locator("#sku-problem")).to_contain_text("Another product of this shop has this SKU already.")
    form.get_by_label("SKU").fill("AJ-8")
    form.get_by_role("button", name="Register and check").click()
    form.wait_for_url("**/products/*")
    assert Product.objects.filter(sku="AJ-8").exists()


@pytest.mark.failing_requests
def test_it_stays_until_one_knows_what_was_not_stored(form):
    held = []
    form.locator("#images").set_input_files([chosen("front.jpg")])
    expect(kept(form)).to_have_count(1)
    form.route("**/images", lambda route: held.append(route))
    form.locator("#images").set_input_files([chosen("back.jpg", color="navy")])
    form.get_by_role("button", name="Register and check").click()
    expect(form.locator(".underway")).to_be_visible()
    held[0].fulfill(status=502, body="no page of ours")  # as a proxy would break in

    expect(form.locator("[data-problem]")).to_contain_text("Not everything was stored.")
    assert not Product.objects.exists()
    form.unroute("**/images")
    form.get_by_role("button", name="Try again").click()
    expect(kept(form)).to_have_count(2)
    form.get_by_role("button", name="Register and check").click()
    form.wait_for_url("**/products/*")
    assert Product.objects.get().images.count() == 2


@pytest.mark.failing_requests
def test_logged_out_in_the_middle_loses_nothing(form, alice):
    form.locator("#images").set_input_files([chosen("front.jpg")])
    expect(kept(form)).to_have_count(1)
    form.context.clear_cookies(name="sessionid")
    form.get_by_label("Name").fill("Red jacket")
    form.get_by_label("SKU").click()

    dialog = form.get_by_role("dialog", name="Log in again")
    dialog.get_by_label("Password").fill("correct horse battery")
    dialog.get_by_role("button", name="Log in and go on").click()
    expect(dialog).to_be_hidden()
    form.get_by_role("button", name="Register and check").click()

    form.wait_for_url("**/products/*")
    assert Product.objects.get().name == "Red jacket"
