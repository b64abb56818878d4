"""Keeps allauth's addresses in step with the people that are stored, by any way."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress

from accounts.models import User


def user_saved(sender: Any, instance: User, created: bool, update_fields: Any = None, **kwargs: Any) -> None:
    """Let a person's e-mail count as confirmed: administrators and commands vouch for the people that they store.

    Who signs up is another matter (`is_unconfirmed`): allauth stores that address and asks for a confirmation.
    """
    if kwargs.get("raw") or instance.is_unconfirmed:
        return
    if not created and update_fields is not None and "email" not in update_fields:
        return
    email = instance.email.lower()
    address = None if created else EmailAddress.objects.filter(user=instance, primary=True).first()
    if address is None:
        EmailAddress.objects.get_or_create(user=instance, email=email, defaults={"verified": True, "primary": True})
    elif address.email != email:
        address.email, address.verified = email, True
        address.save()
