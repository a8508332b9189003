"""Trying a server: a model process of its own asks it which models it has, so that a model that is loaded
stays as it is, whatever answers questions at the time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from core.engines import EngineSpec, LoadOptions
from core.errors import YomitoriError, from_json
from core.events import Events
from core.host import HostLimits, ModelHost, Plan
from core.jobs import Job
from core.memory import MemoryJudge
from core.process import StartProcess

ROLE = "server-test"
_IDLE = 10.0
"""Seconds for which the process waits for another try: after a typing mistake the next one comes soon."""


@dataclass(frozen=True, slots=True)
class ServerTest:
    """A server that has answered.

    ``models`` are the names of all it has, in its own order; empty when it does not tell. ``address`` is the
    IP address that was connected to, ``loopback`` whether that is this computer, ``proxy`` the host on the
    way or empty. ``notice`` is a RemoteModelMissing when the chosen model is not among them. ``seconds`` are
    those until the answer was there.
    """

    models: tuple[str, ...]
    address: str
    loopback: bool
    proxy: str
    notice: YomitoriError | None
    seconds: float

    @classmethod
    def from_json(cls, value: dict[str, Any], seconds: float) -> ServerTest:
        """From the result of the remote engine's ``test``."""
        notice = value["notice"]
        return cls(
            tuple(value["models"]),
            value["address"],
            value["loopback"],
            value["proxy"],
            None if notice is None else from_json(notice),
            seconds,
        )


class Runner(Protocol):
    """A thread that executes ``ModelHost.run``."""

    def start(self) -> None: ...
    def join(self) -> None: ...


class ServerTests:
    """Safe to use from any thread. Nothing runs before the first test. Close it."""

    def __init__(
        self,
        engine: Callable[[], EngineSpec],
        runner: Callable[[ModelHost], Runner],
        start_process: StartProcess,
        limits: HostLimits | None = None,
    ) -> None:
        self._engine = engine
        self._runner = runner
        self._start_process = start_process
        self._limits = limits
        self._lock = threading.Lock()
        self._running: tuple[ModelHost, Runner] | None = None
        self._closed = False

    def start(self, server: dict[str, Any]) -> Job[ServerTest]:
        """Try a server, which is what ``params["server"]`` of the remote engine is."""
        job = _job(server)
        with self._lock:
            if not self._closed and self._running is None:
                self._running = self._start_host()
            host = None if self._closed or self._running is None else self._running[0]
        if host is None:
            job.drop()
        else:
            host.submit(job)
        return job

    def failed(self, error: YomitoriError) -> Job[ServerTest]:
        """A test that could not begin."""
        job = _job({})
        job.fail(error)
        return job

    def _start_host(self) -> tuple[ModelHost, Runner]:
        # Its own judge of memory and its own events: no other model gives way to a test, and nobody is told
        # that one is loaded.
        host = ModelHost(
            ROLE,
            lambda: Plan(self._engine(), LoadOptions(), _IDLE),
            self._start_process,
            MemoryJudge(),
            Events(),
            self._limits,
        )
        thread = self._runner(host)
        thread.start()
        return host, thread

    def close(self) -> None:
        """Cancel what runs, end the process, join the thread."""
        with self._lock:
            self._closed = True
            running = self._running
        if running is not None:
            running[0].close()
            running[1].join()


def _job(server: dict[str, Any]) -> Job[ServerTest]:
    return Job("test", {"server": server}, (), ServerTest.from_json)
