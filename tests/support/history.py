"""What the tests of the history and of its conversations share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def files(folder: Path) -> bytes:
    """All that lies in the folder's files."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def damage_pages(path: Path, mark: bytes) -> None:
    """Overwrite the beginning of every page that ``mark`` lies on, which says what kind of page it is."""
    whole = bytearray(path.read_bytes())
    start = whole.find(mark)
    assert start >= 0
    while start >= 0:
        page = start // 4096 * 4096
        whole[page : page + 4] = b"\xff" * 4
        start = whole.find(mark, start + 1)
    path.write_bytes(whole)


def moved_aside(path: Path) -> list[Path]:
    return [p for p in path.parent.glob("*.broken-*") if not p.name.endswith(("-wal", "-shm"))]


def in_threads(work: Callable[[int], None], arguments: Iterable[int]) -> None:
    threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
