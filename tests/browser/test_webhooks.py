"""An owner adds a webhook, copies its secret, tests it and sees what came of it."""

import pytest
from playwright.sync_api import expect

from tests.support import page_checks
from tests.support.webhook_endpoints import ALLOWED, deliver, got, receiving
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_webhook_from_adding_to_what_was_sent(page_of, alice, settings):
    settings.OTJANG_OUTGOING_ALLOWED = ALLOWED
    page = page_of(alice)
    with receiving() as receiver:
        page.goto("/settings/")
        page.get_by_role("link", name="Webhooks", exact=True).click()
        page.get_by_label("Address").fill(f"{receiver.url}/hook")
        page.get_by_label("What it is for").fill("till")
        page.get_by_label("a product was published").check()
        page.get_by_role("button", name="Add it").click()
        secret = page.locator("code.secret").inner_text()
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_text("A test is on its way.")).to_be_visible()
        deliver()
        (message,) = got(receiver, Endpoint.objects.get(), secret)
        page.reload()
    assert message["type"] == "webhook.test"
    expect(page.locator("#deliveries")).to_contain_text("delivered · 1 attempt · 204")
    expect(page.locator("code.secret")).to_have_count(0)
    assert page_checks.axe(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page_checks.too_wide(page) == []
