"""Waiting for a job of the library: a bar on stderr, and Ctrl+C that stops the job and not the terminal."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Any, TypeVar

from core.errors import Cancelled
from core.jobs import Job
from core.models.entries import Progress

T = TypeVar("T")

_POLL = 0.2
_REDRAW_TERMINAL = 0.2
_REDRAW_LOG = 10.0
_FORMAT = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}B of {total_fmt}B, {rate_fmt}, {remaining} left"
_PHASES = {
    "download": "{file}",
    "wait": "waiting for the hub",
    "verify": "checking {file}",
    "convert": "converting {file}",
    "import": "taking in {file}",
}


class Stopped(Exception):
    """Ctrl+C stopped the job. ``progress`` is the last that was heard of it."""

    def __init__(self, progress: Progress | None) -> None:
        super().__init__("stopped")
        self.progress = progress


class TransferBar:
    """Bytes, rate and time left of each phase. ``show`` is called from one thread at a time."""

    def __init__(self) -> None:
        self.last: Progress | None = None
        self._phase = ""
        self._bar: Any = None

    def __enter__(self) -> TransferBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def show(self, progress: Progress) -> None:
        """Draw how it stands."""
        # A pause between two tries is part of the download.
        phase = "download" if progress.phase == "wait" else progress.phase
        if self._bar is None or phase != self._phase or progress.total_bytes != self._bar.total:
            self._begin(phase, progress)
        self.last = progress
        self._bar.set_description_str(_words(progress), refresh=False)
        self._bar.update(progress.done_bytes - self._bar.n)

    def _begin(self, phase: str, progress: Progress) -> None:
        from tqdm import tqdm

        self.close()
        self._phase = phase
        self._bar = tqdm(
            total=progress.total_bytes,
            # What is here already came at no rate.
            initial=progress.done_bytes,
            desc=_words(progress),
            unit="B",
            unit_scale=True,
            bar_format=_FORMAT,
            file=sys.stderr,
            # By itself tqdm draws nothing in a terminal that does not tell its size.
            ncols=shutil.get_terminal_size().columns - 1,
            nrows=2,
            mininterval=_REDRAW_TERMINAL if sys.stderr.isatty() else _REDRAW_LOG,
            leave=False,
        )


def _words(progress: Progress) -> str:
    return _PHASES.get(progress.phase, progress.phase).format(file=progress.file) + ": "


def wait_for(job: Job[T], bar: TransferBar | None = None) -> T:
    """The job's result.

    Raises:
        Stopped: Ctrl+C; the job has come to its end. Pressed twice: KeyboardInterrupt, at once.
        YomitoriError: the job failed.
    """
    try:
        return _poll(job)
    except KeyboardInterrupt:
        job.cancel()
    try:
        return _poll(job)
    except Cancelled:
        raise Stopped(bar.last if bar else None) from None


def _poll(job: Job[T]) -> T:
    # In small pieces: on Windows a wait without an end does not see Ctrl+C.
    while True:
        try:
            return job.result(_POLL)
        except TimeoutError:
            continue
