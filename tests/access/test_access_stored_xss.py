"""Whatever people and programs call things, no page takes it for markup: all texts of all rows are an attack here."""

import json
import re

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core import mail
from django.db import models

from accounts.models import AuditEvent
from accounts.services import create_api_key
from tests.support.addresses import LET_IN, table, without_operations
from tests.support.everything import taken_back

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_is_enough]

ADDRESSES = without_operations()
ATTACK = "\"'><svg/onload=alert(1)>"
RAW = re.compile(r"<svg/onload", re.IGNORECASE)
# Not what somebody calls a thing: what programs look rows up by, and what has a form of its own.
FIXED = re.compile(
    r"public_id|(^|_)code$|key|hash|sha256|token|secret|state|status|kind|role|task|purpose|source|scope|fingerprint|language"
    r"|channel|action|subject|email|password|query|url|prefix|method|path|original$|display|thumbnail|small|type|lease|mode|file$"
)


def _texts(model):
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not field.choices
        and not field.unique
        and not FIXED.search(field.name)
    ]


def _attack():
    """Put the attack into every text; returns which."""
    found = set()
    for label in ("accounts", "catalog", "classifier", "webhooks"):
        for model in apps.get_app_config(label).get_models():
            for field in _texts(model):
                for number, row in enumerate(model._default_manager.order_by("pk")):
                    text = f"{number}{ATTACK}"[: field.max_length]
                    model._default_manager.filter(pk=row.pk).update(**{field.name: text})
                    found.add(f"{model._meta.model_name}.{field.name}")
    Group.objects.filter(pk=Group.objects.create(name="x").pk).update(name=ATTACK)
    details = {"name": ATTACK, "before": {ATTACK: ATTACK}, "after": {ATTACK: f"{ATTACK}2"}, "changes": ATTACK}
    AuditEvent.objects.update(details=details)
    return found


def _markup(answer):
    """What of an answer a browser reads as markup: a page, or the parts of pages that scripts put in."""
    if answer.streaming:
        return ""
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind and answer.content[:1] in b"{[":
        return "\n".join(_parts(json.loads(answer.content)))
    return answer.text if "html" in kind else ""


def _parts(said):
    if isinstance(said, dict):
        for key, value in said.items():
            yield from [value] if key == "html" else _parts(value)
    elif isinstance(said, list):
        for value in said:
            yield from _parts(value)


@pytest.fixture
def attacked(world, browsers):
    for one in ADDRESSES.values():
        world.values(one)
    create_api_key(actor=world.actor, merchant=world.merchant, name="Other")
    return _attack()


def test_what_people_call_things_is_among_it(attacked):
    assert {
        "product.name",
        "product.sku",
        "productimage.original_name",
        "merchant.name",
        "user.name",
        "apikey.name",
        "attribute.name_en",
        "attributevalue.name_ko",
        "savedview.name",
        "modelversion.name",
        "endpoint.description",
        "importfile.name",
        "uploaddraft.name",
    } <= attacked


@pytest.mark.parametrize("who", ["owner", "viewer", "superuser", "impersonated"])
def test_no_page_takes_a_text_for_markup(who, world, browsers, attacked):
    pages = 0
    for one in ADDRESSES.values():
        if table()[one.route, "GET"][who] not in LET_IN:
            continue
        path = one.path(world.values(one))
        with taken_back():
            answer = browsers[who].get(path, follow=True)
        markup = _markup(answer)
        pages += bool(markup)
        assert not RAW.search(markup), f"{path}: {markup[max(0, RAW.search(markup).start() - 200) :][:400]}"
    assert pages > 20


PATHS = ("/products/", "/review/", "/products/export/", "/products/bulk/", "/login", "/nowhere", "/products/import/")
NAMES = ("q", "status", "sort", "category", "after", "mapping", "draft", "next")


@pytest.mark.parametrize("path", PATHS)
def test_nor_what_an_address_says(path, client_of, alice, product):
    said = dict.fromkeys(NAMES, ATTACK)
    for query in (said, {"q": ATTACK}):
        assert not RAW.search(_markup(client_of(alice).get(path, query, follow=True)))
    assert not RAW.search(_markup(client_of(alice).get(f"{path}%22%27%3E%3Csvg/onload=alert(1)%3E", follow=True)))


def test_mails_are_plain_and_their_heads_have_one_line(client_of, alice, merchant):
    for name in (ATTACK, "Shop\r\nBcc: everybody@example.com"):
        type(merchant).objects.filter(pk=merchant.pk).update(name=name[:100])
        type(alice).objects.filter(pk=alice.pk).update(name=name[:100])
        sent = {"email": f"new{len(name)}@example.com", "role": "viewer"}
        client_of(alice).post(f"/merchants/{merchant.public_id}/invitations", sent)
        client_of(alice).post("/password/reset", {"email": alice.email})
    assert mail.outbox
    for one in mail.outbox:
        message = one.message()
        assert message.get_content_type() == "text/plain"
        assert not one.alternatives
        assert message["Bcc"] is None
        assert "\n" not in one.subject
