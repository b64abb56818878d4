"""Bulk operations in words: what was done, to how many products, and why not to others."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Operation
from catalog.models import Attribute, AttributeValue
from catalog.services import NOT_APPLICABLE, bulk

REASONS: dict[str, str | Promise] = {
    "archived": gettext_lazy("archived"),
    "bad_move": gettext_lazy("the status does not allow it"),
    "category_open": gettext_lazy("the category is still open"),
    "does_not_apply": gettext_lazy("such garments do not have this attribute"),
    "error": gettext_lazy("an error on our side, which was recorded"),
    "not_found": gettext_lazy("deleted meanwhile"),
    "not_a_leaf": gettext_lazy("the value is no longer offered"),
    "published": gettext_lazy("published, so the values stay decided"),
    "sku_taken": gettext_lazy("another product has the SKU now"),
    "stale": gettext_lazy("changed since"),
    "still_classifying": gettext_lazy("photos are still being looked at"),
    "unknown_attribute": gettext_lazy("the value is no longer offered"),
    "unknown_value": gettext_lazy("the value is no longer offered"),
}

_DONE: dict[str, Callable[[int], str]] = {
    "accept": lambda n: ngettext("%(count)d product accepted", "%(count)d products accepted", n),
    "archive": lambda n: ngettext("%(count)d product archived", "%(count)d products archived", n),
    "classify": lambda n: ngettext(
        "%(count)d product is classified again", "%(count)d products are classified again", n
    ),
    "publish": lambda n: ngettext("%(count)d product published", "%(count)d products published", n),
    "restore": lambda n: ngettext("%(count)d product restored", "%(count)d products restored", n),
    "set": lambda n: ngettext("value set for %(count)d product", "value set for %(count)d products", n),
    "undo": lambda n: ngettext("undone for %(count)d product", "undone for %(count)d products", n),
    "unpublish": lambda n: ngettext("%(count)d product unpublished", "%(count)d products unpublished", n),
}


def reason_text(code: str) -> str:
    """Return why a product could not be changed; the code itself where it has no words."""
    return str(REASONS.get(code, code))


def done_text(operation: Operation, count: int) -> str:
    """Say what was done to so many products."""
    said = _DONE.get(bulk.action_of(operation))
    return said(count) % {"count": count} if said is not None else f"{operation}: {count}"


def summary(operation: Operation, counts: bulk.Counts) -> str:
    """Say in a line what an operation came to."""
    parts = [done_text(operation, counts.changed)] if counts.changed else []
    if counts.unchanged:
        parts.append(
            ngettext("%(count)d was so already", "%(count)d were so already", counts.unchanged)
            % {"count": counts.unchanged}
        )
    parts += [f"{count}: {reason_text(reason)}" for reason, count in counts.reasons.items()]
    return " · ".join(parts) if parts else _("Nothing was changed.")


def value_text(operation: Operation) -> str:
    """Name the value that an operation sets; "" for every other kind."""
    code, said = operation.parameters.get("attribute"), operation.parameters.get("value")
    attribute = Attribute.objects.filter(code=code).first() if code else None
    if attribute is None:
        return ""
    value = AttributeValue.objects.filter(attribute=attribute, code=said).first()
    name = _("not applicable") if said == NOT_APPLICABLE else value.name if value is not None else said
    return f"{attribute.name}: {name}"
