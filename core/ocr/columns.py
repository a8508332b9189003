"""Columns of text as pictures of their own, without what only stands near. Model process only.

Every function sees vertical text; a horizontal line is given mirrored along its diagonal, so that it runs
from top to bottom as well, with its reading aids at the left instead of the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.ocr.pixels import Picture, Region, border_colour, contrast_of, cut_out, darkness_of
from core.types import Box

_REACH = 1.15
"""How far beyond the detected ends a column is followed, in widths: the detector leaves out lone marks."""
_GAP = 0.8
"""A mark further away than this, in widths, is another text."""
_CROWD = 8
"""More pieces of ink than this beyond an end are a screentone outside the bubble."""
_AID_REACH = 0.6
"""How far beside a column its reading aids are looked for, in widths."""
_AID_PART = 0.62
"""A part of a reading aid is smaller than this share of its column's width."""
_AID_LEAST = 0.3
"""A reading aid is at least this wide, as a share of its column's width: a full stop is not."""

_INK = 0.4
"""From this share of the strongest contrast on, a pixel is ink."""
_TONED_INK = 0.6
_TONED_PEAK = 0.88
"""On a screentone: how dark ink is, and how dark each piece of ink is somewhere, which dots are nowhere."""
_SPECKS = 5
"""More specks than this on a square as wide as the column are a screentone."""

_WIDEST = 1.4
_TALLEST = 2.5
"""A connected piece of ink larger than this, in widths of the column, is no writing but an outline."""
_OUTLINE = 1.2
"""The same, for a piece that goes on beyond the side of the strip."""


@dataclass(frozen=True)
class Column:
    """A column cut out of the page: ``picture`` and the ``ink`` that is its own, upright.

    ``left`` and ``top`` place the picture on the page (exactly when the column is upright).
    """

    picture: Picture
    ink: NDArray[np.bool_]
    left: int
    top: int
    place: Box | None = None
    """Where a slanted column is on the page; an upright one is where its ink is."""

    @property
    def width(self) -> int:
        """Of the ink, in pixels; 0 when there is none."""
        return _extent(self.ink.any(axis=0))

    @property
    def box(self) -> Box:
        """Around the ink, on the page; around the picture when there is no ink."""
        if self.place is not None:
            return self.place
        across, along = np.flatnonzero(self.ink.any(axis=0)), np.flatnonzero(self.ink.any(axis=1))
        if not across.size:
            return Box(self.left, self.top, max(1, self.picture.shape[1]), max(1, self.picture.shape[0]))
        return Box(
            self.left + int(across[0]),
            self.top + int(along[0]),
            int(across[-1] - across[0]) + 1,
            int(along[-1] - along[0]) + 1,
        )


@dataclass(frozen=True)
class _Part:
    """A connected piece of ink in the strip."""

    label: int
    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> int:
        return max(self.right - self.left, self.bottom - self.top)


def take_column(
    picture: Picture, region: Region, others: Sequence[Box], aids_right: bool = True
) -> tuple[Column, list[Column]]:
    """The column under ``region``, and the reading aids beside it that no region of ``others`` covers.

    The column is followed a little beyond its ends; ink nearer to the middle of another region is left to it.
    """
    width, height = region.size
    above, below = _free_space(region.box, others, _REACH * width)
    strip, left, top, inset, above = _strip(picture, region, above, below, _AID_REACH * width, aids_right)
    core = strip[round(above) : round(above + height), max(0, round(inset)) : round(inset + width)]
    parts, labels = _parts(contrast_of(strip, core) > _INK)
    toned = _is_toned(parts, (inset, inset + width), (above, above + height))
    if toned:
        darkness = darkness_of(strip)
        parts, labels = _parts(darkness > _TONED_INK)
        peaks = np.zeros(len(parts) + 1, np.float32)
        np.maximum.at(peaks, labels.ravel(), darkness.ravel())
        parts = [part for part in parts if peaks[part.label] > _TONED_PEAK]
    rivals = [Box(b.x - left, b.y - top, b.width, b.height) for b in others]
    own, beside = _own_parts(parts, strip, (inset, inset + width), (above, above + height), rivals)
    own, clear = _clear_of_column(own, width, aids_right)
    mine = [*own, *clear, *beside]
    ground = (255, 255, 255) if toned else border_colour(core if core.size else strip)
    strip = _cleaned(strip, labels, mine, toned, ground)
    place = region.box if region.slanted else None
    column = Column(strip, np.isin(labels, [p.label for p in own]), left, top, place)
    thick = column.width
    aids = []
    for piece in _pieces([*clear, *beside], 0.75 * thick):
        wide = max(p.right for p in piece) - min(p.left for p in piece)
        if _AID_LEAST * thick <= wide <= _AID_PART * thick:
            aids.append(replace(column, ink=np.isin(labels, [p.label for p in piece])))
        else:
            returned = [p.label for p in piece if p in clear]
            column = replace(column, ink=column.ink | np.isin(labels, returned))
    return column, aids


def _cleaned(
    strip: Picture,
    labels: NDArray[np.int32],
    mine: Sequence[_Part],
    toned: bool,
    ground: tuple[int, int, int],
) -> Picture:
    """The strip without foreign ink; on a screentone, without all that is not close to its own ink."""
    own = np.isin(labels, [part.label for part in mine]).astype(np.uint8)
    near = cv2.dilate(own, np.ones((5, 5), np.uint8)) > 0
    foreign = ((labels > 0) & (own == 0)).astype(np.uint8)
    wiped = ~near if toned else (cv2.dilate(foreign, np.ones((3, 3), np.uint8)) > 0) & ~near
    cleaned = strip.copy()
    cleaned[wiped] = ground
    return cleaned


def _parts(ink: NDArray[np.bool_]) -> tuple[list[_Part], NDArray[np.int32]]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    parts = [
        _Part(i, int(x), int(y), int(x + w), int(y + h))
        for i, (x, y, w, h) in enumerate(stats[1:count, :4], start=1)
    ]
    return parts, np.asarray(labels, np.int32)


def _is_toned(parts: Sequence[_Part], across: tuple[float, float], along: tuple[float, float]) -> bool:
    """Whether so many specks lie among the characters that they must be a screentone."""
    width = across[1] - across[0]
    specks = sum(
        part.size <= 0.25 * width
        and across[0] <= (part.left + part.right) / 2 <= across[1]
        and along[0] <= (part.top + part.bottom) / 2 <= along[1]
        for part in parts
    )
    return bool(specks > _SPECKS * (along[1] - along[0]) / width)


def _free_space(box: Box, others: Sequence[Box], reach: float) -> tuple[float, float]:
    """How far the column may be followed up and down before it meets another region."""
    above = below = reach
    for other in others:
        if min(box.right, other.right) - max(box.x, other.x) <= 0.35 * min(box.width, other.width):
            continue
        if other.bottom <= box.center[1]:
            above = min(above, max(0.0, box.y - other.bottom))
        elif other.y >= box.center[1]:
            below = min(below, max(0.0, other.y - box.bottom))
    return above, below


def _strip(
    picture: Picture, region: Region, above: float, below: float, beside: float, aids_right: bool
) -> tuple[Picture, int, int, float, float]:
    """The region with its surroundings, where the strip lies on the page, and where the region lies in it.

    The surroundings end where the picture does, so the region may lie nearer to the strip's edge than asked.
    """
    tl, tr, br, bl = region.corners
    along = (bl - tl) / max(1e-6, float(np.linalg.norm(bl - tl)))
    across = (tr - tl) / max(1e-6, float(np.linalg.norm(tr - tl)))
    rightwards, leftwards = (beside, 0.1 * beside) if aids_right else (0.1 * beside, beside)
    out, back = across * rightwards, across * leftwards
    up, down = along * above, along * below
    grown = np.array([tl - up - back, tr - up + out, br + down + out, bl + down - back], np.float32)
    longer = Region(grown, region.score)
    left, top = max(0, longer.box.x), max(0, longer.box.y)
    if not longer.slanted:
        leftwards, above = float(region.box.x - left), float(region.box.y - top)
    return cut_out(picture, longer), left, top, leftwards, above


def _own_parts(
    parts: Sequence[_Part],
    strip: Picture,
    across: tuple[float, float],
    along: tuple[float, float],
    rivals: Sequence[Box],
) -> tuple[list[_Part], list[_Part]]:
    """Parts of the column, its ends followed, and small parts close beside it."""
    rows, columns = strip.shape[:2]
    near, far = across
    start, end = along
    width = far - near
    own: list[_Part] = []
    ends: list[_Part] = []
    beside: list[_Part] = []
    low, high = float(rows), 0.0
    for part in parts:
        x, y = (part.left + part.right) / 2, (part.top + part.bottom) / 2
        distance = abs(x - (near + far) / 2) / width
        if any(_nearer(rival, x, y, distance) for rival in rivals):
            continue
        leaves = (part.top < start and part.top == 0) or (part.bottom > end and part.bottom == rows)
        cut = part.left == 0 or part.right == columns
        inside = part.top < end and part.bottom > start
        outline = cut and part.bottom - part.top > _OUTLINE * width
        if (
            leaves
            or outline
            or part.right - part.left > _WIDEST * width
            or part.bottom - part.top > _TALLEST * width
        ):
            continue
        if near <= x <= far and inside and not (cut and part.right - part.left < 0.15 * width):
            own.append(part)
            low, high = min(low, part.top), max(high, part.bottom)
        elif near <= x <= far and not inside and not cut and part.size <= width:
            ends.append(part)
        elif inside and not cut and part.size <= _AID_PART * width:
            beside.append(part)
    lower, upper = [p for p in ends if p.top >= end], [p for p in ends if p.bottom <= start]
    for part in sorted(lower, key=lambda p: p.top) if len(lower) <= _CROWD else ():
        if part.top - high <= _GAP * width:
            own.append(part)
            high = max(high, part.bottom)
    for part in sorted(upper, key=lambda p: -p.bottom) if len(upper) <= _CROWD else ():
        if low - part.bottom <= _GAP * width:
            own.append(part)
            low = min(low, part.top)
    return own, beside


def _nearer(rival: Box, x: float, y: float, distance: float) -> bool:
    """Whether a point lies, in relation to its width, nearer to the middle of a rival."""
    if not rival.y - 0.3 * rival.width <= y <= rival.bottom + 0.3 * rival.width:
        return False
    return abs(x - rival.center[0]) / max(1, rival.width) < distance


def _clear_of_column(own: list[_Part], width: float, aids_right: bool) -> tuple[list[_Part], list[_Part]]:
    """Parts that stand clear of the column's large characters, on the side of the reading aids."""
    large = [p for p in own if p.size >= 0.45 * width]
    if not large:
        return own, []
    near, far = min(p.left for p in large), max(p.right for p in large)
    thick = far - near
    if aids_right:
        clear = [p for p in own if p.left >= far - 0.1 * thick]
    else:
        clear = [p for p in own if p.right <= near + 0.1 * thick]
    clear = [p for p in clear if p.size <= _AID_PART * thick]
    return [p for p in own if p not in clear], clear


def _pieces(parts: Sequence[_Part], gap: float) -> list[list[_Part]]:
    """The parts divided where nothing stands for more than ``gap`` rows."""
    pieces: list[list[_Part]] = []
    reached = 0
    for part in sorted(parts, key=lambda p: (p.top, p.left)):
        if pieces and part.top - reached <= gap:
            pieces[-1].append(part)
            reached = max(reached, part.bottom)
        else:
            pieces.append([part])
            reached = part.bottom
    return pieces


def _extent(flags: Any) -> int:
    at = np.flatnonzero(flags)
    return int(at[-1] - at[0]) + 1 if at.size else 0
