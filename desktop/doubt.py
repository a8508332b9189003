"""Which characters of a text that was read are doubtful, and where they stand after post-processing."""

from __future__ import annotations

import unicodedata

from core.types import OcrResult

LIMIT = 0.6
"""A character under this likelihood is marked."""
_SHARE = 0.2
_LOOK_AHEAD = 12


def doubtful_characters(result: OcrResult, limit: float = LIMIT) -> list[int]:
    """Indices into ``result.text`` (code points) of the characters read with a likelihood under ``limit``.

    Post-processing drops, joins and widens characters, so the two texts are walked side by side; what
    has no counterpart among the next few characters is not marked.
    """
    raw = [
        (char, confidence)
        for block in result.blocks
        for line in block.lines
        if len(line.confidences) == len(line.text)
        for char, confidence in zip(line.text, line.confidences, strict=True)
    ]
    found, place = [], 0
    for index, char in enumerate(result.text):
        for ahead in range(place, min(place + _LOOK_AHEAD, len(raw))):
            if _same(raw[ahead][0], char):
                if raw[ahead][1] < limit and not char.isspace():
                    found.append(index)
                place = ahead + 1
                break
    return found


def is_doubtful(result: OcrResult, limit: float = LIMIT) -> bool:
    """Whether so many characters are doubtful that the reader should look twice."""
    letters = sum(not char.isspace() for char in result.text)
    return letters > 0 and len(doubtful_characters(result, limit)) >= _SHARE * letters


def _same(one: str, other: str) -> bool:
    return one == other or unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)
