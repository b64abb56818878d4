"""What the admin's sidebar lists."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

# Groups of pages: the page's title, its symbol (of Material Symbols) and the model that it lists.
GROUPS = [
    (
        _("Catalogue"),
        [
            (_("Products"), "apparel", "catalog.product"),
            (_("Photographs"), "photo_library", "catalog.productimage"),
            (_("Decisions"), "gavel", "catalog.decision"),
        ],
    ),
    (
        _("Taxonomy"),
        [
            (_("Attributes"), "category", "catalog.attribute"),
            (_("Values"), "label", "catalog.attributevalue"),
        ],
    ),
    (
        _("Classification"),
        [
            (_("Jobs"), "pending_actions", "classifier.classification"),
            (_("Predictions"), "visibility", "classifier.prediction"),
            (_("Model versions"), "memory", "classifier.modelversion"),
            (_("Model sets"), "stacks", "classifier.modelset"),
            (_("Deployment"), "rocket_launch", "classifier.deployment"),
            (_("Shadow reports"), "science", "classifier.shadowreport"),
        ],
    ),
    (
        _("Merchants and people"),
        [
            (_("Merchants"), "storefront", "accounts.merchant"),
            (_("Users"), "person", "accounts.user"),
            (_("Groups"), "groups", "auth.group"),
            (_("API keys"), "key", "accounts.apikey"),
        ],
    ),
    (
        _("Records"),
        [
            (_("Operations"), "manufacturing", "accounts.operation"),
            (_("Audit trail"), "history", "accounts.auditevent"),
        ],
    ),
]


def _may_look(request: HttpRequest, model: str) -> bool:
    return admin.site.get_model_admin(apps.get_model(model)).has_view_permission(request)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar of the person who asks: groups of the lists that this person may look at."""
    groups = []
    for title, pages in GROUPS:
        items = [
            {"title": page, "icon": icon, "link": reverse(f"admin:{model.replace('.', '_')}_changelist")}
            for page, icon, model in pages
            if _may_look(request, model)
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups
