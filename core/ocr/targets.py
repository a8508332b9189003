"""Which parts of a picture MangaOCR is shown. Model process only.

What the built-in engine has read decides: MangaOCR makes up a text for whatever it is shown, so that a place
without text must not reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from core.ocr.levels import is_large
from core.ocr.pieces import LONGEST_LINE, characters_in, cut_block, cut_line, fits
from core.ocr.pixels import Picture, contrast_of
from core.ocr.reader import Survey
from core.types import Box, Direction, TextBlock

_FILLS = 0.6
"""A single block that takes this share of the picture, with a line's width around it, is a bubble's snip."""
MARGIN = 0.15
"""Left around a block, in thicknesses of its lines: the crops MangaOCR was trained on have about as much."""
_LEAST_MARGIN = 3


@dataclass(frozen=True)
class Target:
    """One bubble to be read.

    ``box`` is where its text is. ``parts`` are shown to MangaOCR one by one and are one line of text each;
    all but a long text is one part. ``built_in`` is what the built-in engine read there, None where it read
    nothing, so that there may be no text at all.
    """

    box: Box
    direction: Direction
    parts: tuple[Box, ...]
    built_in: TextBlock | None = None


def targets(survey: Survey, picture: Picture) -> list[Target]:
    """What to read, in reading order; empty for a picture in which nothing stands out."""
    height, width = picture.shape[:2]
    whole = Box(0, 0, width, height)
    if not survey.blocks:
        # In all of a large picture MangaOCR finds nothing but what it makes up.
        return _unread(picture, whole) if not is_large(picture) and contrast_of(picture).any() else []
    if len(survey.blocks) == 1 and _fills(survey.blocks[0], whole):
        return [_target(picture, survey.blocks[0], whole)]
    boxes = [block.box for block in survey.blocks]
    found = []
    for index, block in enumerate(survey.blocks):
        others = boxes[:index] + boxes[index + 1 :]
        found.append(_target(picture, block, with_margin(block.box, thickness(block), whole, others)))
    return found


def _unread(picture: Picture, whole: Box) -> list[Target]:
    direction = Direction.VERTICAL if whole.height > whole.width else Direction.HORIZONTAL
    count = characters_in(whole, direction)
    parts = cut_line(picture, whole, direction, "　" * count) if count > LONGEST_LINE else [whole]
    return [Target(whole, direction, tuple(parts))]


def _target(picture: Picture, block: TextBlock, shown: Box) -> Target:
    if fits(block):
        return Target(block.box, block.direction, (shown,), block)
    height, width = picture.shape[:2]
    whole = Box(0, 0, width, height)
    parts = cut_block(picture, block)
    thick = thickness(block)
    spread = [
        with_margin(part, thick, whole, [*parts[:index], *parts[index + 1 :]])
        for index, part in enumerate(parts)
    ]
    return Target(block.box, block.direction, tuple(spread), block)


def thickness(block: TextBlock) -> float:
    """How wide the block's columns are, or how high its rows, in pixels."""
    vertical = block.direction is Direction.VERTICAL
    return float(median(line.box.width if vertical else line.box.height for line in block.lines))


def _fills(block: TextBlock, whole: Box) -> bool:
    extra = round(thickness(block))
    around = Box(
        block.box.x - extra, block.box.y - extra, block.box.width + 2 * extra, block.box.height + 2 * extra
    )
    return around.intersection(whole).area >= _FILLS * whole.area


def with_margin(box: Box, thick: float, whole: Box, others: Sequence[Box]) -> Box:
    """The box with paper around it, on each side as far as no other text lies there."""
    extra = max(_LEAST_MARGIN, round(MARGIN * thick))
    left, top, right, bottom = box.x - extra, box.y - extra, box.right + extra, box.bottom + extra
    for other in others:
        beside = other.y < bottom and other.bottom > top
        below = other.x < right and other.right > left
        if beside and other.x >= box.right:
            right = min(right, max(box.right, other.x))
        elif beside and other.right <= box.x:
            left = max(left, min(box.x, other.right))
        elif below and other.y >= box.bottom:
            bottom = min(bottom, max(box.bottom, other.y))
        elif below and other.bottom <= box.y:
            top = max(top, min(box.y, other.bottom))
    left, top = max(0, left), max(0, top)
    return Box(left, top, min(whole.right, right) - left, min(whole.bottom, bottom) - top)
