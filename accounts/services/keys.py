"""API keys: creating, rotating, revoking, and when they were last used."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import ApiKey, Merchant, Scope
from accounts.services.audit import record
from core.db import atomic
from core.errors import Conflict, Forbidden, Invalid
from core.text import require_name_length

KEY_NAME_LENGTH = 100
LONGEST_OVERLAP = timedelta(days=30)
EVERY_SCOPE = tuple(Scope)


def _require_manage(actor: Actor, merchant: Merchant) -> None:
    actor.require_self()
    if not actor.can_manage(merchant.pk, "accounts.add_apikey"):
        raise Forbidden("forbidden", _("Only an owner of the shop may manage its API keys."))


def _record(actor: Actor, action: str, key: ApiKey) -> None:
    record(actor=actor, action=action, subject_type="api_key", subject_id=str(key.pk), merchant_id=key.merchant_id)


@atomic
def create_api_key(
    *,
    actor: Actor,
    merchant: Merchant,
    name: str,
    scopes: Collection[str] = EVERY_SCOPE,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Create a key for the merchant and return it with the whole secret, which is shown once and kept nowhere.

    Args:
        actor: an owner or an administrator.
        merchant: whose key it is.
        name: shown beside everything that the key decides.
        scopes: what it may do; values of `Scope`, at least one.
        expires_at: from when on it opens nothing; None for never.

    Raises:
        Forbidden: the actor is neither an owner nor an administrator.
        Invalid: `empty_name`, `name_too_long`, `no_scope`, `unknown_scope`, `expires_in_the_past`.
        Conflict: `name_taken` by another key that is valid: the name is shown beside everything that a key decides.
    """
    _require_manage(actor, merchant)
    name = name.strip()
    require_name_length(name, KEY_NAME_LENGTH)
    if not name:
        raise Invalid("empty_name", _("Give the key a name, so that you can tell it from others later."))
    if not scopes:
        raise Invalid("no_scope", _("Choose at least one thing that the key may do."))
    if unknown := sorted(set(scopes) - set(Scope.values)):
        raise Invalid(
            "unknown_scope",
            _("There is no scope “%(scope)s”. There are: %(names)s."),
            {"scope": unknown[0][:40], "names": ", ".join(Scope.values)},
        )
    now = timezone.now()
    if expires_at is not None and expires_at <= now:
        raise Invalid("expires_in_the_past", _("That day is past. Choose a later one, or none."))
    valid = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    if ApiKey.objects.filter(valid, merchant=merchant, name=name).exists():
        raise Conflict(
            "name_taken", _("There is a valid key of this name already. Give another name, or revoke that one.")
        )
    secret, prefix, key_hash = ApiKey.generate()
    key = ApiKey.objects.create(
        merchant=merchant,
        name=name,
        prefix=prefix,
        key_hash=key_hash,
        may_read=Scope.READ in scopes,
        may_write=Scope.WRITE in scopes,
        may_classify=Scope.CLASSIFY in scopes,
        expires_at=expires_at,
        created_by=actor.user,
    )
    _record(actor, "api_key.create", key)
    return key, secret


@atomic
def rotate_api_key(*, actor: Actor, key: ApiKey, overlap: timedelta, seen: str | None = None) -> str:
    """Give the key another secret and return it, this once. The key keeps its name, scopes and expiry.

    Args:
        actor: an owner or an administrator.
        key: a valid one.
        overlap: for how long the secret that it has now opens it too; a secret from before that ends at once.
        seen: the key's `rotation` as the caller saw it. A form that is sent twice must not replace the secret that the
            first one has shown; None does not look.

    Raises:
        Forbidden: the actor is neither an owner nor an administrator.
        Invalid: `overlap_too_long`.
        Conflict: `key_not_valid`: it was revoked, or it expired; `rotated_meanwhile`.
    """
    _require_manage(actor, key.merchant)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Invalid("overlap_too_long", _("The old secret can stay good for at most 30 days."))
    locked = ApiKey.objects.select_for_update().get(pk=key.pk)
    if not locked.is_valid:
        raise Conflict("key_not_valid", _("This key opens nothing any more. Make a new one."))
    if seen is not None and seen != locked.rotation:
        raise Conflict("rotated_meanwhile", _("The secret of this key was replaced meanwhile. Look at the key again."))
    secret, _prefix, key_hash = ApiKey.generate(locked.prefix)
    now = timezone.now()
    locked.previous_hash = locked.key_hash if overlap else ""
    locked.previous_until = now + overlap if overlap else None
    locked.previous_used_at = locked.last_used_at if overlap else None
    locked.key_hash, locked.rotated_at = key_hash, now
    locked.save()
    _record(actor, "api_key.rotate", locked)
    return secret


@atomic
def revoke_api_key(*, actor: Actor, key: ApiKey) -> None:
    """Make the key useless from now on; the row stays, so that old decisions keep their author."""
    _require_manage(actor, key.merchant)
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        _record(actor, "api_key.revoke", key)


def note_use_of_api_key(*, key: ApiKey, old_secret: bool = False) -> None:
    """Keep when the key was last used, to the minute: a row written at every request would be a queue of writers.

    Args:
        key: which was used.
        old_secret: whether by the secret from before the last rotation, which is noted too.
    """
    now = timezone.now()
    stale = now - timedelta(minutes=1)
    for field in ("last_used_at", "previous_used_at") if old_secret else ("last_used_at",):
        noted = getattr(key, field)
        if noted is None or noted < stale:
            is_stale = Q(**{field: None}) | Q(**{f"{field}__lt": stale})
            ApiKey.objects.filter(is_stale, pk=key.pk).update(**{field: now})
