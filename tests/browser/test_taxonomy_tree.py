"""The taxonomy's tree in a browser: dragged, moved by keys, merged; nothing for axe to find, nothing too wide."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from catalog.models import AttributeValue
from tests.support.page_checks import axe, too_wide

pytestmark = pytest.mark.django_db(transaction=True)

TREE = "admin:catalog_attributevalue_tree"


def _codes(attribute):
    values = AttributeValue.objects.filter(attribute__code=attribute, parent=None).order_by("position", "pk")
    return list(values.values_list("code", flat=True))


def _row(page, code):
    value = AttributeValue.objects.get(attribute__code="material", code=code)
    return page.locator(f"#value-{value.pk}")


def test_values_are_dragged_and_moved_by_keys(page_of, admin):
    page = page_of(admin)
    page.goto(reverse(TREE))
    first, second, third = _codes("material")[:3]
    handle, below = _row(page, first).locator(".handle").first, _row(page, second)
    expect(handle).to_be_visible()
    handle.scroll_into_view_if_needed()
    start, end = handle.bounding_box(), below.bounding_box()
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(start["x"] + 5, start["y"] + 15, steps=3)
    page.mouse.move(end["x"] + 20, end["y"] + end["height"] / 2, steps=5)
    page.mouse.up()
    expect(page.locator(".taxonomy-said")).to_have_text("Stored.")
    assert _codes("material")[:3] == [second, first, third]

    page.goto(reverse(TREE))
    _row(page, third).locator(".handle").first.press("ArrowUp")
    expect(page.locator(".taxonomy-said")).to_have_text("Stored.")
    assert _codes("material")[:3] == [second, third, first]
    expect(_row(page, third).locator(".handle").first).to_be_focused()
    assert [one.code for one in AttributeValue.objects.filter(attribute__code="category", parent=None)][:1] == ["Top"]


def test_a_keeper_merges_a_value_and_takes_it_back(page_of, admin):
    page = page_of(admin)
    page.goto(reverse(TREE))
    _row(page, "mesh").get_by_role("link", name="Merge").click()
    page.get_by_label("Merge into").select_option(label="Linen (linen)")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_role("heading", name="What changes")).to_be_visible()
    assert "\n".join(axe(page)) == ""
    page.get_by_role("button", name="Merge “Mesh” into “Linen”").click()
    expect(_row(page, "linen")).to_contain_text("“Mesh” (mesh) was merged into this")
    page.get_by_role("button", name="Take the merge back Mesh").click()
    expect(_row(page, "mesh").get_by_role("link", name="Merge")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_axe_finds_nothing_and_nothing_is_too_wide(page_of, admin, width):
    AttributeValue.objects.filter(code="mesh").update(active=False)
    page = page_of(admin)
    page.set_viewport_size({"width": width, "height": 900})
    for name in ("tree", "guide"):
        page.goto(reverse(f"admin:catalog_attributevalue_{name}"))
        assert too_wide(page) == [], name
        assert "\n".join(axe(page)) == "", name
    for address in (
        reverse("admin:catalog_product_changelist"),
        reverse("admin:classifier_acceptancethreshold_quality"),
    ):
        page.goto(address)
        assert "\n".join(axe(page)) == "", address
