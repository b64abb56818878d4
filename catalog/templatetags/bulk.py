"""The bar by which a list does something to many products at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template

from catalog.services import bulk
from catalog.views.bulk_texts import done_text

register = template.Library()

_OFFERED = timedelta(hours=1)  # how long lists name the person's last operation; its page offers to undo it for a day


@register.inclusion_tag("catalog/bulk_bar.html", takes_context=True)
def bulk_bar(
    context: template.Context, matching: int | None = None, query: str = "", more: bool = False
) -> dict[str, Any]:
    """The bar, with the person's last operation; nothing for people who may only look (one query).

    Args:
        context: the page's.
        matching: how many products the list's filter matches in all; None if nobody counted them.
        query: the list's filter, as `ProductFilter.query` writes it.
        more: whether there are more than `matching`, and nobody counted further.
    """
    actor = context["request"].actor
    if actor.merchant is None or not actor.can_edit(actor.merchant.pk):
        return {"may_edit": False}
    last = bulk.last_operation(actor, within=_OFFERED)
    return {
        "may_edit": True,
        "csrf_token": context.get("csrf_token"),
        "actions": [(code, action.label) for code, action in bulk.ACTIONS.items()],
        "matching": matching,
        "number": matching,
        "shown": f"{matching:,}{'+' if more else ''}" if matching is not None else "",
        "query": query,
        "last": last,
        "last_text": done_text(last, bulk.changed_by(last)) if last is not None else "",
        "may_undo": last is not None and bulk.can_undo(last),
    }
