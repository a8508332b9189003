"""What the built-in engine sees in several pictures, found side by side. Model process only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from core.errors import Cancelled
from core.ocr.pixels import to_picture
from core.ocr.reader import PageReader, Survey
from core.types import RgbImage

_SIDE_BY_SIDE = 4
"""Pictures at a time: a page takes some hundred MB while the detector looks at it."""


def survey_all(
    reader: PageReader, images: Sequence[RgbImage], cancelled: Callable[[], bool], threads: int
) -> Iterator[tuple[int, Survey | Exception | None]]:
    """For each picture its index and what is seen in it, or why nothing is, in the order in which they come;
    None, now and then, while a large one is looked at.

    The networks are small and the steps between them run on one core: two pictures on a core each are done
    sooner than one after the other on both.

    Raises:
        Cancelled: ``cancelled()`` said so.
    """

    def survey(image: RgbImage) -> Survey | Exception | None:
        *_, seen = _seen_in(reader, image, cancelled)
        return seen

    if len(images) == 1:
        yield from ((0, seen) for seen in _seen_in(reader, images[0], cancelled))
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


def _seen_in(
    reader: PageReader, image: RgbImage, cancelled: Callable[[], bool]
) -> Iterator[Survey | Exception | None]:
    """None, now and then, while it is looked at; what is seen in it, or why nothing is, comes last."""
    steps = reader.survey(to_picture(image), cancelled)
    while True:
        try:
            piece = next(steps)
        except StopIteration as end:
            yield end.value
            return
        except Cancelled:
            raise
        except Exception as error:
            yield error
            return
        # How many lines it has read is not the progress of the reading the user waits for.
        if not piece["lines"]:
            yield None
