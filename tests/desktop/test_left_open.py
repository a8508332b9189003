"""Which conversation was open last."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import StorageError
from desktop.left_open import Left, LeftOpen


def test_what_was_written_is_read_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "data" / "panel.json"
    assert LeftOpen(path).read() == Left()

    for left in (Left(7, "なぜ?"), Left(8), Left()):
        LeftOpen(path).write(left)
        assert LeftOpen(path).read() == left


def test_a_file_without_a_question_tells_the_conversation(tmp_path: Path) -> None:
    path = tmp_path / "panel.json"
    for text in ('{"conversation": 7}', '{"conversation": 7, "question": 8}'):
        path.write_text(text, "utf-8")
        assert LeftOpen(path).read() == Left(7)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "{}", '{"conversation": "7"}', '{"conversation": true}', "[" * 100_000]
)
def test_a_file_that_is_not_understood_tells_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "panel.json"
    path.write_text(text, "utf-8")

    assert LeftOpen(path).read() == Left()


def test_one_that_is_no_text_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "panel.json"
    path.write_bytes(b"\xff\xfe\x00")

    assert LeftOpen(path).read() == Left()


def test_one_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", "utf-8")

    with pytest.raises(StorageError):
        LeftOpen(tmp_path / "data" / "panel.json").write(Left(7))
