"""Finding Japanese text by any part of it: folding, bigrams, and where a match lies.

SQLite's own tokenizers know words between spaces, or three letters and more. Japanese has no spaces and
most of what is looked for has one or two characters, so texts are indexed by each character and each pair
of neighbours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_BREAK_IN_JAPANESE = re.compile(r"(?<=[^\x00-\x7f])[\r\n]+(?=[^\x00-\x7f])")


def fold(text: str) -> str:
    """``text`` in the form in which it is compared: NFKC, without case, without the line breaks of a column.

    Full-width and half-width forms become alike; hiragana and katakana stay apart. A line break between two
    characters outside ASCII goes, since a bubble's columns break inside words. ``fold(fold(x)) == fold(x)``.
    """
    while True:
        folded = unicodedata.normalize("NFKC", text).casefold()
        folded = _BREAK_IN_JAPANESE.sub("", folded)
        if folded == text:
            return folded
        text = folded


def query_words(query: str) -> list[str]:
    """The folded words of ``query``, each once; a text matches when it contains all of them."""
    return list(dict.fromkeys(fold(query).split()))


def grams(folded: str) -> set[str]:
    """Every character and every pair of neighbours of a folded text, white space left out."""
    found: set[str] = set()
    for word in folded.split():
        found.update(word)
        found.update(word[i : i + 2] for i in range(len(word) - 1))
    return found


def word_grams(word: str) -> set[str]:
    """The grams that any text containing ``word`` must have: its pairs, or the one character."""
    return {word} if len(word) < 2 else {word[i : i + 2] for i in range(len(word) - 1)}


def find_spans(text: str, query: str) -> list[tuple[int, int]]:
    """Where the words of ``query`` lie in ``text``: ``(start, end)`` pairs, in order, not overlapping.

    Positions count characters of ``text`` as it is, not of its folded form.
    """
    words = query_words(query)
    if not words:
        return []
    folded, origins = _fold_with_origins(text)
    marked = [False] * len(text)
    for word in words:
        start = folded.find(word)
        while start >= 0:
            first, last = origins[start], origins[start + len(word) - 1]
            marked[first[0] : last[1]] = [True] * (last[1] - first[0])
            start = folded.find(word, start + 1)
    spans: list[tuple[int, int]] = []
    for i, is_marked in enumerate(marked):
        if not is_marked:
            continue
        if spans and spans[-1][1] == i:
            spans[-1] = (spans[-1][0], i + 1)
        else:
            spans.append((i, i + 1))
    return spans


def _fold_with_origins(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The folded text, and for each of its characters the range of ``text`` it came from."""
    folded: list[str] = []
    origins: list[tuple[int, int]] = []
    dropped = set(_breaks_in_japanese(text))
    kept = [i for i in range(len(text)) if i not in dropped]
    shown = "".join(text[i] for i in kept)
    for start, end in _clusters(shown):
        piece = fold(shown[start:end])
        folded.append(piece)
        origins.extend([(kept[start], kept[end - 1] + 1)] * len(piece))
    return "".join(folded), origins


def _breaks_in_japanese(text: str) -> Iterable[int]:
    """The positions of the line breaks that ``fold`` drops."""
    for match in re.finditer(r"[\r\n]+", text):
        if match.start() and match.end() < len(text):
            left, right = fold(text[match.start() - 1]), fold(text[match.end()])
            if left[-1:] > "\x7f" and right[:1] > "\x7f":
                yield from range(*match.span())


def _clusters(text: str) -> Iterable[tuple[int, int]]:
    """Each character together with the marks that belong to it (ｶ and ﾞ fold into one ガ)."""
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or not _is_mark(text[i]):
            yield start, i
            start = i


def _is_mark(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKC", character)[:1] or character) != 0
