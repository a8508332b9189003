"""Pictures that climb the ladder side by side, so that their bubbles share batches. Model process only.

Knows nothing of torch: what reads is a function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from PIL import Image

from core.errors import Cancelled
from core.ocr.manga_text import Read

Looks = Generator[Sequence[Image.Image], list[Read], dict[str, Any]]
"""One picture's reading: yields what it wants to have read next, is sent that, returns its result."""
Readings = Callable[[Sequence[Image.Image]], Iterable[list[Read]]]
"""Reads pictures, batch by batch, in their order."""


def look(pictures: Sequence[Image.Image]) -> Generator[Sequence[Image.Image], list[Read], list[Read]]:
    """What ``climb`` is given to read with: it asks who drives the generator."""
    return (yield pictures)


class Page:
    """One picture of a job."""

    def __init__(self, number: int, way: Callable[[], tuple[int, Looks]]) -> None:
        """``way`` gives how many looks its first rung takes, and its reading."""
        self.number = number
        self.wanted: Sequence[Image.Image] = ()
        self.outcome: dict[str, Any] | Exception = {}
        self.ended = False
        self._done, self._lines = 0, 0
        self._looks: Looks

        def begin() -> Sequence[Image.Image]:
            self._lines, self._looks = way()
            return next(self._looks)

        self._go_on(begin)

    def give(self, reads: list[Read]) -> None:
        """What was read of ``wanted``."""
        self._go_on(lambda: self._looks.send(reads))

    def count(self, looks: int) -> dict[str, Any]:
        """So many more have been read."""
        self._done += looks
        return self.progress()

    def progress(self) -> dict[str, Any]:
        return {"page": self.number, "lines_done": min(self._done, self._lines), "lines": self._lines}

    def _go_on(self, step: Callable[[], Sequence[Image.Image]]) -> None:
        try:
            self.wanted = step()
        except StopIteration as end:
            self.outcome, self.ended = end.value, True
        except Cancelled:
            raise
        except Exception as error:
            # It costs this picture and not those beside it.
            self.outcome, self.ended = error, True


def read_in_step(pages: Sequence[Page], read: Readings) -> Iterator[dict[str, Any]]:
    """Read all of them to their end, each rung of all of them together; yields each one's progress.

    Raises:
        what ``read`` raises: that is nobody's picture.
    """
    waiting = [page for page in pages if not page.ended]
    while waiting:
        wanted = [(page, picture) for page in waiting for picture in page.wanted]
        reads: list[Read] = []
        for batch in read([picture for _, picture in wanted]):
            seen = [page for page, _ in wanted[len(reads) : len(reads) + len(batch)]]
            reads += batch
            for page, looks in Counter(seen).items():
                yield page.count(looks)
        start = 0
        for page in waiting:
            count = len(page.wanted)
            page.give(reads[start : start + count])
            start += count
        waiting = [page for page in waiting if not page.ended]
