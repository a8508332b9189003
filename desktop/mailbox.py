"""The way from other threads into the GUI thread."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, QSocketNotifier


class Mailbox(QObject):
    """Takes calls from any thread and makes them in the thread it lives in.

    Other threads put a call into a queue and wake this one through a socket. They do not emit Qt signals: an
    emission waits for locks that the GUI thread may hold while it, holding Python's lock, destroys an object
    in a garbage collection, and then both wait for ever.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open = True
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake_out, self._wake_in = socket.socketpair()
        for end in (self._wake_out, self._wake_in):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._wake_out.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._serve)

    def post(self, call: Callable[[], None]) -> None:
        """Have this call made; from any thread."""
        self._calls.put(call)
        # A full socket wakes it all the same; a closed one has nobody to wake.
        with suppress(OSError):
            self._wake_in.send(b"!")

    def close(self) -> None:
        """What was not called yet is dropped, and so is what still comes."""
        self._open = False
        self._notifier.setEnabled(False)
        self._wake_in.close()
        self._wake_out.close()

    def _serve(self) -> None:
        with suppress(OSError):
            self._wake_out.recv(4096)
        try:
            call = self._calls.get_nowait()
        except queue.Empty:
            return
        if not self._calls.empty():
            # One call a turn: one that raises, or runs an event loop of its own, must not keep the rest.
            with suppress(OSError):
                self._wake_in.send(b"!")
        if self._open:
            call()
