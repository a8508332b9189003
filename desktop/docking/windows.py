"""Docking on Windows: an application bar (AppBar), for which the shell makes room.

Written from Microsoft's description of SHAppBarMessage and tested against a stand-in for the system calls;
it has not been run on Windows yet.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication, QObject, QRect
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QWidget

from core.errors import BackendUnavailable
from desktop.capture.screens import describe
from desktop.docking.edge import EdgeDock
from desktop.docking.pixels import to_logical, to_native
from desktop.panel_place import Side, at_edge

_WM_USER = 0x0400
CALLBACK = _WM_USER + 0x59
"""The message in which the shell tells of changes; ``wParam`` says of which."""
POSITION_CHANGED, FULL_SCREEN = 1, 2


class Shell32(Protocol):
    """The system calls that are needed. Rectangles are native pixels of the whole desktop."""

    def new(self, window: int, callback: int) -> bool:
        """ABM_NEW: make ``window`` an application bar, told of changes with the message ``callback``."""
        ...

    def query(self, window: int, side: Side, wanted: QRect) -> QRect:
        """ABM_QUERYPOS: ``wanted``, without what other bars have."""
        ...

    def set(self, window: int, side: Side, place: QRect) -> QRect:
        """ABM_SETPOS: reserve ``place``; what was reserved."""
        ...

    def remove(self, window: int) -> None:
        """ABM_REMOVE: it is no application bar any more."""
        ...

    def notice(self, message: int) -> tuple[int, int, bool] | None:
        """Window, kind and flag of the shell's message at this address, or None when it is another one."""
        ...


class WindowsDock(EdgeDock):
    """Registers the window with the shell while it is shown.

    Args:
        shell: the system calls, None for the real ones.
        platform: as ``sys.platform`` writes it.
    """

    name = "windows"

    def __init__(
        self, shell: Shell32 | None = None, platform: str = sys.platform, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._shell = shell
        self._platform = platform
        self._bar = 0
        self._filter: _Filter | None = None

    def unavailable(self) -> BackendUnavailable | None:
        if self._platform == "win32":
            return None
        return BackendUnavailable(
            name=self.tr("Keeping the panel's place free"),
            reason=self.tr("this is not Windows"),
            fix=self.tr("Turn off 'Keep its place free' in Settings."),
        )

    def _usable(self, window: QWidget, screen: QScreen, side: Side) -> QRect:
        # The shell takes its own bars away when it is asked for the place.
        return screen.geometry()

    def _reserve(self, window: QWidget, screen: QScreen, side: Side, place: QRect) -> QRect:
        if self._shell is None:
            self._shell = CtypesShell32()
        number = int(window.winId())
        if self._bar != number:
            self._remove()
            if not self._shell.new(number, CALLBACK):
                return place
            self._bar = number
            self._listen()
        info = describe(screen)
        origin, scale = info.geometry.topLeft(), info.scale
        wanted = to_native(place, origin, scale)
        # The shell moves the outer edge beside its bars; the width that was asked for then counts from there.
        asked = self._shell.query(number, side, wanted)
        got = self._shell.set(number, side, at_edge(asked, wanted.width(), side))
        return to_logical(got, origin, scale)

    def _withdraw(self, window: QWidget) -> None:
        self._remove()

    def _window_gone(self) -> None:
        self._remove()

    def _remove(self) -> None:
        if self._bar and self._shell is not None:
            self._shell.remove(self._bar)
        self._bar = 0
        application = QCoreApplication.instance()
        if self._filter is not None and application is not None:
            application.removeNativeEventFilter(self._filter)
        self._filter = None

    def _listen(self) -> None:
        application = QCoreApplication.instance()
        assert application is not None
        self._filter = _Filter(self)
        application.installNativeEventFilter(self._filter)

    def heard(self, message: int) -> bool:
        """Take note of a native message; True when it was the shell's for our window."""
        assert self._shell is not None
        notice = self._shell.notice(message)
        if notice is None or notice[0] != self._bar:
            return False
        _, kind, flag = notice
        window = self._window()
        if kind == POSITION_CHANGED:
            self._later()
        elif kind == FULL_SCREEN and flag and window is not None:
            window.lower()
        return True


class _Filter(QAbstractNativeEventFilter):
    def __init__(self, owner: WindowsDock) -> None:
        super().__init__()
        self._owner = owner

    def nativeEventFilter(
        self, event_type: QByteArray | bytes | bytearray | memoryview, message: Any
    ) -> tuple[bool, int]:
        if QByteArray(event_type).data() in (b"windows_generic_MSG", b"windows_dispatcher_MSG"):
            return self._owner.heard(int(message)), 0
        return False, 0


class CtypesShell32:
    """The calls of shell32.dll; can be built on Windows only."""

    _NEW, _REMOVE, _QUERY, _SET = 0, 1, 2, 3

    def __init__(self) -> None:
        import ctypes
        from ctypes import wintypes

        class Data(ctypes.Structure):
            _fields_ = (
                ("cbSize", wintypes.DWORD),
                ("hWnd", wintypes.HWND),
                ("uCallbackMessage", wintypes.UINT),
                ("uEdge", wintypes.UINT),
                ("rc", wintypes.RECT),
                ("lParam", wintypes.LPARAM),
            )

        self._message = wintypes.MSG
        self._data = Data
        self._size = ctypes.sizeof(Data)
        self._reference = ctypes.byref
        dll = ctypes.WinDLL("shell32")  # type: ignore[attr-defined,unused-ignore]
        self._call = dll.SHAppBarMessage
        self._call.argtypes = [wintypes.DWORD, ctypes.POINTER(Data)]
        # UINT_PTR
        self._call.restype = ctypes.c_size_t

    def new(self, window: int, callback: int) -> bool:
        data = self._data(cbSize=self._size, hWnd=window, uCallbackMessage=callback)
        return bool(self._call(self._NEW, self._reference(data)))

    def query(self, window: int, side: Side, wanted: QRect) -> QRect:
        return self._ask(self._QUERY, window, side, wanted)

    def set(self, window: int, side: Side, place: QRect) -> QRect:
        return self._ask(self._SET, window, side, place)

    def remove(self, window: int) -> None:
        data = self._data(cbSize=self._size, hWnd=window)
        self._call(self._REMOVE, self._reference(data))

    def notice(self, message: int) -> tuple[int, int, bool] | None:
        found = self._message.from_address(message)
        if found.message != CALLBACK or not found.hWnd:
            return None
        return int(found.hWnd), int(found.wParam), bool(found.lParam)

    def _ask(self, what: int, window: int, side: Side, rect: QRect) -> QRect:
        data = self._data(cbSize=self._size, hWnd=window, uEdge=0 if side == "left" else 2)
        data.rc.left, data.rc.top = rect.left(), rect.top()
        data.rc.right, data.rc.bottom = rect.right() + 1, rect.bottom() + 1
        self._call(what, self._reference(data))
        rc = data.rc
        return QRect(rc.left, rc.top, rc.right - rc.left, rc.bottom - rc.top)
