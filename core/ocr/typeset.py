"""Columns set anew as rows.

The recogniser reads rows far better than columns turned by a quarter: there it loses ー 、 。 and takes
small kana for large ones. So a column is cut into its characters, and these are set side by side, each where
it would stand in a row: a long vowel mark lies, a comma moves from the upper right to the lower left. Model
process only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from core.ocr.pixels import Picture, border_colour, contrast_of

_COARSE = 16
"""Rows per character in which cuts are first looked for."""
_PITCHES = np.linspace(0.94, 1.34, 21)
"""Distances from one character to the next that are tried, in widths of the column."""

_USUAL_PITCH = 1.12


class Glyph(Enum):
    """What a cell's shape alone tells."""

    EMPTY = auto()
    FULL = auto()
    MARK = auto()
    """A comma or a full stop: a small blot in the upper right corner."""
    BAR = auto()
    """A single upright stroke: the long vowel mark."""
    DOTS = auto()
    """Small blots one below the other: an ellipsis."""
    FLAT = auto()
    """A single lying stroke: the character for one."""
    BRACKET = auto()
    """Wide, low, and at one end of its cell."""


_TURNED = (Glyph.BAR, Glyph.DOTS, Glyph.BRACKET)
"""Set at right angles in a row."""


@dataclass(frozen=True)
class Cell:
    """One character of a column: its rows, its shape, and its ink as (left, top, right, bottom)."""

    top: int
    bottom: int
    glyph: Glyph
    ink: tuple[int, int, int, int]


@dataclass(frozen=True)
class Row:
    """A column set as a row: ``pitch`` pixels of ``picture`` for each cell, after ``margin``."""

    picture: Picture
    cells: tuple[Cell, ...]
    pitch: float
    margin: float

    def cell_at(self, place: float) -> int:
        """The index of the cell at ``place``, 0 (start) to 1 (end) of the picture."""
        index = int((place * self.picture.shape[1] - self.margin) / self.pitch)
        return min(max(0, index), len(self.cells) - 1)


def cut_cells(inks: Sequence[NDArray[np.bool_]], width: float) -> tuple[float, list[list[tuple[int, int]]]]:
    """Cut the columns of one bubble into characters, where there is least ink, all at the same pitch.

    Args:
        inks: one mask per column, rows along the column.
        width: of the widest column's ink, in pixels.

    Returns:
        The pitch in pixels and for each column the first and last row (exclusive) of each character.
    """
    scale = _COARSE / width
    solved: list[tuple[int, int, int, NDArray[np.intp]] | None] = []
    total = 0.4 * (_PITCHES - _USUAL_PITCH) ** 2 * len(inks)
    for ink in inks:
        rows = ink.sum(axis=1).astype(np.float64)
        inked = np.flatnonzero(rows)
        if not inked.size:
            solved.append(None)
            continue
        first, last = int(inked[0]), int(inked[-1]) + 1
        length = max(1, round((last - first) * scale))
        profile = cv2.resize(rows[first:last, None], (1, length), interpolation=cv2.INTER_AREA)[:, 0] / width
        costs, back = _solve(profile)
        total += costs
        solved.append((first, last, length, back))
    choice = int(total.argmin())
    cells: list[list[tuple[int, int]]] = []
    for ink, solution in zip(inks, solved, strict=True):
        if solution is None:
            cells.append([])
            continue
        first, last, length, back = solution
        edges = [length]
        while edges[-1] > 0:
            edges.append(int(back[choice, edges[-1]]))
        rows = ink.sum(axis=1)
        fine = [_least_ink(rows, first + e / scale, 0.6 / scale) for e in edges[-2:0:-1]]
        fine = [first, *fine, last]
        cells.append(_joined([(a, b) for a, b in pairwise(fine) if b > a], ink, _PITCHES[choice] * width))
    return float(_PITCHES[choice] * width), cells


def _joined(cells: list[tuple[int, int]], ink: NDArray[np.bool_], pitch: float) -> list[tuple[int, int]]:
    """The cells, the outer two at each end as one where they hold the parts of one thin mark: ！ …"""

    def fits(first: tuple[int, int], second: tuple[int, int]) -> bool:
        part = ink[first[0] : second[1]]
        along, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        if not along.size:
            return False
        return bool(np.ptp(along) < 0.95 * pitch and np.ptp(across) < 0.4 * pitch)

    if len(cells) > 1 and fits(cells[-2], cells[-1]):
        cells = [*cells[:-2], (cells[-2][0], cells[-1][1])]
    if len(cells) > 1 and fits(cells[0], cells[1]):
        cells = [(cells[0][0], cells[1][1]), *cells[2:]]
    return _with_last_mark(cells, ink, pitch)


def _with_last_mark(
    cells: list[tuple[int, int]], ink: NDArray[np.bool_], pitch: float
) -> list[tuple[int, int]]:
    """The cells, the last one divided where a full stop or comma hangs below a low character: い。"""
    top, bottom = cells[-1]
    inked = top + np.flatnonzero(ink[top:bottom].any(axis=1))
    gaps = np.flatnonzero(np.diff(inked) > 1)
    if not gaps.size or np.ptp(inked) < 0.95 * pitch:
        return cells
    cut = int(inked[gaps[-1]]) + 1
    mark = np.flatnonzero(ink[cut:bottom].any(axis=0))
    low = inked[-1] + 1 - inked[gaps[-1] + 1] <= 0.42 * pitch and np.ptp(mark) < 0.42 * pitch
    middle = float(np.flatnonzero(ink.any(axis=0))[[0, -1]].mean())
    if low and mark.mean() > middle and cut - inked[0] >= 0.5 * pitch:
        return [*cells[:-1], (top, cut), (cut, bottom)]
    return cells


def _solve(profile: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """For every pitch the least cost, and for every row the row where the cell ending there begins.

    Ink under a cut costs, and so does a cell that differs from the pitch. The outer cells may be short: the
    column is counted from its first ink to its last, and a full stop ends it early.
    """
    length = len(profile)
    reach = int(_COARSE * 1.34 * 1.3) + 1
    pitches = _PITCHES[:, None] * _COARSE
    sizes = np.arange(1, reach + 1)[None, :]
    off = sizes / pitches - 1
    inner = 5.0 * off**2
    outer = np.where(off < 0, 4.0 * np.maximum(0.0, -off - 0.66) ** 2 + 0.1 * off**2, inner)
    whole = np.where(off < 0, 0.0, inner)
    cost = np.full((len(_PITCHES), length + 1), np.inf)
    back = np.zeros((len(_PITCHES), length + 1), np.intp)
    cost[:, 0] = 0.0
    here = np.arange(len(_PITCHES))
    for end in range(1, length + 1):
        count = min(reach, end)
        before = cost[:, end - count : end][:, ::-1]
        penalty = (outer if end == length else inner)[:, :count].copy()
        if end <= reach:
            penalty[:, end - 1] = (whole if end == length else outer)[:, end - 1]
        steps = before + penalty
        best = steps.argmin(axis=1)
        under = 0.0 if end == length else min(profile[end], profile[end - 1])
        cost[:, end] = steps[here, best] + 1.5 * under
        back[:, end] = end - 1 - best
    return cost[:, length], back


def _least_ink(rows: NDArray[np.intp], around: float, reach: float) -> int:
    low = max(1, int(np.floor(around - reach)))
    high = min(len(rows) - 1, int(np.ceil(around + reach)))
    if high <= low:
        return low
    window = rows[low : high + 1] + rows[low - 1 : high]
    distance = np.abs(np.arange(low, high + 1) - around) / (4 * reach + 1)
    return low + int((window + distance).argmin())


def classify(
    contrast: NDArray[np.float32], ink: NDArray[np.bool_], top: int, bottom: int, em: float, middle: float
) -> Cell:
    """What stands between two rows of a column whose characters are ``em`` high and centred on ``middle``."""
    part = ink[max(0, top) : bottom]
    across, along = np.flatnonzero(part.any(axis=0)), np.flatnonzero(part.any(axis=1))
    if not across.size:
        return Cell(top, bottom, Glyph.EMPTY, (0, top, 0, top))
    left, right = int(across[0]), int(across[-1]) + 1
    upper, lower = max(0, top) + int(along[0]), max(0, top) + int(along[-1]) + 1
    width, height = (right - left) / em, (lower - upper) / em
    filled = len(along) / (lower - upper)
    glyph = Glyph.FULL
    if width <= 0.33 and height >= 0.5 and filled > 0.97 and not _dips(contrast[upper:lower, left:right]):
        glyph = Glyph.BAR
    elif width <= 0.3 and height >= 0.4 and filled < 0.75:
        glyph = Glyph.DOTS
    elif max(width, height) <= 0.42 and (left + right) / 2 > middle + 0.1 * em:
        glyph = Glyph.MARK
    elif width >= 0.5 and height <= 0.17:
        glyph = Glyph.FLAT
    elif width >= 0.55 and height <= 0.39 and abs(upper + lower - top - bottom) > 0.3 * em:
        glyph = Glyph.BRACKET
    return Cell(top, bottom, glyph, (left, upper, right, lower))


def _dips(stroke: NDArray[np.float32]) -> bool:
    """Whether an upright stroke fades somewhere below its middle: above the dot of an exclamation mark."""
    rows = stroke.max(axis=1)
    lower = rows[len(rows) // 2 : max(len(rows) // 2 + 1, round(0.9 * len(rows)))]
    return bool(lower.min() < 0.8 * np.median(rows))


def set_as_row(
    column: Picture, ink: NDArray[np.bool_], cells: Sequence[tuple[int, int]], pitch: float, em: float
) -> Row:
    """The characters of a column side by side, on the column's ground."""
    across = np.flatnonzero(ink.any(axis=0))
    middle = (across[0] + across[-1] + 1) / 2 if across.size else column.shape[1] / 2
    step = max(4, round(max(pitch, 1.02 * em)))
    margin = max(2, round(0.15 * em))
    height = round(em + 2 * margin)
    row = np.empty((height, 2 * margin + step * max(1, len(cells)), 3), np.uint8)
    row[:] = border_colour(column)
    contrast = contrast_of(column)
    found = []
    for index, (top, bottom) in enumerate(cells):
        # An outer cell was counted from its ink; where its square ends follows from the pitch.
        if len(cells) > 1 and index == 0:
            top = min(top, round(bottom - pitch))
        if len(cells) > 1 and index == len(cells) - 1:
            bottom = max(bottom, round(top + pitch))
        cell = classify(contrast, ink, top, bottom, em, middle)
        found.append(cell)
        if cell.glyph is Glyph.EMPTY:
            continue
        left, upper, right, lower = cell.ink
        glyph = column[max(0, top, upper - 1) : lower + 1, max(0, left - 1) : right + 1]
        dx, dy = (left + right) / 2 - middle, (upper + lower - top - bottom) / 2
        if len(cells) == 1 or cell.glyph is Glyph.BAR:
            dx, dy = 0.0, 0.0
        if cell.glyph in _TURNED:
            glyph, dx, dy = np.rot90(glyph), dy, -dx
        elif cell.glyph is Glyph.MARK:
            dx, dy = -0.28 * em, 0.3 * em
        elif max(right - left, lower - upper) < 0.75 * em:
            # Small kana stand at the upper right of their square in a column, at its foot in a row.
            dx, dy = 0.0, (0.86 * em - (lower - upper)) / 2
        x = margin + step * (index + 0.5) + dx - glyph.shape[1] / 2
        y = height / 2 + dy - glyph.shape[0] / 2
        _paste(row, glyph, round(x), round(y))
    return Row(row, tuple(found), step, margin)


def _paste(target: Picture, glyph: Picture, x: int, y: int) -> None:
    height, width = target.shape[:2]
    glyph = glyph[:height, :width]
    x = min(max(0, x), width - glyph.shape[1])
    y = min(max(0, y), height - glyph.shape[0])
    target[y : y + glyph.shape[0], x : x + glyph.shape[1]] = glyph
