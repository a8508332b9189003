"""The geometry of selecting a region on one screen, without any widget.

Every coordinate is a native pixel of that screen's picture, (0, 0) its upper left one. A selection holds
the pixel where it began and the pixel where it ends, both included.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from core.types import Box

MIN_SIDE = 8
"""A selection with a shorter side was not meant."""

Point = tuple[int, int]


class Phase(Enum):
    """IDLE: nothing chosen. DRAGGING: the button is down. ANCHORED: the keyboard sets the other corner.
    DONE: chosen."""

    IDLE = auto()
    DRAGGING = auto()
    ANCHORED = auto()
    DONE = auto()


class Selection:
    """The cursor and the region being chosen on a screen of ``width`` x ``height`` native pixels."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = max(1, width), max(1, height)
        self.phase = Phase.IDLE
        self.cursor: Point = (self._width // 2, self._height // 2)
        self._anchor: Point | None = None
        self._grip: tuple[Point, Point, Point] | None = None

    @property
    def box(self) -> Box | None:
        """What is chosen so far, or None."""
        if self._anchor is None:
            return None
        (ax, ay), (cx, cy) = self._anchor, self.cursor
        return Box(min(ax, cx), min(ay, cy), abs(ax - cx) + 1, abs(ay - cy) + 1)

    @property
    def too_small(self) -> bool:
        """Whether what is chosen has a side under ``MIN_SIDE``."""
        box = self.box
        return box is None or min(box.width, box.height) < MIN_SIDE

    @property
    def moving(self) -> bool:
        """Whether dragging moves the selection instead of sizing it."""
        return self._grip is not None

    def reset(self) -> None:
        """Forget the selection; the cursor stays."""
        self.phase, self._anchor, self._grip = Phase.IDLE, None, None

    def press(self, x: int, y: int) -> None:
        """The button went down: a new selection begins here."""
        self.cursor = self._anchor = self._inside(x, y)
        self._grip = None
        self.phase = Phase.DRAGGING

    def point(self, x: int, y: int) -> None:
        """The pointer is at this pixel: it moves the cursor, the selection's corner, or all of it."""
        if self._grip is None:
            self.cursor = self._inside(x, y)
            return
        start, anchor, cursor = self._grip
        dx, dy = self._allowed(x - start[0], y - start[1], anchor, cursor)
        self._anchor = (anchor[0] + dx, anchor[1] + dy)
        self.cursor = (cursor[0] + dx, cursor[1] + dy)

    def hold(self, on: bool, x: int, y: int) -> None:
        """While held, dragging from the pixel under the pointer moves the selection as it is."""
        if on and self.phase is Phase.DRAGGING and self._anchor is not None:
            self._grip = ((x, y), self._anchor, self.cursor)
        elif not on:
            self._grip = None

    def release(self) -> None:
        """The button went up."""
        if self.phase is Phase.DRAGGING:
            self._grip = None
            self.phase = Phase.DONE

    def anchor(self) -> None:
        """The keyboard fixes the first corner under the cursor."""
        self._anchor = self.cursor
        self.phase = Phase.ANCHORED

    def finish(self) -> None:
        """The keyboard is done with the second corner."""
        if self.phase is Phase.ANCHORED:
            self.phase = Phase.DONE

    def step(self, dx: int, dy: int) -> None:
        """Move the cursor, and with it the second corner."""
        self.cursor = self._inside(self.cursor[0] + dx, self.cursor[1] + dy)

    def shift(self, dx: int, dy: int) -> None:
        """Move the whole selection, its size kept; without one, the cursor."""
        if self._anchor is None:
            self.step(dx, dy)
            return
        dx, dy = self._allowed(dx, dy, self._anchor, self.cursor)
        self._anchor = (self._anchor[0] + dx, self._anchor[1] + dy)
        self.cursor = (self.cursor[0] + dx, self.cursor[1] + dy)

    def choose(self, box: Box) -> None:
        """Take a region found by somebody else, cut to the screen."""
        self._anchor = self._inside(box.x, box.y)
        self.cursor = self._inside(box.right - 1, box.bottom - 1)
        self.phase = Phase.DONE

    def _inside(self, x: int, y: int) -> Point:
        return (min(max(x, 0), self._width - 1), min(max(y, 0), self._height - 1))

    def _allowed(self, dx: int, dy: int, one: Point, other: Point) -> Point:
        """As much of a move as keeps both corners on the screen."""
        low_x, high_x = sorted((one[0], other[0]))
        low_y, high_y = sorted((one[1], other[1]))
        return (
            min(max(dx, -low_x), self._width - 1 - high_x),
            min(max(dy, -low_y), self._height - 1 - high_y),
        )


def block_at(blocks: Sequence[Box], point: Point, slack: int = 8) -> Box | None:
    """The smallest block under ``point``; failing that, the smallest within ``slack`` pixels of it."""
    for reach in (0, slack):
        hits = [
            block
            for block in blocks
            if block.x - reach <= point[0] < block.right + reach
            and block.y - reach <= point[1] < block.bottom + reach
        ]
        if hits:
            return min(hits, key=lambda block: block.area)
    return None


def place_magnifier(side: int, cursor: Point, box: Box | None, screen: Box, gap: int) -> Box:
    """Where a square of ``side`` stands: near the cursor, off it and off the selection, on the screen.

    The four diagonal neighbours of the cursor come first (the one away from the selection wins), then
    the screen's corners. On a screen without room it covers as little of the selection as it can.
    """
    x, y = cursor
    near = [
        Box(x + gap, y + gap, side, side),
        Box(x - gap - side, y + gap, side, side),
        Box(x + gap, y - gap - side, side, side),
        Box(x - gap - side, y - gap - side, side, side),
    ]
    right, bottom = screen.right - gap - side, screen.bottom - gap - side
    corners = [
        Box(left, top, side, side)
        for left, top in (
            (screen.x + gap, screen.y + gap),
            (right, screen.y + gap),
            (screen.x + gap, bottom),
            (right, bottom),
        )
    ]

    def cost(place: Box) -> tuple[int, bool, int]:
        outside = place.area - place.intersection(screen).area
        covered = place.intersection(box).area if box is not None else 0
        return (outside, place.contains(x, y), covered)

    return min([*near, *corners], key=cost)


def place_label(width: int, height: int, box: Box, screen: Box, gap: int) -> Box:
    """Where the size is written: under the selection's right end, else above it, else inside it."""
    x = max(screen.x, min(box.right - width, screen.right - width))
    if box.bottom + gap + height <= screen.bottom:
        return Box(x, box.bottom + gap, width, height)
    if box.y - gap - height >= screen.y:
        return Box(x, box.y - gap - height, width, height)
    return Box(max(screen.x, x - gap), box.bottom - gap - height, width, height)
