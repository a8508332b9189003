"""Which bytes tokens stand for, by the two ways in which tokenizers write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from core.vision.words import TokenBytes

TINY_LLAVA = Path(__file__).resolve().parents[2] / "models" / "tiny-llava"


class Told:
    """What ``TokenBytes`` wants of a tokenizer of transformers."""

    def __init__(self, pieces: list[str] | None = None) -> None:
        self._pieces = pieces
        if pieces is None:
            self.backend_tokenizer = Tokenizer.from_file(str(TINY_LLAVA / "tokenizer.json"))

    def convert_ids_to_tokens(self, token: int) -> Any:
        if self._pieces is None:
            return self.backend_tokenizer.id_to_token(token)
        return self._pieces[token] if token < len(self._pieces) else None


@pytest.mark.parametrize("text", ["Red. ", "きゃあっ！ どうしたの？", "naïve\tcafé\n\u00ad\u00a0🐈\x7f"])
def test_tokens_of_a_byte_level_tokenizer_make_their_text(text: str) -> None:
    tokenizer = Told()
    ids = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    bytes_of = TokenBytes(tokenizer).of
    assert b"".join(bytes_of(one) for one in ids).decode() == text


def test_every_byte_has_its_letter() -> None:
    tokenizer = Told()
    bytes_of = TokenBytes(tokenizer).of
    single = {bytes_of(one) for one in range(tokenizer.backend_tokenizer.get_vocab_size())}
    assert {bytes([byte]) for byte in range(256)} <= single


def test_marks_and_numbers_that_are_no_token() -> None:
    tokenizer = Told()
    bytes_of = TokenBytes(tokenizer).of
    assert bytes_of(tokenizer.backend_tokenizer.token_to_id("</s>")) == b"</s>"
    assert bytes_of(10**6) == b""


def test_tokens_of_sentencepiece() -> None:
    bytes_of = TokenBytes(Told(["▁Red", "<0xE8>", "<0xb5>", "赤", "▁▁", "</s>"])).of
    assert [bytes_of(one) for one in range(7)] == [
        b" Red", b"\xe8", b"\xb5", "赤".encode(), b"  ", b"</s>", b"",
    ]  # fmt: skip
