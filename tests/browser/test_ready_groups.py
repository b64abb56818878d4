"""Each ready group clicks everything that it is offered in a browser: no dead end, no half page, no complaint."""

from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import AuditEvent
from accounts.ready_groups import NAMES, load_groups
from tests.support.admin_world import full_world, page_shape
from tests.support.factories import UserFactory, in_group
from tests.support.page_checks import axe, too_wide

# The photos of these rows have no files.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.failing_requests]

_LINKS = """(attribute) => [...document.querySelectorAll(`[${attribute}]`)]
  .map((one) => new URL(one.getAttribute(attribute), location.href))
  .filter((url) => url.origin === location.origin).map((url) => url.pathname + url.search)"""
_NOT_FOLLOWED = ("/logout", "/export.csv", "/file", "/jsi18n", "_popup")
_OURS = ("/admin/", "/admin/catalog/product/review/", "/admin/classifier/classification/retry-failed/")


@pytest.fixture
def world(product, alice, actor_of):
    load_groups()
    return full_world(product, actor_of(alice))


def _is_kind(address):
    """Whether it is a page of its own, and not another order or filter of the same list."""
    return address.startswith("/admin/") and not any(word in address for word in _NOT_FOLLOWED)


@pytest.mark.parametrize("group", sorted(NAMES))
def test_it_clicks_everything(page_of, world, group):
    page = page_of(in_group(group))
    waiting, seen = ["/admin/"], {page_shape("/admin/")}
    while waiting:
        address = waiting.pop()
        answer = page.goto(address, wait_until="load")
        assert answer.status < 400, (address, answer.status)
        assert page.locator("h1, h2, #changelist, form").count() > 0, address
        if urlsplit(page.url).path in _OURS or "retry" in address:
            assert axe(page) == [], address
            assert too_wide(page) == [], address
        for dialog in page.evaluate(_LINKS, "hx-get"):
            if page_shape(dialog) not in seen:
                seen.add(page_shape(dialog))
                assert page.request.get(dialog).status < 400, dialog
        for link in page.evaluate(_LINKS, "href"):
            shape = page_shape(link)
            # One of each page; of filters and orders of lists only those that a link of the first page leads to.
            if _is_kind(link) and shape not in seen and (not shape[1] or address == "/admin/"):
                seen.add(shape)
                waiting.append(link)
    assert len(seen) > 15


@pytest.mark.parametrize("width", [390, 1280])
def test_the_first_page_fits_and_is_accessible(page_of, world, width):
    page = page_of(in_group("Operator"))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="What fails")).to_be_visible()
    assert axe(page) == []
    assert too_wide(page) == []
    page.get_by_role("link", name="Try again what failed").click()
    expect(page.get_by_role("button", name="Try all again")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="Try all again").click()
    expect(page.get_by_text("It has begun")).to_be_visible()


def test_staff_without_a_group_see_what_to_ask_for(page_of, admin):
    load_groups()
    page = page_of(UserFactory(is_staff=True))
    page.goto("/admin/")
    expect(page.get_by_text("Taxonomy keeper")).to_be_visible()
    assert axe(page) == [], "\n".join(axe(page))


def test_support_works_as_a_member_and_comes_back(page_of, world, bob):
    sue = in_group("Support", name="Sue")
    page = page_of(sue)
    page.goto(reverse("admin:accounts_user_change", args=[bob.pk]))
    page.get_by_role("link", name="Work as this person").click()
    assert axe(page) == []
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Sue, you work as bob.")).to_be_visible()
    assert axe(page) == []
    page.set_viewport_size({"width": 320, "height": 700})
    assert too_wide(page) == []
    page.goto(reverse("catalog:product", args=[world.public_id]))
    page.get_by_role("button", name="Be yourself again").click()
    page.wait_for_url(f"**{reverse('admin:accounts_user_change', args=[bob.pk])}")
    actions = AuditEvent.objects.filter(subject_type="user").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["user.impersonate", "user.impersonate_end"]
