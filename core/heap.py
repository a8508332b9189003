"""Memory that was freed, given back to the system.

The GNU C library keeps holes in its heap, and with each large piece that is freed it takes larger ones from
there: after one picture the next ones lie in the heap, too, and each thread that ever held one keeps room for
it. Of the main heap it returns the end alone. Other C libraries give memory back by themselves.
"""

from __future__ import annotations

import ctypes
import sys

_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""``M_TRIM_THRESHOLD`` and ``M_MMAP_THRESHOLD`` of malloc.h."""
_LARGE = 512 * 1024
"""Bytes; smaller than any picture of a screen or a page, larger than nearly all else."""


def keep_small() -> None:
    """Have what is large lie outside the heap from now on, so that the system has it back when it is freed.

    For processes that hold pictures and do not compute with them: each large piece costs its pages anew. Call
    it before there are other threads. Without effect where the C library is another one.
    """
    if _LIBRARY is not None and hasattr(_LIBRARY, "mallopt"):
        # Else the limits grow with what is freed.
        _LIBRARY.mallopt(_MMAP_THRESHOLD, _LARGE)
        _LIBRARY.mallopt(_TRIM_THRESHOLD, _LARGE)


def trim() -> None:
    """Return what is free now; without effect where the C library does so itself."""
    if _LIBRARY is not None and hasattr(_LIBRARY, "malloc_trim"):
        _LIBRARY.malloc_trim(ctypes.c_size_t(0))
