"""The theme's scripts run on our pages of the admin without a complaint, for which the fixture looks."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from catalog.models import AttributeValue
from classifier.models import ModelSet
from tests.support.drawn_images import photo, upload
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


def test_nothing_in_a_list_is_cut_off_on_a_phone(inside, product, client_of, alice):
    client_of(alice).post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})
    ModelSet.objects.create(name="a name that needs more than one line on a phone " * 2, fingerprint="1")
    inside.set_viewport_size({"width": 390, "height": 844})
    for name in ("catalog_productimage", "classifier_modelset"):
        inside.goto(reverse(f"admin:{name}_changelist"))
        cells = inside.locator("#changelist tbody :is(td, th)")
        expect(cells.first).to_be_visible()
        cut = "cells => cells.filter(cell => cell.scrollHeight > cell.clientHeight + 1).map(cell => cell.className)"
        assert cells.evaluate_all(cut) == [], name
