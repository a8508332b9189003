"""Which part of a text belongs to which block of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from core.types import TextBlock

_MOST = 4_000
"""Characters that are compared one with another; comparing takes their number's square."""


def block_range(blocks: Sequence[TextBlock], index: int, text: str) -> tuple[int, int] | None:
    """Where in ``text`` stands what block ``index`` says, as code points; None when nothing of it is left.

    The text is made of the blocks' (white space and some signs are changed), and the user may have corrected
    it.
    """
    pieces = [_bare(block.text) for block in blocks]
    start = sum(map(len, pieces[:index]))
    end = start + len(pieces[index])
    places = [place for place, character in enumerate(text) if not character.isspace()]
    bare = "".join(text[place] for place in places)
    read = "".join(pieces)
    if read == bare:
        first, last = start, end
    elif len(read) <= _MOST and len(bare) <= _MOST:
        first, last = _mapped(read, bare, start, end)
    else:
        first = bare.find(pieces[index])
        last = first + len(pieces[index])
    if first < 0 or first >= last:
        return None
    return places[first], places[last - 1] + 1


def _mapped(read: str, bare: str, start: int, end: int) -> tuple[int, int]:
    """The part of ``bare`` that stands for ``read[start:end]``."""
    first, last = len(bare), 0
    for kind, a, b, c, d in SequenceMatcher(None, read, bare, autojunk=False).get_opcodes():
        left, right = max(a, start), min(b, end)
        if left >= right:
            continue
        if kind == "equal":
            first, last = min(first, c + left - a), max(last, c + right - a)
        elif kind == "replace":
            # Characters that were changed across the blocks' border are shared by length.
            share = (d - c) / (b - a)
            first = min(first, c + round((left - a) * share))
            last = max(last, c + round((right - a) * share))
    return first, last


def _bare(text: str) -> str:
    return "".join(text.split())
