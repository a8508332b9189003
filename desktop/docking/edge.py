"""What all docks that reserve an edge have in common: when to reserve, and how to follow what changes."""

from __future__ import annotations

from PySide6.QtCore import QMetaObject, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from desktop.docking.base import Dock
from desktop.docking.grip import EdgeGrip
from desktop.docking.watch import WindowWatch, stands_freely
from desktop.panel_place import Side, at_edge, bounded_width

# How often a window is put back before the desktop is taken to know better.
_PATIENCE = 3


class EdgeDock(Dock):
    """Holds a window without a title bar at an edge, and reserves that edge while the window is shown.

    It follows the window (shown, hidden, minimised, made anew), its screen (size, scale, gone), and the
    inner edge, which the user may drag. A backend says how to reserve.
    """

    reserves = True

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watch: WindowWatch | None = None
        self._grip: EdgeGrip | None = None
        self._screen: QScreen | None = None
        self._connections: list[QMetaObject.Connection] = []
        self._side: Side = "right"
        self._width = 0
        self._place = QRect()
        self._tries = 0
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._lay_out)

    # --- what a backend says ----------------------------------------------------------------------------

    def _usable(self, window: QWidget, screen: QScreen, side: Side) -> QRect:
        """What others than ``window`` leave free of ``screen``, in logical pixels."""
        raise NotImplementedError

    def _reserve(self, window: QWidget, screen: QScreen, side: Side, place: QRect) -> QRect:
        """Reserve ``place`` (logical pixels) in place of what was reserved before; what it became."""
        raise NotImplementedError

    def _withdraw(self, window: QWidget) -> None:
        """Reserve nothing for ``window`` any more; it may be hidden."""
        raise NotImplementedError

    def _window_gone(self) -> None:
        """The window was destroyed; for a system that does not notice by itself."""

    # --- attaching --------------------------------------------------------------------------------------

    def attach(self, window: QWidget, screen: QScreen, side: Side, width: int) -> None:
        problem = self.unavailable() or self.refusal(screen, side)
        if problem is not None:
            raise problem
        if self._watch is None or self._watch.window is not window:
            self.detach()
            self._take(window)
        assert self._watch is not None
        assert self._grip is not None
        self._follow_screen(screen)
        self._side, self._width = side, width
        self._grip.set_side(side)
        self._watch.settle()
        self._tries = 0
        self._lay_out()

    def detach(self) -> None:
        window = self._window()
        self._forget()
        if window is not None:
            self._withdraw(window)
            window.windowHandle().setFlag(Qt.WindowType.FramelessWindowHint, False)

    def _take(self, window: QWidget) -> None:
        # The handle, not the widget: changing a widget's flags hides it and makes its native window anew.
        window.winId()
        window.windowHandle().setFlag(Qt.WindowType.FramelessWindowHint, True)
        self._grip = EdgeGrip(window, self._side)
        self._watch = WindowWatch(window, self)
        self._watch.appeared.connect(self._appeared)
        self._watch.vanished.connect(self._vanished)
        self._watch.rested.connect(self._rested)
        self._watch.gone.connect(self._gone)
        self._grip.pressed.connect(self._watch.touched)

    def _forget(self) -> None:
        self._soon.stop()
        self._follow_screen(None)
        if self._watch is not None:
            self._watch.stop()
        if self._grip is not None and isValid(self._grip):
            self._grip.hide()
            self._grip.deleteLater()
        self._watch = self._grip = None

    def _window(self) -> QWidget | None:
        window = self._watch.window if self._watch is not None else None
        return window if window is not None and isValid(window) and window.windowHandle() else None

    def _follow_screen(self, screen: QScreen | None) -> None:
        if screen is self._screen:
            return
        for connection in self._connections:
            QObject.disconnect(connection)
        self._connections = []
        self._screen = screen
        application = QGuiApplication.instance()
        if screen is not None and isinstance(application, QGuiApplication):
            signals = (
                screen.geometryChanged,
                screen.availableGeometryChanged,
                screen.logicalDotsPerInchChanged,
                application.screenAdded,
                application.screenRemoved,
            )
            # Later: while one of these is told, the list of screens may be half new.
            self._connections = [changed.connect(self._later) for changed in signals]

    def _later(self, *_: object) -> None:
        self._soon.start()

    # --- standing ---------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        window = self._window()
        if window is None or self._screen is None:
            return
        if not isValid(self._screen) or self._screen not in QGuiApplication.screens():
            self._follow_screen(window.screen() or QGuiApplication.primaryScreen())
        screen = self._screen
        assert screen is not None
        problem = self.refusal(screen, self._side)
        if problem is not None:
            self.detach()
            self.lost.emit(problem)
            return
        width = max(
            bounded_width(self._width, screen.geometry().width()),
            window.minimumWidth(),
            window.minimumSizeHint().width(),
        )
        place = at_edge(self._usable(window, screen, self._side), width, self._side)
        if window.isVisible() and not window.isMinimized():
            place = self._reserve(window, screen, self._side, place)
        self._place = place
        if not window.isVisible() or stands_freely(window):
            window.setGeometry(place)

    def _appeared(self) -> None:
        window = self._window()
        if window is not None and not window.windowHandle().flags() & Qt.WindowType.FramelessWindowHint:
            window.windowHandle().setFlag(Qt.WindowType.FramelessWindowHint, True)
        self._tries = 0
        self._lay_out()

    def _vanished(self) -> None:
        window = self._window()
        if window is not None:
            self._withdraw(window)

    def _gone(self) -> None:
        self._forget()
        self._window_gone()

    def _rested(self) -> None:
        window, watch = self._window(), self._watch
        if window is None or watch is None or not stands_freely(window):
            return
        found = window.geometry()
        changed = found.width() - self._place.width()
        # A fractional scale may round a pixel away.
        if max(abs(changed), abs(found.x() - self._place.x()), abs(found.y() - self._place.y())) <= 1:
            self._tries = 0
        elif abs(changed) > 1 and not watch.settling:
            self._width = bounded_width(found.width(), window.screen().geometry().width())
            self._lay_out()
            self.width_changed.emit(self._width)
        elif self._tries < _PATIENCE:
            self._tries += 1
            self._lay_out()
        else:
            self._place = found
