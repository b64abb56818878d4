"""Who once asked for something that a worker does later, with the permissions of today."""

from __future__ import annotations

from typing import Any

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import ApiKey, Membership, Merchant, User


def actor_today(
    merchant: Merchant | None, *, channel: Channel, user: User | None, api_key: ApiKey | None, **more: Any
) -> Actor | None:
    """Return the key or the person as they may act in the merchant now.

    Args:
        merchant: in which they asked.
        channel: by which they asked.
        user: who asked, unless a key did.
        api_key: the key that asked.
        more: further fields of the actor.

    Returns:
        None if the person left the merchant, the key is no longer good, or the merchant is closed.
    """
    if merchant is None or not merchant.is_active:
        return None
    if api_key is not None:
        valid = api_key.is_valid and api_key.merchant_id == merchant.pk
        return Actor(channel=channel, api_key=api_key, merchant=merchant, **more) if valid else None
    membership = Membership.objects.filter(user=user, merchant=merchant, user__is_active=True).first()
    if user is None or membership is None:
        return None
    return Actor(channel=channel, user=user, merchant=merchant, role=membership.role, **more)
