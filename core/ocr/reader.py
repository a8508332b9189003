"""Detect, read, group: what the built-in engine does with one picture. Model process only."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

from core.errors import Cancelled
from core.ocr import layout
from core.ocr.columns import Column
from core.ocr.detector import TextDetector
from core.ocr.levels import is_large, look_closer
from core.ocr.lines import Line, box_of, look_again, prepare, ready, take_lines
from core.ocr.panels import find_panels
from core.ocr.paper import only_paper, overlooked
from core.ocr.pixels import Picture, Region, region_of
from core.ocr.recognizer import LineRecognizer, Reading
from core.types import Box, Direction, Furigana, TextBlock, TextLine

T = TypeVar("T")

_CREDIBLE = 0.5
"""Lines of a lower mean likelihood are strokes of the drawing."""

_MISSED = 0.06
"""Where the detector overlooks more than this share of the ink, it looks again"""
_OTHER_MARGINS = (12, 24)
"""with so many pixels more around the picture."""

_LARGEST_SNIP = 8_000_000
"""Pixels. A larger picture is no snip of a bubble, and to look for one in it would take long."""

_SQUARE = 1.35
"""The region around a single character is at most so much longer on one side."""

_JAPANESE = re.compile("[ぁ-ゖァ-ヺ々㐀-鿿]")
_STROKES = re.compile("[0-9A-Za-z.,'’，、|/\\\\()-]+")
_CLEAR = 0.95
"""Digits and letters in a line of their own at the picture's edge are as likely as this, or strokes."""
_SHORT = 4
"""Noise has no more characters than this,"""
_SURE = 0.8
"""and a lower mean likelihood than this,"""
_EDGE = 0.5
"""or lies nearer to the picture's edge than this, in its own shorter sides."""


@dataclass(frozen=True)
class _Item:
    """A line to be read: of which bubble, and for a reading aid, which line of it."""

    line: Line
    bubble: int
    annotates: int | None = None


@dataclass(frozen=True)
class _Found:
    """What detection and geometry tell, before anything is read. ``hosts``: the line of each reading aid."""

    directions: list[Direction]
    taken: list[tuple[Column, list[Column]]]
    boxes: list[Box]
    hosts: dict[int, int]
    bubbles: list[list[int]]


@dataclass(frozen=True)
class Survey:
    """A picture as the built-in engine sees it: the bubbles it read, and every place it took for text.

    ``found`` also holds what it could not read, or took for noise afterwards.
    """

    blocks: list[TextBlock]
    found: list[Box]


class PageReader:
    """Reads every line of a picture and puts the lines into bubbles and the bubbles into order."""

    def __init__(self, detector: TextDetector, recognizer: LineRecognizer) -> None:
        self._detector = detector
        self._recognizer = recognizer

    def detect(self, picture: Picture) -> list[tuple[Box, Direction]]:
        """The bubbles in reading order, without reading them."""
        found = _result_of(self._find(_bare(picture), lambda: False))
        return [
            (_around([found.boxes[i] for i in members]), found.directions[members[0]])
            for members in found.bubbles
        ]

    def _find(
        self, picture: Picture, cancelled: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, _Found]:
        """Yields progress while it looks at a large picture."""
        regions = self._regions(picture) if _may_be_snip(picture) else self._detector.detect(picture)
        if is_large(picture):
            regions = yield from _alive(look_closer(self._detector, picture, regions), cancelled)
        directions = layout.directions([region.box for region in regions])
        taken = take_lines(picture, regions, directions)
        boxes = [box_of(column, d) for (column, _), d in zip(taken, directions, strict=True)]
        hosts = layout.furigana_hosts(boxes, directions)
        main = [i for i in range(len(boxes)) if i not in hosts]
        bubbles = _bubbles(boxes, directions, main, find_panels(picture))
        return _Found(directions, taken, boxes, hosts, bubbles)

    def _regions(self, picture: Picture) -> list[Region]:
        """What the detector finds; at another margin where it overlooked a good part of the writing."""
        best = self._detector.detect(picture)
        missed = overlooked(picture, [region.box for region in best])
        for extra in _OTHER_MARGINS:
            if missed <= _MISSED:
                break
            other = self._detector.detect(picture, extra)
            left = overlooked(picture, [region.box for region in other])
            if left < missed and (not best or _mostly_tall(other) == _mostly_tall(best)):
                best, missed = other, left
        return _one_column(best)

    def read(
        self, picture: Picture, cancelled: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, list[TextBlock]]:
        """Yields progress, returns the bubbles in reading order.

        Raises:
            Cancelled: ``cancelled()`` said so between two batches of lines.
        """
        survey = yield from self.survey(picture, cancelled)
        return survey.blocks

    def survey(
        self, picture: Picture, cancelled: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, Survey]:
        """As ``read``, and besides the bubbles every place that was found."""
        try:
            return (yield from self._survey(_bare(picture), cancelled))
        finally:
            if not _may_be_snip(picture):
                self._detector.give_back()
                self._recognizer.give_back()

    def _survey(
        self, picture: Picture, cancelled: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, Survey]:
        _check(cancelled)
        found = yield from self._find(picture, cancelled)
        if not found.bubbles:
            return Survey([] if is_large(picture) else self._read_whole(picture), [])
        items: list[_Item] = []
        for number, members in enumerate(found.bubbles):
            items += _prepared(found, members, number)
        readings = yield from self._read_items(items, cancelled)
        blocks = []
        for number, members in enumerate(found.bubbles):
            mine = [(item, r) for item, r in zip(items, readings, strict=True) if item.bubble == number]
            block = _block(mine, found.directions[members[0]])
            if block is not None:
                blocks.append(block)
        places = [_around([found.boxes[i] for i in members]) for members in found.bubbles]
        return Survey(without_noise(blocks, picture.shape[1], picture.shape[0]), places)

    def _read_items(
        self, items: list[_Item], cancelled: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, list[Reading]]:
        readings = [Reading()] * len(items)
        done = 0
        yield {"lines_done": 0, "lines": len(items)}
        _check(cancelled)
        for batch in self._recognizer.batches([ready(item.line) for item in items]):
            for index, reading in batch:
                readings[index] = look_again(items[index].line, reading, self._recognizer)
            done += len(batch)
            yield {"lines_done": done, "lines": len(items)}
            _check(cancelled)
        return readings

    def _read_whole(self, picture: Picture) -> list[TextBlock]:
        """Nothing was detected: the whole picture as one line, a column when it is tall."""
        height, width = picture.shape[:2]
        direction = Direction.VERTICAL if height > width else Direction.HORIZONTAL
        ((column, _),) = take_lines(picture, [region_of(Box(0, 0, width, height))], [direction])
        (line,) = prepare([column], direction)
        reading = look_again(line, self._recognizer.read(ready(line)), self._recognizer)
        if reading.confidence < _CREDIBLE:
            return []
        return [TextBlock(line.box, direction, (TextLine(reading.text, line.box, reading.confidences),))]


def without_noise(blocks: list[TextBlock], width: int, height: int) -> list[TextBlock]:
    """The blocks without what outlines and screentones at the edge of a snip are taken for.

    Only beside Japanese text: short blocks without kana and kanji that lie at the edge or are doubtful, and
    doubtful lines of a few digits and Latin letters in a block.

    Args:
        width, height: of the picture, in pixels.
    """
    real = [_JAPANESE.search(block.text) is not None for block in blocks]
    if not any(real):
        return blocks
    return [
        _without_strokes(block, width, height) if japanese else block
        for block, japanese in zip(blocks, real, strict=True)
        if japanese or not _is_noise(block, width, height)
    ]


def _is_noise(block: TextBlock, width: int, height: int) -> bool:
    seen = [value for line in block.lines for value in line.confidences]
    doubtful = sum(seen) < _SURE * len(seen)
    return len(block.text) <= _SHORT and (doubtful or _at_edge(block.box, width, height))


def _without_strokes(block: TextBlock, width: int, height: int) -> TextBlock:
    """The block without lines that are strokes read as digits and letters; it has a line of Japanese."""

    def stroke(line: TextLine) -> bool:
        least = _CLEAR if _at_edge(line.box, width, height) else _SURE
        doubtful = sum(line.confidences) < least * len(line.confidences)
        return doubtful and len(line.text) <= _SHORT and _STROKES.fullmatch(line.text) is not None

    lines = tuple(line for line in block.lines if not stroke(line))
    if len(lines) == len(block.lines):
        return block
    return replace(block, box=_around([line.box for line in lines]), lines=lines)


def _at_edge(box: Box, width: int, height: int) -> bool:
    reach = _EDGE * min(box.width, box.height)
    return min(box.x, box.y, width - box.right, height - box.bottom) <= reach


def _bubbles(
    boxes: list[Box], directions: list[Direction], main: list[int], panels: list[Box]
) -> list[list[int]]:
    """The lines of each bubble, bubbles and lines in reading order."""
    groups = [
        [main[k] for k in group]
        for group in layout.group_lines([boxes[i] for i in main], [directions[i] for i in main])
    ]
    around = [_around([boxes[i] for i in group]) for group in groups]
    order = layout.reading_order(around, [directions[group[0]] for group in groups], panels)
    return [groups[k] for k in order]


def _mostly_tall(regions: list[Region]) -> bool:
    return sum(region.box.height > region.box.width for region in regions) * 2 > len(regions)


def _one_column(regions: list[Region]) -> list[Region]:
    """One region instead of single characters that stand one below the other, alone in their picture."""
    boxes = sorted((region.box for region in regions), key=lambda box: box.y)
    if not 2 <= len(boxes) <= _SHORT:
        return regions
    width = max(box.width for box in boxes)
    for box in boxes:
        if box.width > _SQUARE * box.height or box.height > _SQUARE * width:
            return regions
    whole = _around(boxes)
    gaps = [lower.y - upper.bottom for upper, lower in pairwise(boxes)]
    if whole.width > _SQUARE * width or max(gaps) > width / 2 or min(gaps) < -width / 2:
        return regions
    return [region_of(whole, min(region.score for region in regions))]


def _result_of(steps: Generator[Any, None, T]) -> T:
    """What the steps return, for those who do not want to know how far they are."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def _alive(
    steps: Generator[None, None, T], cancelled: Callable[[], bool]
) -> Generator[dict[str, Any], None, T]:
    """The steps, told as progress of which nothing is known but that it goes on."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        yield {"lines_done": 0, "lines": 0}
        _check(cancelled)


def _may_be_snip(picture: Picture) -> bool:
    return bool(picture.shape[0] * picture.shape[1] <= _LARGEST_SNIP)


def _bare(picture: Picture) -> Picture:
    """A snip of a bubble without what the bubble's outline shuts out."""
    return only_paper(picture) if _may_be_snip(picture) else picture


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled


def _around(boxes: list[Box]) -> Box:
    result = boxes[0]
    for box in boxes[1:]:
        result = result.union(box)
    return result


def _prepared(found: _Found, members: list[int], number: int) -> list[_Item]:
    """The lines of one bubble in order, then its reading aids."""
    direction = found.directions[members[0]]
    lines = prepare([found.taken[i][0] for i in members], direction)
    items = [_Item(line, number) for line in lines]
    for index, i in enumerate(members):
        aids = list(found.taken[i][1])
        aids += [found.taken[small][0] for small, host in found.hosts.items() if host == i]
        items += [_Item(line, number, index) for aid in aids for line in prepare([aid], direction)]
    return items


def _block(items: list[tuple[_Item, Reading]], direction: Direction) -> TextBlock | None:
    main = [(item, reading) for item, reading in items if item.annotates is None]
    lines = []
    for index, (item, reading) in enumerate(main):
        line = TextLine(reading.text, item.line.box, reading.confidences)
        for aid, said in items:
            if aid.annotates == index and any("ぁ" <= char <= "ヺ" for char in said.text):
                line = _annotated(line, reading, direction, said, aid.line.box)
        if line.text and reading.confidence >= _CREDIBLE:
            lines.append(line)
    return TextBlock(_around([line.box for line in lines]), direction, tuple(lines)) if lines else None


def _annotated(
    line: TextLine, reading: Reading, direction: Direction, small: Reading, small_box: Box
) -> TextLine:
    """The line with one more reading aid; its span are the characters that stand beside it."""
    if direction is Direction.VERTICAL:
        origin, length = line.box.y, line.box.height
        start, end = small_box.y, small_box.bottom
    else:
        origin, length = line.box.x, line.box.width
        start, end = small_box.x, small_box.right
    beside = [i for i, place in enumerate(reading.places) if start <= origin + place * length < end]
    span = (beside[0], beside[-1] + 1) if beside else (0, len(line.text))
    aid = Furigana(small.text, small_box, *span)
    aids = tuple(sorted((*line.furigana, aid), key=lambda f: (f.start, f.end)))
    return TextLine(line.text, line.box, line.confidences, aids)
