"""Reading aids that the built-in engine found, on the text of another engine. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from core.ocr.agreement import borders
from core.types import Furigana, TextBlock


def furigana_for(block: TextBlock, texts: Sequence[str]) -> list[tuple[Furigana, ...]]:
    """For each of ``texts``, one after the other another reading of the block, the block's reading aids.

    An aid whose characters have no counterpart is left out; one that reaches over the end of a text stays
    with the text it begins in.
    """
    found: list[list[Furigana]] = [[] for _ in texts]
    starts = [0, *accumulate(len(text) for text in texts)]
    places = borders("".join(line.text for line in block.lines), "".join(texts))
    before = 0
    for line in block.lines:
        for aid in line.furigana:
            start, end = places[before + aid.start], places[before + aid.end]
            index = max((k for k in range(len(texts)) if starts[k] <= start), default=0)
            start, end = start - starts[index], min(end - starts[index], len(texts[index]) if texts else 0)
            if start < end:
                found[index].append(replace(aid, start=start, end=end))
        before += len(line.text)
    return [tuple(aids) for aids in found]
