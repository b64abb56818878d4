"""Brokers for tests, and a Celery worker in the test's own thread that ends by itself."""

from __future__ import annotations

from celery import signals
from celery.worker import state

from classifier.jobs.consumer import CeleryWorker
from config import tasks
from core.broker import broker
from core.celery_backend import RUN, link

MEMORY = "memory://localhost"  # of this process
NOWHERE = "redis://127.0.0.1:1/0"  # a port where nothing listens


def use(settings, url=MEMORY):
    """Let tasks go to this broker, as TASKS_BACKEND=celery does; returns the broker."""
    settings.TASKS = {"default": tasks.backend(tasks.CELERY, "redis://named")}
    settings.TASKS["default"]["OPTIONS"]["BROKER_URL"] = url
    link.cache_clear()  # else a broker that was away for another test would be away still
    if url == MEMORY:
        forget()
    return broker()


def forget():
    """Lose all messages."""
    with broker().app.connection_for_write() as connection:
        for name in tasks.QUEUES:
            if broker().waiting(name):
                connection.default_channel.queue_purge(name)


def take(messages):
    """Run a worker of the broker in use until it has taken so many messages; returns it."""
    left = messages

    def count(**_about):
        nonlocal left
        left -= 1
        if not left:
            state.should_stop = 0

    broker().app.tasks.pop(RUN, None)  # of the worker before, which would have been another process
    worker = CeleryWorker(broker(), "test")
    signals.task_postrun.connect(count, weak=False)
    try:
        worker.run()
    finally:
        signals.task_postrun.disconnect(count)
        state.should_stop = None
    return worker
