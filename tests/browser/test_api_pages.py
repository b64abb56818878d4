"""Swagger UI, in which everything of the API can be tried, files as well."""

import pytest
from playwright.sync_api import expect

from catalog.models import ProductImage
from tests.support.drawn_images import photo

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_photo_is_uploaded_in_swagger_ui(page_of, bob, product):
    page = page_of(bob)
    page.goto("/api/v1/docs")
    operation = page.locator("#operations-images-products_images_create")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("tr[data-param-name=public_id] input").fill(product.public_id)
    types = operation.locator(".opblock-section-request-body select.content-type")
    types.select_option("multipart/form-data")
    operation.locator("input[type=file]").set_input_files(
        {"name": "front.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tr.response .response-col_status")).to_contain_text("201")
    assert ProductImage.objects.get().original_name == "front.jpg"


def test_redoc_shows_the_api_and_finds_in_it(browser, live_server, bob):
    context = browser.new_context(base_url=live_server.url)
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto("/api/v1/redoc")
    expect(page.get_by_role("heading", name="Otjang API")).to_be_visible()
    page.get_by_placeholder("Search...").fill("decision")
    expect(page.locator("[data-role='search:results'] li").first).to_be_visible()
    context.close()
    assert [said for said in complaints if "cdn.redoc.ly" not in said] == []  # its maker's logo, which is not loaded
