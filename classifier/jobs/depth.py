"""How much waits in the queue, by priority, for those who watch it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, Q
from django.utils import timezone

from classifier.models import Classification

State = Classification.State


@dataclass(frozen=True, slots=True)
class Depth:
    """The jobs of one priority.

    Attributes:
        priority: `interactive` or `bulk`.
        waiting: how many no worker has taken.
        running: how many a worker has.
        oldest_seconds: for how long the oldest of those has waited that no worker took; 0 where none waits.
    """

    priority: str
    waiting: int
    running: int
    oldest_seconds: float


def depths() -> list[Depth]:
    """Return the depth of each priority, by two queries over open jobs alone; the history is longer."""
    waits, runs = Q(state=State.QUEUED), Q(state=State.RUNNING)
    rows = Classification.objects.filter(state__in=(State.QUEUED, State.RUNNING)).order_by().values("priority")
    counted: dict[int, Any] = {
        row["priority"]: row
        for row in rows.annotate(
            waiting=Count("id", filter=waits), running=Count("id", filter=runs), first=Min("id", filter=waits)
        )
    }
    firsts = [row["first"] for row in counted.values() if row["first"]]
    queued = dict(Classification.objects.filter(pk__in=firsts).values_list("pk", "queued_at"))
    now, found = timezone.now(), []
    for priority in Classification.Priority:
        row = counted.get(priority.value, {})
        since = queued.get(row.get("first") or 0)
        waited = max(0.0, (now - since).total_seconds()) if since else 0.0
        found.append(Depth(priority.name.lower(), row.get("waiting", 0), row.get("running", 0), waited))
    return found
