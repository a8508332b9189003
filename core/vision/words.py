"""Text out of tokens as they come. Model process only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

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


class TokenBytes:
    """Tells which bytes a token stands for: decoding it alone would lose spaces and parts of characters."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
        # As JSON; it may be a sequence of several.
        told = decoder.__getstate__() if decoder is not None else b""
        self._letters = _byte_letters() if b'"ByteLevel"' in told else None

    def of(self, token: int) -> bytes:
        """Empty for a number that is no token."""
        piece = str(self._tokenizer.convert_ids_to_tokens(token) or "")
        if self._letters is not None:
            # Marks such as </s> are written as they are.
            known = all(letter in self._letters for letter in piece)
            return bytes(self._letters[letter] for letter in piece) if known else piece.encode()
        byte = _BYTE.fullmatch(piece)
        return bytes([int(byte[1], 16)]) if byte else piece.replace(_SPACE, " ").encode()


_BYTE = re.compile("<0x([0-9A-Fa-f]{2})>")
_SPACE = "\u2581"
"""How SentencePiece writes a space."""


def _byte_letters() -> dict[str, int]:
    """How byte-level tokenizers write bytes: printable ones of Latin-1 as themselves, the others by the
    letters from U+0100 on, in order."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + n): byte for n, byte in enumerate(others)}
