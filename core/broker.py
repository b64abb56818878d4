"""The broker behind Django's tasks, where the settings name one. Needs no Celery, which may not be installed."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from django_tasks import default_task_backend, task_backends


class BrokerAway(Exception):
    """The broker does not answer, or did not a moment ago."""


@runtime_checkable
class Broker(Protocol):
    """What a task backend offers behind which there is a broker."""

    def answers(self) -> bool:
        """Whether the broker can be reached now; waits for it two seconds at most."""

    def waiting(self, queue_name: str) -> int:
        """Return how many messages of a queue no worker has taken. Raises BrokerAway."""


def broker() -> Broker | None:
    """Return the broker, or None where tasks are rows of the database."""
    backend = task_backends[default_task_backend.alias]
    return backend if isinstance(backend, Broker) else None
