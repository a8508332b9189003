"""Between logical pixels and those of the platform, for rectangles on one screen.

Qt keeps the native origin of a screen and divides only distances from it by the scale.
"""

from __future__ import annotations

from math import ceil, floor

from PySide6.QtCore import QPoint, QRect

# What a product of whole numbers and a scale is off by, and far less than a pixel.
_DUST = 1e-6


def to_native(rect: QRect, origin: QPoint, scale: float) -> QRect:
    """Every native pixel that ``rect`` touches; ``origin`` is the screen's upper left corner."""
    left = origin.x() + floor((rect.left() - origin.x()) * scale + _DUST)
    top = origin.y() + floor((rect.top() - origin.y()) * scale + _DUST)
    right = origin.x() + ceil((rect.right() + 1 - origin.x()) * scale - _DUST)
    bottom = origin.y() + ceil((rect.bottom() + 1 - origin.y()) * scale - _DUST)
    return QRect(left, top, right - left, bottom - top)


def to_logical(rect: QRect, origin: QPoint, scale: float) -> QRect:
    """The logical pixels that lie in ``rect`` as a whole; ``origin`` is the screen's upper left corner."""
    left = origin.x() + ceil((rect.left() - origin.x()) / scale - _DUST)
    top = origin.y() + ceil((rect.top() - origin.y()) / scale - _DUST)
    right = origin.x() + floor((rect.right() + 1 - origin.x()) / scale + _DUST)
    bottom = origin.y() + floor((rect.bottom() + 1 - origin.y()) / scale + _DUST)
    return QRect(left, top, right - left, bottom - top)
