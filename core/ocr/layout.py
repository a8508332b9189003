"""From lines to bubbles to reading order: geometry alone, whole numbers alone.

Every function takes boxes and answers with indexes into what it was given. Comparisons are made on whole
numbers, so that moving a page, enlarging it by a whole factor or shuffling its boxes changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.ocr.near import Near
from core.types import Box, Direction

_SQUARE_PERCENT = 130
"""Up to this ratio of the longer to the shorter side a line's own shape does not tell its direction."""
_FURIGANA_PERCENT = 62
"""Thinner than this share of its neighbour: a reading aid."""
_FURIGANA_GAP_PERCENT = 45
"""How far from its line a reading aid may stand, as a share of the line's thickness."""
_SAME_SIZE_PERCENT = 190
"""Lines of one bubble differ in thickness by less than this."""
_LINE_GAP_PERCENT = 115
"""Lines of one bubble are less than this share of their thickness apart."""
_OVERLAP_PERCENT = 35
"""Lines of one bubble stand beside each other for this share of the shorter one."""
_CUT_TOLERANCE_PERCENT = 25
"""A cut between panels may run this far into a box, as a share of the box: gutters slant."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A box seen along its line: ``start`` to ``end`` along, ``near`` to ``far`` across."""

    start: int
    end: int
    near: int
    far: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def thickness(self) -> int:
        return self.far - self.near


def _span(box: Box, direction: Direction) -> _Span:
    if direction is Direction.VERTICAL:
        return _Span(box.y, box.bottom, box.x, box.right)
    return _Span(box.x, box.right, box.y, box.bottom)


def _overlap(a_start: int, a_end: int, b_start: int, b_end: int) -> int:
    return min(a_end, b_end) - max(a_start, b_start)


def _sort_key(box: Box) -> tuple[int, int, int, int]:
    return (box.y, -box.right, box.height, box.width)


def directions(boxes: Sequence[Box]) -> list[Direction]:
    """The direction of each line: by its own shape, or by its neighbours where it is nearly square."""
    shape: list[Direction | None] = []
    for box in boxes:
        if 100 * max(box.width, box.height) <= _SQUARE_PERCENT * min(box.width, box.height):
            shape.append(None)
        else:
            shape.append(Direction.VERTICAL if box.height > box.width else Direction.HORIZONTAL)
    near = Near(boxes)
    return [own or _neighbours_direction(i, boxes, shape, near) for i, own in enumerate(shape)]


def _neighbours_direction(
    index: int, boxes: Sequence[Box], shape: Sequence[Direction | None], near: Near
) -> Direction:
    """That of the nearest line whose shape tells it; vertical when there is none."""
    here = boxes[index]
    best: tuple[int, int, Direction] | None = None
    for k in near.to(here, 2 * max(here.width, here.height)):
        other, direction = boxes[k], shape[k]
        if direction is None:
            continue
        dx = max(0, -_overlap(here.x, here.right, other.x, other.right))
        dy = max(0, -_overlap(here.y, here.bottom, other.y, other.bottom))
        if max(dx, dy) > 2 * max(here.width, here.height):
            continue
        candidate = (dx * dx + dy * dy, -other.area, direction)
        if best is None or candidate < best:
            best = candidate
    return best[2] if best else Direction.VERTICAL


def furigana_hosts(boxes: Sequence[Box], directions: Sequence[Direction]) -> dict[int, int]:
    """For each line that is a reading aid, the line it annotates.

    A reading aid runs in the same direction, is markedly thinner and stands close beside its line: to the
    right of a column, above a row.
    """
    near = Near(boxes)
    best: dict[int, tuple[tuple[int, int, tuple[int, int, int, int]], int]] = {}
    for j, large_box in enumerate(boxes):
        large = _span(large_box, directions[j])
        for i in near.to(large_box, large.thickness):
            small = _span(boxes[i], directions[j])
            if i == j or 100 * small.thickness >= _FURIGANA_PERCENT * large.thickness:
                continue
            if 2 * _overlap(small.start, small.end, large.start, large.end) < small.length:
                continue
            if directions[j] is Direction.VERTICAL:
                gap, beyond = small.near - large.far, small.far - large.far
            else:
                gap, beyond = large.near - small.far, large.near - small.near
            if 100 * gap > _FURIGANA_GAP_PERCENT * large.thickness or beyond * 2 < small.thickness:
                continue
            candidate = (max(0, gap), -large.thickness, _sort_key(large_box))
            if i not in best or candidate < best[i][0]:
                best[i] = candidate, j
    return {i: best[i][1] for i in sorted(best) if best[i][1] not in best}


def group_lines(boxes: Sequence[Box], directions: Sequence[Direction]) -> list[list[int]]:
    """Lines that belong together (one bubble, one caption), each group in reading order.

    Columns are read from right to left, rows from top to bottom. The groups come in no particular order.
    """
    parent = list(range(len(boxes)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    near = Near(boxes)
    for i, box in enumerate(boxes):
        here = _span(box, directions[i])
        # Those that are further away, ``_belong`` does not take, nor those so much thicker.
        for j in near.to(box, here.thickness * _SAME_SIZE_PERCENT * _LINE_GAP_PERCENT // 10_000 + 1):
            if j < i and directions[i] is directions[j] and _belong(here, _span(boxes[j], directions[j])):
                parent[root(i)] = root(j)
    groups: dict[int, list[int]] = {}
    for i in range(len(boxes)):
        groups.setdefault(root(i), []).append(i)
    return [_lines_in_order(g, boxes, directions[g[0]]) for g in groups.values()]


def _belong(a: _Span, b: _Span) -> bool:
    thin, thick = sorted((a.thickness, b.thickness))
    if 100 * thick > _SAME_SIZE_PERCENT * thin:
        return False
    beside = _overlap(a.start, a.end, b.start, b.end)
    gap_across = -_overlap(a.near, a.far, b.near, b.far)
    if 100 * beside >= _OVERLAP_PERCENT * min(a.length, b.length):
        return 100 * gap_across <= _LINE_GAP_PERCENT * thick
    # One line cut in two by the detector: in line with each other, less than a character apart.
    return -2 * gap_across > thin and -beside <= thick


def _lines_in_order(group: list[int], boxes: Sequence[Box], direction: Direction) -> list[int]:
    """Lines sorted across; pieces of one line, which overlap across, sorted along."""
    rows: list[list[int]] = []
    for i in sorted(group, key=lambda i: (_across(boxes[i], direction), _sort_key(boxes[i]))):
        here = _span(boxes[i], direction)
        if rows:
            last = _span(boxes[rows[-1][-1]], direction)
            shared = _overlap(here.near, here.far, last.near, last.far)
            apart = _overlap(here.start, here.end, last.start, last.end) <= 0
            if apart and 2 * shared > min(here.thickness, last.thickness):
                rows[-1].append(i)
                continue
        rows.append([i])
    return [
        i
        for row in rows
        for i in sorted(row, key=lambda i: (_span(boxes[i], direction).start, _sort_key(boxes[i])))
    ]


def _across(box: Box, direction: Direction) -> int:
    """Twice the middle, growing from right to left for columns, from top to bottom for rows."""
    return -(box.x + box.right) if direction is Direction.VERTICAL else box.y + box.bottom


def reading_order(
    boxes: Sequence[Box], directions: Sequence[Direction], panels: Sequence[Box] = ()
) -> list[int]:
    """The order in which the blocks of a page are read.

    Panels, where known, are read first to last in the order of a page, and the blocks of each inside it;
    a block belongs to the panel that covers most of it, or to the nearest. A page of rows only is read
    from left to right, any other from right to left.
    """
    rightwards = bool(boxes) and all(d is Direction.HORIZONTAL for d in directions)
    if len(panels) < 2:
        return _cut(list(range(len(boxes))), boxes, rightwards)
    members: list[list[int]] = [[] for _ in panels]
    for i, box in enumerate(boxes):
        members[_panel_of(box, panels)].append(i)
    return [
        i
        for p in _cut(list(range(len(panels))), panels, rightwards)
        for i in _cut(members[p], boxes, rightwards)
    ]


def _panel_of(box: Box, panels: Sequence[Box]) -> int:
    def badness(p: int) -> tuple[int, int, tuple[int, int, int, int]]:
        panel = panels[p]
        dx = (box.x + box.right) - (panel.x + panel.right)
        dy = (box.y + box.bottom) - (panel.y + panel.bottom)
        return (-box.intersection(panel).area, dx * dx + dy * dy, _sort_key(panel))

    return min(range(len(panels)), key=badness)


def _cut(items: list[int], boxes: Sequence[Box], rightwards: bool) -> list[int]:
    """Recursive cuts: rows from top to bottom, then columns in the direction of reading."""
    if len(items) < 2:
        return list(items)
    for horizontal in (True, False):
        parts = _split(items, boxes, horizontal)
        if len(parts) > 1:
            if not horizontal and not rightwards:
                parts.reverse()
            return [i for part in parts for i in _cut(part, boxes, rightwards)]
    sign = 1 if rightwards else -1
    return sorted(
        items, key=lambda i: (2 * boxes[i].y + sign * (boxes[i].x + boxes[i].right), _sort_key(boxes[i]))
    )


def _split(items: list[int], boxes: Sequence[Box], horizontal: bool) -> list[list[int]]:
    """The items divided where a straight cut goes between them, boxes shrunk by the tolerance."""

    def shrunk(i: int) -> tuple[int, int]:
        box = boxes[i]
        start, length = (box.y, box.height) if horizontal else (box.x, box.width)
        cut = _CUT_TOLERANCE_PERCENT * length
        return 200 * start + cut, 200 * (start + length) - cut

    parts: list[list[int]] = []
    reached = 0
    for i in sorted(items, key=lambda i: (shrunk(i), _sort_key(boxes[i]))):
        start, end = shrunk(i)
        if parts and start < reached:
            parts[-1].append(i)
            reached = max(reached, end)
        else:
            parts.append([i])
            reached = end
    return parts
