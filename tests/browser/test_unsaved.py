"""What was chosen on a product's page and not saved yet: it stays, and is not left by mistake."""

import pytest
from playwright.sync_api import expect

from catalog.models import Decision
from tests.support.comboboxes import choose, combobox
from tests.support.drawn_images import photo
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(page_of, alice, product):
    """A product that the model takes for a jacket, as its owner sees it; `questions` are what the browser asked."""
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), candidate("Top", 0.6), chosen="Outer")
    page = page_of(alice)
    page.questions = []
    page.on("dialog", lambda dialog: (page.questions.append(dialog.type), dialog.dismiss()))
    page.goto(f"/products/{product.public_id}")
    return page


def test_it_asks_before_leaving_what_was_not_saved(page):
    category = combobox(page, "Category")
    choose(page, "Category", "Coat")
    leaving = [
        page.get_by_role("button", name="Archive"),
        page.get_by_role("link", name="New product"),
        page.get_by_role("button", name="한국어"),
    ]

    for way in leaving:
        if way is leaving[-1]:
            page.locator(".account .menu > summary").click()
        with page.expect_event("dialog"):
            way.click(no_wait_after=True)
        expect(category).to_have_value("Coat")

    assert page.questions == ["beforeunload"] * len(leaving)
    assert not Decision.objects.exists()


@pytest.mark.failing_requests
def test_it_keeps_what_a_refusal_brought_back(page):
    choose(page, "Category", "— not set —")
    choose(page, "Material", "Silk")
    page.get_by_role("button", name="Save and publish").click()
    expect(page.locator("#refusal")).to_contain_text("The category is still open.")
    expect(combobox(page, "Category")).to_be_focused()

    page.evaluate("document.dispatchEvent(new CustomEvent('images-added'))")  # brings the form again
    expect(combobox(page, "Material")).to_have_value("Silk")
    expect(combobox(page, "Category")).to_have_value("— not set —")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="New product").click(no_wait_after=True)


def test_it_keeps_the_model_s_certainty_from_a_person_s_value_when_news_arrives(page):
    certainty = page.locator(".share", has_text="94% sure")
    opinion = page.get_by_role("button", name="Jacket 94%")  # which brings its value back
    expect(certainty).to_be_visible()
    expect(opinion).to_be_hidden()
    choose(page, "Category", "Coat")
    expect(certainty).to_be_hidden()
    expect(opinion).to_be_visible()

    page.locator("input[type=file]").set_input_files([{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()}])

    expect(page.locator("#live")).to_contain_text("waiting: place 1 in the queue")
    expect(combobox(page, "Category")).to_have_value("Coat")
    expect(certainty).to_be_hidden()
    expect(opinion).to_be_visible()


def test_it_asks_nobody_who_saves_or_changed_nothing(page):
    page.get_by_role("link", name="New product").click()
    page.wait_for_url("**/products/new/**")
    page.go_back()
    choose(page, "Category", "Coat")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("Saved.")
    page.locator(".account .menu > summary").click()
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")

    assert page.questions == []
    assert Decision.objects.get().value.code == "Coat"
