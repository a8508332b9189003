"""Tells what happens to a window that stands at an edge."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

_PAUSE_MS = 200
_SETTLE_MS = 600


class WindowWatch(QObject):
    """Watches ``window`` until ``stop``; both live in the GUI thread.

    Args:
        pause_ms: how long the window has to keep still until ``rested`` is told.
        settle_ms: how long after it was shown or put somewhere changes are the desktop's, not the user's.
    """

    appeared = Signal()
    """It is about to be shown, or is no longer minimised, or has got another native window."""
    vanished = Signal()
    """It is hidden or minimised."""
    rested = Signal()
    """It was moved or resized and has kept still since, or the desktop has had time to settle."""
    gone = Signal()
    """It is being destroyed."""

    def __init__(
        self,
        window: QWidget,
        parent: QObject | None = None,
        pause_ms: int = _PAUSE_MS,
        settle_ms: int = _SETTLE_MS,
    ) -> None:
        super().__init__(parent)
        self.window = window
        self._pause = QTimer(self, singleShot=True, interval=pause_ms)
        self._pause.timeout.connect(self.rested)
        self._settle = QTimer(self, singleShot=True, interval=settle_ms)
        self._settle.timeout.connect(self.rested)
        self._settling = False
        window.installEventFilter(self)
        window.destroyed.connect(self.gone)

    def stop(self) -> None:
        """Watch no longer. The window may be gone already."""
        self._pause.stop()
        self._settle.stop()
        self.blockSignals(True)
        self.deleteLater()

    def settle(self) -> None:
        """What happens to the window in the next moment is the desktop's answer to what was asked of it."""
        self._settling = True
        self._settle.start()

    def touched(self) -> None:
        """From now on changes are the user's again."""
        self._settle.stop()

    @property
    def settling(self) -> bool:
        """Whether the last move or resize was the desktop's doing."""
        return self._settling

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if not isValid(self.window):
            # Some events come while it is being destroyed.
            return False
        if kind in (QEvent.Type.Move, QEvent.Type.Resize):
            self._settling = self._settle.isActive()
            self._pause.start()
        elif kind == QEvent.Type.Hide:
            self.vanished.emit()
        elif kind == QEvent.Type.Show or (kind == QEvent.Type.WinIdChange and self.window.isVisible()):
            self.settle()
            self.appeared.emit()
        elif kind == QEvent.Type.WindowStateChange:
            if self.window.isMinimized():
                self.vanished.emit()
            else:
                self.settle()
                self.appeared.emit()
        return False


def stands_freely(window: QWidget) -> bool:
    """Whether its place is its own: shown, and neither minimised, maximised nor full screen."""
    states = Qt.WindowState.WindowMinimized | Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen
    return window.isVisible() and not window.windowState() & states
