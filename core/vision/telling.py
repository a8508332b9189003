"""What of an answer is told, and when: up to a text that ends it, of which nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class StopSearch:
    """Looks for the texts that end an answer, in pieces as they come; where they are cut changes nothing."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.found = False

    def add(self, text: str) -> str:
        """What is certain to be part of the answer, now that ``text`` has come.

        What may be the beginning of a stop text is held back until it is one or cannot be any more.
        """
        if not self._stop:
            return text
        if self.found:
            return ""
        held = self._held + text
        # The one that is whole first, as if the text had come character by character.
        ends = ((start + len(stop), start) for stop in self._stop if (start := held.find(stop)) >= 0)
        first = min(ends, default=None)
        if first is not None:
            self.found, self._held = True, ""
            return held[: first[1]]
        begun = max(_begun(held, stop) for stop in self._stop)
        self._held = held[len(held) - begun :]
        return held[: len(held) - begun]

    def end(self) -> str:
        """No more comes: what was held back."""
        held, self._held = self._held, ""
        return held


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of ``text`` are the beginning of ``stop``, but not all of it."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


class Telling:
    """Makes of an answer, as it comes, the pieces that are told: texts, each with the tokens it completes.

    Tokens are rows as ``Token.to_json`` makes them. Put together they are what was told, so the one in which
    a stop text begins is cut.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._search = StopSearch(stop)
        self._came = 0
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        self.text = ""
        """What was told so far."""

    @property
    def begun(self) -> bool:
        """Whether any text has come, told or held back."""
        return self._came > 0

    @property
    def stopped(self) -> bool:
        """Whether a stop text has come: the answer is over."""
        return self._search.found

    def add(self, text: str, tokens: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
        """The new piece; empty when there is nothing to tell.

        Args:
            text: what has come; possibly nothing, while a character is not whole.
            tokens: those that bring it, or a part of its first character.
        """
        before = b""
        for token in tokens:
            self._waiting.append((self._came + len(before.decode("utf-8", "ignore")), token))
            before += bytes(token["bytes"])
        self._came += len(text)
        return self._tell(self._search.add(text))

    def end(self) -> dict[str, Any]:
        """The last piece: what was held back."""
        if self.stopped:
            return {}
        return self._tell(self._search.end(), last=True)

    def _tell(self, text: str, last: bool = False) -> dict[str, Any]:
        self.text += text
        piece: dict[str, Any] = {"text": text} if text else {}
        told = self._complete(last)
        if told:
            piece["tokens"] = told
        return piece

    def _complete(self, last: bool) -> list[dict[str, Any]]:
        """The tokens that are told now: those whose text was."""
        end, told = len(self.text), []
        while self._waiting:
            start, token = self._waiting[0]
            # One that is a part of a character has no length of its own.
            stop = self._waiting[1][0] if len(self._waiting) > 1 else self._came
            if not last and start >= end:
                break
            if not last and stop > end:
                if not self.stopped:
                    break
                token = _cut(token, end - start)
            told.append(token)
            del self._waiting[0]
        return told


def _cut(token: dict[str, Any], length: int) -> dict[str, Any]:
    """The same with only so many of its characters."""
    text = bytes(token["bytes"]).decode("utf-8", "ignore")
    return {**token, "bytes": list(text[:length].encode())}
