"""How far two readings of the same text agree, however dots and letters are written. Pure functions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher


def fold(text: str) -> str:
    """The text without what only tells engines apart: white space, widths, ways of writing dots."""
    return "".join(unicodedata.normalize("NFKC", text).replace("・", ".").split())


def distance(left: str, right: str) -> int:
    """Levenshtein: insertions, deletions and replacements from one to the other."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def agreement(left: str, right: str) -> float:
    """From 0, nothing in common, to 1, the same; both empty are the same."""
    left, right = fold(left), fold(right)
    longest = max(len(left), len(right))
    return 1.0 - distance(left, right) / longest if longest else 1.0


def borders(source: str, target: str) -> list[int]:
    """Where each border between two characters of ``source`` lies in ``target``: len(source) + 1 places.

    Stretches that differ are stretched evenly.
    """
    places = [0] * (len(source) + 1)
    matcher = SequenceMatcher(None, _single(source), _single(target), False)
    for _, a, b, c, d in matcher.get_opcodes():
        for index in range(a, b + 1):
            places[index] = c + round((index - a) * (d - c) / (b - a)) if b > a else d
    return places


def _single(text: str) -> Sequence[str]:
    """Each character folded by itself, so that the places stay those of the text."""
    return [fold(char) or char for char in text]
