"""What takes too long for a request once there are very many decisions: calibrating, and the figures of quality.

Both are long operations. Figures of few decisions are counted while the page is asked for; those of many are counted
by a worker and kept, so that the page shows the last ones and when they were counted.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Merchant, Operation
from accounts.services import operations
from accounts.services.operations import Lease
from catalog.models import Decision
from classifier.models import Prediction, QualityFigures
from classifier.quality import metrics
from classifier.quality.metrics import Automatic, Drift, Period, Rate, Verdicts
from classifier.quality.thresholds import calibrate, require_calibration
from core.db import atomic
from core.errors import Conflict, Refused

CALIBRATE = "calibrate"
QUALITY = "quality"
COUNTED_AT_ONCE = 20_000  # decisions, and predictions, of a period that a request may count

State = Operation.State


@dataclass(frozen=True)
class Figures:
    """What the page of quality is made of."""

    period: Period
    found: list[Verdicts]
    automatic: dict[int, Automatic]
    drift: list[Drift]
    counted_at: datetime | None = None

    @classmethod
    def count(cls, period: Period) -> Figures:
        """Count them now; seconds where there are millions of decisions."""
        found = metrics.read_verdicts(period)
        return cls(period, found, metrics.read_automatic(period, found), metrics.read_drift(period))

    def as_json(self) -> dict[str, Any]:
        """What `QualityFigures.figures` keeps."""
        return {
            "starts": [start.isoformat() for start in self.period.starts],
            "found": [asdict(one) for one in self.found],
            "automatic": {str(key): asdict(one) for key, one in self.automatic.items()},
            "drift": [asdict(one) for one in self.drift],
        }

    @classmethod
    def read(cls, row: QualityFigures) -> Figures:
        """Read what was kept."""
        kept = row.figures
        automatic = {
            int(key): Automatic(**{**one, "sample": Rate(**one["sample"])}) for key, one in kept["automatic"].items()
        }
        return cls(
            Period([datetime.fromisoformat(start) for start in kept["starts"]], row.merchant_id),
            [Verdicts(**one) for one in kept["found"]],
            automatic,
            [Drift(**one) for one in kept["drift"]],
            row.counted_at,
        )


def figures_of(weeks: int, merchant: int | None) -> Figures | None:
    """The figures of these weeks: counted now if there are few, else those that were kept, if there are any."""
    period = Period.last(weeks, merchant)
    start = period.starts[0]
    for rows in (Decision.objects.filter(created_at__gte=start), Prediction.objects.filter(created_at__gte=start)):
        if rows.order_by()[: COUNTED_AT_ONCE + 1].count() > COUNTED_AT_ONCE:
            kept = QualityFigures.objects.filter(scope=QualityFigures.scope_of(merchant, weeks)).first()
            return Figures.read(kept) if kept is not None else None
    return Figures.count(period)


def under_way(weeks: int, merchant: int | None) -> Operation | None:
    """The operation that counts these figures now, if there is one."""
    return Operation.objects.filter(open_key=_key(weeks, merchant)).first()


def _key(weeks: int, merchant: int | None) -> str:
    return f"{QUALITY}:{QualityFigures.scope_of(merchant, weeks)}"


@atomic
def start_counting(*, actor: Actor, weeks: int, merchant: Merchant | None = None) -> Operation:
    """Let a worker count the figures of these weeks. Raises Conflict `under_way` if one does so already."""
    what = merchant.name if merchant else ""
    parameters = {"weeks": weeks, "merchant": merchant.pk if merchant else None, "name": what}
    return _start(actor, QUALITY, parameters, _key(weeks, merchant.pk if merchant else None))


@atomic
def start_calibration(*, actor: Actor, precision: float) -> Operation:
    """Let a worker calibrate all thresholds.

    Raises:
        Forbidden, Invalid: as `thresholds.calibrate` does.
        Conflict: `under_way`.
    """
    require_calibration(actor, precision)
    return _start(actor, CALIBRATE, {"precision": precision}, CALIBRATE)


def _start(actor: Actor, kind: str, parameters: dict[str, Any], key: str) -> Operation:
    operation = Operation(kind=kind, created_by=actor.user, parameters=parameters, total=1, open_key=key)
    try:
        with transaction.atomic():
            operation.save()
    except IntegrityError as error:  # the database lets nobody be quicker
        same = Operation.objects.filter(open_key=key).first()
        if same is None:
            raise
        raise Conflict(
            "under_way", _("This is under way already: operation %(id)s."), {"id": same.public_id}
        ) from error
    operations.note(actor, operation, "start")
    return operation


def run_counting(lease: Lease, stop: threading.Event, seconds: float) -> int:
    """Count and keep the figures of an operation; see `accounts.services.operations.Run`."""
    operation = lease.held.first()
    if operation is None:
        return 0
    weeks, merchant = operation.parameters["weeks"], operation.parameters["merchant"]
    figures = Figures.count(Period.last(weeks, merchant))
    with transaction.atomic():
        held = lease.held.select_for_update().first()
        if held is None:
            return 0
        QualityFigures.objects.update_or_create(
            scope=QualityFigures.scope_of(merchant, weeks),
            defaults={
                "merchant_id": merchant,
                "weeks": weeks,
                "figures": figures.as_json(),
                "counted_at": timezone.now(),
            },
        )
        held.done = 1
        operations.end(held, State.DONE)
    return 1


def run_calibration(lease: Lease, stop: threading.Event, seconds: float) -> int:
    """Calibrate as the operation's author, who may have lost the permission since."""
    operation = lease.held.select_related("created_by").first()
    if operation is None:
        return 0
    actor = Actor(channel=Channel.ADMIN if operation.created_by else Channel.COMMAND, user=operation.created_by)
    try:
        with transaction.atomic():
            rows = calibrate(actor=actor, precision=operation.parameters["precision"])
            held = lease.held.select_for_update().first()
            if held is None:
                transaction.set_rollback(True)
                return 0
            held.parameters["thresholds_in_use"] = sum(row.enabled and row.threshold is not None for row in rows)
            held.done = 1
            operations.end(held, State.DONE)
    except Refused as refused:
        with transaction.atomic():
            if (held := lease.held.select_for_update().first()) is not None:
                held.failed = 1
                operations.end(held, State.FAILED, error=refused.message)
    return 1
