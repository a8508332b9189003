"""Readings that wait for a busy model are read together as soon as it is free.

A host does one job at a time. While one runs, further pictures are collected here; what has come by its end
goes through the model as one job, ``recognize_many``. A picture that finds the model idle is on its way at
once, as a job of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from core.errors import (
    Cancelled,
    OutOfMemory,
    ProcessDied,
    ProtocolError,
    QueueFull,
    ReadFailed,
    from_json,
)
from core.jobs import Job
from core.types import OcrResult

log = logging.getLogger(__name__)

Reading = Job[OcrResult]
_ALONE = (OutOfMemory, ProcessDied, ProtocolError, ReadFailed)
"""Failures of a whole batch that one of its pictures may be to blame for: then each is read alone."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Of one batch: at most so many ``pictures`` of so many ``pixels`` together, that take about so many
    ``seconds``: as long waits what comes next, unless somebody is looking. One that gave way may take
    ``seconds_again``: it does not do so twice. ``gather`` is how many seconds the model waits after a batch
    for those who come again, and only then. ``queue``: readings that may wait."""

    pictures: int = 16
    pixels: int = 4_000_000
    seconds: float = 8.0
    seconds_again: float = 2.0
    gather: float = 0.008
    queue: int = 64


_LOOKED_AT, _AGAIN, _SENT_BACK, _USUAL = range(4)
"""Who goes first: somebody is looking; read alone, since its batch failed; its batch gave way; all others."""


@dataclass(eq=False, slots=True)
class _Waiting:
    job: Reading
    rank: int

    def goes_with(self, other: _Waiting) -> bool:
        return self.rank == other.rank != _AGAIN and self.job.params == other.job.params


class Batcher:
    """Between those who ask for readings and their host. Safe to use from any thread.

    Every picture stays a job of its own, with its own end, progress and cancellation: one that is cancelled
    ends at once and the others of its batch go on; one that cannot be read costs nobody else anything.
    """

    def __init__(self, submit: Callable[[Job[Any]], None], limits: BatchLimits | None = None) -> None:
        """``submit`` is the host's."""
        self._submit = submit
        self._limits = limits or BatchLimits()
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        # Whether a job of ours is with the host, and how long the last ones took for each picture.
        self._busy = False
        # The batch that is with the host, if it may give way and was not told to.
        self._may_give_way: Job[float] | None = None
        self._closed = False
        self._each = 0.0

    def submit(self, job: Reading, first: bool = False) -> None:
        """Have a picture read; ``first``: before those that wait already, since somebody is looking. A batch
        that is being read gives way, once.

        The job fails with QueueFull, or as the host lets it fail.
        """
        with self._changed:
            taken = not self._closed and len(self._waiting) < self._limits.queue
            begin = taken and not self._busy
            if taken:
                self._busy = True
                self._put(_Waiting(job, _LOOKED_AT if first else _USUAL))
            gives_way = self._may_give_way if first and taken else None
            if gives_way is not None:
                self._may_give_way = None
        if gives_way is not None:
            gives_way.cancel()
        if begin:
            self._next()
        elif self._closed:
            job.drop()
        elif not taken:
            job.fail(QueueFull(count=self._limits.queue))

    def close(self) -> None:
        """What waits is cancelled. Call it before the host is closed, which drops the rest."""
        with self._changed:
            self._closed = True
            left, self._waiting = self._waiting, []
            self._changed.notify_all()
        for entry in left:
            entry.job.drop()

    # ---- waiting

    def _put(self, entry: _Waiting) -> None:
        """Behind those that go before it. With the lock held."""
        at = next((k for k, other in enumerate(self._waiting) if other.rank > entry.rank), len(self._waiting))
        self._waiting.insert(at, entry)
        # A host attaches itself when it is given the job.
        entry.job.attach(lambda: self._forget(entry))
        self._changed.notify_all()

    def _forget(self, entry: _Waiting) -> None:
        with self._changed:
            if entry not in self._waiting:
                return
            self._waiting.remove(entry)
        entry.job.drop()

    def _take(self) -> list[_Waiting]:
        """The next batch, which may be one picture; empty when none waits. With the lock held."""
        if not self._waiting:
            return []
        head = self._waiting[0]
        limits = self._limits
        most = limits.pictures
        if self._each > 0:
            seconds = limits.seconds if head.rank == _USUAL else limits.seconds_again
            most = max(1, min(most, int(seconds / self._each)))
        taken, pixels = [head], _pixels(head.job)
        for entry in self._waiting[1:]:
            if len(taken) == most:
                break
            if entry.goes_with(head) and pixels + _pixels(entry.job) <= limits.pixels:
                taken.append(entry)
                pixels += _pixels(entry.job)
        self._waiting = [entry for entry in self._waiting if entry not in taken]
        return taken

    # ---- at the host

    def _next(self) -> None:
        """Give the host what waits, if anything does. Called by the one who has set ``_busy``, or in the
        host's thread when a job has ended."""
        with self._changed:
            taken = self._take()
            self._busy = bool(taken)
            jobs = [entry.job for entry in taken]
            batch = self._batch(jobs) if len(jobs) > 1 else None
            # Not twice, else those who look could keep it from ever coming to its end.
            self._may_give_way = batch if taken and taken[0].rank == _USUAL else None
        if batch is not None:
            self._attach(jobs, batch)
            self._submit(batch)
        elif jobs:
            jobs[0].on_done(self._one_ended)
            self._submit(jobs[0])

    def _one_ended(self, job: Reading) -> None:
        if job.error() is None:
            self._learn(job.result().seconds)
        self._next()

    def _batch(self, jobs: list[Reading]) -> Job[float]:
        def came(piece: dict[str, Any]) -> None:
            page = piece.get("page")
            if "ended" in piece:
                _end(jobs[piece["page"]], piece["ended"], piece["seconds"])
                return
            told = {key: value for key, value in piece.items() if key != "page"}
            for job in jobs if page is None else [jobs[page]]:
                _hand(job, told)

        def convert(answer: dict[str, Any], seconds: float) -> float:
            left = sum(not job.done() for job in jobs)
            if left:
                raise ProtocolError(reason=f"no answer to {left} of {len(jobs)} pictures")
            return seconds

        images = [image for job in jobs for image in job.images]
        batch = Job("recognize_many", jobs[0].params, images, convert, came)
        batch.on_done(lambda batch: self._batch_ended(batch, jobs))
        return batch

    def _attach(self, jobs: list[Reading], batch: Job[float]) -> None:
        """Have each of them leave the batch when it is cancelled."""

        def leave(job: Reading) -> None:
            job.drop()
            if all(job.done() for job in jobs):
                batch.cancel()

        for job in jobs:
            job.attach(partial(leave, job))
            if job.cancel_requested:
                leave(job)

    def _batch_ended(self, batch: Job[float], jobs: list[Reading]) -> None:
        error = batch.error()
        with self._changed:
            self._may_give_way = None
        if error is None:
            self._learn(batch.result() / len(jobs))
            self._gather(len(jobs))
        elif isinstance(error, Cancelled) and batch.cancel_requested:
            # It gave way, or nobody wants any of them: then none is left.
            self._put_back(jobs, _SENT_BACK)
        elif isinstance(error, _ALONE):
            log.warning("%d pictures are read one by one: %s", len(jobs), error)
            self._put_back(jobs, _AGAIN)
        else:
            for job in jobs:
                job.fail(error)
        self._next()

    def _put_back(self, jobs: Sequence[Reading], rank: int) -> None:
        """Have those read again that have not come to their end."""
        left = [job for job in jobs if not job.done()]
        for job in left:
            _hand(job, {"again": True})
        with self._changed:
            for job in left:
                self._put(_Waiting(job, rank))
            late = [entry for entry in self._waiting if self._closed or entry.job.cancel_requested]
        for entry in late:
            self._forget(entry)

    def _gather(self, count: int) -> None:
        """Who has just been answered may have the next picture at hand: give them the time to bring it, but
        nobody who is looking has to wait for that."""

        def enough() -> bool:
            looked_at = bool(self._waiting) and self._waiting[0].rank == _LOOKED_AT
            return self._closed or looked_at or len(self._waiting) >= count

        with self._changed:
            self._changed.wait_for(enough, self._limits.gather)

    def _learn(self, seconds: float) -> None:
        """How long a picture takes, of late. One that took longer than usual counts for half: the first after
        a load does."""
        self._each = min(seconds, (self._each + seconds) / 2) if self._each > 0 else seconds


def _pixels(job: Reading) -> int:
    return sum(image.width * image.height for image in job.images)


def _end(job: Reading, page: dict[str, Any], seconds: float) -> None:
    """One picture of a batch has been read, or cannot be."""
    if "error" in page:
        job.fail(from_json(page["error"]))
    elif not job.done():
        job.finish(page, seconds)


def _hand(job: Reading, piece: dict[str, Any]) -> None:
    if job.on_piece is None or job.done():
        return
    try:
        job.on_piece(piece)
    except Exception:
        log.exception("A listener failed on a piece of job %d", job.id)
