"""The theme's scripts run on our pages of the admin without a complaint, for which the fixture looks."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from catalog.models import AttributeValue
from tests.support.drawn_images import photo
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def inside(page, admin):
    """The page, logged in as an administrator."""
    page.goto(reverse("admin:index"))
    page.locator("[name=username]").fill(admin.email)
    page.locator("[name=password]").fill("correct horse battery")
    page.locator("[name=password]").press("Enter")
    expect(page.locator("[name=password]")).to_have_count(0)
    return page


def test_it_takes_images_of_a_new_product(inside):
    inside.goto(reverse("admin:catalog_product_add"))
    chosen = {"name": "front.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    inside.locator("[name=images]").set_input_files(chosen)


def test_it_asks_before_it_deletes(inside):
    archived = ProductFactory(status="archived", archived_at="2026-01-01T00:00Z")
    for row in (archived, AttributeValue.objects.get(code="mesh")):
        pages = f"admin:catalog_{row._meta.model_name}"
        # The filters of a list load scripts for dates, which the theme then puts on every page of the model.
        inside.goto(reverse(f"{pages}_changelist"))
        inside.goto(reverse(f"{pages}_delete", args=[row.pk]))
        inside.locator(".cancel-link").click()
        inside.wait_for_url(f"**{reverse(f'{pages}_changelist')}")
