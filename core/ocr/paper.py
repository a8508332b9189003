"""The paper of a snipped bubble: what its outline shuts out is painted over. Model process only.

A rectangle around a bubble takes pieces of the outline, speed lines and screentone with it, at its edges
and in its corners. They stand closer to the text than any other text would, and the detector takes them for
strokes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.ocr.pixels import Picture
from core.types import Box

_LEAST = 0.35
"""The paper with what is written on it covers at least this share of the snip,"""
_MIDDLE = 0.6
"""and at least this share of its middle."""
_LIGHT = 150
"""Paper is at least so light."""
_FAINT = 60
"""Ink is at least so much darker than the paper."""
_SPECK, _SPECKS = 0.25, 8
"""More than so many pieces of ink to each large one, smaller than this share of it, are a screentone."""
_OUTLINE = 1.35
"""A piece of ink that reaches the edge of the snip and is longer than this, in characters, is no writing."""
_LARGEST, _COMPACT = 2.5, 2.0
"""The same for a piece whose sides differ by less than ``_COMPACT``: it may be a character that touches the
edge, and the others be in several pieces."""
_IN_CORNER = 0.97
"""So much of a piece of an outline lies on the corner's side of the line between its ends."""
_FRINGE = 2
"""Pixels around what is painted over that are painted as well: an outline has soft sides."""
_OTHER = 0.04
"""An enclosed place outside the paper that covers this share of the snip may hold a text of its own."""
_BARE = 0.6
"""Paper with nothing but writing on it is at least this share of the picture."""
_CHARACTER = 0.55
"""Pieces of at least this size, in characters, belong to the text and not to its reading aids."""
_MOST = 300
"""A picture with more of them is a page."""
_WRITING = (0.35, 1.6)
"""It does when a piece of ink in it has a size between these, in characters."""


@dataclass(frozen=True)
class _Pieces:
    """Connected pieces: ``labels`` as the picture, and the box and area of each label from 1 on."""

    labels: NDArray[np.int32]
    left: NDArray[np.int32]
    top: NDArray[np.int32]
    right: NDArray[np.int32]
    bottom: NDArray[np.int32]
    area: NDArray[np.int32]

    @property
    def sizes(self) -> NDArray[np.int32]:
        """The longer side of each."""
        return np.asarray(np.maximum(self.right - self.left, self.bottom - self.top), np.int32)

    @property
    def at_edge(self) -> NDArray[np.bool_]:
        rows, columns = self.labels.shape
        return np.asarray(
            (self.left == 0) | (self.top == 0) | (self.right == columns) | (self.bottom == rows), np.bool_
        )


def only_paper(picture: Picture) -> Picture:
    """The picture with what lies outside the paper in its middle painted in the paper's colour.

    The picture itself, where it has no such paper (light writing on a dark ground, a screentone, several
    bubbles) or where nothing lies outside.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    paper = _paper_of(grey)
    if paper is None:
        return picture
    rest = _pieces(~paper, 8)
    at_edge = rest.at_edge
    if not at_edge.any() or at_edge.all():
        return picture
    inner = rest.sizes[~at_edge]
    character = float(np.percentile(_large(inner), 75))
    if np.count_nonzero(inner < _SPECK * character) > _SPECKS * _large(inner).size:
        return picture
    shut_out = [
        index
        for index in np.flatnonzero(at_edge)
        if _is_outline(rest, int(index), character) or _cuts_corner(rest, int(index))
    ]
    if not shut_out:
        return picture
    outside = np.isin(rest.labels, np.array(shut_out) + 1)
    rows, columns = grey.shape
    if outside.mean() > 1 - _LEAST or outside[_middle(rows, columns)].mean() > 1 - _MIDDLE:
        return picture
    if _holds_writing(outside & (grey >= _threshold(grey)), outside, character):
        return picture
    kept = (~paper & ~outside).astype(np.uint8)
    fringe = cv2.dilate(outside.astype(np.uint8), np.ones((2 * _FRINGE + 1,) * 2, np.uint8)) > 0
    near = cv2.dilate(kept, np.ones((3, 3), np.uint8)) > 0
    cleaned = picture.copy()
    cleaned[outside | (fringe & ~near)] = np.median(picture[paper], axis=0).astype(np.uint8)
    return cleaned


def overlooked(picture: Picture, boxes: Sequence[Box]) -> float:
    """The share of the characters' ink that no box covers.

    0 where the picture is not paper with nothing but writing on it.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    paper = _paper_of(grey)
    if paper is None or paper.mean() < _BARE:
        return 0.0
    ink = _pieces(~paper, 8)
    large = np.flatnonzero(ink.sizes >= _CHARACTER * np.percentile(_large(ink.sizes), 75))
    if not 0 < large.size <= _MOST:
        return 0.0
    x, y = (ink.left[large] + ink.right[large]) / 2, (ink.top[large] + ink.bottom[large]) / 2
    covered = np.zeros(large.size, np.bool_)
    for box in boxes:
        covered |= (x >= box.x) & (x <= box.right) & (y >= box.y) & (y <= box.bottom)
    return float(ink.area[large][~covered].sum() / ink.area[large].sum())


def _large(sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """The sizes without those of specks and dots."""
    return np.asarray(sizes[sizes >= 0.4 * sizes.max()], np.int32)


def _middle(rows: int, columns: int) -> tuple[slice, slice]:
    return slice(rows // 4, rows - rows // 4), slice(columns // 4, columns - columns // 4)


def _threshold(grey: NDArray[np.uint8]) -> float:
    value, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(value) + 1


def _paper_of(grey: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """The light piece that holds most of the picture's middle; None where that is not much."""
    light = grey >= _threshold(grey)
    if light.all() or not light.any():
        return None
    if np.median(grey[light]) < max(_LIGHT, np.median(grey[~light]) + _FAINT):
        return None
    _, labels = cv2.connectedComponents(light.astype(np.uint8), connectivity=4)
    inner = labels[_middle(*grey.shape)]
    counts = np.bincount(inner[inner > 0], minlength=2)
    if not inner.size or counts.max() < 0.3 * inner.size:
        return None
    paper = np.asarray(labels == int(counts.argmax()), np.bool_)
    return paper if paper.mean() >= _LEAST / 2 else None


def _pieces(flags: NDArray[np.bool_], connectivity: int) -> _Pieces:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(flags.astype(np.uint8), connectivity=connectivity)
    left, top, width, height, area = stats[1:].T
    return _Pieces(np.asarray(labels, np.int32), left, top, left + width, top + height, area)


def _is_outline(pieces: _Pieces, index: int, character: float) -> bool:
    """Whether a piece that reaches the edge is larger than writing, or as large and long and thin."""
    width = int(pieces.right[index] - pieces.left[index])
    height = int(pieces.bottom[index] - pieces.top[index])
    size = max(width, height)
    corners = pieces.labels[[0, 0, -1, -1], [0, -1, 0, -1]]
    compact = size <= _COMPACT * min(width, height) and index + 1 not in corners
    return size > (_LARGEST if compact else _OUTLINE) * character


def _cuts_corner(pieces: _Pieces, index: int) -> bool:
    """Whether a piece goes from one side of the picture to the next, bulging towards their corner."""
    rows, columns = pieces.labels.shape
    left, top = int(pieces.left[index]), int(pieces.top[index])
    right, bottom = int(pieces.right[index]), int(pieces.bottom[index])
    if (left > 0) == (right < columns) or (top > 0) == (bottom < rows):
        return False
    ys, xs = np.nonzero(pieces.labels[top:bottom, left:right] == index + 1)
    # Counted from the corner, in shares of the way to the piece's ends on both sides.
    across = (xs if left == 0 else right - left - 1 - xs) / max(1, right - left - 1)
    along = (ys if top == 0 else bottom - top - 1 - ys) / max(1, bottom - top - 1)
    return bool(np.mean(across + along <= 1.1) >= _IN_CORNER)


def _holds_writing(light: NDArray[np.bool_], outside: NDArray[np.bool_], character: float) -> bool:
    """Whether what would be painted over has a place of its own with ink of the size of characters in it."""
    places = _pieces(light, 4)
    low, high = (share * character for share in _WRITING)
    for index in np.flatnonzero(places.area >= _OTHER * light.size):
        rows = slice(places.top[index], places.bottom[index])
        columns = slice(places.left[index], places.right[index])
        inked = _pieces(places.labels[rows, columns] != index + 1, 8)
        if np.any(~inked.at_edge & (inked.sizes >= low) & (inked.sizes <= high)):
            return True
    return False
