"""Where text is in pictures larger than what the detector looks at at once. Model process only.

Scaled down to one look, a strip of several screens or a large sheet of pages loses its text: small characters
melt into spots. But a scan whose lettering is as large as its paper is seen best like that, and in full size
only as strokes. So the detector looks closer, in tiles, until the lines that it sees are clear.
docs/decisions/002 says how the numbers were chosen.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import cv2
import numpy as np

from core.ocr.detector import TextDetector
from core.ocr.pixels import Picture, Region, border_colour

_LONGEST = 1800
"""Pictures with a longer side are large."""
_CORE = 768
"""A tile is so many pixels wide and high,"""
_HALO = 96
"""and is seen with so many more on each side: what is told of it must not depend on where it is cut."""
_MARGIN = 64
"""So many are around the picture, in the colour of its border: text at the very edge is missed."""
_BLANK = 24
"""Where no two pixels differ by more there is nothing to be found."""
_CLEAR = 30
"""Lines so thick are seen clearly: characters of some 22 pixels."""
_THIN = 0.1
"""Of the text, at most this share may be in thinner ones."""
_CLOSER = 1.15
"""A look is worth while when it is closer than the last one by this ratio of their scales."""

_TIMES = (16, 8, 4, 2, 1)
"""How much smaller than the picture each look may be."""


def is_large(picture: Picture) -> bool:
    """Whether one look may not show all of its text."""
    return bool(max(picture.shape[:2]) > _LONGEST)


def look_closer(
    detector: TextDetector, picture: Picture, found: list[Region]
) -> Generator[None, None, list[Region]]:
    """The lines at the scale at which they are clear, in pixels of ``picture``. Yields after each tile.

    Args:
        found: by ``detector.detect``, and returned where it is clear.
    """
    scale = detector.scale_of(picture)
    for times in _TIMES:
        if _is_clear(found, scale):
            break
        if scale * _CLOSER < 1 / times:
            seen = yield from _look(detector, _shrunk(picture, times))
            found = [Region(region.corners * np.float32(times), region.score) for region in seen]
            scale = 1 / times
    return found


def _shrunk(picture: Picture, times: int) -> Picture:
    height, width = picture.shape[:2]
    size = (max(1, width // times), max(1, height // times))
    if times == 1:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _is_clear(found: Sequence[Region], scale: float) -> bool:
    """Whether nearly all of the text is in lines that are thick enough at that scale."""
    clear = total = 0.0
    for region in found:
        short, long = sorted(region.size)
        # About how many characters it holds.
        length = long / short
        total += length
        clear += length if short * scale >= _CLEAR else 0.0
    return bool(found) and total - clear <= _THIN * total


def _look(detector: TextDetector, picture: Picture) -> Generator[None, None, list[Region]]:
    """The lines of a picture as it is.

    The likelihoods of all tiles are put together before lines are made of them: one that goes on in the next
    tile is one line, and none is found twice.
    """
    height, width = picture.shape[:2]
    ground = border_colour(picture)
    likely = np.zeros((height, width), np.uint8)
    for top in range(0, height, _CORE):
        for left in range(0, width, _CORE):
            bottom, right = min(top + _CORE, height), min(left + _CORE, width)
            tile, x, y = _with_surroundings(picture, left, top, right, bottom, ground)
            if int(tile.max()) - int(tile.min()) > _BLANK:
                part = detector.likelihood(tile)[y : y + bottom - top, x : x + right - left]
                likely[top:bottom, left:right] = np.rint(part * 255)
            yield
    return detector.regions(likely, 255.0)


def _with_surroundings(
    picture: Picture, left: int, top: int, right: int, bottom: int, ground: tuple[int, int, int]
) -> tuple[Picture, int, int]:
    """A tile with what is around it, and where in that it begins."""
    height, width = picture.shape[:2]
    x, y = max(-_MARGIN, left - _HALO), max(-_MARGIN, top - _HALO)
    end_x, end_y = min(width + _MARGIN, right + _HALO), min(height + _MARGIN, bottom + _HALO)
    tile = np.empty((end_y - y, end_x - x, 3), np.uint8)
    tile[:] = ground
    part = picture[max(0, y) : min(height, end_y), max(0, x) : min(width, end_x)]
    at_x, at_y = max(0, -x), max(0, -y)
    tile[at_y : at_y + part.shape[0], at_x : at_x + part.shape[1]] = part
    return tile, left - x, top - y
