"""What the admin's sidebar lists."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.admin.review_across import may_review

# Groups of pages: the page's title, its symbol (of Material Symbols) and the model that it lists. A page that is not a
# list follows its model after a slash.
GROUPS = [
    (
        _("Catalogue"),
        [
            (_("Products"), "apparel", "catalog.product"),
            (_("Review"), "rate_review", "catalog.product/review"),
            (_("Photos"), "photo_library", "catalog.productimage"),
            (_("Decisions"), "gavel", "catalog.decision"),
        ],
    ),
    (
        _("Taxonomy"),
        [
            (_("Tree"), "account_tree", "catalog.attributevalue/tree"),
            (_("Attributes"), "category", "catalog.attribute"),
            (_("Values"), "label", "catalog.attributevalue"),
            (_("Mappings"), "swap_horiz", "catalog.taxonomymapping"),
        ],
    ),
    (
        _("Classification"),
        [
            (_("Jobs"), "pending_actions", "classifier.classification"),
            (_("Predictions"), "visibility", "classifier.prediction"),
            (_("Quality"), "monitoring", "classifier.acceptancethreshold/quality"),
            (_("Acceptance thresholds"), "tune", "classifier.acceptancethreshold"),
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
            (_("Webhooks"), "webhook", "webhooks.endpoint"),
            (_("Deliveries"), "outbox", "webhooks.delivery"),
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


def _may_look(request: HttpRequest, page: str) -> bool:
    if page == "catalog.product/review":
        return may_review(request)
    model = apps.get_model(page.partition("/")[0])
    return admin.site.get_model_admin(model).has_view_permission(request)


def _link(page: str) -> str:
    model, _slash, view = page.partition("/")
    return reverse(f"admin:{model.replace('.', '_')}_{view or 'changelist'}")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar of the person who asks: groups of the pages that this person may look at."""
    links = {page: _link(page) for _title, pages in GROUPS for _name, _icon, page in pages}
    # The theme would mark every page whose link begins the path, so also the list that another page hangs on.
    here = max((link for link in links.values() if request.path.startswith(link)), key=len, default="")
    groups = []
    for title, pages in GROUPS:
        items = [
            {"title": name, "icon": icon, "link": links[page], "active": links[page] == here}
            for name, icon, page in pages
            if _may_look(request, page)
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups
