"""The settings of the task queue: rows of the database, or messages of a broker."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

QUEUES = ("interactive", "bulk")
DATABASE, CELERY = "django_tasks_db.DatabaseBackend", "celery"
_SCHEMES = ("amqp", "amqps", "redis", "rediss")


def backend(chosen: str, broker: str) -> dict[str, Any]:
    """Django's TASKS entry for DATABASE or, with the URL of a broker, CELERY.

    Raises ImproperlyConfigured for CELERY without a broker or where it is not installed, and for a broker without it.
    """
    if chosen == DATABASE:
        if broker:
            raise ImproperlyConfigured("CELERY_BROKER_URL is used only where TASKS_BACKEND is celery.")
        return {"BACKEND": DATABASE, "QUEUES": list(QUEUES)}
    parts = urlsplit(broker)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL must be amqp://user:password@host:5672/vhost or redis://host:6379/0, with amqps:// or "
            "rediss:// for TLS."
        )
    if find_spec("celery") is None:
        raise ImproperlyConfigured("TASKS_BACKEND is celery: pip install -r requirements-production.txt.")
    return {
        "BACKEND": "core.celery_backend.CeleryBackend",
        "QUEUES": list(QUEUES),
        "OPTIONS": {"BROKER_URL": broker},
    }


def seconds(chosen: str) -> int:
    """For how long one task of this backend works through the queue.

    A broker takes a worker for dead that is silent for a minute. A row needs only to tell a task that lasts from one
    that a killed worker left running.
    """
    return 3600 if chosen == DATABASE else 20


def worker_queues(chosen: Sequence[str]) -> list[str]:
    """The queues that a worker is for, in their order; raises ImproperlyConfigured for others, or for none."""
    if not chosen or not set(chosen) <= set(QUEUES):
        raise ImproperlyConfigured(f"OTJANG_WORKER_QUEUES must be interactive, bulk or both, not {','.join(chosen)!r}.")
    return [queue for queue in QUEUES if queue in chosen]
