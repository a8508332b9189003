"""Which parts around the enlarged picture give way in a low window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Part(NamedTuple):
    """Something beside the picture: it goes when the picture would be lower than ``least``."""

    name: str
    height: int
    """Logical pixels that the picture gains without it."""
    least: int


def left_out(room: int, parts: Sequence[Part]) -> list[Part]:
    """The parts to leave out of ``room`` logical pixels in all; the first of ``parts`` go first."""
    height = room - sum(part.height for part in parts)
    out = []
    for part in parts:
        if part.height > 0 and height < part.least:
            out.append(part)
            height += part.height
    return out
