"""The questions asked since the program started, to call up again with the arrow keys."""

from __future__ import annotations

_MOST = 100


class AskedBefore:
    """Newest last. What is called up and then changed is a question of its own."""

    def __init__(self) -> None:
        self._asked: list[str] = []
        self._place = 0

    def add(self, text: str) -> None:
        """``text`` was asked just now."""
        if self._asked[-1:] != [text]:
            self._asked = [*self._asked, text][-_MOST:]
        self._place = len(self._asked)

    def older(self, shown: str) -> str | None:
        """The question before the one ``shown``, or the last one if nothing is; None: leave it as it is."""
        if not shown:
            self._place = len(self._asked)
        elif not self._is_called_up(shown):
            return None
        if self._place == 0:
            return None
        self._place -= 1
        return self._asked[self._place]

    def newer(self, shown: str) -> str | None:
        """The question after the one ``shown``, empty after the last one; None: leave it as it is."""
        if not self._is_called_up(shown):
            return None
        self._place += 1
        return self._asked[self._place] if self._place < len(self._asked) else ""

    def _is_called_up(self, shown: str) -> bool:
        return bool(shown) and self._place < len(self._asked) and self._asked[self._place] == shown
