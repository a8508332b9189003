"""An ordinary window: put at the edge where a program may place its windows, and left alone there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMargins, QObject, QRect
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from core.errors import BackendUnavailable
from desktop.docking.base import Dock
from desktop.docking.usable import usable_area
from desktop.docking.watch import WindowWatch, stands_freely
from desktop.panel_place import Side, at_edge, bounded_width

# How thick a frame is, is known only some time after the window is shown.
_PATIENCE = 3


class PlainDock(Dock):
    """Reserves nothing. On Wayland, where no program can place its windows, it gives only the width.

    The user may move and resize the window as any other; a new width is told.

    Args:
        usable: what other bars leave free of a screen, in logical pixels.
    """

    name = "plain"

    def __init__(
        self, usable: Callable[[QScreen], QRect] = usable_area, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._usable = usable
        self._watch: WindowWatch | None = None
        self._screen: QScreen | None = None
        self._side: Side = "right"
        self._width = 0
        self._seen = 0
        self._margins = QMargins()
        self._tries = 0

    def unavailable(self) -> BackendUnavailable | None:
        return None

    def attach(self, window: QWidget, screen: QScreen, side: Side, width: int) -> None:
        if self._watch is None or self._watch.window is not window:
            self.detach()
            self._watch = WindowWatch(window, self)
            self._watch.appeared.connect(self._appeared)
            self._watch.rested.connect(self._rested)
            self._watch.gone.connect(self.detach)
        self._screen, self._side = screen, side
        self._width = bounded_width(width, screen.geometry().width())
        self._watch.settle()
        self._tries = 0
        self._put(window)
        self._seen = window.width()

    def detach(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        self._watch = self._screen = None

    def _put(self, window: QWidget) -> None:
        if QGuiApplication.platformName().startswith("wayland"):
            window.resize(self._width, window.height())
            return
        if self._screen is None:
            return
        if not isValid(self._screen):
            self._screen = window.screen()
        self._margins = _frame_of(window)
        width = max(self._width, window.minimumWidth(), window.minimumSizeHint().width())
        outer = width + self._margins.left() + self._margins.right()
        window.setGeometry(at_edge(self._usable(self._screen), outer, self._side) - self._margins)

    def _appeared(self) -> None:
        self._tries = 0

    def _rested(self) -> None:
        watch = self._watch
        if watch is None or not isValid(watch.window) or not stands_freely(watch.window):
            return
        window, width = watch.window, watch.window.width()
        if watch.settling:
            self._seen = width
            if _frame_of(window) != self._margins and self._tries < _PATIENCE:
                self._tries += 1
                self._put(window)
        elif abs(width - self._seen) > 1:
            # A fractional scale may round a pixel away when the window is moved.
            self._seen = width
            self._width = bounded_width(width, window.screen().geometry().width())
            self.width_changed.emit(self._width)


def _frame_of(window: QWidget) -> QMargins:
    # The widget's own idea of its frame is not renewed when the frame comes without a move.
    handle = window.windowHandle()
    return handle.frameMargins() if handle is not None else QMargins()
