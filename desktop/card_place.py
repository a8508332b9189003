"""Where a card stands beside the region that it belongs to."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize

from desktop.theme import STEP

GAP = 2 * STEP
"""Between the card and the region, and between the card and the edge of the screen, in logical pixels."""


def place_card(anchor: QRect, size: QSize, available: QRect, gap: int = GAP) -> QPoint:
    """The upper left corner for a card of ``size`` beside ``anchor``, inside ``available``.

    Right, left, below, above: the first side with room for all of it, aligned with the region and
    pushed along that side until it is inside. Without room anywhere: where it covers least.
    """

    def inside(x: int, y: int) -> QPoint:
        return QPoint(
            max(available.left(), min(x, available.right() + 1 - size.width())),
            max(available.top(), min(y, available.bottom() + 1 - size.height())),
        )

    right, bottom = anchor.right() + 1 + gap, anchor.bottom() + 1 + gap
    sides = [
        QPoint(right, anchor.top()),
        QPoint(anchor.left() - gap - size.width(), anchor.top()),
        QPoint(anchor.left(), bottom),
        QPoint(anchor.left(), anchor.top() - gap - size.height()),
    ]
    places = [inside(side.x(), side.y()) for side in sides]

    def covered(place: QPoint) -> int:
        both = QRect(place, size).intersected(anchor)
        return max(0, both.width()) * max(0, both.height())

    for keeps_gap in (True, False):
        grown = anchor.adjusted(-gap, -gap, gap, gap) if keeps_gap else anchor
        for place in places:
            if not QRect(place, size).intersects(grown):
                return place
    return min(places, key=covered)
