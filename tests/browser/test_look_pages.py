"""Every page of the portal, in both languages and themes, from 320 px on, with the longest texts that fit.

One walk a language: a page is loaded once, and then looked at in each width and theme; in English for room in each,
and by axe in one: its rules ask for what the markup and the style sheets are, which are the same.
"""

import pytest
from django.urls import NoReverseMatch, reverse

from tests.support.factories import MembershipFactory, MerchantFactory, ProductFactory, UserFactory
from tests.support.page_checks import OBSERVE_SHIFTS, axe, hidden_focus, shifts, too_wide
from tests.support.portal_states import every_state

pytestmark = pytest.mark.django_db(transaction=True)

LEAST_SHIFT = 0.02
WIDTHS = {1280: 800, 390: 844, 320: 640}
THEMES = (("light", ()), ("dark", ("color-contrast",)))  # with the rules to ask there: all, or these
EVERYWHERE = [(width, *theme) for width in WIDTHS for theme in THEMES]


@pytest.fixture
def products(monkeypatch, client_of, alice, actor_of, merchant):
    return every_state(monkeypatch, client_of(alice), merchant, actor_of(alice))


def _address(name, *arguments):
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return None


def _pages(products, merchant, foreign):
    """Every address that somebody of the merchant can open, by a name to find it by."""
    pages = {f"product {state}": reverse("catalog:product", args=[one.public_id]) for state, one in products.items()}
    listed = reverse("catalog:products")
    pages |= {
        "home": _address("catalog:home"),
        "products": listed,
        "products, grid": f"{listed}?as=grid",
        "products, to review": f"{listed}?status=to_review&category=Jacket&q=오버",
        "products, none": f"{listed}?q=nowhere",
        "new product": reverse("catalog:new_product"),
        "review": _address("catalog:review_queue"),
        "shop settings": reverse("accounts:merchant_settings", args=[merchant.public_id]),
        "password": reverse("accounts:password"),
        "members": reverse("accounts:members"),
        "profile": reverse("accounts:profile"),
        "e-mail": reverse("account_email"),
        "codes and passkeys": reverse("mfa_index"),
        "devices": reverse("usersessions_list"),
        "my data": reverse("accounts:my_data"),
        "thresholds": reverse("classifier:thresholds"),
        "all data": reverse("catalog:shop_data"),
        "forgotten password": reverse("account_reset_password"),
        "404": "/nowhere",
        "another of my shops": reverse("catalog:product", args=[foreign.public_id]),
    }
    return {name: address for name, address in pages.items() if address}


@pytest.fixture
def foreign(alice):
    """A product of another of alice's merchants."""
    other = MembershipFactory(user=alice, merchant=MerchantFactory(name="힣" * 100)).merchant
    return ProductFactory(merchant=other)


@pytest.fixture
def visit(page, page_of, live_server):
    """Open a page and say what is wrong with it, in every width and theme."""

    def open_as(user, language):
        page_of(user)
        page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        page.add_init_script(OBSERVE_SHIFTS)
        page.emulate_media(reduced_motion="reduce")  # a colour on its way to the other theme has no contrast
        # 404 is a page here, and a browser complains of each.
        page.route("**/nowhere", lambda route: route.fulfill(response=route.fetch(), status=200))

    def problems(name, address, asked=EVERYWHERE):
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_load_state("networkidle")
        found = []
        shifted, what = shifts(page)
        if shifted >= LEAST_SHIFT:
            found.append(f"shifts by {shifted:.3f}: {what}")
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            found += [f"{width} px: {one}" for one in too_wide(page)]
            for theme, rules in (one[1:] for one in asked if one[0] == width):
                page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
                found += [f"{width} px, {theme}: {one}" for one in axe(page, *rules)]
        page.set_viewport_size({"width": 640, "height": 400})  # 1280 x 800 at 200 %
        found += [f"hidden while focused: {one}" for one in hidden_focus(page)]
        return [f"{name}: {one}" for one in found]

    visit = problems
    visit.open_as = open_as
    return visit


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_has_faults(visit, products, foreign, alice, merchant, language):
    visit.open_as(alice, language)
    found = []
    asked = EVERYWHERE if language == "ko" else EVERYWHERE[:1]
    for name, address in _pages(products, merchant, foreign).items():
        found += visit(name, address, asked)
    assert not found, "\n".join(found)


def test_neither_has_what_strangers_and_staff_see(visit, page, page_of):
    staff = UserFactory(is_staff=True)
    visit.open_as(staff, "en")
    found = visit("components", reverse("components"))
    found += visit("no shop", "/")
    page.context.clear_cookies()
    found += visit("log in", reverse("accounts:login"))
    page.context.add_cookies([{"name": "django_language", "value": "ko", "url": page.url}])
    found += visit("log in, Korean", reverse("accounts:login"))
    assert not found, "\n".join(found)


def test_a_product_sheet_on_paper_has_the_product_only(page_of, alice, products):
    page = page_of(alice)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    page.goto(reverse("catalog:product", args=[products["published"].public_id]))
    assert page.locator("header.site").is_hidden()
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.locator("main img").first.is_visible()
    shown = page.locator("main :is(button, summary, input[type=file]):visible")
    assert [one.text_content() for one in shown.all()] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 794
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 24, 29)"


def test_the_theme_is_switched_without_reloading_and_stays(page_of, alice, merchant):
    page = page_of(alice)
    page.emulate_media(color_scheme="light")
    page.goto(reverse("accounts:password"))
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.evaluate("window.same = true")

    page.locator(".account .menu > summary").click()
    page.get_by_role("button", name="Dark").click()

    dark = page.evaluate(ground)
    assert dark != light
    assert page.evaluate("window.same")
    page.reload()
    assert page.evaluate(ground) == dark
    page.locator(".account .menu > summary").click()
    page.get_by_role("button", name="As the device").click()
    page.reload()
    assert page.evaluate(ground) == light
