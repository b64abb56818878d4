"""All rows of the site, and taking back what a request did: for tests that ask as everybody in one world."""

import re
from contextlib import contextmanager

from django.apps import apps
from django.db import connection, transaction

_APPS = ("accounts", "catalog", "classifier", "webhooks")
_COUNTED = {"last_used_at", "last_login"}
_WRITES = re.compile(rf"\s*(?!SELECT\b).*[\"`\s](?:{'|'.join(_APPS)})_", re.IGNORECASE | re.DOTALL)


def everything():
    """All rows of the site but the taxonomy's, to see that a refusal changed nothing."""
    found = {}
    for label in _APPS:
        for model in apps.get_app_config(label).get_models():
            if model.__name__ in {"Attribute", "AttributeValue"}:
                continue
            rows = model._default_manager.order_by("pk").values()
            found[model._meta.label] = [
                {name: value for name, value in row.items() if name not in _COUNTED} for row in rows
            ]
    return found


@contextmanager
def written():
    """The statements that may have changed what `everything` reads, as they come: without one, all is as it was."""
    statements = []

    def note(execute, sql, *arguments):
        if _WRITES.match(sql):
            statements.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        yield statements


@contextmanager
def taken_back():
    """Take everything back at the end, so that the next caller finds the same world."""
    block = transaction.atomic()
    block._from_testcase = True  # as the transaction of each test: uploads insist on an outermost one
    with block:
        yield
        transaction.set_rollback(True)
