"""Value objects that every part of Yomitori exchanges. All are frozen, all round-trip through JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.errors import YomitoriError, from_json


class Direction(StrEnum):
    """How the characters of a line run."""

    VERTICAL = "vertical"
    HORIZONTAL = "horizontal"


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle in pixels of the image it belongs to; ``right`` and ``bottom`` are exclusive."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def center(self) -> tuple[float, float]:
        return (self.x + self.width / 2, self.y + self.height / 2)

    @property
    def area(self) -> int:
        return self.width * self.height

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def intersection(self, other: Box) -> Box:
        """The part both cover; zero width or height when they do not touch."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        return Box(
            x,
            y,
            max(0, min(self.right, other.right) - x),
            max(0, min(self.bottom, other.bottom) - y),
        )

    def contains(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def to_json(self) -> list[int]:
        return [self.x, self.y, self.width, self.height]

    @classmethod
    def from_json(cls, value: list[int]) -> Box:
        x, y, width, height = value
        return cls(x, y, width, height)


@dataclass(frozen=True, slots=True)
class RgbImage:
    """An opaque picture: ``width * height * 3`` bytes, RGB, 8 bits each, rows top to bottom, no padding."""

    width: int
    height: int
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.data) != self.width * self.height * 3:
            raise ValueError(f"{len(self.data)} bytes are not {self.width} x {self.height} RGB pixels")


@dataclass(frozen=True, slots=True)
class Furigana:
    """A reading aid set beside the characters of a line.

    ``start`` and ``end`` tell which characters of the line's text it annotates (``text[start:end]``),
    as far as the geometry shows.
    """

    text: str
    box: Box
    start: int
    end: int

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "box": self.box.to_json(),
            "start": self.start,
            "end": self.end,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Furigana:
        return cls(value["text"], Box.from_json(value["box"]), value["start"], value["end"])


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line (horizontal) or column (vertical) as read, without its furigana.

    ``confidences`` holds one likelihood in 0..1 per character of ``text``, or is empty when the engine
    does not tell. They are the model's own likelihoods, not calibrated probabilities.
    """

    text: str
    box: Box
    confidences: tuple[float, ...] = ()
    furigana: tuple[Furigana, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "box": self.box.to_json(),
            "confidences": [round(c, 4) for c in self.confidences],
            "furigana": [f.to_json() for f in self.furigana],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TextLine:
        return cls(
            value["text"],
            Box.from_json(value["box"]),
            tuple(value["confidences"]),
            tuple(Furigana.from_json(f) for f in value["furigana"]),
        )


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of a block, not the one that was kept.

    ``how`` tells where it comes from: ``beam`` (a less likely one of the same look), ``inverted``,
    ``enlarged`` (another look) or ``built-in`` (the other engine). ``confidences`` as for lines.
    """

    text: str
    how: str
    confidences: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "how": self.how,
            "confidences": [round(c, 4) for c in self.confidences],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Alternative:
        return cls(value["text"], value["how"], tuple(value["confidences"]))


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Lines that belong together, such as one speech bubble, in reading order.

    ``alternatives`` are other readings of the whole block, the likeliest first. ``how`` tells where the one
    that was kept comes from, as for ``Alternative``; empty for the engine's first look.
    """

    box: Box
    direction: Direction
    lines: tuple[TextLine, ...]
    alternatives: tuple[Alternative, ...] = ()
    how: str = ""

    @property
    def text(self) -> str:
        """The lines as read, one per row, before any post-processing."""
        return "\n".join(line.text for line in self.lines)

    @property
    def confidence(self) -> float | None:
        """The mean likelihood per character, or None where the engine does not tell."""
        values = [c for line in self.lines for c in line.confidences]
        return sum(values) / len(values) if values else None

    def to_json(self) -> dict[str, Any]:
        return {
            "box": self.box.to_json(),
            "direction": self.direction.value,
            "lines": [line.to_json() for line in self.lines],
            "alternatives": [other.to_json() for other in self.alternatives],
            "how": self.how,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TextBlock:
        return cls(
            Box.from_json(value["box"]),
            Direction(value["direction"]),
            tuple(TextLine.from_json(line) for line in value["lines"]),
            # Histories of older versions do not have these.
            tuple(Alternative.from_json(other) for other in value.get("alternatives", ())),
            value.get("how", ""),
        )


@dataclass(frozen=True, slots=True)
class OcrResult:
    """What an engine read: ``text`` after post-processing, ``blocks`` in reading order as read.

    ``seconds`` is the time the engine took for this image, loading and waiting left out; of images that were
    read together, an equal share. ``notice`` says why another engine than the one asked for has read, None
    when it is the one. ``precision`` is that of the weights in memory, empty for an engine that has none to
    choose.
    """

    text: str
    blocks: tuple[TextBlock, ...]
    engine: str
    device: str
    seconds: float
    notice: YomitoriError | None = None
    precision: str = ""

    @property
    def confidence(self) -> float | None:
        """The mean likelihood per character over all blocks, or None."""
        values = [c for b in self.blocks for line in b.lines for c in line.confidences]
        return sum(values) / len(values) if values else None

    def with_text(self, text: str) -> OcrResult:
        return dataclasses.replace(self, text=text)

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "blocks": [block.to_json() for block in self.blocks],
            "engine": self.engine,
            "device": self.device,
            "precision": self.precision,
            "seconds": round(self.seconds, 4),
            "notice": None if self.notice is None else self.notice.to_json(),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> OcrResult:
        return cls(
            value["text"],
            tuple(TextBlock.from_json(block) for block in value["blocks"]),
            value["engine"],
            value["device"],
            value["seconds"],
            from_json(value["notice"]) if value.get("notice") else None,
            # Histories of older versions do not have it.
            value.get("precision", ""),
        )
