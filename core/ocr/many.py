"""What jobs with several pictures have in common. Model process only."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator, Mapping
from typing import Any

from core.errors import Cancelled, DeviceFailed, ReadFailed, YomitoriError
from core.types import RgbImage

Run = Callable[
    [str, Mapping[str, Any], tuple[RgbImage, ...], Callable[[], bool]],
    Generator[dict[str, Any], None, dict[str, Any]],
]
"""``ModelEngine.run``."""


def one_by_one(
    run: Run,
    engine: str,
    params: Mapping[str, Any],
    images: tuple[RgbImage, ...],
    cancelled: Callable[[], bool],
) -> Generator[dict[str, Any], None, dict[str, Any]]:
    """``recognize_many`` for an engine that gains nothing from batches.

    Yields what ``recognize`` yields, with ``page``, the index of the picture, and of each picture its end as
    ``Ends`` tells it.

    Args:
        engine: what people call it.

    Raises:
        Cancelled, DeviceFailed: these are not one picture's.
    """
    ends = Ends(engine)
    for number, image in enumerate(images):
        try:
            steps = run("recognize", params, (image,), cancelled)
            while True:
                try:
                    piece = next(steps)
                except StopIteration as end:
                    yield ends.of(number, end.value)
                    break
                yield {"page": number, **piece}
        except (Cancelled, DeviceFailed):
            raise
        except Exception as error:
            yield ends.of(number, error)
    return {}


class Ends:
    """Tells that pictures of a job have been read, each as soon as it has, so that nobody waits for those
    beside it."""

    def __init__(self, engine: str) -> None:
        """``engine``: what people call it."""
        self._engine = engine
        self._start = time.perf_counter()
        self._count = 0

    def of(self, number: int, outcome: dict[str, Any] | Exception) -> dict[str, Any]:
        """``{"page": number, "ended": ..., "seconds": ...}``: what ``recognize`` returns of this picture, or
        ``{"error": ...}``, and its share of the time so far."""
        self._count += 1
        page = _failed(outcome, self._engine) if isinstance(outcome, Exception) else outcome
        seconds = (time.perf_counter() - self._start) / self._count
        return {"page": number, "ended": page, "seconds": seconds}


def _failed(error: Exception, engine: str) -> dict[str, Any]:
    """The page of a picture that could not be read."""
    if not isinstance(error, YomitoriError):
        traceback.print_exception(error)
        error = ReadFailed(engine=engine, reason=f"{type(error).__name__}: {error}")
    return {"error": error.to_json()}
