"""What was read from a file, kept for as long as the file stays the same."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_KEPT = 32
_FRESH = 2.0
"""Seconds: a file that was written a moment ago may be written again without looking any different."""


def while_unchanged(read: Callable[[Path], T]) -> Callable[[Path], T]:
    """``read``, which is called again only when the file is another one, or has another size or time, or when
    it found nothing: a file that could not be opened may be opened the next time.

    Its results are shared: nobody may change them. Safe to use from any thread.
    """
    kept: OrderedDict[Path, tuple[tuple[int, ...], T]] = OrderedDict()
    lock = threading.Lock()

    @wraps(read)
    def look(path: Path) -> T:
        try:
            stat = path.stat()
        except OSError:
            return read(path)
        identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        with lock:
            known = kept.get(path)
            if known is not None and known[0] == identity:
                kept.move_to_end(path)
                return known[1]
        found = read(path)
        if found and time.time() - max(stat.st_mtime, stat.st_ctime) > _FRESH:
            with lock:
                kept[path] = (identity, found)
                if len(kept) > _KEPT:
                    kept.popitem(last=False)
        return found

    return look
