"""The review in a browser: by keyboard and by thumb; answers that are late, refused, or taken back."""

import pytest
from playwright.sync_api import expect

from catalog import services
from catalog.models import Product, ReviewClaim
from catalog.proposal import Alternative
from classifier.models import Classification
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.seen_products import current_values
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db(transaction=True)

OTHERS = [Alternative("Jumper", 0.3), Alternative("Coat", 0.1)]


@pytest.fixture
def doubtful(merchant, client_of, alice):
    """Products with a photo of whose category the models are not sure; the first is the least sure."""

    def make(number):
        product = ProductFactory(merchant=merchant, name=f"Jacket {number}", sku=None)
        client_of(alice).post(f"/products/{product.public_id}/images", {"images": upload(f"{number}.jpg")})
        Classification.objects.all().delete()
        jacket = {"category": ("Jacket", 0.4 + number / 100), "material": ("denim", 0.95), "alternatives": OTHERS}
        propose(product, candidate("Outer", 0.9, **jacket), chosen="Outer")
        return product

    return [make(number) for number in range(4)]


def _shown(page, product):
    expect(page.locator(".review-item:not([hidden]) h2")).to_have_text(product.name)
    page.wait_for_timeout(200)  # nobody answers sooner


def _category(product):
    return current_values(product)["category"]


def _comes_to(page, product, *wanted):
    """Wait until the answer, which is sent in the background, has arrived."""
    for _attempt in range(200):
        if _category(product) == wanted:
            return
        page.wait_for_timeout(50)
    assert _category(product) == wanted


def test_it_is_worked_through_by_keyboard(page_of, bob, doubtful):
    page = page_of(bob)
    page.goto("/review/")
    page.evaluate("window.notReloaded = true")

    _shown(page, doubtful[0])
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    _shown(page, doubtful[1])
    page.keyboard.press("Enter")
    _shown(page, doubtful[2])
    page.keyboard.press("s")
    _shown(page, doubtful[3])
    page.keyboard.press("e")
    assert all(page.get_by_role("option").all_inner_texts())
    page.get_by_role("combobox").fill("vest")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")

    expect(page.locator("[data-end]")).to_contain_text("Products reviewed: 3")
    expect(page.locator("[data-end]")).to_contain_text("Skipped: 1")
    expect(page.get_by_role("heading", name="Only skipped ones are left")).to_be_focused()
    assert page.evaluate("scrollY") == 0
    _comes_to(page, doubtful[3], "decided", "Vest")
    assert [_category(product)[1] for product in doubtful] == ["Jumper", "Jacket", "Jacket", "Vest"]
    assert [_category(product)[0] for product in doubtful[:3]] == ["decided", "decided", "proposed"]

    page.keyboard.press("u")
    _shown(page, doubtful[3])
    page.keyboard.press("u")
    _shown(page, doubtful[2])
    page.keyboard.press("u")
    _shown(page, doubtful[1])
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    _shown(page, doubtful[2])
    _comes_to(page, doubtful[1], "decided", "Coat")
    assert _category(doubtful[3])[0] == "proposed"
    assert page.evaluate("window.notReloaded")

    page.goto("/products/")
    page.wait_for_timeout(500)  # what is said on leaving arrives by itself
    assert not ReviewClaim.objects.exists()


@pytest.mark.failing_requests
def test_it_keeps_answers_until_they_arrive(page_of, bob, doubtful):
    page = page_of(bob)
    page.goto("/review/")
    _shown(page, doubtful[0])
    page.context.set_offline(True)

    page.keyboard.press("Enter")

    _shown(page, doubtful[1])
    expect(page.locator("[data-unsent-note]")).to_contain_text("1 not sent yet")
    assert _category(doubtful[0])[0] == "proposed"
    page.context.set_offline(False)
    expect(page.locator("[data-unsent-note]")).to_be_hidden()
    _comes_to(page, doubtful[0], "decided", "Jacket")


@pytest.mark.failing_requests
def test_it_shows_again_what_somebody_else_changed(page_of, bob, alice, actor_of, doubtful):
    page = page_of(bob)
    page.goto("/review/")
    _shown(page, doubtful[0])
    services.decide(actor=actor_of(alice), product=doubtful[0], attribute="category", value="Coat")
    Product.objects.filter(pk=doubtful[0].pk).update(version=5)

    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("This product was changed in the meantime.")
    _shown(page, doubtful[1])
    page.keyboard.press("Enter")

    _shown(page, doubtful[0])
    expect(page.locator(".review-item:not([hidden]) [data-problem]")).to_contain_text("was changed in the meantime")
    assert _category(doubtful[0]) == ("decided", "Coat")


def test_a_thumb_is_as_quick(page_of, bob, doubtful):
    page = page_of(bob)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/review/")
    _shown(page, doubtful[0])

    page.get_by_role("radio", name="Coat").click()
    page.get_by_role("button", name="Accept").click()

    _shown(page, doubtful[1])
    _comes_to(page, doubtful[0], "decided", "Coat")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
