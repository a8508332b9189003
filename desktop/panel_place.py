"""Where the side panel stands, so that it covers what it talks about only where there is no other room.

Everything here is in logical pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

from PySide6.QtCore import QRect

Side: TypeAlias = Literal["left", "right"]

MINIMUM_WIDTH = 320
MAXIMUM_WIDTH = 1600


def bounded_width(width: int, room: int) -> int:
    """``width`` within the bounds of the panel on a screen that is ``room`` wide.

    At most half of the screen, except that a very narrow screen gets the minimum, or all of itself.
    """
    most = max(min(MINIMUM_WIDTH, room), min(MAXIMUM_WIDTH, room // 2))
    return max(min(MINIMUM_WIDTH, room), min(width, most))


def at_edge(available: QRect, width: int, side: Side) -> QRect:
    """The rectangle of ``width`` at one side of ``available``, over its whole height."""
    left = available.left() if side == "left" else available.right() + 1 - width
    return QRect(left, available.top(), width, available.height())


def covered(place: QRect, region: QRect | None) -> int:
    """How many pixels of ``region`` lie under ``place``."""
    both = place.intersected(region) if region is not None else QRect()
    return max(0, both.width()) * max(0, both.height())


def place(screen_available: QRect, width: int, side: str, region: QRect | None) -> tuple[str, QRect]:
    """The side at which the panel stands, and its rectangle there.

    At the preferred ``side``, unless it would cover ``region`` there and covers less of it at the other one.
    Where it would cover it at both, it is narrowed, down to ``MINIMUM_WIDTH``, as far as that uncovers more.

    Args:
        screen_available: the part of the screen that other bars leave free.
        width: the wanted width; it is brought within the bounds first.
        side: ``left`` or ``right``.
        region: what the panel talks about, in the coordinates of all screens; None for nothing.
    """
    width = bounded_width(width, screen_available.width())
    preferred = cast(Side, side)
    sides: tuple[Side, Side] = (preferred, "right" if preferred == "left" else "left")
    places = [(each, at_edge(screen_available, width, each)) for each in sides]
    for found in places:
        if not covered(found[1], region):
            return found
    assert region is not None
    narrowed = [(each, _narrowed(screen_available, width, each, region)) for each in sides]
    return min(narrowed, key=lambda found: covered(found[1], region))


def _narrowed(available: QRect, width: int, side: Side, region: QRect) -> QRect:
    """As wide as fits beside ``region``, else the minimum if that covers less, else as it was."""
    gap = region.left() - available.left() if side == "left" else available.right() - region.right()
    least = min(MINIMUM_WIDTH, available.width())
    wide = at_edge(available, width, side)
    narrow = at_edge(available, max(least, min(width, gap)), side)
    return narrow if covered(narrow, region) < covered(wide, region) else wide


def choose_screen(
    screens: Sequence[QRect], preferred: int, width: int, side: str, region: QRect | None
) -> int:
    """Which of ``screens`` the panel stands on, as an index.

    The preferred one where ``region`` can stay uncovered there, however narrow the panel has to be; else the
    nearest one where it can; else the preferred one.

    Args:
        screens: what other bars leave free of each screen, in the coordinates of all screens; at least one.
    """

    def uncovered(screen: QRect) -> bool:
        return not covered(place(screen, width, side, region)[1], region)

    home = screens[preferred]
    if uncovered(home):
        return preferred
    away = (home.center() - other.center() for other in screens)
    distances = [step.x() ** 2 + step.y() ** 2 for step in away]
    free = [index for index, screen in enumerate(screens) if index != preferred and uncovered(screen)]
    return min(free, key=distances.__getitem__, default=preferred)
