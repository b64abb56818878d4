"""The audit trail speaks in words, whatever is done."""

import re

import pytest
from django.conf import settings
from django.contrib import admin as django_admin
from django.urls import reverse

from accounts.actors import Actor
from accounts.admin.base import AuditedAdmin
from accounts.audit_labels import ACTIONS, action_label
from accounts.channels import Channel
from accounts.services import record


def _codes_in_the_code():
    for app in ("accounts", "webhooks", "catalog", "classifier"):
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            text = path.read_text()
            yield from re.findall(
                r'(?:action=|(?:audit|_record)\(\s*actor,\s*|deployment, [^"]*)"([a-z_]+\.[a-z_]+)"', text
            )


def test_every_action_has_a_label():
    found = set(_codes_in_the_code())
    assert {"product.publish", "image.add", "api_key.create", "endpoint.change", "operation.start"} <= found
    assert found <= set(ACTIONS)


def test_what_admin_pages_write_themselves_has_one_too():
    for model, page in django_admin.site._registry.items():
        if isinstance(page, AuditedAdmin):
            for what in ("add", "change", "delete"):
                code = f"{model._meta.model_name}.{what}"
                assert action_label(code) != code


@pytest.mark.django_db
def test_the_list_shows_words(admin, merchant, client_of):
    actor = Actor(channel=Channel.ADMIN, user=admin)
    for action in ("product.publish", "attributevalue.change", "forgotten.code"):
        subject = action.partition(".")[0]
        record(actor=actor, action=action, subject_type=subject, subject_id="x1", merchant_id=merchant.pk)

    page = client_of(admin).get(reverse("admin:accounts_auditevent_changelist")).text

    for text in ("published", "product x1", "changed: value", "value x1", "forgotten.code"):
        assert text in page
    assert "product.publish" not in re.sub(r'value="[^"]*"', "", page)  # but for what the filters send
