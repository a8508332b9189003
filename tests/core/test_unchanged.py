"""What was read from a file is read again only when the file may be another one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from core.models.unchanged import while_unchanged

LONG_AGO = 1_000_000_000


class Reader:
    def __init__(self) -> None:
        self.count = 0
        self.read = while_unchanged(self._read)

    def _read(self, path: Path) -> str | None:
        self.count += 1
        return path.read_text() if path.exists() else None


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    # The time of the last change of a file's entry cannot be set: the clock goes on instead.
    now = time.time
    monkeypatch.setattr("core.models.unchanged.time.time", lambda: now() + 60)
    return Reader()


def written(path: Path, text: str, when: float = LONG_AGO) -> Path:
    path.write_text(text)
    os.utime(path, (when, when))
    return path


def test_a_file_that_stays_as_it_is_is_read_once(reader: Reader, tmp_path: Path) -> None:
    path = written(tmp_path / "file", "one")
    assert [reader.read(path) for _ in range(3)] == ["one"] * 3
    assert reader.count == 1


@pytest.mark.parametrize("how", ["longer", "later", "another"])
def test_a_file_that_may_be_another_one_is_read_again(reader: Reader, tmp_path: Path, how: str) -> None:
    path = written(tmp_path / "file", "one")
    assert reader.read(path) == "one"
    if how == "longer":
        written(path, "three")
    elif how == "later":
        written(path, "two", LONG_AGO + 1)
    else:
        written(tmp_path / "new", "two").replace(path)
    assert reader.read(path) == path.read_text()


def test_a_file_that_comes_and_goes(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert reader.read(path) is None
    written(path, "one")
    assert reader.read(path) == "one"
    path.unlink()
    assert reader.read(path) is None


def test_a_file_that_cannot_be_opened_for_a_moment(reader: Reader, tmp_path: Path) -> None:
    path = written(tmp_path / "file", "one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_read", lambda path: None)
        unlucky = while_unchanged(lambda path: reader._read(path))
        assert unlucky(path) is None
    assert unlucky(path) == "one"


def test_what_was_written_a_moment_ago_is_not_kept(tmp_path: Path) -> None:
    reader = Reader()
    path = tmp_path / "file"
    path.write_text("one")
    assert reader.read(path) == reader.read(path) == "one"
    assert reader.count == 2


def test_only_so_much_is_kept(reader: Reader, tmp_path: Path) -> None:
    paths = [written(tmp_path / str(number), str(number)) for number in range(40)]
    for path in paths:
        reader.read(path)
    reader.read(paths[-1])
    assert reader.count == 40
    reader.read(paths[0])
    assert reader.count == 41
