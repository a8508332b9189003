"""What the jobs of a model process share: stopping, heartbeats, progress, and errors of the disk."""

from __future__ import annotations

import contextlib
import errno
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

from core.errors import Cancelled, ModelsFolderUnusable, NotEnoughDisk, YomitoriError
from core.memory import format_bytes
from core.models.folder import ensure_models_root

T = TypeVar("T")
IsCancelled = Callable[[], bool]
Steps = Generator[dict[str, Any], None, T]

_REPORT_SECONDS = 0.2
_RATE_SECONDS = 5.0
_BEAT_SECONDS = 1.0
_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


class Meter:
    """Counts the bytes of one phase and says, a few times a second, how it stands.

    ``done`` bytes were there before it began, which the rate does not count.
    """

    def __init__(self, phase: str, total: int, done: int = 0) -> None:
        self.phase = phase
        self.total = total
        self.done = done
        self.file = ""
        self._reported = 0.0
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])
        self._moved = 0

    def add(self, count: int) -> Iterator[dict[str, Any]]:
        """``count`` bytes more; a report when it is time for one."""
        self.done += count
        self._moved += count
        if time.monotonic() - self._reported >= _REPORT_SECONDS:
            yield self.report()

    def reach(self, done: int) -> None:
        """So many bytes are done now, which the next report tells; from any thread."""
        self._moved += done - self.done
        self.done = done

    def take_back(self, count: int) -> None:
        """``count`` bytes have to come once more."""
        self.done -= count

    def report(self, phase: str = "") -> dict[str, Any]:
        now = time.monotonic()
        self._reported = now
        self._marks.append((now, self._moved))
        while len(self._marks) > 2 and now - self._marks[0][0] > _RATE_SECONDS:
            self._marks.popleft()
        start, moved = self._marks[0]
        rate = (self._moved - moved) / (now - start) if now > start else 0.0
        left = (self.total - self.done) / rate if rate > 0 else None
        return {
            "phase": phase or self.phase,
            "file": self.file,
            "done": max(0, min(self.done, self.total)),
            "total": self.total,
            "rate": round(rate, 1),
            "left": None if left is None else round(left, 1),
        }


def stop_if(cancelled: IsCancelled) -> None:
    """Raises Cancelled when the job is to stop."""
    if cancelled():
        raise Cancelled


def pause(seconds: float, meter: Meter, cancelled: IsCancelled) -> Steps[None]:
    """Wait, with signs of life, which tell how long still."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        stop_if(cancelled)
        yield meter.report("wait") | {"left": round(left, 1)}
        time.sleep(min(left, 0.1 if left < _BEAT_SECONDS else _BEAT_SECONDS / 4))


def in_background(work: Callable[[], T], meter: Meter, cancelled: IsCancelled) -> Steps[T]:
    """Do what cannot be cut into steps, with signs of life meanwhile.

    It cannot be stopped either: a cancelled job ends with its process.
    """
    answer: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="work", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_REPORT_SECONDS)
        yield meter.report()
    if failed:
        raise failed[0]
    stop_if(cancelled)
    return answer[0]


def free_disk(path: Path) -> int:
    """Bytes free where ``path`` is or would be."""
    for folder in (path, *path.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(folder).free
    return 0


def need_disk(path: Path, need: int) -> None:
    """Raises NotEnoughDisk when fewer than ``need`` bytes are free."""
    free = free_disk(path)
    if free < need:
        raise NotEnoughDisk(path=path, free=format_bytes(free), need=format_bytes(need))


@contextlib.contextmanager
def disk_errors(path: Path, need: int = 0) -> Iterator[None]:
    """Turn what the disk refuses into sentences; ``need`` is what was still to be written.

    Raises:
        NotEnoughDisk, ModelsFolderLocked, ModelsFolderUnusable.
    """
    try:
        yield
    except OSError as error:
        raise disk_error(path, error, need) from error


def disk_error(path: Path, error: OSError, need: int = 0) -> YomitoriError:
    """The sentence for ``error``, met while writing below ``path``."""
    if error.errno in _FULL:
        return NotEnoughDisk(path=path, free=format_bytes(free_disk(path)), need=format_bytes(max(need, 1)))
    if error.errno == errno.EFBIG:
        return ModelsFolderUnusable(path=path, reason="its file system takes no files as large as that")
    if error.errno in (errno.EACCES, errno.EPERM):
        try:
            ensure_models_root(path)
        except ModelsFolderUnusable as known:
            return known
    where = f" ({error.filename})" if error.filename else ""
    return ModelsFolderUnusable(path=path, reason=f"{error.strerror or error}{where}")
