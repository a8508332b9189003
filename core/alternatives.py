"""Other readings of a whole picture, made from the alternatives of its blocks: pure functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.engines import BUILT_IN
from core.ocr.postprocess import compose
from core.settings import Reading
from core.types import Alternative, Box, OcrResult, TextBlock, TextLine

MOST = 9
"""More readings than this nobody steps through."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One reading of a whole picture.

    ``how`` tells where it comes from, as for ``Alternative``; empty for the reading that was kept.
    """

    result: OcrResult
    how: str = ""

    @property
    def text(self) -> str:
        return self.result.text


def readings(result: OcrResult, options: Reading) -> list[Variant]:
    """The result itself, then every reading in which an alternative stands for one of its blocks.

    The block with the lowest mean likelihood comes first; alternatives stay in their order, the likeliest
    first. No two texts are the same, none but the first is empty, and there are at most ``MOST``. ``options``
    are those that the result's own text was composed with. The lines of a replaced block are those of its
    alternative, with one likelihood per character where the engine told them, each in the block's box.
    """
    found = [Variant(result)]
    texts = {result.text}
    for index in _most_doubtful_first(result):
        for other in result.blocks[index].alternatives:
            variant = Variant(_with_block(result, index, other, options), other.how)
            if len(found) < MOST and variant.text.strip() and variant.text not in texts:
                found.append(variant)
                texts.add(variant.text)
    return found


def _most_doubtful_first(result: OcrResult) -> list[int]:
    """The blocks' places. Those without likelihoods come last: nothing speaks against them."""

    def likelihood(index: int) -> float:
        confidence = result.blocks[index].confidence
        return 1.0 if confidence is None else confidence

    return sorted(range(len(result.blocks)), key=likelihood)


def _with_block(result: OcrResult, index: int, other: Alternative, options: Reading) -> OcrResult:
    old = result.blocks[index]
    new = dataclasses.replace(old, lines=tuple(_lines(other, old.box)), how=other.how)
    blocks = (*result.blocks[:index], new, *result.blocks[index + 1 :])
    changed = dataclasses.replace(result, text=compose(blocks, options), blocks=blocks)
    return dataclasses.replace(changed, engine=BUILT_IN, device="cpu") if by_built_in(blocks) else changed


def by_built_in(blocks: Sequence[TextBlock]) -> bool:
    """Whether all text that another engine's result holds is the built-in engine's second opinion."""
    told = [block for block in blocks if any(line.text.strip() for line in block.lines)]
    return bool(told) and all(block.how == "built-in" for block in told)


def _lines(other: Alternative, box: Box) -> Iterator[TextLine]:
    """Its rows, each with its own likelihoods; those of the line breaks, if there are any, are dropped."""
    rows = other.text.split("\n")
    counts_breaks = len(other.confidences) == len(other.text)
    known = counts_breaks or len(other.confidences) == sum(map(len, rows))
    start = 0
    for row in rows:
        end = start + len(row)
        yield TextLine(row, box, other.confidences[start:end] if known else ())
        start = end + counts_breaks
