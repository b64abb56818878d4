"""The groups that the site brings along for staff: a name for each kind of work, with the permissions that it needs.

`manage.py prepare` brings them up to date, so nobody edits them; who needs something else makes a group of their own.
A page that one of their members is offered must open: tests/browser/test_ready_groups.py follows every link of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from core.db import atomic


@dataclass(frozen=True)
class ReadyGroup:
    """A kind of work: its name in English, as it is stored, what it is for, and its permissions."""

    name: str
    purpose: Promise
    permissions: frozenset[str]

    @property
    def label(self) -> str:
        """Its name in the reader's language."""
        return gettext(self.name)


def _views(*models: str) -> set[str]:
    return {f"{app}.view_{model}" for app, model in (name.split(".") for name in models)}


# Who sees products sees whose they are, what they look like, and what happened to them.
_PRODUCTS = {"accounts.view_all_merchants"} | _views(
    "accounts.merchant",
    "accounts.auditevent",
    "catalog.product",
    "catalog.productimage",
    "catalog.decision",
    "catalog.attribute",
    "catalog.attributevalue",
    "classifier.classification",
    "classifier.prediction",
    "classifier.modelversion",
    "classifier.modelset",
)

READY_GROUPS = (
    ReadyGroup(
        gettext_noop("Reviewer"),
        gettext_lazy("reviews doubtful products of all merchants and corrects them"),
        frozenset(_PRODUCTS | {"catalog.change_product", "catalog.change_productimage"}),
    ),
    ReadyGroup(
        gettext_noop("Support"),
        gettext_lazy("helps merchants: sees what they see, and works as one of their members if need be"),
        frozenset(
            _PRODUCTS
            | {"accounts.impersonate_user"}
            | _views("accounts.user", "accounts.membership", "accounts.apikey", "accounts.operation")
            | _views("webhooks.endpoint", "webhooks.delivery")
        ),
    ),
    ReadyGroup(
        gettext_noop("Taxonomy keeper"),
        gettext_lazy("keeps attributes, their values, and what marketplaces call them"),
        frozenset(
            _PRODUCTS
            | {
                f"catalog.{what}_{model}"
                for what in ("add", "change")
                for model in ("attribute", "attributevalue", "taxonomymapping")
            }
            | {"catalog.view_taxonomymapping", "catalog.delete_attribute", "catalog.delete_attributevalue"}
        ),
    ),
    ReadyGroup(
        gettext_noop("Model keeper"),
        gettext_lazy("tries models, puts them into service and says what is auto-accepted"),
        frozenset(
            _PRODUCTS
            | {"classifier.change_deployment", "classifier.change_acceptancethreshold"}
            | _views(
                "accounts.operation",
                "classifier.deployment",
                "classifier.shadowreport",
                "classifier.acceptancethreshold",
            )
        ),
    ),
    ReadyGroup(
        gettext_noop("Operator"),
        gettext_lazy("looks after the queue: retries what failed, pauses and cancels long operations"),
        frozenset(
            _PRODUCTS
            | {"accounts.change_operation", "classifier.change_classification"}
            | _views("accounts.operation", "classifier.deployment", "classifier.shadowreport")
        ),
    ),
)
NAMES = frozenset(group.name for group in READY_GROUPS)


def _permissions(names: Iterable[str]) -> list[Permission]:
    wanted = set(names)
    condition = Q()
    for name in wanted:
        app, _dot, codename = name.partition(".")
        condition |= Q(content_type__app_label=app, codename=codename)
    found = list(Permission.objects.filter(condition).select_related("content_type"))
    if missing := wanted - {f"{one.content_type.app_label}.{one.codename}" for one in found}:
        raise LookupError(f"no such permissions: {', '.join(sorted(missing))}")
    return found


@atomic
def load_groups() -> None:
    """Make the groups, or give those that are there exactly their permissions. Raises LookupError for unknown ones."""
    for ready in READY_GROUPS:
        group, _created = Group.objects.get_or_create(name=ready.name)
        group.permissions.set(_permissions(ready.permissions))
