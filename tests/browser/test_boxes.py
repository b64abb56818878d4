"""Drawing garments on a photo by mouse and by keyboard, until the worker says what they are."""

import pytest
from playwright.sync_api import expect

from accounts.actors import system
from catalog.models import Product
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Garment
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.page_checks import axe, too_wide

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nothing_found(product, monkeypatch):
    """A product whose photo shows no garment that the models know, and a worker that takes drawn ones for jeans."""
    serve(monkeypatch, StubEngine(drawn=garment({"Jeans": 0.94}, material="denim")))
    add_images(actor=system(), product=product, files=[upload("front.jpg")])
    batches.classify_waiting()
    return product


def _drag(page, start, end, target=".photo:not([hidden]) .frame"):
    """Drag with the mouse between two points, in fractions of the photo."""
    box = page.locator(target).bounding_box()
    (x1, y1), (x2, y2) = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end))
    page.mouse.move(x1, y1)
    page.mouse.down()
    page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
    page.mouse.move(x2, y2)
    page.mouse.up()


def _stored(page):
    """Wait for the answer to a change: the box says that it is being described before the server knows of it."""
    return page.expect_response(lambda answer: "/boxes" in answer.url and answer.request.method == "POST")


def _drawn():
    return [
        tuple(round(edge, 2) for edge in (row.x1, row.y1, row.x2, row.y2))
        for row in Garment.objects.drawn().order_by("pk")
    ]


def test_it_draws_moves_resizes_and_takes_back_by_mouse(page_of, alice, nothing_found):
    page = page_of(alice)
    page.goto(f"/products/{nothing_found.public_id}")
    page.evaluate("window.notReloaded = true")
    page.get_by_role("button", name="Draw the garment").click()

    with _stored(page):
        _drag(page, (0.2, 0.2), (0.6, 0.7))

    expect(page.locator(".box-edit")).to_contain_text("classifying…")
    expect(page.locator("#live")).to_contain_text("classifying")
    assert _drawn() == [(0.2, 0.2, 0.6, 0.7)]
    batches.classify_waiting()
    expect(page.locator(".box-edit")).to_contain_text("Jeans 94%")
    expect(page.locator("[data-said]").first).to_contain_text("Jeans 94%")
    expect(page.locator("#review .garment-1")).to_contain_text("Jeans")  # it is a candidate, without reloading

    with _stored(page):
        _drag(page, (0.4, 0.45), (0.5, 0.55))
    expect(page.locator(".box-edit")).to_contain_text("classifying…")
    batches.classify_waiting()
    expect(page.locator(".box-edit")).to_contain_text("Jeans 94%")
    assert _drawn() == [(0.3, 0.3, 0.7, 0.8)]
    with _stored(page):
        _drag(page, (0.7, 0.8), (0.9, 0.95))
    expect(page.locator(".box-edit")).to_contain_text("classifying…")
    page.locator(".box-bar [data-do=undo]").click()
    expect(page.locator("[data-said]").first).to_contain_text("Taken back.")
    assert _drawn() == [(0.3, 0.3, 0.7, 0.8)]

    page.get_by_role("button", name="Done").click()
    expect(page.locator(".box-layer")).to_have_count(0)
    expect(page.get_by_role("button", name="Correct the frames")).to_be_focused()
    assert page.evaluate("window.notReloaded")


def test_it_does_all_of_it_by_keyboard(page_of, alice, nothing_found):
    page = page_of(alice)
    page.goto(f"/products/{nothing_found.public_id}")
    edit = page.get_by_role("button", name="Correct the frames")
    edit.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Draw a box")).to_be_focused()

    page.keyboard.press("n")
    box = page.locator(".box-edit")
    expect(box).to_be_focused()
    expect(page.locator(".box-edit[data-state=waiting]")).to_have_count(1)
    expect(page.locator(".box-bar [data-do=undo]")).to_be_enabled()  # it is stored
    batches.classify_waiting()
    expect(box).to_contain_text("Jeans 94%")
    before = _drawn()[0]
    for key in ("ArrowLeft", "Shift+ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(key)
    with _stored(page):
        page.keyboard.press("Enter")
    expect(box).to_contain_text("classifying…")
    batches.classify_waiting()
    expect(box).to_contain_text("Jeans 94%")
    (after,) = _drawn()
    assert after[0] < before[0]
    assert after[3] > before[3]
    expect(box).to_be_focused()

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")  # puts it back, and stays
    expect(box).to_be_focused()
    assert _drawn() == [after]
    page.keyboard.press("Delete")
    expect(page.locator(".box-edit")).to_have_count(0)
    expect(page.get_by_role("button", name="Draw a box")).to_be_focused()
    expect(page.locator("[data-said]").first).to_contain_text("removed")
    with _stored(page):
        page.keyboard.press("Control+z")
    expect(box).to_be_focused()
    assert _drawn() == [after]

    page.keyboard.press("Escape")
    expect(edit).to_be_focused()
    assert Product.objects.get().proposal.candidates[0].top_category == "Bottom"


def test_it_is_drawn_with_a_finger_on_a_narrow_screen(page_of, alice, nothing_found):
    page = page_of(alice)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/products/{nothing_found.public_id}")
    page.get_by_role("button", name="Correct the frames").click()
    page.locator(".box-layer").evaluate(
        """(layer) => {
            const rect = layer.getBoundingClientRect();
            layer.setPointerCapture = () => {};
            for (const [type, x, y] of [["down", 0.1, 0.1], ["move", 0.3, 0.4], ["move", 0.5, 0.6], ["up", 0.5, 0.6]]) {
                const place = { clientX: rect.left + x * rect.width, clientY: rect.top + y * rect.height };
                const kind = { pointerType: "touch", pointerId: 7, isPrimary: true, bubbles: true, cancelable: true };
                layer.dispatchEvent(new PointerEvent(`pointer${type}`, { ...place, ...kind }));
            }
        }"""
    )
    expect(page.locator(".box-bar [data-do=undo]")).to_be_enabled()
    assert _drawn() == [(0.1, 0.1, 0.5, 0.6)]
    sizes = page.locator(".box-handle").evaluate_all("all => all.map((knob) => knob.getBoundingClientRect().width)")
    assert min(sizes) >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_while_somebody_edits(page_of, alice, nothing_found, width):
    page = page_of(alice)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/products/{nothing_found.public_id}")
    page.get_by_role("button", name="Correct the frames").click()
    expect(page.locator(".box-layer")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator(".box-bar [data-do=undo]")).to_be_enabled()
    batches.classify_waiting()
    expect(page.locator(".box-edit")).to_contain_text("Jeans 94%")

    assert axe(page) == []
    assert too_wide(page) == []
