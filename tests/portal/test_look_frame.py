"""What surrounds every page: the theme, toasts, the page of components, one set of tokens."""

import re

import pytest
from django.conf import settings
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import RequestFactory

from core.portal import toast
from tests.support.factories import UserFactory

CSS = settings.BASE_DIR / "static/css"


@pytest.mark.django_db
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_server_writes_the_chosen_theme_into_the_page(client, theme):
    answer = client.post("/theme", {"theme": theme, "next": "/password"})
    assert answer.headers["Location"] == "/password"
    for address in ("/password", "/nowhere"):
        assert f'data-theme="{theme}"' in client.get(address).text

    client.post("/theme", {"theme": ""})
    assert "data-theme=" not in client.get("/password").text


@pytest.mark.django_db
def test_it_takes_no_other_theme_and_leads_to_no_other_site(client):
    client.cookies["theme"] = '"><script>'
    page = client.get("/password").text
    assert "data-theme=" not in page
    assert '"><script>' not in page
    answer = client.post("/theme", {"theme": "pink", "next": "https://evil.example"})
    assert "evil" not in answer.headers["Location"]
    assert answer.cookies["theme"].value == ""


@pytest.mark.django_db
def test_a_message_is_a_toast_and_may_offer_the_way_back(client, monkeypatch):
    request = RequestFactory().get("/")
    request.session, request._messages = {}, None
    storage = request._messages = FallbackStorage(request)
    toast(request, "front.jpg was removed.", undo="/products/x/images/y/put-back")
    [message] = list(storage)
    assert (message.message, message.extra_tags) == ("front.jpg was removed.", "/products/x/images/y/put-back")

    client.post("/password", {})  # nothing is said of a form that was wrong
    page = client.get("/password").text
    assert '<div id="toasts" role="status" aria-live="polite"' in page
    assert 'class="toast' not in page


@pytest.mark.django_db
def test_components_are_for_staff_and_developers(client, client_of, settings):
    assert client.get("/components/").status_code == 404
    page = client_of(UserFactory(is_staff=True)).get("/components/")
    assert page.status_code == 200
    assert page.text.count('data-theme="dark"') == 1
    settings.DEBUG = True
    assert client.get("/components/").status_code == 200


def test_colours_are_written_in_one_file_only():
    for sheet in CSS.glob("*.css"):
        if sheet.name == "tokens.css":
            continue
        text = re.sub(r"/\*.*?\*/|url\([^)]*\)|U\+[^;]*", "", sheet.read_text(), flags=re.S)
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*})", text) == [], sheet.name


def test_every_token_that_is_used_exists():
    tokens = set(re.findall(r"^\s*(--[\w-]+):", (CSS / "tokens.css").read_text(), re.M))
    for sheet in CSS.glob("*.css"):
        text = sheet.read_text()
        own = set(re.findall(r"(--[\w-]+):", text))
        assert set(re.findall(r"var\((--[\w-]+)", text)) <= tokens | own, sheet.name


def test_every_file_of_the_font_is_named_once():
    named = re.findall(r"fonts/pretendard/([\w.]+woff2)", (CSS / "fonts.css").read_text())
    stored = [file.name for file in (settings.BASE_DIR / "static/fonts/pretendard").glob("*.woff2")]
    assert sorted(named) == sorted(stored)
    assert (settings.BASE_DIR / "static/fonts/pretendard/LICENSE.txt").read_text().count("SIL Open Font License") > 0


def test_every_script_has_its_types_checked():
    scripts = list((settings.BASE_DIR / "static/js").glob("*.js"))
    assert [script.name for script in scripts if not script.read_text().startswith("// @ts-check\n")] == []
    assert [script.name for script in scripts if len(script.read_text().splitlines()) > 300] == []


def test_no_page_needs_a_style_attribute():
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        if "admin" not in template.parts:
            assert not re.search(r"\sstyle=", template.read_text()), template.name
