"""Whether MangaOCR's marks point at mistakes: ``python -m benchmarks.doubt``.

Reads generated bubbles once with the small test model, without the ladder, and counts how many of the
characters and texts that the card would mark are wrong, and how many of the wrong ones it would mark.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from benchmarks.ladder import REPORTING, SETS
from core.engines import LoadOptions
from core.ocr.agreement import fold
from core.ocr.doubt import geometric_mean
from core.ocr.manga_model import MangaModel
from core.ocr.manga_text import Read
from desktop.doubt import limits_for
from tests.support.local_library import TINY_MANGA_OCR

READ = ("plain", "large", "small", "noise", "furigana")
"""Sets of single bubbles in which the model finds most of the text."""


@dataclass
class Marks:
    """How many there were, were wrong, were marked, and were both."""

    name: str
    all: int = 0
    wrong: int = 0
    marked: int = 0
    both: int = 0

    def add(self, wrong: bool, marked: bool) -> None:
        self.all += 1
        self.wrong += wrong
        self.marked += marked
        self.both += wrong and marked

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.all}, {self.wrong} wrong, {self.marked} marked; of the marked "
            f"{self.both / max(1, self.marked):.0%} are wrong, of the wrong "
            f"{self.both / max(1, self.wrong):.0%} are marked"
        )


def right_places(read: str, truth: str) -> set[int]:
    """Places in ``read`` whose characters have a counterpart in ``truth``."""
    # One character each, so that the places stay.
    pair = ["".join((fold(char) or char)[0] for char in text) for text in (read, truth)]
    blocks = SequenceMatcher(None, *pair, False).get_matching_blocks()
    return {block.a + step for block in blocks for step in range(block.size)}


def count(reads: Sequence[tuple[Read, str]]) -> tuple[Marks, Marks]:
    limits = limits_for("manga-ocr")
    characters, texts = Marks("characters"), Marks("texts")
    for read, truth in reads:
        right = right_places(read.text, truth)
        for place, value in enumerate(read.likelihoods):
            characters.add(place not in right, value < limits.character)
        texts.add(fold(read.text) != fold(truth), geometric_mean(read.likelihoods) < limits.mean)
    return characters, texts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=100, help="pictures of each set")
    options = parser.parse_args()
    model = MangaModel(LoadOptions(checkpoint=str(TINY_MANGA_OCR)))
    reads = []
    for name in READ:
        rng = random.Random(f"{name} {REPORTING}")
        for _ in range(options.number):
            crop = SETS[name](rng)
            ((read,),) = model.read([crop.image], lambda: False)
            reads.append((read, crop.text))
    print(*count(reads), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
