"""How long an event loop is deaf."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer

TICK_MS = 5


class Ticker:
    """A precise timer of 5 ms and the longest gap between two of its ticks, in ms."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        self._last = time.perf_counter()
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, (now - self._last) * 1000)
        self._last = now
