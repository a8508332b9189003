"""Memory that was freed, given back to the system.

The GNU C library keeps holes in its heap, and with each large piece that is freed it takes larger ones from
there. Other C libraries give memory back by themselves.
"""

from __future__ import annotations

import ctypes
import sys

_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


def trim() -> None:
    """Return what is free now; without effect where the C library does so itself."""
    if _LIBRARY is not None and hasattr(_LIBRARY, "malloc_trim"):
        _LIBRARY.malloc_trim(ctypes.c_size_t(0))
