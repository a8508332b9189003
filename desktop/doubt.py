"""How sure a text is: the likelihood of each character after post-processing, and which are doubtful."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from core.ocr.doubt import DoubtOptions
from core.types import OcrResult


@dataclass(frozen=True, slots=True)
class Limits:
    """Under the likelihood ``character`` a character is marked, under the mean ``mean`` a text is doubtful.

    Likelihoods of different models say different things, so each engine has limits of its own.
    """

    character: float
    mean: float


_BUILT_IN = Limits(0.6, 0.0)
_LIMITS = {
    # Of the characters under 0.7 three in four are wrong, of the texts under the mean at which MangaOCR looks
    # again nine in ten (the small test model on hard pictures; docs/measurements.md).
    "manga-ocr": Limits(0.7, DoubtOptions().likely),
    "ppocr": _BUILT_IN,
}
_SHARE = 0.2
_LOOK_AHEAD = 12


def limits_for(engine: str) -> Limits:
    """The limits of the engine of that name, those of the built-in one for a name that is not known."""
    return _LIMITS.get(engine, _BUILT_IN)


def likelihoods(result: OcrResult) -> list[float | None]:
    """For each character (code point) of ``result.text`` the model's likelihood of it, None where unknown.

    Post-processing drops, joins and widens characters, so the two texts are walked side by side; what
    has no counterpart among the next few characters is unknown.
    """
    raw = [
        (char, confidence)
        for block in result.blocks
        for line in block.lines
        if len(line.confidences) == len(line.text)
        for char, confidence in zip(line.text, line.confidences, strict=True)
    ]
    found: list[float | None] = []
    place = 0
    for char in result.text:
        value = None
        for ahead in range(place, min(place + _LOOK_AHEAD, len(raw))):
            if _same(raw[ahead][0], char):
                value = raw[ahead][1]
                place = ahead + 1
                break
        found.append(value)
    return found


def doubtful_characters(result: OcrResult) -> list[int]:
    """Indices into ``result.text`` (code points) of the characters that are marked."""
    limit = limits_for(result.engine).character
    return [
        index
        for index, (char, value) in enumerate(zip(result.text, likelihoods(result), strict=True))
        if value is not None and value < limit and not char.isspace()
    ]


def is_doubtful(result: OcrResult) -> bool:
    """Whether the reader should look twice: many doubtful characters, or a low mean."""
    letters = sum(not char.isspace() for char in result.text)
    if letters == 0:
        return False
    mean = result.confidence
    low = mean is not None and mean < limits_for(result.engine).mean
    return low or len(doubtful_characters(result)) >= _SHARE * letters


def _same(one: str, other: str) -> bool:
    return one == other or unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)
