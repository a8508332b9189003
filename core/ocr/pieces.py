"""Where text that is too long for one look is cut. Model process only.

MangaOCR squeezes every picture into a square and was trained on bubbles; what does not fit there it invents.
docs/decisions/009 says where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.ocr.pixels import Picture, contrast_of
from core.types import Box, Direction, TextBlock, TextLine

LONGEST_LINE = 14
LONGEST_TEXT = 50
MOST_LINES = 10
_ADVANCE = 1.05
"""How far characters stand apart, in widths of their line, where nothing better is known."""
_SEARCH = 0.8
"""How far from where a cut should be a gap is looked for, in characters."""
_CLOSING = "。！？!?…．」』、,"
"""A line is best cut after these,"""
_BOUND = "。！？!?…．」』、,ーぁぃぅぇぉっゃゅょァィゥェォッャュョ"
"""and never before these."""
_LEAST = 3
"""A part of fewer characters tells too little."""
_INK = 0.4


def fits(block: TextBlock) -> bool:
    """Whether the block is of a kind that MangaOCR has learnt to read at once."""
    lengths = [_length(row) for row in _rows(block)]
    return (
        max(lengths, default=0) <= LONGEST_LINE
        and sum(lengths) <= LONGEST_TEXT
        and len(lengths) <= MOST_LINES
    )


def _length(lines: Sequence[TextLine]) -> int:
    return sum(len(line.text) for line in lines)


def _rows(block: TextBlock) -> list[list[TextLine]]:
    """The lines, those together that continue each other: a gap in a line makes two of it."""
    rows: list[list[TextLine]] = []
    for line in block.lines:
        if rows and _continues(rows[-1][-1].box, line.box, block.direction):
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _continues(one: Box, other: Box, direction: Direction) -> bool:
    """Whether they share most of their thickness and none of their length."""
    across = min(one.bottom, other.bottom) - max(one.y, other.y)
    along = min(one.right, other.right) - max(one.x, other.x)
    thick = min(one.height, other.height)
    if direction is Direction.VERTICAL:
        across, along = along, across
        thick = min(one.width, other.width)
    # Boxes of neighbours may touch.
    return across >= 0.5 * thick and along <= 0.5 * thick


def cut_block(picture: Picture, block: TextBlock) -> list[Box]:
    """The parts of a block that does not fit, in reading order: some of its lines, or a part of one."""
    parts: list[Box] = []
    waiting: list[tuple[Box, int]] = []
    for row in _rows(block):
        if _length(row) <= LONGEST_LINE:
            waiting.append((reduce(Box.union, (line.box for line in row)), _length(row)))
            continue
        parts += _grouped(waiting)
        waiting = []
        for line in row:
            if len(line.text) > LONGEST_LINE:
                parts += cut_line(picture, line.box, block.direction, line.text)
            else:
                parts.append(line.box)
    return parts + _grouped(waiting)


def characters_in(box: Box, direction: Direction) -> int:
    """About how many characters a line of that shape holds."""
    long, thick = (box.height, box.width) if direction is Direction.VERTICAL else (box.width, box.height)
    return max(1, round(long / (_ADVANCE * max(1, thick))))


def cut_line(picture: Picture, box: Box, direction: Direction, text: str) -> list[Box]:
    """A line in parts of at most LONGEST_LINE characters, cut in gaps, after a sentence where it can be.

    Args:
        text: what the line holds, roughly; characters of any kind where only their number is known.
    """
    seen = picture[box.y : box.bottom, box.x : box.right]
    ink = contrast_of(seen) > _INK
    profile = ink.sum(axis=1 if direction is Direction.VERTICAL else 0)
    length = len(profile)
    reach = max(1, round(_SEARCH * length / len(text)))
    cuts = [0, *(_gap(profile, round(length * at / len(text)), reach) for at in _divided(text)), length]
    return [_part(box, direction, a, b) for a, b in pairwise(cuts) if b > a]


def _divided(text: str) -> list[int]:
    """Before which characters to cut: as few parts as may be, cut after sentences, about equally long."""
    even = len(text) / -(-len(text) // LONGEST_LINE)
    best: list[tuple[float, list[int]]] = [(0.0, [])]
    for end in range(1, len(text) + 1):
        choices = []
        for start in range(max(0, end - LONGEST_LINE), end):
            cost, cuts = best[start]
            size = end - start
            cost += 1 + 0.1 * abs(size - even) / even + (1.0 if size < _LEAST else 0.0)
            if start:
                cuts = [*cuts, start]
                cost += 0.0 if text[start - 1] in _CLOSING else 1.5
                cost += 2.0 if text[start] in _BOUND else 0.0
            choices.append((cost, cuts))
        best.append(min(choices))
    return best[-1][1]


def _gap(profile: NDArray[np.intp], middle: int, reach: int) -> int:
    """The middle of the widest stretch with the least ink within ``reach`` of ``middle``."""
    start, end = max(1, middle - reach), min(len(profile) - 1, middle + reach)
    if start >= end:
        return middle
    least = profile[start:end] == profile[start:end].min()
    best, first = (0, 0), None
    for at, empty in enumerate([*least.tolist(), False]):
        if empty and first is None:
            first = at
        elif not empty and first is not None:
            best = max(best, (at - first, -first))
            first = None
    width, first_negative = best
    return int(start - first_negative + width // 2)


def _part(box: Box, direction: Direction, start: int, end: int) -> Box:
    if direction is Direction.VERTICAL:
        return Box(box.x, box.y + start, box.width, end - start)
    return Box(box.x + start, box.y, end - start, box.height)


def _grouped(lines: Sequence[tuple[Box, int]]) -> list[Box]:
    """Lines one after the other put together to as few parts as may be, about equally long."""
    if not lines:
        return []
    total = sum(count for _, count in lines)
    groups = max(-(-total // LONGEST_TEXT), -(-len(lines) // MOST_LINES))
    parts: list[list[Box]] = [[] for _ in range(groups)]
    seen = 0
    for box, count in lines:
        middle = seen + count / 2
        parts[min(groups - 1, int(middle * groups / total)) if total else 0].append(box)
        seen += count
    return [_around(part) for part in parts if part]


def _around(boxes: Sequence[Box]) -> Box:
    result = boxes[0]
    for box in boxes[1:]:
        result = result.union(box)
    return result
