"""Memory that was freed, given back to the system.

The GNU C library keeps much of it. Once a picture was freed it takes the next ones from the heap, too, and
each thread that ever held one keeps room for it: the grabs of a few snips would stay in the tray for good.
And of the main heap it returns the end alone, which hardly ever gets free after a window was open. Other C
libraries give memory back by themselves.
"""

from __future__ import annotations

import ctypes
import sys

from PySide6.QtCore import QObject, QTimer

from core import heap

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""``M_TRIM_THRESHOLD`` and ``M_MMAP_THRESHOLD`` of malloc.h."""
_LARGE = 512 * 1024
"""Bytes; smaller than any picture of a screen, larger than nearly all else."""
_DELAY_MS = 500
"""By then the parts of a window that was closed are gone, too."""


class Heap(QObject):
    """Keeps this process's heap small: what is large lies outside it, ``trim_soon`` returns its holes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = ctypes.CDLL(None) if sys.platform == "linux" else None
        if hasattr(self._library, "mallopt"):
            # Else the limits grow with what is freed.
            self._library.mallopt(_MMAP_THRESHOLD, _LARGE)
            self._library.mallopt(_TRIM_THRESHOLD, _LARGE)
        self._timer = QTimer(self, singleShot=True, interval=_DELAY_MS)
        self._timer.timeout.connect(self.trim)
        self._open = True

    def trim(self) -> None:
        """Return what is free now."""
        heap.trim()

    def trim_soon(self) -> None:
        """Much was freed or is about to be; one time for many reasons."""
        if self._open:
            self._timer.start()

    def close(self) -> None:
        """Nothing is trimmed any more, also not for windows that go later."""
        self._open = False
        self._timer.stop()
