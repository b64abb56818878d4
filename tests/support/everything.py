"""All rows of the site, and taking back what a request did: for tests that ask as everybody in one world."""

from contextlib import contextmanager

from django.apps import apps
from django.db import transaction

_COUNTED = {"last_used_at", "last_login"}


def everything():
    """All rows of the site but the taxonomy's, to see that a refusal changed nothing."""
    found = {}
    for label in ("accounts", "catalog", "classifier", "webhooks"):
        for model in apps.get_app_config(label).get_models():
            if model.__name__ in {"Attribute", "AttributeValue"}:
                continue
            rows = model._default_manager.order_by("pk").values()
            found[model._meta.label] = [
                {name: value for name, value in row.items() if name not in _COUNTED} for row in rows
            ]
    return found


@contextmanager
def taken_back():
    """Take everything back at the end, so that the next caller finds the same world."""
    block = transaction.atomic()
    block._from_testcase = True  # as the transaction of each test: uploads insist on an outermost one
    with block:
        yield
        transaction.set_rollback(True)
