"""Django Tasks over Celery: a task becomes a message of RabbitMQ or Redis, which `manage.py worker` takes.

Messages are wake-ups; what there is to do, and what was done, is in the database. So a message is not written to the
broker's disk, nobody waits until the broker has confirmed it, and no result is kept. Who sends must not be held up: a
broker that cannot be reached is given up after two seconds, and for some seconds after that at once.
"""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from celery import Celery
from django.utils import timezone
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.signals import task_enqueued
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError

from core.broker import BrokerAway

P = ParamSpec("P")
T = TypeVar("T")

RUN = "otjang.run"
"""The name of the only Celery task: it runs a Django task by its path."""

CONNECT_SECONDS = 2
AWAY_SECONDS = 5.0  # how long nobody tries a broker that did not answer
HEARTBEAT_SECONDS = 60  # more than a worker's longest run, which sends none: OTJANG_TASK_SECONDS
VISIBILITY_SECONDS = 600  # after this Redis hands out again what a killed worker had; RabbitMQ does so at once
ONE_MORE_TRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


def transport_options(url: str) -> dict[str, Any]:
    """Kombu's options for a broker: nobody waits for it longer than CONNECT_SECONDS."""
    if url.startswith("redis"):
        return {
            **ONE_MORE_TRY,
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": 5,  # a worker's question lasts a second, and may find nothing
            "socket_keepalive": True,
            "visibility_timeout": VISIBILITY_SECONDS,
            "queue_order_strategy": "priority",  # the queues are asked in the order in which they are named
        }
    if url.startswith("amqp"):
        return {**ONE_MORE_TRY, "write_timeout": CONNECT_SECONDS}
    return dict(ONE_MORE_TRY)


def tls(url: str) -> dict[str, Any] | None:
    """Kombu's options for a broker behind TLS, None without: its certificate must be one that this machine trusts.

    Of a Redis Kombu asks for none, and of a RabbitMQ for that of any host.
    """
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    if parts.scheme == "amqps":
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname}
    return None


def make_app(url: str, queues: Sequence[str]) -> Celery:
    """Return a Celery application with these queues, of which a worker takes one message at a time.

    A message is acknowledged when its task has ended, so that of a killed worker is handed out again. Nothing but JSON
    is accepted. Remote control and events are off: they would be more to guard.
    """
    app = Celery("otjang", broker=url, set_as_current=False, fixups=[])  # the worker looks after Django's connections
    app.conf.update(
        accept_content=["json"],
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=CONNECT_SECONDS,
        broker_heartbeat=HEARTBEAT_SECONDS,
        broker_transport_options=transport_options(url),
        broker_use_ssl=tls(url),
        task_acks_late=True,
        task_create_missing_queues=False,
        task_default_delivery_mode="transient",
        task_default_queue=queues[0],
        task_ignore_result=True,
        task_publish_retry=True,
        task_publish_retry_policy=ONE_MORE_TRY,
        task_queues=[Queue(name, Exchange(name, delivery_mode="transient"), routing_key=name) for name in queues],
        task_serializer="json",
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
    )
    return app


class Link:
    """The way to a broker: one for all threads of the process, so that all know when it is away."""

    def __init__(self, url: str, queues: tuple[str, ...]) -> None:
        self.app = make_app(url, queues)
        self._away_until = 0.0
        self._errors = (OSError, OperationalError, *self.app.connection_for_write().connection_errors)

    def send(self, queue: str, message: tuple[Any, ...], task_id: str) -> None:
        """Send a message. Raises BrokerAway; where it gets lost after it was sent, nobody notices."""
        self._ask(lambda: self.app.send_task(RUN, message, task_id=task_id, queue=queue))

    def waiting(self, queue: str) -> int:
        """Return how many messages of a queue no worker has taken. Raises BrokerAway."""
        return self._ask(lambda: self._count(queue))

    def answers(self) -> bool:
        """Whether the broker can be reached now; waits for it two seconds at most."""
        self._away_until = 0.0
        try:
            self._ask(lambda: self._connect(lambda connection: None))
        except BrokerAway:
            return False
        return True

    def _count(self, queue: str) -> int:
        def count(connection: Any) -> int:
            try:
                return int(connection.default_channel.queue_declare(queue=queue, passive=True).message_count)
            except connection.channel_errors:  # nobody has sent anything yet; for Redis an empty queue is none
                return 0

        return self._connect(count)

    def _connect(self, ask: Callable[[Any], T]) -> T:
        with self.app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS)
            return ask(connection)

    def _ask(self, ask: Callable[[], T]) -> T:
        if time.monotonic() < self._away_until:
            raise BrokerAway("it did not answer a moment ago")
        try:
            return ask()
        except self._errors as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise BrokerAway(str(error)) from error


link = cache(Link)
"""The link to a broker, by its URL and its queues."""


class CeleryBackend(BaseTaskBackend):
    """Sends tasks to the broker that the option BROKER_URL names."""

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self._link = link(self.options["BROKER_URL"], tuple(params["QUEUES"]))

    @property
    def app(self) -> Celery:
        """The Celery application of the link."""
        return self._link.app

    def enqueue(self, task: Task[P, T], args: P.args, kwargs: P.kwargs) -> TaskResult[T]:  # type: ignore[valid-type]  # P is the class's
        """Send a task. Raises BrokerAway."""
        self.validate_task(task)
        result: TaskResult[T] = TaskResult(
            task=task,
            id=str(uuid.uuid4()),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        self._link.send(task.queue_name, (task.module_path, result.args, result.kwargs), result.id)
        task_enqueued.send(type(self), task_result=result)
        return result

    def waiting(self, queue_name: str) -> int:
        """Return how many messages of a queue no worker has taken. Raises BrokerAway."""
        return self._link.waiting(queue_name)

    def answers(self) -> bool:
        """Whether the broker can be reached now; waits for it two seconds at most."""
        return self._link.answers()
