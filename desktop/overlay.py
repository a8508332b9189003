"""The selection overlay: the frozen screens, one window each, and the one region the user wants read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent, QScreen
from PySide6.QtWidgets import QWidget

from core.types import Box
from desktop.capture.base import ScreenInfo, Shot
from desktop.focus import Focus
from desktop.overlay_window import SnipWindow
from desktop.selection import Phase

_GRAB_MS = 15
"""Until the hotkey is let go, the keyboard belongs to its listener: ask again after so long."""


class Guest(Protocol):
    """A card that can be shown inside the overlay, where the desktop lets no client place a window."""

    closed: Signal

    def embed(self, parent: QWidget) -> None: ...

    def detach(self) -> None: ...


class Overlay(QObject):
    """Lets the user choose a region of the screens in ``open(shots)``.

    It closes itself before ``selected`` and ``cancelled`` are emitted, except on Wayland
    (``stays_open``): there the window of the selection stays, so that the result card can be shown in it
    with ``host``, until the user dismisses it or ``close`` is called. ``cancelled`` is emitted only
    while nothing has been selected.
    """

    selected = Signal(object, QRect)
    """The ``Shot``, and the region in pixels of its image."""
    cancelled = Signal(str)
    """Empty, or ``too_small``: the selection had a side under 8 px."""
    block_requested = Signal(object, QPoint)
    """A double click on this pixel of the ``Shot``; answer with ``set_blocks`` or ``no_block``."""
    painted = Signal()
    """The first window is on the screen."""

    def __init__(
        self,
        focus: Focus,
        magnifier: bool = True,
        stays_open: bool | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._focus = focus
        self.magnifier = magnifier
        platform = QGuiApplication.platformName()
        self.stays_open = platform.startswith("wayland") if stays_open is None else stays_open
        self._wayland = platform.startswith("wayland")
        self._x11 = platform == "xcb"
        self._windows: list[SnipWindow] = []
        self._active: SnipWindow | None = None
        self._guest: Guest | None = None
        self._was_painted = False
        self._grab = QTimer(self, interval=_GRAB_MS)
        self._grab.timeout.connect(self._grab_keyboard)

    @property
    def is_open(self) -> bool:
        return bool(self._windows)

    @property
    def windows(self) -> tuple[SnipWindow, ...]:
        """The windows on the screens now."""
        return tuple(self._windows)

    def open(self, shots: Sequence[Shot], asks: bool = False) -> None:
        """Show every shot on its screen and take the keyboard. Does nothing while it is open.

        ``asks``: what is selected will be asked about, which the hints say.
        """
        if self._windows or not shots:
            return
        self._was_painted = False
        for shot in shots:
            self._windows.append(self._create(shot, asks))
        pointer = QCursor.pos()
        geometries = [shot.screen.geometry for shot in shots]
        under = next((i for i, rect in enumerate(geometries) if rect.contains(pointer)), None)
        self._activate(self._windows[under or 0])
        for window in self._windows:
            self._show(window)
        if under is not None:
            self._windows[under].point_at(pointer - geometries[under].topLeft())
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenRemoved.connect(self._screen_removed)

    def close(self) -> None:
        """Remove every window and give the keyboard back. No signal is emitted."""
        if not self._windows:
            return
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenRemoved.disconnect(self._screen_removed)
        self._release_keyboard()
        guest, self._guest = self._guest, None
        if guest is not None:
            guest.closed.disconnect(self.close)
            guest.detach()
        windows, self._windows, self._active = self._windows, [], None
        for window in windows:
            self._remove(window)

    def set_blocks(self, shot: Shot, blocks: Sequence[QRect]) -> None:
        """The text blocks found on ``shot`` (pixels of its image): the one double-clicked is chosen."""
        window = self._window_of(shot)
        if window is None:
            return
        boxes = [Box(rect.x(), rect.y(), rect.width(), rect.height()) for rect in blocks]
        if not window.take_block(boxes):
            window.no_block()

    def no_block(self, shot: Shot) -> None:
        """No text was found where the user double-clicked; the overlay says so and stays."""
        window = self._window_of(shot)
        if window is not None:
            window.no_block()

    def host(self, guest: Guest) -> None:
        """Show the result card in the window that stayed open; when it goes, so does the window."""
        if self._active is None:
            return
        self._guest = guest
        guest.embed(self._active)
        guest.closed.connect(self.close)

    def _window_of(self, shot: Shot) -> SnipWindow | None:
        return next((window for window in self._windows if window.shot is shot), None)

    # Windows

    def _create(self, shot: Shot, asks: bool) -> SnipWindow:
        window = SnipWindow(shot, self.magnifier)
        window.asks = asks
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        if self._x11:
            # No window manager may move it, put a panel over it or animate it.
            flags |= Qt.WindowType.X11BypassWindowManagerHint
        elif not self._wayland:
            flags |= Qt.WindowType.Tool
        window.setWindowFlags(flags)
        window.chosen.connect(lambda: self._chosen(window))
        window.dismissed.connect(self._dismissed)
        window.double_clicked.connect(lambda pixel: self.block_requested.emit(shot, pixel))
        window.pointed.connect(lambda: self._activate(window))
        window.key_pressed.connect(self._key_pressed)
        window.key_released.connect(self._key_released)
        window.first_painted.connect(lambda: self._first_painted(window))
        return window

    def _show(self, window: SnipWindow) -> None:
        info = window.shot.screen
        screen = _find_screen(info)
        window.setGeometry(info.geometry)
        if self._wayland and screen is not None:
            # The screen has to be set on the native window, and before it is shown, or every window
            # appears on the first screen.
            window.winId()
            handle = window.windowHandle()
            handle.setScreen(screen)
            handle.showFullScreen()
        window.show()
        window.raise_()

    def _remove(self, window: SnipWindow) -> None:
        # Left to finish the event that it is just handling.
        window.blockSignals(True)
        window.hide()
        window.deleteLater()

    def _first_painted(self, window: SnipWindow) -> None:
        if window is self._active:
            self._take_keyboard()
        if not self._was_painted:
            self._was_painted = True
            self.painted.emit()

    def _screen_removed(self, screen: QScreen) -> None:
        if any(window.shot.screen.name == screen.name() for window in self._windows):
            self._dismissed("")

    # Keyboard

    def _take_keyboard(self) -> None:
        if self._active is None:
            return
        self._focus.take(self._active)
        self._active.setFocus()
        if self._x11:
            self._grab_keyboard()

    def _grab_keyboard(self) -> None:
        """Under X11 a program that takes the focus while we are open must not get our keys."""
        if self._windows and not self._windows[0].windowHandle().setKeyboardGrabEnabled(True):
            self._grab.start()
        else:
            self._grab.stop()

    def _release_keyboard(self) -> None:
        self._grab.stop()
        if self._x11:
            self._windows[0].windowHandle().setKeyboardGrabEnabled(False)
        self._focus.give_back()

    def _key_pressed(self, event: QKeyEvent) -> None:
        if self._active is None:
            return
        if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._next_screen(-1 if event.key() == Qt.Key.Key_Backtab else 1)
        else:
            self._active.press_key(event)

    def _key_released(self, event: QKeyEvent) -> None:
        if self._active is not None:
            self._active.release_key(event)

    def _next_screen(self, direction: int) -> None:
        assert self._active is not None
        if self._active.selection.phase is Phase.IDLE:
            index = self._windows.index(self._active) + direction
            self._activate(self._windows[index % len(self._windows)])
            self._active.show_cursor()

    def _activate(self, window: SnipWindow) -> None:
        if window is self._active or self._guest is not None:
            return
        if self._active is not None:
            self._active.set_active(False)
            self._active.selection.reset()
        self._active = window
        window.set_active(True)

    # Outcomes

    def _chosen(self, window: SnipWindow) -> None:
        box = window.selection.box
        assert box is not None
        rect = QRect(box.x, box.y, box.width, box.height)
        if self.stays_open:
            self._keep(window)
        else:
            self.close()
        self.selected.emit(window.shot, rect)

    def _keep(self, window: SnipWindow) -> None:
        self._active = window
        for each in self._windows:
            each.freeze()
        if window.isActiveWindow():
            for other in self._windows:
                if other is not window:
                    self._remove(other)
            self._windows = [window]
        # Otherwise another of our windows has the keyboard, and the desktop gives it to no other.

    def _dismissed(self, reason: str) -> None:
        choosing = self._active is not None and not self._active.frozen
        self.close()
        if choosing:
            self.cancelled.emit(reason)


def _find_screen(info: ScreenInfo) -> QScreen | None:
    """The screen of that name, or the one at that place."""
    screens = QGuiApplication.screens()
    named = (screen for screen in screens if screen.name() == info.name)
    placed = (screen for screen in screens if screen.geometry() == info.geometry)
    return next(named, None) or next(placed, None)
