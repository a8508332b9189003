"""The two hosts behind a library's jobs, each started by its first job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from core.engines import EngineSpec, LoadOptions
from core.events import Events
from core.host import HostLimits, ModelHost, Plan
from core.jobs import Job
from core.memory import MemoryJudge
from core.process import ModelProcess

ROLES = ("download", "upkeep")


class Runner(Protocol):
    """A thread that executes ``ModelHost.run``."""

    def start(self) -> None: ...
    def join(self) -> None: ...


RunnerFactory = Callable[[ModelHost], Runner]


def thread_runner(host: ModelHost) -> Runner:
    """A plain thread, for front ends without an event loop of their own."""
    return threading.Thread(target=host.run, name=f"host-{host.role}")


class Hosts:
    """``download`` does one transfer at a time; ``upkeep`` everything else, so that a check never waits for a
    transfer. Their processes end ``idle_seconds`` after the last job."""

    def __init__(
        self,
        spec: EngineSpec,
        runner: RunnerFactory,
        memory: MemoryJudge,
        limits: HostLimits | None,
        log_folder: Path | None,
        idle_seconds: float,
    ) -> None:
        self._spec = spec
        self._runner = runner
        self._memory = memory
        self._limits = limits
        self._log_folder = log_folder
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._running: dict[str, tuple[ModelHost, Runner]] = {}
        self._closed = False

    def submit(self, role: str, job: Job[Any]) -> None:
        """Queue a job; it is cancelled when ``close`` came before."""
        host = self._host(role)
        if host is None:
            job.drop()
        else:
            host.submit(job)

    def close(self) -> None:
        """Cancel what runs, end the processes, join the threads."""
        with self._lock:
            self._closed = True
            running = list(self._running.values())
        for host, _ in running:
            host.close()
        for _, thread in running:
            thread.join()

    def _host(self, role: str) -> ModelHost | None:
        assert role in ROLES
        with self._lock:
            if self._closed:
                return None
            if role not in self._running:
                log_file = self._log_folder / f"model-{role}.log" if self._log_folder else None
                host = ModelHost(
                    role,
                    lambda: Plan(self._spec, LoadOptions(), self._idle_seconds),
                    lambda: ModelProcess(log_file),
                    self._memory,
                    Events(),
                    self._limits,
                )
                thread = self._runner(host)
                self._running[role] = (host, thread)
                thread.start()
            return self._running[role][0]
