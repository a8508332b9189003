"""Detect, read, group: what the built-in engine does with one picture. Model process only."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from core.errors import Cancelled
from core.ocr import layout
from core.ocr.columns import Column
from core.ocr.detector import TextDetector
from core.ocr.lines import Line, box_of, look_again, prepare, ready, take_lines
from core.ocr.panels import find_panels
from core.ocr.pixels import Picture, region_of
from core.ocr.recognizer import LineRecognizer, Reading
from core.types import Box, Direction, Furigana, TextBlock, TextLine

_CREDIBLE = 0.5
"""Lines of a lower mean likelihood are strokes of the drawing."""


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


class PageReader:
    """Reads every line of a picture and puts the lines into bubbles and the bubbles into order."""

    def __init__(self, detector: TextDetector, recognizer: LineRecognizer) -> None:
        self._detector = detector
        self._recognizer = recognizer

    def detect(self, picture: Picture) -> list[tuple[Box, Direction]]:
        """The bubbles in reading order, without reading them."""
        found = self._find(picture)
        return [
            (_around([found.boxes[i] for i in members]), found.directions[members[0]])
            for members in found.bubbles
        ]

    def _find(self, picture: Picture) -> _Found:
        regions = self._detector.detect(picture)
        directions = layout.directions([region.box for region in regions])
        taken = take_lines(picture, regions, directions)
        boxes = [box_of(column, d) for (column, _), d in zip(taken, directions, strict=True)]
        hosts = layout.furigana_hosts(boxes, directions)
        main = [i for i in range(len(boxes)) if i not in hosts]
        bubbles = _bubbles(boxes, directions, main, find_panels(picture))
        return _Found(directions, taken, boxes, hosts, bubbles)

    def read(
        self, picture: Picture, cancelled: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, list[TextBlock]]:
        """Yields progress, returns the bubbles in reading order.

        Raises:
            Cancelled: ``cancelled()`` said so between two batches of lines.
        """
        _check(cancelled)
        found = self._find(picture)
        if not found.bubbles:
            return self._read_whole(picture)
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
        return blocks

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
