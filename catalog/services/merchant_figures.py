"""Counts what each merchant has and does, for the lists of merchants, which count nothing themselves.

A worker does it now and then, and only for merchants in whose audit trail something is new.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.utils import timezone

from accounts.models import AuditEvent, Merchant, MerchantFigures
from catalog.home import acceptance
from catalog.models import Product, ProductImage


def count_changed(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Count for every merchant of which something happened since; returns for how many.

    `goes_on` is asked before each of them.
    """
    newest = AuditEvent.objects.filter(merchant=OuterRef("pk")).order_by("-id").values("pk")[:1]
    merchants = Merchant.objects.annotate(newest=Subquery(newest)).filter(
        Q(figures=None) | Q(newest__gt=F("figures__last_event"))
    )
    counted = 0
    for merchant in merchants.order_by("pk"):
        if not goes_on():
            break
        count(merchant, merchant.newest or 0)
        counted += 1
    return counted


def count(merchant: Merchant, newest: int) -> MerchantFigures:
    """Count for one merchant.

    Args:
        merchant: the merchant.
        newest: the newest event of its trail that was there before; what comes later is counted the next time.
    """
    images = ProductImage.objects.filter(product__merchant=merchant, archived_at=None)
    stored = images.order_by().aggregate(number=Count("pk"), size=Sum("size", default=0))
    kept = acceptance(merchant)
    by_somebody = AuditEvent.objects.filter(merchant=merchant).exclude(user=None, api_key=None)
    figures, _created = MerchantFigures.objects.update_or_create(
        merchant=merchant,
        defaults={
            "products": Product.objects.filter(merchant=merchant).exclude(status=Product.Status.ARCHIVED).count(),
            "images": stored["number"],
            "bytes": stored["size"],
            "answered": kept.total,
            "kept": kept.kept,
            "last_active": by_somebody.order_by("-id").values_list("created_at", flat=True).first(),
            "last_event": newest,
            "counted_at": timezone.now(),
        },
    )
    return figures
