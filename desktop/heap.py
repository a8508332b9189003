"""Memory that was freed, given back to the system (``core.heap``).

Else the grabs of a few snips would stay in the tray for good, and so would what a window took: the end of the
heap hardly ever gets free after one was open.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from core import heap

_DELAY_MS = 500
"""By then the parts of a window that was closed are gone, too."""


class Heap(QObject):
    """Keeps this process's heap small: what is large lies outside it, ``trim_soon`` returns its holes."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        heap.keep_small()
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
