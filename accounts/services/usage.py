"""What comes in for a merchant through the API on a day, and how much may.

A day is one of the site's time zone. Only the API is counted: people in the portal are slow, and imports have limits of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Merchant, Usage
from core.errors import TooMuch

MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may come in on one day; None is without a limit."""

    images: int | None
    bytes: int | None


def quota_of(merchant: Merchant) -> Quota:
    """Return the merchant's own limits, or the site's."""
    images = settings.OTJANG_DAILY_IMAGES or None
    size = settings.OTJANG_DAILY_BYTES or None
    if merchant.daily_images is not None:
        images = merchant.daily_images
    if merchant.daily_megabytes is not None:
        size = merchant.daily_megabytes * MEGABYTE
    return Quota(images, size)


def today() -> date:
    """Return the day that counts now."""
    return timezone.localdate()


def ends_at(day: date) -> datetime:
    """Return when the day is over, and counting begins again."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time()))


def _refusal(quota: Quota, day: date, images: int, size: int, used: Usage | None) -> TooMuch | None:
    seconds = max(int((ends_at(day) - timezone.now()).total_seconds()), 1)
    if quota.images is not None and (used.images if used else 0) + images > quota.images:
        return TooMuch(
            "image_quota_exceeded",
            _("At most %(limit)d photos may come through the API on one day. Nothing was stored; go on tomorrow."),
            {"limit": quota.images},
            seconds=seconds,
        )
    if quota.bytes is not None and (used.bytes if used else 0) + size > quota.bytes:
        return TooMuch(
            "byte_quota_exceeded",
            _("At most %(limit)d MB may come through the API on one day. Nothing was stored; go on tomorrow."),
            {"limit": quota.bytes // MEGABYTE},
            seconds=seconds,
        )
    return None


def require(*, actor: Actor, images: int, size: int) -> None:
    """Refuse what cannot fit into the day's quota any more, before work is put into it.

    Args:
        actor: counted only if a key or a person at the API.
        images: how many come.
        size: their bytes.

    Raises:
        TooMuch: `image_quota_exceeded`, `byte_quota_exceeded`.
    """
    if actor.channel != Channel.API or actor.merchant is None:
        return
    day = today()
    used = Usage.objects.filter(merchant=actor.merchant, day=day).first()
    refusal = _refusal(quota_of(actor.merchant), day, images, size, used)
    if refusal is not None:
        raise refusal


def count(*, actor: Actor, images: int, size: int) -> None:
    """Count what comes in, in the transaction that stores it and as its last statement: it locks the day's row.

    Args:
        actor: counted only if a key or a person at the API.
        images: how many are stored.
        size: their bytes.

    Raises:
        TooMuch: `image_quota_exceeded`, `byte_quota_exceeded`; others used up the quota meanwhile.
    """
    if actor.channel != Channel.API or actor.merchant is None or not images:
        return
    quota, day = quota_of(actor.merchant), today()
    fits = Q(merchant=actor.merchant, day=day)
    if quota.images is not None:
        fits &= Q(images__lte=quota.images - images)
    if quota.bytes is not None:
        fits &= Q(bytes__lte=quota.bytes - size)
    more = {"images": F("images") + images, "bytes": F("bytes") + size}
    if Usage.objects.filter(fits).update(**more):
        return
    # The day's first, or no room.
    Usage.objects.bulk_create([Usage(merchant=actor.merchant, day=day)], ignore_conflicts=True)
    if Usage.objects.filter(fits).update(**more):
        return
    used = Usage.objects.get(merchant=actor.merchant, day=day)
    refusal = _refusal(quota, day, images, size, used)
    assert refusal is not None  # else the update would have found the row
    raise refusal
