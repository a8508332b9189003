"""Which boxes are near a place, without asking each of them: a large picture has thousands of lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from core.types import Box

_CELL = 256


class Near:
    """Boxes by the squares of a grid that they touch."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._cells: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for index, box in enumerate(boxes):
            for cell in _cells(box, 0):
                self._cells[cell].append(index)

    def to(self, box: Box, reach: int) -> list[int]:
        """The indexes, in their order, of all that are at most ``reach`` pixels from ``box`` along both axes,
        and of some others."""
        return sorted({index for cell in _cells(box, reach) for index in self._cells.get(cell, ())})


def _cells(box: Box, reach: int) -> Iterator[tuple[int, int]]:
    for row in range((box.y - reach) // _CELL, (box.bottom + reach) // _CELL + 1):
        for column in range((box.x - reach) // _CELL, (box.right + reach) // _CELL + 1):
            yield row, column
