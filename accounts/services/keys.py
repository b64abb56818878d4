"""API keys: creating, revoking, and when they were last used."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import ApiKey, Merchant
from accounts.services.audit import record
from core.db import atomic
from core.errors import Conflict, Forbidden, Invalid
from core.text import require_name_length

KEY_NAME_LENGTH = 100


def _require_manage(actor: Actor, merchant: Merchant) -> None:
    actor.require_self()
    if not actor.can_manage(merchant.pk, "accounts.add_apikey"):
        raise Forbidden("forbidden", _("Only an owner of the shop may manage its API keys."))


@atomic
def create_api_key(*, actor: Actor, merchant: Merchant, name: str, read_only: bool = False) -> tuple[ApiKey, str]:
    """Create a key for the merchant and return it with the whole secret, which is shown once and kept nowhere.

    Raises:
        Forbidden: the actor is neither an owner nor an administrator.
        Invalid: `empty_name`, `name_too_long`.
        Conflict: `name_taken` by another key that is valid: the name is shown beside everything that a key decides.
    """
    _require_manage(actor, merchant)
    name = name.strip()
    require_name_length(name, KEY_NAME_LENGTH)
    if not name:
        raise Invalid("empty_name", _("Give the key a name, so that you can tell it from others later."))
    if ApiKey.objects.filter(merchant=merchant, name=name, revoked_at=None).exists():
        raise Conflict(
            "name_taken", _("There is a valid key of this name already. Give another name, or revoke that one.")
        )
    secret, prefix, key_hash = ApiKey.generate()
    key = ApiKey.objects.create(
        merchant=merchant,
        name=name,
        prefix=prefix,
        key_hash=key_hash,
        read_only=read_only,
        created_by=actor.user,
    )
    record(
        actor=actor, action="api_key.create", subject_type="api_key", subject_id=str(key.pk), merchant_id=merchant.pk
    )
    return key, secret


@atomic
def revoke_api_key(*, actor: Actor, key: ApiKey) -> None:
    """Make the key useless from now on; the row stays, so that old decisions keep their author."""
    _require_manage(actor, key.merchant)
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(
            actor=actor,
            action="api_key.revoke",
            subject_type="api_key",
            subject_id=str(key.pk),
            merchant_id=key.merchant_id,
        )


def note_use_of_api_key(*, key: ApiKey) -> None:
    """Keep when the key was last used, to the minute: a row written at every request would be a queue of writers."""
    now = timezone.now()
    stale = now - timedelta(minutes=1)
    if key.last_used_at is None or key.last_used_at < stale:
        ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=stale), pk=key.pk).update(last_used_at=now)
