"""Lines made ready for the recogniser, and read with a second look. Model process only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.ocr.columns import Column, take_column
from core.ocr.near import Near
from core.ocr.pixels import Picture, Region, inverted, is_dark
from core.ocr.recognizer import LineRecognizer, Reading
from core.ocr.second_look import long_vowels, reconcile, sized
from core.ocr.typeset import Cell, Row, cut_cells, set_as_row
from core.types import Box, Direction

_FULL_WIDTH = 1.22
"""A full character is at most this much higher than the widest ink of its bubble: kana are narrower."""
_DOUBTFUL = 0.85
"""Below this mean likelihood a line is read again in other ways."""


@dataclass(frozen=True)
class Line:
    """One line of a bubble: what the recogniser gets, and what is known about its characters.

    ``column`` is upright for vertical text; for horizontal text it is the line mirrored along its diagonal.
    """

    direction: Direction
    picture: Picture
    column: Column
    row: Row | None
    cells: tuple[Cell, ...]
    em: float

    @property
    def box(self) -> Box:
        return box_of(self.column, self.direction)


def take_lines(
    picture: Picture, regions: Sequence[Region], directions: Sequence[Direction]
) -> list[tuple[Column, list[Column]]]:
    """For each region its ink as a column, and the reading aids beside it that are no region themselves."""
    mirrored = np.asarray(picture.swapaxes(0, 1))
    boxes = [region.box for region in regions]
    all_near = Near(boxes)
    taken = []
    for index, (region, direction) in enumerate(zip(regions, directions, strict=True)):
        here = boxes[index]
        near = [
            boxes[k]
            for k in all_near.to(here, 2 * min(here.width, here.height))
            if k != index and directions[k] is direction and _is_near(boxes[k], here)
        ]
        if direction is Direction.VERTICAL:
            taken.append(take_column(picture, region, near))
        else:
            taken.append(take_column(mirrored, _mirrored_region(region), [_mirrored(b) for b in near], False))
    return taken


def _is_near(box: Box, other: Box) -> bool:
    reach = 2 * min(other.width, other.height)
    return (
        box.x < other.right + reach
        and other.x < box.right + reach
        and box.y < other.bottom + reach
        and other.y < box.bottom + reach
    )


def box_of(column: Column, direction: Direction) -> Box:
    """Where the column's ink is on the page."""
    return column.box if direction is Direction.VERTICAL else _mirrored(column.box)


def prepare(columns: Sequence[Column], direction: Direction) -> list[Line]:
    """The lines of one bubble, cut into characters at the same distances."""
    width = max(column.width for column in columns)
    if width == 0:
        return [_unknown(column, direction) for column in columns]
    columns = [_cropped(column, width) if column.width else column for column in columns]
    pitch, cuts = cut_cells([column.ink for column in columns], width)
    em = min(pitch, _FULL_WIDTH * width)
    lines = []
    for column, cells in zip(columns, cuts, strict=True):
        if not cells:
            lines.append(_unknown(column, direction))
            continue
        row = set_as_row(column.picture, column.ink, cells, pitch, em)
        if direction is Direction.VERTICAL:
            lines.append(Line(direction, row.picture, column, row, row.cells, em))
        else:
            lines.append(Line(direction, _upright(column), column, None, row.cells, em))
    return lines


def _unknown(column: Column, direction: Direction) -> Line:
    """A line in which no ink stands out: only the recogniser can tell."""
    picture = column.picture if direction is Direction.VERTICAL else _upright(column)
    return Line(direction, picture, column, None, (), float(column.picture.shape[1]))


def _upright(column: Column) -> Picture:
    return np.ascontiguousarray(column.picture.swapaxes(0, 1))


def _cropped(column: Column, em: float) -> Column:
    """The column with only a narrow margin around its ink."""
    across, along = np.flatnonzero(column.ink.any(axis=0)), np.flatnonzero(column.ink.any(axis=1))
    margin = max(2, round(0.15 * em))
    left, right = max(0, int(across[0]) - margin), int(across[-1]) + 1 + margin
    top, bottom = max(0, int(along[0]) - margin), int(along[-1]) + 1 + margin
    return Column(
        column.picture[top:bottom, left:right],
        column.ink[top:bottom, left:right],
        column.left + left,
        column.top + top,
        column.place,
    )


def look_again(line: Line, reading: Reading, recognizer: LineRecognizer) -> Reading:
    """The reading mended by what the cells show, or a better one where the line is doubtful."""
    if reading.confidence < _DOUBTFUL:
        reading, line = _best_of_other_ways(line, reading, recognizer)
    row = line.row
    if row is None:
        return long_vowels(_sized(line, reading))

    def read_cell(index: int) -> Reading:
        start = round(row.margin + index * row.pitch - 0.1 * row.pitch)
        end = round(row.margin + (index + 1.1) * row.pitch)
        return recognizer.read(_ready(row.picture[:, max(0, start) : end]))

    return reconcile(
        reading,
        line.cells,
        row.cell_at,
        line.em,
        line.column.picture.shape[0],
        lambda cell: _mark(line.column, cell),
        read_cell,
    )


def ready(line: Line) -> Picture:
    """What the recogniser is shown first: dark text on a light ground."""
    return _ready(line.picture)


def _ready(picture: Picture) -> Picture:
    return inverted(picture) if is_dark(picture) else picture


def _best_of_other_ways(line: Line, reading: Reading, recognizer: LineRecognizer) -> tuple[Reading, Line]:
    """The likeliest of: as read, with the other polarity, and the column turned instead of set anew."""
    ways = [inverted(_ready(line.picture))]
    turned = line
    if line.row is not None:
        turned = Line(line.direction, line.column.picture, line.column, None, (), line.em)
        ways.append(_ready(line.column.picture))
    best, chosen = reading, line
    for number, other in enumerate(recognizer.read_all(ways)):
        if other.confidence > best.confidence + 0.05 and len(other.text) + 1 >= len(best.text):
            best, chosen = other, (turned if number == 1 else line)
    return best, chosen


def _sized(line: Line, reading: Reading) -> Reading:
    """Small and large kana of a horizontal line told apart by their size."""
    if not line.cells:
        return reading
    length = line.column.picture.shape[0]
    text = []
    for char, confidence, place, rival in zip(
        reading.text, reading.confidences, reading.places, reading.rivals, strict=True
    ):
        at = place * length
        cell = min(line.cells, key=lambda c: abs((c.top + c.bottom) / 2 - at))
        text.append(sized(char, confidence, rival, cell, line.em))
    return replace(reading, text="".join(text))


def _mark(column: Column, cell: Cell) -> str:
    """A full stop is a ring, a comma is filled."""
    left, top, right, bottom = cell.ink
    part = column.picture[top:bottom, left:right].astype(np.float32)
    ground = np.median(column.picture[~column.ink], axis=0) if not column.ink.all() else np.zeros(3)
    contrast: NDArray[np.float32] = np.abs(part - ground).max(axis=2)
    rows, columns = contrast.shape
    third = contrast[rows // 3 : max(rows // 3 + 1, rows - rows // 3), columns // 3 : columns - columns // 3]
    return "。" if third.size and third.min() < 0.6 * contrast.max() else "、"


def _mirrored(box: Box) -> Box:
    return Box(box.y, box.x, box.height, box.width)


def _mirrored_region(region: Region) -> Region:
    tl, tr, br, bl = (corner[::-1] for corner in region.corners)
    return Region(np.array([tl, bl, br, tr], np.float32), region.score)
