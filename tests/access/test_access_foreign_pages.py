"""What another site can have a visitor's browser send: no form without our token, and no address leads away from us."""

import json
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.support.access_table import TABLE as OPERATIONS
from tests.support.address_forms import posted
from tests.support.addresses import LET_IN, of_the_api, table, without_operations
from tests.support.everything import everything, taken_back

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

ADDRESSES = without_operations()
EVIL = "https://evil.example/"


def _copy(browser, **options):
    """The same person in a browser that holds nothing but the session."""
    client = Client(headers={"accept-language": "en"}, **options)
    client.cookies.load({name: morsel.value for name, morsel in browser.cookies.items() if name == "sessionid"})
    return client


@pytest.mark.parametrize("who", ["owner", "superuser"])
def test_a_form_without_the_token_does_nothing(who, world, browsers):
    attacked = _copy(browsers[who], enforce_csrf_checks=True)
    asked = [one for one in ADDRESSES.values() if table()[one.route, "POST"][who] in LET_IN]
    assert len(asked) > 50
    paths = {one.path(world.values(one)): one for one in asked}
    before = everything()

    answers = {path: posted(attacked, path, one, world).status_code for path, one in paths.items()}

    assert {path: status for path, status in answers.items() if status != 403} == {}
    assert everything() == before


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_neither_does_the_api_by_a_session(method, world, browsers):
    attacked = _copy(browsers["owner"], enforce_csrf_checks=True)
    asked = []
    for path, operation in of_the_api(method):
        row = OPERATIONS[operation]
        address = path.format(**{name: world.things[row.ids.get(name, name)] for name in _names(path)})
        asked.append((address, row.body(world.things) if callable(row.body) else row.body))
    before = everything()
    for address, sent in asked:
        answer = attacked.generic(method.upper(), address, json.dumps(sent or {}), content_type="application/json")
        assert answer.status_code == 403, address
    assert everything() == before


def _names(path):
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _leads_away(answer):
    places = [answer.headers.get(name, "") for name in ("Location", "HX-Redirect", "HX-Location", "Refresh")]
    found = [urlsplit(place.replace("\\", "/")) for place in places]  # as browsers read them
    return [one for one in found if one.netloc not in {"", "testserver"} or (one.scheme and not one.netloc)]


@pytest.mark.parametrize("way", [EVIL, "//evil.example/", "/\\evil.example/", "https:evil.example"])
@pytest.mark.parametrize("who", ["anonymous", "owner"])
def test_no_address_leads_to_another_site(who, way, world, browsers):
    asked = [one for one in ADDRESSES.values() if not one.route.startswith("admin/") or one.route.count("/") == 2]
    named = dict.fromkeys(("next", "redirect", "redirect_to", "url", "return", "return_to", "back"), way)
    for one in asked:
        path = one.path(world.values(one))
        for send in ("get", "post"):
            client = _copy(browsers[who], HTTP_REFERER=EVIL, HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL=EVIL)
            with taken_back():
                assert not _leads_away(getattr(client, send)(path, named)), f"{send} {path}"
        with taken_back():
            client = _copy(browsers[who], HTTP_REFERER=EVIL)
            assert not _leads_away(client.get(f"{path}?next={way}")), path


def test_a_log_in_leads_to_another_site_neither(alice):
    for page in ("/login", "/admin/login/"):
        for way in (EVIL, "//evil.example/", "/\\evil.example/"):
            sent = {"username": alice.email, "password": "correct horse battery", "next": way}
            assert not _leads_away(Client().post(f"{page}?next={way}", sent))
