"""Hotkeys on Windows: RegisterHotKey, which consumes the key and tells of conflicts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication, QObject

from core.errors import BackendUnavailable, HotkeyTaken
from desktop.hotkeys.base import HotkeyBackend
from desktop.hotkeys.keys import KeyCombo, Modifier, parse_bindings

_MODIFIERS = {Modifier.ALT: 0x1, Modifier.CTRL: 0x2, Modifier.SHIFT: 0x4, Modifier.SUPER: 0x8}
_NO_REPEAT = 0x4000
_WM_HOTKEY = 0x0312
# The ids of one application's hotkeys lie in 0..0xBFFF.
_FIRST_ID = 0x5900

_VIRTUAL_KEYS = {
    "Space": 0x20,
    "Apostrophe": 0xDE,
    "Comma": 0xBC,
    "Minus": 0xBD,
    "Period": 0xBE,
    "Slash": 0xBF,
    "Semicolon": 0xBA,
    "Equal": 0xBB,
    "BracketLeft": 0xDB,
    "Backslash": 0xDC,
    "BracketRight": 0xDD,
    "Grave": 0xC0,
    "Backspace": 0x08,
    "Tab": 0x09,
    "Enter": 0x0D,
    "Esc": 0x1B,
    "Insert": 0x2D,
    "Delete": 0x2E,
    "Home": 0x24,
    "Left": 0x25,
    "Up": 0x26,
    "Right": 0x27,
    "Down": 0x28,
    "PgUp": 0x21,
    "PgDown": 0x22,
    "End": 0x23,
    "Print": 0x2C,
    "Pause": 0x13,
}
_VIRTUAL_KEYS |= {chr(c): c for c in (*range(0x30, 0x3A), *range(0x41, 0x5B))}
_VIRTUAL_KEYS |= {f"F{n}": 0x70 + n - 1 for n in range(1, 25)}


def registration(combo: KeyCombo) -> tuple[int, int]:
    """The modifiers and the virtual-key code that RegisterHotKey takes."""
    flags = sum(bit for flag, bit in _MODIFIERS.items() if flag in combo.modifiers)
    return flags | _NO_REPEAT, _VIRTUAL_KEYS[combo.key.name]


class User32(Protocol):
    """The system calls that are needed."""

    def register(self, number: int, modifiers: int, virtual_key: int) -> bool:
        """False when another program has the key."""
        ...

    def unregister(self, number: int) -> None: ...

    def hotkey_of(self, message: int) -> int | None:
        """The number of the hotkey that a native message (its address) tells of, or None."""
        ...


class WindowsHotkeys(HotkeyBackend):
    """Registers hotkeys with the GUI thread's message queue and hears of them in a native event filter.

    Args:
        user32: the system calls, None for the real ones.
        platform: as ``sys.platform`` writes it.
    """

    name = "windows"

    def __init__(
        self, user32: User32 | None = None, platform: str = sys.platform, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._user32 = user32
        self._platform = platform
        self._actions: dict[int, str] = {}
        self._filter: _Filter | None = None

    def unavailable(self) -> BackendUnavailable | None:
        if self._platform == "win32":
            return None
        return BackendUnavailable(
            name=self.tr("Windows hotkeys"),
            reason=self.tr("this is not Windows"),
            fix=self.tr("Choose Automatic in Settings."),
        )

    def bind(self, bindings: Mapping[str, str], titles: Mapping[str, str]) -> None:
        self.close()
        if self._user32 is None:
            self._user32 = CtypesUser32()
        combos, wrong = parse_bindings(bindings)
        for action, error in wrong.items():
            self.failed.emit(action, error)
        self._filter = _Filter(self)
        application = QCoreApplication.instance()
        assert application is not None
        application.installNativeEventFilter(self._filter)
        for number, (action, combo) in enumerate(combos.items(), _FIRST_ID):
            if self._user32.register(number, *registration(combo)):
                self._actions[number] = action
                self.bound.emit(action, str(combo))
            else:
                self.failed.emit(action, HotkeyTaken(key=str(combo)))

    def close(self) -> None:
        if self._user32 is not None:
            for number in self._actions:
                self._user32.unregister(number)
        self._actions = {}
        application = QCoreApplication.instance()
        if self._filter is not None and application is not None:
            application.removeNativeEventFilter(self._filter)
        self._filter = None

    def heard(self, message: int) -> bool:
        """Take note of a native message; True when it was one of our hotkeys."""
        assert self._user32 is not None
        action = self._actions.get(self._user32.hotkey_of(message) or 0)
        if action is None:
            return False
        self.activated.emit(action)
        return True


class _Filter(QAbstractNativeEventFilter):
    def __init__(self, owner: WindowsHotkeys) -> None:
        super().__init__()
        self._owner = owner

    def nativeEventFilter(
        self, event_type: QByteArray | bytes | bytearray | memoryview, message: Any
    ) -> tuple[bool, int]:
        # Hotkeys are posted to the thread, so they come from the dispatcher, not from a window.
        if QByteArray(event_type).data() in (b"windows_dispatcher_MSG", b"windows_generic_MSG"):
            return self._owner.heard(int(message)), 0
        return False, 0


class CtypesUser32:
    """The calls of user32.dll; can be built on Windows only."""

    def __init__(self) -> None:
        import ctypes
        from ctypes import wintypes

        self._message = wintypes.MSG
        dll = ctypes.WinDLL("user32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
        self._register = dll.RegisterHotKey
        self._register.argtypes = [wintypes.HWND, ctypes.c_int, wintypes.UINT, wintypes.UINT]
        self._register.restype = wintypes.BOOL
        self._unregister = dll.UnregisterHotKey
        self._unregister.argtypes = [wintypes.HWND, ctypes.c_int]
        self._unregister.restype = wintypes.BOOL

    def register(self, number: int, modifiers: int, virtual_key: int) -> bool:
        return bool(self._register(None, number, modifiers, virtual_key))

    def unregister(self, number: int) -> None:
        self._unregister(None, number)

    def hotkey_of(self, message: int) -> int | None:
        found = self._message.from_address(message)
        return int(found.wParam) if found.message == _WM_HOTKEY else None
