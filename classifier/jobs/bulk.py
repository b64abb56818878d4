"""Classifying many products again: what `catalog.services.bulk` cannot do itself."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Operation
from catalog.models import Product
from catalog.services import bulk
from classifier.jobs import requests
from classifier.models import Classification

_IN_THE_QUEUE = 400  # images of one merchant that wait behind interactive work; others find a short queue


def _room(operation: Operation) -> int:
    """How many products may be queued now. As images are looked at, there is room for more."""
    waiting = Classification.objects.filter(
        merchant=operation.merchant,
        state=Classification.State.QUEUED,
        priority=Classification.Priority.BULK,
    )
    return max(0, _IN_THE_QUEUE - waiting.count())


def _classify(work: bulk.Work, product: Product) -> Product | None:
    operation = work.actor.operation
    few = operation is not None and operation.total < settings.OTJANG_BULK_FROM
    priority = Classification.Priority.INTERACTIVE if few else Classification.Priority.BULK
    return product if requests.classify_again(actor=work.actor, product=product, priority=priority) else None


def provide() -> None:
    """Offer it among the bulk operations."""
    bulk.provide(
        "classify",
        bulk.Action(
            label=_("Classify again"),
            change=_classify,
            cannot={Product.Status.ARCHIVED: "archived", Product.Status.CLASSIFYING: ""},
            undoable=False,
            room=_room,
        ),
    )
