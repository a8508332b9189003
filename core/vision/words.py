"""Text out of tokens as they come. Model process only."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_REPLACEMENT = "\ufffd"
_WAIT = 8
"""Tokens after which bytes that still make no character are told as they are."""


class Detokenizer:
    """Tells what each new token adds to the text.

    A character may be spread over several tokens, and a tokenizer writes a token differently at the start of
    a text than inside of one. So a few tokens are always decoded together, once with the new ones and once
    without, and nothing is told before its last character is whole. Decoding everything again for each token
    would take time that grows with the answer.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._start = 0
        self._told = 0

    def add(self, token: int) -> str:
        """What ``token`` adds; empty while a character is not whole."""
        self._ids.append(token)
        return self._new(last=len(self._ids) - self._told > _WAIT)

    def end(self) -> str:
        """What is left when no token comes any more."""
        return self._new(last=True)

    def _new(self, last: bool) -> str:
        before = self._decode(self._ids[self._start : self._told])
        text = self._decode(self._ids[self._start :])
        if len(text) <= len(before) or (text.endswith(_REPLACEMENT) and not last):
            return ""
        self._start, self._told = self._told, len(self._ids)
        return text[len(before) :]
