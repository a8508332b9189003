"""The error rate used everywhere: edits per character of the truth, pooled, with a bootstrap interval."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def normal(text: str) -> str:
    """The text as it is compared: NFKC, no white space. Punctuation counts."""
    # The white space goes afterwards: NFKC turns some marks into a space and a combining mark, which then
    # composes with the character before it.
    packed = "".join(unicodedata.normalize("NFKC", text).split())
    return unicodedata.normalize("NFKC", packed)


def distance(left: Sequence[str], right: Sequence[str]) -> int:
    """Levenshtein distance: the fewest insertions, deletions and substitutions, each costing 1."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        corner, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (a != b))
    return row[-1]


@dataclass(frozen=True, slots=True)
class Count:
    """The edits between one sample and its truth, and the truth's length, both in normal characters."""

    errors: int
    characters: int


def count(read: str, truth: str) -> Count:
    """Compare what was read with what is there."""
    wanted = normal(truth)
    return Count(distance(normal(read), wanted), len(wanted))


@dataclass(frozen=True, slots=True)
class Rate:
    """``value`` = errors / characters over all samples; ``low`` and ``high`` bound it with 95 %."""

    value: float
    low: float
    high: float
    errors: int
    characters: int
    samples: int

    def __str__(self) -> str:
        return f"{self.value:6.2%} [{self.low:.2%}, {self.high:.2%}] of {self.characters} characters"


def pooled(counts: Iterable[Count], seed: int = 0, rounds: int = 1000) -> Rate:
    """The rate over many samples, its interval by drawing whole samples again with replacement.

    Raises:
        ValueError: the truths hold no character at all.
    """
    drawn = list(counts)
    errors, characters = sum(c.errors for c in drawn), sum(c.characters for c in drawn)
    if not characters:
        raise ValueError("an error rate needs at least one character of truth")
    rng = random.Random(seed)
    rates = []
    for _ in range(rounds):
        again = rng.choices(drawn, k=len(drawn))
        # A draw of nothing but empty truths says nothing about the rate.
        rates.append(sum(c.errors for c in again) / max(1, sum(c.characters for c in again)))
    rates.sort()
    low, high = rates[int(rounds * 0.025)], rates[min(rounds - 1, int(rounds * 0.975))]
    return Rate(errors / characters, low, high, errors, characters, len(drawn))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
