"""Views of the list of products that a person saves for themselves, in the merchant that they work in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import SavedView
from core.db import atomic
from core.errors import Conflict, Forbidden, Gone, Invalid
from core.text import looks_empty, tidied

NAME_LENGTH = 60
QUERY_LENGTH = 2000


def _clean_name(name: str) -> str:
    text = tidied(name)
    if not text or looks_empty(text):
        raise Invalid("view_without_name", _("Give the view a name."))
    if len(text) > NAME_LENGTH:
        raise Invalid(
            "view_name_too_long",
            _("The name has %(length)d characters; at most %(limit)d are possible. Shorten it."),
            {"length": len(text), "limit": NAME_LENGTH},
        )
    return text


@atomic
def save_view(*, actor: Actor, name: str, query: str) -> SavedView:
    """Keep a list under a name; the person's view of the same name is replaced.

    Args:
        actor: a person within a merchant.
        name: whatever they call it.
        query: the list's address as `ListAddress.query` writes it, without its beginning.

    Raises:
        Invalid: `view_without_name`, `view_name_too_long`, `view_too_long`.
        Conflict: `too_many_views`.
        Forbidden: no person acts, or within no merchant.
    """
    if actor.user is None or actor.merchant is None:
        raise Forbidden("no_merchant", _("You belong to no shop."))
    name = _clean_name(name)
    if len(query) > QUERY_LENGTH:
        raise Invalid("view_too_long", _("This list has too many filters to be saved."))
    own = SavedView.objects.select_for_update().filter(user=actor.user, merchant=actor.merchant)
    views = {view.name: view for view in own}
    view = views.get(name) or SavedView(user=actor.user, merchant=actor.merchant, name=name)
    if name not in views and len(views) >= SavedView.MOST:
        raise Conflict(
            "too_many_views", _("You have %(limit)d views already. Delete one first."), {"limit": SavedView.MOST}
        )
    view.query = query
    view.save()
    return view


def _own(actor: Actor, public_id: str) -> SavedView:
    view = SavedView.objects.filter(user=actor.user, merchant=actor.merchant, public_id=public_id).first()
    if actor.user is None or view is None:
        raise Gone("not_found", _("This view was deleted meanwhile."))
    return view


@atomic
def rename_view(*, actor: Actor, public_id: str, name: str) -> SavedView:
    """Give a person's own view another name.

    Raises:
        Invalid: `view_without_name`, `view_name_too_long`.
        Conflict: `view_exists`.
        Gone: there is no such view of theirs.
    """
    view = _own(actor, public_id)
    view.name = _clean_name(name)
    same = SavedView.objects.filter(user=view.user_id, merchant=view.merchant_id, name=view.name).exclude(pk=view.pk)
    if same.exists():
        raise Conflict("view_exists", _("You have a view of this name already."))
    view.save(update_fields=["name"])
    return view


@atomic
def delete_view(*, actor: Actor, public_id: str) -> SavedView:
    """Delete a person's own view; returns what it was. Raises Gone if there is no such view of theirs."""
    view = _own(actor, public_id)
    view.delete()
    return view
