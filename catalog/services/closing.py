"""Deleting what a closed merchant had, once its days are over, and what is a person's alone when they are erased."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.actors import system
from accounts.models import Merchant, User
from accounts.services import record
from catalog import files as stored_files
from catalog.models import Product, ReviewClaim, SavedView, UploadDraft
from catalog.services import drafts, shop_data
from catalog.services.deletion import delete_of_closed
from catalog.services.imports import sending
from core.db import atomic
from webhooks.models import Event

logger = logging.getLogger(__name__)

_CHUNK = 100


def remove_due(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete products, images, members and keys of merchants whose days are over; returns how many it ended.

    The merchant's row and its audit trail stay, so that numbers keep their meaning. One product at a time: whatever
    kills the process, the next one goes on from there. `goes_on` is asked before each product.
    """
    ended = 0
    for merchant in Merchant.objects.filter(closes_at__lte=timezone.now()).order_by("pk"):
        ended += _remove(merchant, goes_on)
    return ended


@atomic
def _lock_out(pk: int) -> bool:
    """Let nobody in any more; False if an owner took the closing back meanwhile."""
    merchant = Merchant.objects.select_for_update().filter(pk=pk, closes_at__lte=timezone.now()).first()
    if merchant is None:
        return False
    merchant.is_active = False
    merchant.save(update_fields=["is_active"])
    return True


def _remove(merchant: Merchant, goes_on: Callable[[], bool]) -> bool:
    if not goes_on() or not _lock_out(merchant.pk):
        return False
    actor = system()
    products = Product.objects.filter(merchant=merchant).order_by("pk")
    while some := list(products[:_CHUNK]):
        for product in some:
            if not goes_on():
                return False
            delete_of_closed(actor=actor, product=product)
    for draft in UploadDraft.objects.filter(merchant=merchant):
        drafts.forget(draft)
    if not sending.delete_of_closed(merchant, goes_on):
        return False
    shop_data.discard_of(merchant)
    _remove_rest(merchant)
    logger.info("the merchant %s is closed for good", merchant.public_id)
    return True


@atomic
def _remove_rest(merchant: Merchant) -> None:
    SavedView.objects.filter(merchant=merchant).delete()
    merchant.operations.all().delete()
    merchant.invitations.all().delete()
    merchant.webhook_endpoints.all().delete()
    Event.objects.filter(merchant=merchant).delete()
    merchant.api_keys.all().delete()
    merchant.memberships.all().delete()
    Merchant.objects.filter(pk=merchant.pk).update(closes_at=None)
    record(
        actor=system(),
        action="merchant.remove",
        subject_type="merchant",
        subject_id=str(merchant.pk),
        merchant_id=merchant.pk,
    )


def export_person(user: User) -> dict[str, Any]:
    """What the catalogue stores of a person alone."""
    return {
        "saved_views": list(SavedView.objects.filter(user=user).order_by("pk").values("name", "query")),
        "drafts": UploadDraft.objects.filter(created_by=user).count(),
    }


def erase_person(user: User) -> None:
    """Delete what the catalogue stores of a person alone."""
    SavedView.objects.filter(user=user).delete()
    ReviewClaim.objects.filter(user=user).delete()
    for draft in UploadDraft.objects.filter(created_by=user):
        paths = drafts.delete_row(draft)
        transaction.on_commit(partial(stored_files.discard, paths))
