"""How much a reading of MangaOCR is to be trusted. Pure functions.

The likelihoods are the model's own and not calibrated, and a text it makes up may be likely to it. So what it
reads is also held against the built-in engine's reading, which never makes up whole sentences.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.ocr.agreement import agreement, fold
from core.types import TextBlock


@dataclass(frozen=True)
class DoubtOptions:
    """Likelihoods and agreements from 0 to 1; docs/decisions/009 says how they were chosen."""

    likely: float = 0.9
    """A reading of a lower mean likelihood is doubtful."""
    weakest: float = 0.3
    """So is one with a character less likely than this."""
    agrees: float = 0.6
    """So is one that agrees less with a built-in reading"""
    credible: float = 0.85
    """whose mean likelihood is at least this,"""
    firm: float = 0.998
    """unless its own mean likelihood is at least this."""
    weight: float = 1.0
    """What agreement counts in a score, against the logarithm of the mean likelihood."""
    repeats: float = 0.4
    """Of more than 8 characters at least this share must differ from each other."""
    sure: float = 0.97
    """Where the built-in engine saw no Japanese, a reading must have this mean likelihood"""
    surest: float = 0.6
    """in which no character is less likely than this, to be taken for text at all."""


@dataclass(frozen=True)
class Candidate:
    """One reading of a bubble. ``texts``: one per part it was read in. ``likelihoods``: one per character."""

    texts: tuple[str, ...]
    likelihoods: tuple[float, ...]
    how: str = ""
    others: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def likelihood(self) -> float:
        return geometric_mean(self.likelihoods)


def geometric_mean(values: Sequence[float]) -> float:
    """0 for none."""
    if not values:
        return 0.0
    return math.exp(sum(math.log(max(value, 1e-9)) for value in values) / len(values))


_JAPANESE = re.compile("[ぁ-ゖァ-ヺ々㐀-鿿]")


class Judge:
    """Judges readings of one bubble, knowing what the built-in engine read there (None: nothing)."""

    def __init__(self, built_in: TextBlock | None, options: DoubtOptions | None = None) -> None:
        self._options = options or DoubtOptions()
        self._text = "".join(line.text for line in built_in.lines) if built_in else ""
        self._trust = (built_in.confidence or 0.0) if built_in else 0.0

    def is_doubtful(self, candidate: Candidate) -> bool:
        options = self._options
        return (
            candidate.likelihood < options.likely
            or min(candidate.likelihoods, default=0.0) < options.weakest
            or self.repeats(candidate.text)
            or self.prefers_built_in(candidate)
        )

    def score(self, candidate: Candidate) -> float:
        """The higher, the better; only for comparing readings of the same bubble."""
        value = math.log(max(candidate.likelihood, 1e-9))
        if self._text:
            value += self._options.weight * self._trust * self.agreement(candidate.text)
        return value - (1.0 if self.repeats(candidate.text) else 0.0)

    def prefers_built_in(self, candidate: Candidate) -> bool:
        """Whether it is so far from a credible reading of the built-in engine that it must be made up."""
        options = self._options
        if candidate.likelihood >= options.firm or self._trust < options.credible:
            return False
        return self.agreement(candidate.text) < options.agrees

    def is_made_up(self, candidate: Candidate) -> bool:
        """Whether there is no text, as far as can be told: MangaOCR finds some in any drawing."""
        if not candidate.text:
            return True
        if len(_JAPANESE.findall(self._text)) >= 2:
            return False
        if self._text and self.agreement(candidate.text) >= 0.5:
            return False
        options = self._options
        return candidate.likelihood < options.sure or min(candidate.likelihoods) < options.surest

    def agreement(self, text: str) -> float:
        return agreement(text, self._text)

    def repeats(self, text: str) -> bool:
        """Whether it goes round in circles and the built-in reading does not."""
        return self._circles(text) and not (self._text and self._circles(self._text))

    def _circles(self, text: str) -> bool:
        text = fold(text)
        return len(text) > 8 and len(set(text)) < self._options.repeats * len(text)
