"""The published post-processing of MangaOCR, done so that every character keeps its likelihood.

``manga_ocr.ocr.post_process`` gives the same text (a test compares the two on arbitrary strings). It is not
called, because importing that module costs 0.3 s at each start of the model process and warns of a missing
torchvision, and because a text alone does not tell which character came from which token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import jaconv

_DOTS = re.compile("[・.]{2,}")
# The half-width katakana that jaconv joins with the mark after them.
_VOICED = frozenset("ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ")
_HALF_VOICED = frozenset("ﾊﾋﾌﾍﾎ")


@dataclass(frozen=True, slots=True)
class Read:
    """A text as MangaOCR gives it out, with the likelihood of each of its characters.

    ``others`` are what else the search found in the same picture, the likeliest first.
    """

    text: str = ""
    likelihoods: tuple[float, ...] = ()
    others: tuple[str, ...] = ()


def post_process(text: str, likelihoods: Sequence[float]) -> tuple[str, tuple[float, ...]]:
    """The text as MangaOCR gives it out, and one likelihood for each of its characters.

    White space goes, ``…`` becomes three dots, runs of ``・`` and dots become dots, and half-width forms
    become full-width. A character made of two has the lower of their likelihoods.

    Args:
        likelihoods: one for each character of ``text``.
    """
    plain: list[str] = []
    kept: list[float] = []
    for char, likelihood in zip(text, likelihoods, strict=True):
        if char.isspace():
            continue
        for one in "..." if char == "…" else char:
            plain.append(one)
            kept.append(likelihood)
    dotted = _DOTS.sub(lambda run: "." * len(run.group()), "".join(plain))
    done: list[str] = []
    values: list[float] = []
    at = 0
    while at < len(dotted):
        width = 2 if _joined(dotted[at : at + 2]) else 1
        wide = jaconv.h2z(dotted[at : at + width], ascii=True, digit=True)
        done.append(wide)
        values += [min(kept[at : at + width])] * len(wide)
        at += width
    return "".join(done), tuple(values)


def _joined(pair: str) -> bool:
    if pair[1:] == "ﾞ":
        return pair[0] in _VOICED
    return pair[1:] == "ﾟ" and pair[0] in _HALF_VOICED


def spread(text: str, tokens: Sequence[str], likelihoods: Sequence[float]) -> tuple[float, ...]:
    """One likelihood for each character of ``text``, from those of the tokens it was put together from.

    Args:
        tokens, likelihoods: each token as a string, and how likely it was. Tokens that left no trace in the
            text (special ones) are passed over; a character that no token accounts for has that of the token
            before it.
    """
    source = "".join(tokens)
    owner = [index for index, token in enumerate(tokens) for _ in token]
    found: list[float | None] = [None] * len(text)
    for a, b, size in _matches(source, text):
        for step in range(size):
            found[b + step] = likelihoods[owner[a + step]]
    values: list[float] = []
    last = likelihoods[0] if likelihoods else 0.0
    for value in found:
        last = last if value is None else value
        values.append(last)
    return tuple(values)


def _matches(source: str, text: str) -> Sequence[tuple[int, int, int]]:
    if source == text:
        return [(0, 0, len(text))]
    return [(m.a, m.b, m.size) for m in SequenceMatcher(None, source, text, False).get_matching_blocks()]
