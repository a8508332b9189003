"""Struts as data: what X11 windows keep free, in native pixels of the root window.

A strut is measured from an edge of the root window, which spans all monitors. So only an edge of a monitor
that no other monitor lies beyond can be kept free.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize

from desktop.panel_place import Side


@dataclass(frozen=True)
class Strut:
    """One window's reservation, as the twelve numbers of ``_NET_WM_STRUT_PARTIAL``.

    Left, right, top and bottom thickness, then the first and the last pixel along each of these edges.
    """

    values: tuple[int, ...]

    @classmethod
    def of(cls, property_values: Sequence[int], root: QSize) -> Strut | None:
        """From either property: the four numbers of ``_NET_WM_STRUT`` hold along whole edges."""
        if len(property_values) == 12:
            return cls(tuple(property_values))
        if len(property_values) == 4:
            vertical, horizontal = (0, root.height() - 1), (0, root.width() - 1)
            return cls((*property_values, *vertical, *vertical, *horizontal, *horizontal))
        return None

    def areas(self, root: QSize) -> Iterator[tuple[str, QRect]]:
        """Each edge that is kept free, and the rectangle there."""
        left, right, top, bottom = self.values[:4]
        starts, ends = self.values[4::2], self.values[5::2]
        along = [(start, end - start + 1) for start, end in zip(starts, ends, strict=True)]
        if left:
            yield "left", QRect(0, along[0][0], left, along[0][1])
        if right:
            yield "right", QRect(root.width() - right, along[1][0], right, along[1][1])
        if top:
            yield "top", QRect(along[2][0], 0, along[2][1], top)
        if bottom:
            yield "bottom", QRect(along[3][0], root.height() - bottom, along[3][1], bottom)


def side_strut(monitor: QRect, root: QSize, side: Side, place: QRect) -> Strut:
    """What keeps ``place``, at that side of ``monitor``, free along the whole height of the monitor."""
    along = (monitor.top(), monitor.bottom())
    if side == "left":
        return Strut((place.right() + 1, 0, 0, 0, *along, *(0,) * 6))
    return Strut((0, root.width() - place.left(), 0, 0, 0, 0, *along, *(0,) * 4))


def in_the_way(monitor: QRect, monitors: Iterable[QRect], root: QSize, side: Side) -> bool:
    """Whether another monitor lies between that side of ``monitor`` and the edge of the root window."""
    if side == "left":
        beyond = QRect(0, monitor.top(), monitor.left(), monitor.height())
    else:
        edge = monitor.right() + 1
        beyond = QRect(edge, monitor.top(), root.width() - edge, monitor.height())
    # A monitor that shows the same picture overlaps; it does not lie beyond.
    return any(beyond.intersects(other) and not other.intersects(monitor) for other in monitors)


def free_area(monitor: QRect, root: QSize, struts: Iterable[Strut]) -> QRect:
    """What ``struts`` leave of ``monitor``."""
    left, top = monitor.left(), monitor.top()
    right, bottom = monitor.right(), monitor.bottom()
    for strut in struts:
        for edge, area in strut.areas(root):
            if not area.intersects(monitor):
                continue
            # One that would take all of a monitor is meant for the next one, and no window manager obeys it.
            if edge == "left" and area.right() < monitor.right():
                left = max(left, area.right() + 1)
            elif edge == "right" and area.left() > monitor.left():
                right = min(right, area.left() - 1)
            elif edge == "top" and area.bottom() < monitor.bottom():
                top = max(top, area.bottom() + 1)
            elif edge == "bottom" and area.top() > monitor.top():
                bottom = min(bottom, area.top() - 1)
    return QRect(left, top, max(0, right - left + 1), max(0, bottom - top + 1))
