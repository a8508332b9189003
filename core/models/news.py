"""What a library tells while it works: to the caller of a job, and to whoever listens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from core.jobs import Job
from core.models.entries import LibraryChanged, OnProgress, Progress

log = logging.getLogger(__name__)

T = TypeVar("T")
Listener = Callable[[LibraryChanged], None]


class News:
    """Thread-safe. A listener that raises is logged and costs nobody else anything."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Returns the function that ends the subscription."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def tell(self, event: LibraryChanged) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("A listener failed on %s", event)

    def pieces(self, repo: str, on_progress: OnProgress | None) -> Callable[[dict[str, Any]], None]:
        """What a job about ``repo`` is to do with the pieces of its progress."""

        def on_piece(piece: dict[str, Any]) -> None:
            progress = Progress.from_json(piece)
            try:
                if on_progress is not None:
                    on_progress(progress)
            finally:
                self.tell(LibraryChanged("progress", repo, progress))

        return on_piece

    def follow(self, job: Job[T], repo: str, done: str = "") -> None:
        """Tell how the job ended: ``failed``, or ``done`` where that is a kind of event."""

        def on_done(job: Job[T]) -> None:
            error = job.error()
            if error is not None:
                self.tell(LibraryChanged("failed", repo, error=error))
            elif done:
                self.tell(LibraryChanged(done, repo))

        job.on_done(on_done)
