"""The readings of one picture that the user steps through, and which of them is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from core.alternatives import Variant, by_built_in
from core.engines import BUILT_IN

_LOOKS_AGAIN = "manga-ocr"
"""The engine that reads in several ways."""
EDITED = "edited"
"""``Variant.how`` of the user's own text."""
PROVISIONAL = "provisional"
"""``Variant.how`` of what was read first, while a better engine was still at work."""


_OWN_WAYS = frozenset({"beam", "inverted", "enlarged"})
"""How MangaOCR itself comes to another reading."""


def with_its_engine(variant: Variant) -> Variant:
    """A reading of MangaOCR's own names it, also where the built-in engine's second opinion was kept.

    Where it ran is then not known: the result tells that of the built-in engine.
    """
    result = variant.result
    if variant.how not in _OWN_WAYS or result.engine != BUILT_IN or by_built_in(result.blocks):
        return variant
    own = dataclasses.replace(result, engine=_LOOKS_AGAIN, device="", precision="")
    return dataclasses.replace(variant, result=own)


class Readings:
    """Never empty; no two have the same text. The first one is home: what is shown unless the user steps."""

    def __init__(self, variants: Sequence[Variant]) -> None:
        self._variants = list(variants)
        self._place = 0

    @classmethod
    def keeping(cls, own: Variant, others: Sequence[Variant]) -> Readings:
        """``own`` stays at home, the others follow; without ``own`` when the first of them says the same."""
        if own.text == others[0].text:
            return cls(others)
        return cls([own, *(other for other in others if other.text != own.text and other.text.strip())])

    def __len__(self) -> int:
        return len(self._variants)

    @property
    def current(self) -> Variant:
        return self._variants[self._place]

    @property
    def place(self) -> int:
        """Counted from 0."""
        return self._place

    @property
    def at_home(self) -> bool:
        return self._place == 0

    def find(self, how: str) -> Variant | None:
        """The one that comes from there."""
        return next((variant for variant in self._variants if variant.how == how), None)

    def step(self, by: int) -> None:
        """Go forward or back; after the last comes the first."""
        self._place = (self._place + by) % len(self._variants)

    def edit(self, text: str) -> None:
        """The user's version of the current reading becomes the first one.

        It takes the place of an earlier version and of a provisional text, not of an engine's reading.
        """
        current = self.current
        own = Variant(current.result.with_text(text), EDITED)
        replaced = {EDITED}
        if current.how == PROVISIONAL:
            replaced.add(PROVISIONAL)
        rest = [other for other in self._variants if other.how not in replaced and other.text != text]
        self._variants = [own, *rest]
        self._place = 0
