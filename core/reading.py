"""One picture on its way through more than one engine, seen from outside as one job."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

from core.errors import Cancelled, YomitoriError
from core.jobs import Job
from core.models.entries import Progress
from core.types import OcrResult, RgbImage

Provisional = Callable[[OcrResult], None]


class ReadingJob(Job[OcrResult]):
    """What ``Engine.recognize`` returns. The jobs of the hosts behind it are cancelled with it."""

    def __init__(
        self,
        image: RgbImage,
        on_piece: Callable[[dict[str, Any]], None] | None = None,
        on_provisional: Provisional | None = None,
    ) -> None:
        super().__init__("recognize", {}, (image,), _no_answer, on_piece)
        self._on_provisional = on_provisional
        self._lock = threading.Lock()
        self._behind: list[Job[OcrResult]] = []
        self.attach(self._cancel_behind)

    def follow(self, main: Job[OcrResult], otherwise: Callable[[YomitoriError], bool]) -> None:
        """Take the result of ``main``; when it fails, ``otherwise`` may see to it that another reads."""
        self._behind.append(main)

        def ended(job: Job[OcrResult]) -> None:
            error = job.error()
            if error is None:
                self._end(job.result())
            elif isinstance(error, Cancelled) or self.cancel_requested or not otherwise(error):
                self.fail(error)
                self._cancel_behind()

        main.on_done(ended)

    def preview(self, quick: Job[OcrResult]) -> Job[OcrResult]:
        """Tell what ``quick`` read as provisional. Returns it, to be submitted."""
        self._behind.append(quick)

        def ended(job: Job[OcrResult]) -> None:
            if job.error() is None:
                self.tell_provisional(job.result())

        quick.on_done(ended)
        return quick

    def stand_in(self, other: Job[OcrResult], why: YomitoriError) -> Job[OcrResult]:
        """Take the result of ``other``, with the reason as its notice. Returns it, to be submitted."""
        self._behind.append(other)

        def ended(job: Job[OcrResult]) -> None:
            error = job.error()
            if error is None:
                self._end(dataclasses.replace(job.result(), notice=why))
            else:
                # What the user asked for has failed first, and that is what can be mended.
                self.fail(error if isinstance(error, Cancelled) else why)

        other.on_done(ended)
        return other

    def tell_conversion(self, progress: Progress) -> None:
        """Hand on how far the weights are converted that it waits for."""
        if self.on_piece is not None and not self.done():
            self.on_piece({"conversion": progress.to_json()})

    def tell_provisional(self, result: OcrResult) -> None:
        """Hand on what was read first, once, and only while the result is not there."""
        with self._lock:
            listener, self._on_provisional = self._on_provisional, None
            if listener is not None and not self.done() and result.text.strip():
                listener(result)

    def _end(self, result: OcrResult) -> None:
        with self._lock:
            self._on_provisional = None
        self.resolve(result)
        self._cancel_behind()

    def _cancel_behind(self) -> None:
        for job in tuple(self._behind):
            if not job.done():
                job.cancel()


def _no_answer(answer: dict[str, Any], seconds: float) -> OcrResult:
    raise NotImplementedError("its result comes from the jobs behind it")
