"""What merchants decide about themselves."""

from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services.audit import record
from core.db import atomic


@atomic
def set_images_for_training(*, actor: Actor, merchant: Merchant, allowed: bool) -> None:
    """Say whether the merchant's images and decisions may go into data sets. Raises Forbidden but for owners."""
    actor.require_self()
    actor.require_manage(merchant.pk, "accounts.change_merchant")
    changed = Merchant.objects.filter(pk=merchant.pk).exclude(images_for_training=allowed)
    if changed.update(images_for_training=allowed):
        record(
            actor=actor,
            action="merchant.training",
            subject_type="merchant",
            subject_id=str(merchant.pk),
            merchant_id=merchant.pk,
            allowed=allowed,
        )
