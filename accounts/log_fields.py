"""Who called, as the log names them: by ids that mean nothing elsewhere, and without asking the database."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.actors import Actor
from accounts.models import ApiKey

_KNOWN = "_log_caller"


def note_key(request: HttpRequest, key: ApiKey) -> None:
    """Remember the key that a request showed, once it proved good."""
    setattr(request, _KNOWN, {"key": key.pk, "merchant": key.merchant.public_id})


def note_person(request: HttpRequest, actor: Actor) -> None:
    """Remember the person who works in the portal, in which merchant, and who it really is."""
    known: dict[str, Any] = {"user": actor.user.pk if actor.user else None}
    if actor.impersonator is not None:
        known["impersonator"] = actor.impersonator.pk
    if actor.merchant is not None:
        known["merchant"] = actor.merchant.public_id
    setattr(request, _KNOWN, known)


def caller_of(request: HttpRequest) -> dict[str, Any]:
    """Return what is known of the caller: `user` or `key`, `merchant`, `impersonator`; nothing of strangers."""
    known: dict[str, Any] = getattr(request, _KNOWN, {})
    if known:
        return known
    user = getattr(request, "_cached_user", None)  # Django's, where somebody asked for `request.user`
    return {"user": user.pk} if user is not None and user.is_authenticated else {}
