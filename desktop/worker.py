"""Threads of the desktop: the QThread that runs a ModelHost, short work off the GUI thread, and the way
back into it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QThread, Signal

from core.engine import Engine
from core.errors import YomitoriError
from core.host import ModelHost
from core.jobs import Job
from desktop.mailbox import Mailbox

log = logging.getLogger(__name__)

T = TypeVar("T")
Done = Callable[[Any, YomitoriError | None], None]

_PATIENCE = 2.0
"""Seconds for which closing waits for work that was run apart: mostly enough to store a key."""


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
    """Brings what happens in other threads into the GUI thread, where it lives, by way of a ``Mailbox``.

    Close it before the engine: what comes later is dropped.
    """

    state_changed = Signal(object)
    """A ``core.events.HostState``."""
    command = Signal(str)
    """What another process asked the running instance."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(4, "work")
        self._line = ThreadPoolExecutor(1, "in-order")
        self._apart: list[threading.Thread] = []
        self._mail = Mailbox(self)

    def post(self, call: Callable[[], None]) -> None:
        """Have the GUI thread make this call; from any thread."""
        self._mail.post(call)

    def watch(self, engine: Engine) -> None:
        """Report the engine's states; the subscription ends with the engine."""
        engine.subscribe(lambda state: self.post(lambda: self.state_changed.emit(state)))

    def command_came(self, command: str) -> None:
        """Report a command; called in the instance's thread."""
        self.post(lambda: self.command.emit(command))

    def when_done(self, job: Job[T], done: Done) -> None:
        """Call ``done(value, None)`` or ``done(None, error)`` in the GUI thread."""

        def finished(job: Job[T]) -> None:
            error = job.error()
            value = None if error else job.result(0)
            self.post(lambda: done(value, error))

        job.on_done(finished)

    def run(self, work: Callable[[], Any], done: Done) -> None:
        """Do ``work`` in a pool thread, then call ``done`` in the GUI thread.

        An exception that is not ours is logged and told as a YomitoriError, so that it is never lost.
        """
        self._pool.submit(self._do, work, done)

    def run_in_order(self, work: Callable[[], Any], done: Done) -> None:
        """The same, one after another in the order of the calls."""
        self._line.submit(self._do, work, done)

    def run_apart(self, work: Callable[[], Any], done: Done) -> None:
        """The same for work that may wait for the user or another program, such as a keyring: in a thread of
        its own, which holds up no other work, and ``close`` for two seconds at most."""
        # A daemon: the interpreter waits at its end for all other threads.
        thread = threading.Thread(target=self._do, args=(work, done), name="apart", daemon=True)
        self._apart = [*(each for each in self._apart if each.is_alive()), thread]
        thread.start()

    def _do(self, work: Callable[[], Any], done: Done) -> None:
        value, failed = None, None
        try:
            value = work()
        except YomitoriError as error:
            failed = error
        except Exception as error:
            log.exception("Work in the background failed")
            failed = YomitoriError(detail=f"{type(error).__name__}: {error}")
        self.post(lambda: done(value, failed))

    def close(self) -> None:
        """Wait for the work that was started and drop its answers."""
        self._pool.shutdown()
        self._line.shutdown()
        until = time.monotonic() + _PATIENCE
        for thread in self._apart:
            thread.join(max(0.0, until - time.monotonic()))
        self._mail.close()
