"""A lock between processes, dropped by the system when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_POLL = 0.02


def try_lock(path: Path) -> IO[bytes] | None:
    """Take the lock; close what comes back to drop it. None while somebody else holds it.

    Raises:
        OSError: the file cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def locked(path: Path, limit: float) -> Iterator[bool]:
    """Hold the lock, waiting for it up to ``limit`` seconds; False when it could not be had."""
    deadline = time.monotonic() + limit
    while (file := try_lock(path)) is None and time.monotonic() < deadline:
        time.sleep(_POLL)
    try:
        yield file is not None
    finally:
        if file is not None:
            file.close()
