"""Threads of the desktop: the QThread that runs a ModelHost, short work off the GUI thread, and the way
back into it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, QThread, QThreadPool, Signal, Slot

from core.engine import Engine
from core.errors import YomitoriError
from core.host import ModelHost
from core.jobs import Job

log = logging.getLogger(__name__)

T = TypeVar("T")
Done = Callable[[Any, YomitoriError | None], None]


class HostThread(QThread):
    """Runs one host until it is closed; the ``Runner`` of the desktop."""

    def __init__(self, host: ModelHost) -> None:
        super().__init__()
        self.setObjectName(f"host-{host.role}")
        self._host = host

    def run(self) -> None:
        self._host.run()

    def join(self) -> None:
        self.wait()


class Bridge(QObject):
    """Brings what happens in other threads into the GUI thread, where it lives.

    Close it before the engine: what comes later is dropped.
    """

    state_changed = Signal(object)
    """A ``core.events.HostState``."""
    command = Signal(str)
    """What another process asked the running instance."""
    _ready = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._line = QThreadPool(self)
        self._line.setMaxThreadCount(1)
        self._open = True
        self._ready.connect(self._call)

    def watch(self, engine: Engine) -> None:
        """Report the engine's states; the subscription ends with the engine."""
        engine.subscribe(self.state_changed.emit)

    def when_done(self, job: Job[T], done: Done) -> None:
        """Call ``done(value, None)`` or ``done(None, error)`` in the GUI thread."""

        def finished(job: Job[T]) -> None:
            error = job.error()
            value = None if error else job.result(0)
            self._ready.emit(lambda: done(value, error))

        job.on_done(finished)

    def run(self, work: Callable[[], Any], done: Done) -> None:
        """Do ``work`` in a pool thread, then call ``done`` in the GUI thread.

        An exception that is not ours is logged and told as a YomitoriError, so that it is never lost.
        """
        self._start(self._pool, work, done)

    def run_in_order(self, work: Callable[[], Any], done: Done) -> None:
        """The same, one after another in the order of the calls."""
        self._start(self._line, work, done)

    def _start(self, pool: QThreadPool, work: Callable[[], Any], done: Done) -> None:
        pool.start(_Work(work, lambda value, error: self._ready.emit(lambda: done(value, error))))

    def close(self) -> None:
        """Wait for the work that was started and drop its answers."""
        self._open = False
        self._pool.waitForDone()
        self._line.waitForDone()

    @Slot(object)
    def _call(self, action: Callable[[], None]) -> None:
        if self._open:
            action()


class _Work(QRunnable):
    def __init__(self, work: Callable[[], Any], done: Done) -> None:
        super().__init__()
        self._work = work
        self._done = done

    def run(self) -> None:
        try:
            value = self._work()
        except YomitoriError as error:
            self._done(None, error)
        except Exception as error:
            log.exception("Work in the background failed")
            self._done(None, YomitoriError(detail=f"{type(error).__name__}: {error}"))
        else:
            self._done(value, None)
