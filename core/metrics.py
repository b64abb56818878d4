"""What is counted and timed for Prometheus: nothing, and without its client, unless METRICS is true.

Each process counts in its own memory and shows its own figures. Where METRICS_DIR names a folder (the client's
PROMETHEUS_MULTIPROC_DIR), all processes of the machine count there, and each of them shows the figures of all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.conf import settings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the buckets in which times are counted."""
WAITS = (0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0)
"""The same for what waits, which may be hours."""

_made: dict[str, Any] = {}
_registry: Any = None
_lock = Lock()
DEFINED: dict[str, Metric] = {}
"""Every metric that this module's classes describe, by its name."""


@dataclass(frozen=True)
class Metric:
    """Something that is measured.

    Attributes:
        name: as Prometheus has it; a counter's ends with `_total`.
        text: what it says.
        labels: names of what it is counted by. Their values must be few: each combination is a series for ever.
    """

    name: str
    text: str
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        DEFINED[self.name] = self

    @property
    def series(self) -> set[str]:
        """The names under which Prometheus stores it."""
        return {self.name}

    def _child(self, labels: dict[str, str]) -> Any:
        with _lock:
            metric = _made.get(self.name)
            if metric is None:
                metric = _made[self.name] = self._make(_client(), _own_registry())
        return metric.labels(**labels) if self.labels else metric

    def _make(self, client: Any, registry: Any) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Counter(Metric):
    """What only grows."""

    def add(self, number: float = 1, **labels: str) -> None:
        """Count `number` more."""
        if settings.METRICS:
            self._child(labels).inc(number)

    def _make(self, client: Any, registry: Any) -> Any:
        return client.Counter(self.name, self.text, self.labels, registry=registry)


@dataclass(frozen=True)
class Times(Metric):
    """How long something takes, in buckets of seconds."""

    buckets: Sequence[float] = SECONDS

    @property
    def series(self) -> set[str]:
        """Three of them."""
        return {f"{self.name}_{part}" for part in ("bucket", "sum", "count")}

    def add(self, seconds: float, times: int = 1, /, **labels: str) -> None:
        """Count that it took so many seconds, `times` over."""
        if settings.METRICS:
            child = self._child(labels)
            for _ in range(times):
                child.observe(seconds)

    @contextmanager
    def timed(self, **labels: str) -> Iterator[None]:
        """Time the block, whatever it ends with."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(time.perf_counter() - began, 1, **labels)

    def _make(self, client: Any, registry: Any) -> Any:
        return client.Histogram(self.name, self.text, self.labels, buckets=self.buckets, registry=registry)


@dataclass(frozen=True)
class Gauge(Metric):
    """What is asked for when somebody looks, and is everybody's: it is shown, not counted."""

    def family(self, values: Sequence[tuple[tuple[str, ...], float]]) -> Any:
        """Return it for a collector, with its values by labels."""
        family = _client().metrics_core.GaugeMetricFamily(self.name, self.text, labels=self.labels)
        for labels, value in values:
            family.add_metric(labels, value)
        return family


def exposition(*collectors: Any) -> bytes:
    """Return all figures as Prometheus reads them, and after them those of the collectors."""
    client = _client()
    if settings.METRICS_DIR:
        counted = client.CollectorRegistry()
        client.multiprocess.MultiProcessCollector(counted, path=str(settings.METRICS_DIR))
    else:
        with _lock:
            counted = _own_registry()
    asked = client.CollectorRegistry()
    for collector in collectors:
        asked.register(collector)
    shown: bytes = client.generate_latest(counted) + client.generate_latest(asked)
    return shown


def forget() -> None:
    """Begin again with nothing counted; for tests."""
    global _registry
    with _lock:
        _made.clear()
        _registry = None


def _client() -> Any:
    """Prometheus' client: a package that only METRICS=true needs. It reads its folder when it is imported."""
    import prometheus_client
    import prometheus_client.metrics_core
    import prometheus_client.multiprocess

    return prometheus_client


def _own_registry() -> Any:
    global _registry
    if _registry is None:
        client = _client()
        _registry = client.CollectorRegistry()
        for collector in (client.ProcessCollector, client.PlatformCollector, client.GCCollector):
            collector(registry=_registry)
    return _registry
