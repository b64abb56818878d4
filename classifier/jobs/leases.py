"""The leases of the batches in this process's hands: renewed beside the work, for as long as the work moves.

A lease is short, so that the jobs of a process that was killed are soon another one's. `keeper.renew` puts its end off
every few seconds, on a thread with a connection of its own, whatever the networks, the storage or the thread that
writes results are busy with. A batch that a lane has had for longer than OTJANG_MAX_JOB_SECONDS counts as stuck: its
lease is renewed no more, and another process may try.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import QuerySet

from classifier.jobs import queue
from classifier.models import Classification
from core.db import atomic

logger = logging.getLogger(__name__)

State = Classification.State


@dataclass(eq=False)
class Lease:
    """A claimed batch and how far a lane is with it."""

    batch: queue.Batch
    lost: bool = False
    reading: bool = False
    _since: float | None = field(default=None, repr=False)

    def read(self) -> None:
        """Say that a lane has begun to read the files of the batch."""
        self._since, self.reading = time.monotonic(), True

    def look(self) -> None:
        """Say that the files are read, and the networks have begun."""
        self._since, self.reading = time.monotonic(), False

    def looked(self) -> None:
        """Say that the lane is done: what is left is to write the results, however long the database is away."""
        self._since = None

    @property
    def is_stuck(self) -> bool:
        """Whether a lane has been reading, or looking, for longer than anything that will end."""
        since = self._since
        return since is not None and time.monotonic() - since > settings.OTJANG_MAX_JOB_SECONDS


class Keeper:
    """Knows the leases that this process holds, and renews them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def hold(self, batch: queue.Batch) -> Lease:
        """Keep the lease of a batch that was just claimed, until `drop`."""
        lease = Lease(batch)
        with self._lock:
            self._leases[batch.token] = lease
        return lease

    def drop(self, lease: Lease) -> None:
        """Let go of a batch: it was written, put back, or is another process's."""
        with self._lock:
            self._leases.pop(lease.batch.token, None)

    @property
    def tokens(self) -> list[str]:
        """The tokens of the leases that are kept."""
        return [lease.batch.token for lease in self._alive()]

    def _alive(self) -> list[Lease]:
        with self._lock:
            return [lease for lease in self._leases.values() if not lease.is_stuck]

    def renew(self) -> int:
        """Put off the end of every lease that is kept, also of one that has ended but that nobody took.

        A lease of which nothing is held any more is marked as lost: what comes of it is dropped. Returns how many jobs
        are held.
        """
        leases = self._alive()
        ids = [pk for lease in leases for pk in lease.batch.ids]
        if not ids:
            return 0
        held = Classification.objects.filter(
            pk__in=ids, state=State.RUNNING, lease_token__in=[lease.batch.token for lease in leases]
        )
        renewed = _put_off(held)
        if renewed < len(ids):  # some of a batch may have failed, and been written, already
            kept = set(held.values_list("pk", flat=True))
            for lease in leases:
                lease.lost = kept.isdisjoint(lease.batch.ids)
        return renewed


@atomic  # who writes the results of one batch, or claims others, locks the same rows in another order
def _put_off(held: QuerySet[Classification]) -> int:
    return held.update(lease_until=queue.lease_end())


keeper = Keeper()
"""This process's."""
