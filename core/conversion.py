"""Weights that have to be converted before they are loaded: one conversion for all who wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Generic

from core.checkpoints import W
from core.jobs import Job
from core.models.entries import OnProgress, Progress


class Conversions(Generic[W]):
    """``start`` begins one, and reports its progress to the function that it is given; ``on_change`` is
    called when one begins and when it ends."""

    def __init__(
        self, start: Callable[[str, str, OnProgress], Job[W]], on_change: Callable[[], None] = lambda: None
    ) -> None:
        self._start = start
        self._on_change = on_change
        self._lock = threading.Lock()
        self._running: dict[Path, _Conversion[W]] = {}

    def of(self, weights: W, role: str, model_setting: str, on_progress: OnProgress | None = None) -> Job[W]:
        """The conversion of these weights; a new one only where none is running.

        Args:
            model_setting: what chooses them, for the role.
            on_progress: hears how far it is, in another thread; at once when that is known already.
        """
        with self._lock:
            running = self._running.get(weights.folder)
            begins = running is None or running.job.done()
            if running is None or running.job.done():
                running = self._running[weights.folder] = _Conversion(
                    partial(self._start, role, model_setting)
                )
        if begins:
            self._on_change()
            running.job.on_done(lambda _: self._on_change())
        if on_progress is not None:
            running.listen(on_progress)
        return running.job

    @property
    def busy(self) -> bool:
        with self._lock:
            return any(not running.job.done() for running in self._running.values())


class _Conversion(Generic[W]):
    def __init__(self, start: Callable[[OnProgress], Job[W]]) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[OnProgress, ...] = ()
        self._last: Progress | None = None
        self.job = start(self._tell)

    def listen(self, listener: OnProgress) -> None:
        with self._lock:
            self._listeners = (*self._listeners, listener)
            last = self._last
        if last is not None:
            listener(last)

    def _tell(self, progress: Progress) -> None:
        with self._lock:
            self._last = progress
            listeners = self._listeners
        for listener in listeners:
            listener(progress)
