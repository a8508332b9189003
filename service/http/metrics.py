"""What the service counts, for ``GET /metrics``. Names, never content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from core.chat import Usage
from core.devices import list_devices
from core.events import HostState, State
from core.process import private_memory

if TYPE_CHECKING:
    from service.http.context import Context

ROLES = ("ocr", "vision")

_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Metrics:
    """A registry of its own, so that several services can live in one process. Thread-safe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "yomitori_requests",
            "HTTP requests that were answered",
            ("method", "path", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "yomitori_request_seconds",
            "From the head of a request to the end of its answer",
            ("method", "path"),
            buckets=_QUICK,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "yomitori_requests_in_flight", "HTTP requests being answered", registry=self.registry
        )
        self._jobs = Histogram(
            "yomitori_job_seconds",
            "From the admission of a job to its end, with its wait",
            ("role", "outcome"),
            buckets=_QUICK,
            registry=self.registry,
        )
        self._tokens = Counter(
            "yomitori_tokens", "Tokens through the model that answers", ("kind",), registry=self.registry
        )

    def request_done(self, method: str, path: str, status: int, seconds: float) -> None:
        """``path`` is the route's template, so that there are few."""
        self._requests.labels(method, path, str(status)).inc()
        self._request_seconds.labels(method, path).observe(seconds)

    def job_done(self, role: str, outcome: str, seconds: float) -> None:
        """``outcome``: ``done``, ``cancelled``, or the class of the error."""
        self._jobs.labels(role, outcome).observe(seconds)

    def answered(self, usage: Usage) -> None:
        for kind in ("prompt", "answer", "images", "reused"):
            self._tokens.labels(kind).inc(getattr(usage, kind) or 0)

    def render(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self.registry)


class _Now:
    """What is looked at when it is asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        queue = GaugeMetricFamily("yomitori_queue_depth", "Jobs that run or wait", labels=["role"])
        state = GaugeMetricFamily(
            "yomitori_model_state", "1 for the state that a model is in", labels=["role", "state"]
        )
        ram = GaugeMetricFamily(
            "yomitori_model_ram_bytes", "What a model's process has for itself", labels=["role"]
        )
        vram = GaugeMetricFamily(
            "yomitori_model_vram_bytes", "What a model took of a graphics card", labels=["role"]
        )
        for role in ROLES:
            now = self._context.engine.state(role)
            queue.add_metric([role], self._context.gate.held(role))
            for known in State:
                state.add_metric([role, known.value], float(known is now.state))
            ram.add_metric([role], memory_of(now))
            vram.add_metric([role], now.vram)
        yield from (queue, state, ram, vram)
        total = GaugeMetricFamily(
            "yomitori_device_memory_bytes", "Memory of a device, cpu being the RAM", labels=["device"]
        )
        free = GaugeMetricFamily("yomitori_device_memory_free_bytes", "What is free of it", labels=["device"])
        for device in list_devices():
            total.add_metric([device.name], device.total)
            free.add_metric([device.name], device.free)
        yield from (total, free)
        own = psutil.Process().memory_info().rss
        yield GaugeMetricFamily("yomitori_process_resident_bytes", "RAM of the service itself", own)


def memory_of(state: HostState) -> int:
    """Bytes of RAM that a model's process has for itself now; it grows and shrinks with its work."""
    return private_memory(state.pid) or state.memory


def watch(context: Context) -> Callable[[], None]:
    """Tell of models, queues and memory, too; returns the function that ends it."""
    now = _Now(context)
    registry = context.metrics.registry
    registry.register(now)
    return lambda: registry.unregister(now)
