"""What the built-in engine sees in several pictures, found side by side. Model process only."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from core.errors import Cancelled
from core.ocr.pixels import to_picture
from core.ocr.reader import PageReader, Survey
from core.types import RgbImage

T = TypeVar("T")

_SIDE_BY_SIDE = 4
"""Pictures at a time: a page takes some hundred MB while the detector looks at it."""


def survey_all(
    reader: PageReader, images: Sequence[RgbImage], cancelled: Callable[[], bool], threads: int
) -> Iterator[tuple[int, Survey | Exception]]:
    """For each picture its index and what is seen in it, or why nothing is, in the order in which they come.

    The networks are small and the steps between them run on one core: two pictures on a core each are done
    sooner than one after the other on both.

    Raises:
        Cancelled: ``cancelled()`` said so.
    """

    def survey(image: RgbImage) -> Survey | Exception:
        try:
            return _result(reader.survey(to_picture(image), cancelled))
        except Cancelled:
            raise
        except Exception as error:
            return error

    if len(images) == 1:
        yield 0, survey(images[0])
        return
    again = []
    with ThreadPoolExecutor(min(_SIDE_BY_SIDE, threads, len(images))) as pool:
        for number, seen in enumerate(pool.map(survey, images)):
            if isinstance(seen, Exception):
                again.append(number)
            else:
                yield number, seen
    for number in again:
        # It may have failed for what those beside it took of the memory.
        yield number, survey(images[number])


def _result(steps: Generator[dict[str, Any], None, T]) -> T:
    """What the steps return; their progress is not that of the reading the user waits for."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
