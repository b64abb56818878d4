"""The page of one product by keyboard and by hand: nothing typed is lost, nothing doubtful is accepted unseen."""

import re

import pytest
from playwright.sync_api import expect

from catalog.models import Decision, Product, ProductImage
from classifier.jobs import batches
from tests.support.comboboxes import choose, combobox
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.seen_products import current_values, seen_product

pytestmark = pytest.mark.django_db(transaction=True)

JACKET = {"category": {"Jacket": 0.94}, "material": {"denim": 0.39, "knit": 0.2}, "box": (0.2, 0.1, 0.8, 0.6)}
JEANS = {"category": {"Jeans": 0.9}, "material": "denim", "box": (0.3, 0.6, 0.7, 0.95)}
SHIFTS = """
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture
def page(page_of, client_of, alice, product, monkeypatch):
    """A denim jacket over jeans in two photos, as its owner sees it: of its material the model is unsure."""
    files = [upload("front.jpg", size=(600, 900)), upload("back.jpg", color="navy", size=(900, 600))]
    client_of(alice).post(f"/products/{product.public_id}/images", {"images": files})
    serve(monkeypatch, StubEngine(garment(**JACKET), garment(**JEANS)))
    batches.classify_waiting()
    page = page_of(alice)
    page.add_init_script(SHIFTS)
    page.goto(f"/products/{product.public_id}")
    return page


def _posts(page):
    """What the page sends to save from now on."""
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/review") else None)
    return sent


@pytest.mark.failing_requests
def test_it_goes_from_the_proposal_to_the_public_by_keyboard(page, product):
    sent = _posts(page)
    page.get_by_label("Name", exact=True).fill("Blue jacket")
    combobox(page, "Category").focus()
    page.keyboard.type("ㅋㅌ")  # 코트, in a page in English
    expect(page.get_by_role("listbox", name="Category").get_by_role("option").first).to_have_text(re.compile("Coat"))
    page.keyboard.press("Enter")
    expect(combobox(page, "Category")).to_have_value("Coat")
    expect(page.get_by_role("button", name="Jacket 94%")).to_be_visible()  # the model's opinion, one click away
    page.keyboard.type("자켓")
    page.keyboard.press("Escape")
    expect(combobox(page, "Category")).to_have_value("Coat")

    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").filter(has_text="Not certain yet: Material")).to_be_visible()
    confirm = page.get_by_role("checkbox", name="Confirm Material: Denim")
    expect(confirm).to_be_focused()
    assert Product.objects.get().status == "to_review"
    page.keyboard.press("Enter")
    expect(confirm).to_be_checked()

    del sent[:]
    page.evaluate("window.notReloaded = true")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("Published.")
    expect(page.locator("#state")).to_contain_text("published")
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()
    assert len(sent) == 1
    assert page.evaluate("window.notReloaded && document.activeElement !== document.body")
    product.refresh_from_db()
    assert (product.name, product.status) == ("Blue jacket", "published")
    assert current_values(product)["category"] == ("decided", "Coat")
    assert current_values(product)["material"] == ("decided", "denim")

    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#state")).to_contain_text("to review")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Oversized denim jacket")
    assert page.evaluate("window.shifted") < 0.02


@pytest.mark.failing_requests
def test_a_garment_that_cannot_be_shown_is_not_chosen(page, product):
    jacket, jeans = page.locator("#garment-Outer"), page.locator("#garment-Bottom")
    expect(jacket).to_be_checked()
    page.route("**/values?*", lambda route: route.abort())
    jeans.click()
    expect(page.locator(".failure")).to_contain_text("offline")
    expect(jacket).to_be_checked()
    expect(combobox(page, "Category")).to_have_value("Jacket")

    page.unroute("**/values?*")
    page.get_by_role("button", name="Try again").click()
    expect(combobox(page, "Category")).to_have_value("Jeans")
    expect(jeans).to_be_checked()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    product.refresh_from_db()
    assert product.top_category.code == "Bottom"


@pytest.mark.failing_requests
def test_what_was_chosen_outlives_the_session(page, alice, product):
    choose(page, "Material", "Silk")
    page.get_by_label("Name", exact=True).fill("Typed before")
    page.context.clear_cookies(name="sessionid")

    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill("correct horse battery")
    dialog.get_by_role("button", name="Log in and go on").click()

    expect(page.locator("#toasts")).to_contain_text("Saved.")
    product.refresh_from_db()
    assert product.name == "Typed before"
    assert Decision.objects.get(attribute__code="material").value.code == "silk"


def test_a_removed_photo_comes_back_from_the_toast(page):
    page.locator(".strip a").last.click()
    page.locator(".photo:not([hidden])").get_by_role("button", name="Remove").click()
    toast = page.locator("#toasts .toast", has_text="back.jpg was removed.")
    expect(page.locator(".strip a")).to_have_count(0)
    assert ProductImage.objects.current().count() == 1
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".strip a")).to_have_count(2)
    assert ProductImage.objects.current().count() == 2


def test_a_garment_that_is_pointed_at_is_lit_in_every_photo(page):
    page.locator("label.garment-2").hover()
    expect(page.locator(".stage .veil.lit")).to_have_count(2)
    lit = page.locator(".photo:not([hidden]) .veil.lit")
    assert lit.get_attribute("data-garment") == "2"
    fills = lit.locator(".edge").evaluate("(edge) => getComputedStyle(edge).fill")
    assert fills == "none"  # its own colours stay as they are
    page.get_by_role("heading", name="History").hover()
    expect(page.locator(".veil.lit")).to_have_count(0)


def test_back_shows_what_is_saved_now(page, client_of, alice, product):
    page.get_by_role("link", name="Products").first.click()
    page.wait_for_url("**/products/")
    product.refresh_from_db()
    data = {"version": product.version, "action": "save", "value-category": "Coat", "name": "Renamed elsewhere"}
    client_of(alice).post(f"/products/{product.public_id}/review", data)
    page.go_back()
    expect(combobox(page, "Category")).to_have_value("Coat")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Renamed elsewhere")


def test_one_change_is_undone_from_the_history(page, product):
    choose(page, "Category", "Coat")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#values")).to_contain_text("Coat: decided by alice")
    page.get_by_role("button", name=re.compile("Undo.*Category: Coat")).click()
    expect(combobox(page, "Category")).to_have_value("Jacket")
    assert current_values(product)["category"] == ("proposed", "Jacket")


def test_on_a_phone_the_choices_come_after_a_small_photo(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    stage, choices = page.locator(".stage").bounding_box(), page.locator("#garments").bounding_box()
    assert stage["height"] <= 0.45 * 844
    assert choices["y"] < 844
    assert page.locator("#images-more").bounding_box()["y"] > choices["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.failing_requests
def test_on_a_phone_what_is_doubtful_is_said_where_it_is(page, product):
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.get_by_role("radio").first.check()
    expect(page.get_by_role("link", name="To confirm")).to_be_in_viewport(ratio=1)  # before anything is refused
    page.locator("#publish").click()
    line = page.locator(".value-field[data-attribute=material]")
    expect(line.locator(".refusal")).to_contain_text("Not certain yet: Material.")
    expect(line.locator(".refusal")).to_be_in_viewport(ratio=1)
    line.locator(".look").click()
    expect(line.locator(".refusal")).to_have_count(0)
    expect(page.get_by_role("link", name="To confirm")).to_be_hidden()
    before, button = line.bounding_box()["y"], page.locator("#publish").bounding_box()
    page.mouse.click(button["x"] + 9, button["y"] + 9)
    expect(page.locator("#state .status")).to_contain_text("published")
    assert line.bounding_box()["y"] == pytest.approx(before, abs=1)  # the history below got longer


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_the_buttons_keep_their_words_whole(page, merchant, width):
    for _number in range(11):  # so that the place among them has two digits
        seen_product(merchant, category=("Jacket", 0.5))
    page.set_viewport_size({"width": width, "height": 640})
    page.reload()
    expect(page.get_by_role("link", name="To confirm")).to_be_visible()
    assert page.locator(".head-bar").bounding_box()["height"] < 70  # three lines of English
    assert page.locator(".head-bar #publish").bounding_box()["width"] > 50
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("lines", [1, 3])
def test_on_a_phone_the_tools_are_as_high_as_what_is_said_beside_them(page, lines):
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.locator(".photo figcaption").first.evaluate(
        "(caption, lines) => { caption.style.minHeight = `${3 * lines}rem`; }", lines
    )
    tools, caption = (page.locator(f".photo {part}").first.bounding_box() for part in (".box-tools", "figcaption"))
    assert (tools["y"], tools["height"]) == pytest.approx((caption["y"], caption["height"]), abs=1)


def test_a_garment_s_line_says_nothing_else_than_what_is_chosen(page):
    page.get_by_role("radio").first.check()
    cell = page.locator(".garment:has(:checked) [data-cell=category]")
    expect(cell).to_be_visible()
    choose(page, "Category", "Coat")
    expect(cell).to_be_hidden()
    choose(page, "Category", "Jacket")
    expect(cell).to_be_visible()


def test_a_few_letters_find_a_value(page):
    """Korean and English, other names, initial consonants, a syllable that is still being typed, words in any order."""
    jacket = {"code": "Jacket", "name": "재킷", "aliases": ["Jacket", "자켓", "blazer"]}
    found = page.evaluate(
        """async ([entry, queries]) => {
            const { match } = await import("/static/js/matching.js");
            return queries.map((query) => match(query, entry));
        }""",
        [jacket, ["재킷", "ㅈㅋ", "자켓", "재ㅋ", "jack", "JACKET", "blaz", "켓", "코트", "ㄷㄴ", ""]],
    )
    assert found[0] > found[1] > 0
    assert all(score > 0 for score in found[:8])
    assert found[8:] == [0, 0, 0]
