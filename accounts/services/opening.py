"""Opening and closing merchants."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Membership, Merchant, User
from accounts.services.audit import record
from core.db import atomic
from core.errors import Conflict, Invalid
from core.text import lookup_key, require_name_length, tidied

SHOP_NAME_LENGTH = 100


def _note(actor: Actor, merchant: Merchant, what: str, **details: object) -> None:
    record(
        actor=actor,
        action=f"merchant.{what}",
        subject_type="merchant",
        subject_id=str(merchant.pk),
        merchant_id=merchant.pk,
        **details,
    )


@atomic
def open_shop(*, owner: User, name: str) -> Merchant:
    """Open a merchant for a person who signs up. Raises Invalid `empty_name`, `name_too_long`."""
    name = tidied(name)
    require_name_length(name, SHOP_NAME_LENGTH)
    if not name:
        raise Invalid("empty_name", _("Give the shop a name."))
    merchant = Merchant.objects.create(name=name)
    Membership.objects.create(user=owner, merchant=merchant, role=Membership.Role.OWNER)
    _note(Actor(channel=Channel.PORTAL, user=owner, merchant=merchant), merchant, "open")
    return merchant


@atomic
def close_shop(*, actor: Actor, merchant: Merchant, name: str) -> Merchant:
    """Have the merchant closed: members go on for OTJANG_CLOSING_DAYS, then everything of it is deleted.

    Args:
        actor: an owner.
        merchant: the merchant.
        name: its name as the owner typed it, so that nobody closes the wrong one.

    Raises:
        Forbidden: the actor does not own it.
        Invalid: `other_name`.
        Conflict: `closing` already.
    """
    actor.require_manage(merchant.pk, "accounts.change_merchant")
    merchant = Merchant.objects.select_for_update().get(pk=merchant.pk)
    if lookup_key(name) != lookup_key(merchant.name):
        raise Invalid("other_name", _("That is not the shop's name. Type it as it is written above."))
    if merchant.closes_at is not None:
        raise Conflict("closing", _("The shop is being closed already."))
    merchant.closes_at = timezone.now() + timedelta(days=settings.OTJANG_CLOSING_DAYS)
    merchant.save(update_fields=["closes_at"])
    _note(actor, merchant, "close", closes_at=merchant.closes_at.isoformat())
    return merchant


@atomic
def keep_shop(*, actor: Actor, merchant: Merchant) -> None:
    """Take back that the merchant is closed. Raises Forbidden, and Conflict `closed` once its days are over."""
    actor.require_manage(merchant.pk, "accounts.change_merchant")
    merchant = Merchant.objects.select_for_update().get(pk=merchant.pk)
    if merchant.closes_at is None:
        return
    if merchant.closes_at <= timezone.now():
        raise Conflict("closed", _("The days are over: the shop is being deleted."))
    merchant.closes_at = None
    merchant.save(update_fields=["closes_at"])
    _note(actor, merchant, "keep")
