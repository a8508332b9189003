"""Hotkeys on macOS: Carbon's RegisterEventHotKey, which needs no permission and consumes the key."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from PySide6.QtCore import QObject

from core.errors import BackendUnavailable, HotkeyTaken
from desktop.hotkeys.base import HotkeyBackend
from desktop.hotkeys.keys import KeyCombo, Modifier, parse_bindings

# Ctrl and Super are Qt's Ctrl and Meta, which are Command and Control here.
_MODIFIERS = {
    Modifier.CTRL: 0x0100,
    Modifier.SHIFT: 0x0200,
    Modifier.ALT: 0x0800,
    Modifier.SUPER: 0x1000,
}

_KEY_CODES = dict(
    zip(
        [
            "A",
            "S",
            "D",
            "F",
            "H",
            "G",
            "Z",
            "X",
            "C",
            "V",
            "B",
            "Q",
            "W",
            "E",
            "R",
            "Y",
            "T",
            "1",
            "2",
            "3",
            "4",
            "6",
            "5",
            "Equal",
            "9",
            "7",
            "Minus",
            "8",
            "0",
            "BracketRight",
            "O",
            "U",
            "BracketLeft",
            "I",
            "P",
        ],
        [*range(0x00, 0x0A), *range(0x0B, 0x24)],
        strict=True,
    )
)
_KEY_CODES |= {
    "Enter": 0x24,
    "L": 0x25,
    "J": 0x26,
    "Apostrophe": 0x27,
    "K": 0x28,
    "Semicolon": 0x29,
    "Backslash": 0x2A,
    "Comma": 0x2B,
    "Slash": 0x2C,
    "N": 0x2D,
    "M": 0x2E,
    "Period": 0x2F,
    "Tab": 0x30,
    "Space": 0x31,
    "Grave": 0x32,
    "Backspace": 0x33,
    "Esc": 0x35,
    "F17": 0x40,
    "F18": 0x4F,
    "F19": 0x50,
    "F20": 0x5A,
    "F5": 0x60,
    "F6": 0x61,
    "F7": 0x62,
    "F3": 0x63,
    "F8": 0x64,
    "F9": 0x65,
    "F11": 0x67,
    "F13": 0x69,
    "F16": 0x6A,
    "F14": 0x6B,
    "F10": 0x6D,
    "F12": 0x6F,
    "F15": 0x71,
    "Insert": 0x72,
    "Home": 0x73,
    "PgUp": 0x74,
    "Delete": 0x75,
    "F4": 0x76,
    "End": 0x77,
    "F2": 0x78,
    "PgDown": 0x79,
    "F1": 0x7A,
    "Left": 0x7B,
    "Right": 0x7C,
    "Down": 0x7D,
    "Up": 0x7E,
}


def registration(combo: KeyCombo) -> tuple[int, int] | None:
    """Key code and modifiers as Carbon takes them; None for a key that Macs do not have."""
    code = _KEY_CODES.get(combo.key.name)
    if code is None:
        return None
    return code, sum(bit for flag, bit in _MODIFIERS.items() if flag in combo.modifiers)


class Carbon(Protocol):
    """The system calls that are needed."""

    def listen(self, pressed: Callable[[int], None]) -> None:
        """Call ``pressed`` with the number of each hotkey pressed from now on, in the GUI thread."""
        ...

    def register(self, number: int, key_code: int, modifiers: int) -> Any | None:
        """What ``unregister`` takes, or None when another program has the key."""
        ...

    def unregister(self, reference: Any) -> None: ...

    def stop(self) -> None:
        """End what ``listen`` began."""
        ...


class MacHotkeys(HotkeyBackend):
    """Registers hotkeys with the application's Carbon event target, in the GUI thread.

    Args:
        carbon: the system calls, None for the real ones.
        platform: as ``sys.platform`` writes it.
    """

    name = "macos"

    def __init__(
        self, carbon: Carbon | None = None, platform: str = sys.platform, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._carbon = carbon
        self._platform = platform
        self._listening = False
        self._actions: dict[int, str] = {}
        self._references: list[Any] = []

    def unavailable(self) -> BackendUnavailable | None:
        if self._platform == "darwin":
            return None
        return BackendUnavailable(
            name=self.tr("macOS hotkeys"),
            reason=self.tr("this is not macOS"),
            fix=self.tr("Choose Automatic in Settings."),
        )

    def bind(self, bindings: Mapping[str, str], titles: Mapping[str, str]) -> None:
        self.close()
        if self._carbon is None:
            self._carbon = CtypesCarbon()
        combos, wrong = parse_bindings(bindings)
        for action, error in wrong.items():
            self.failed.emit(action, error)
        self._carbon.listen(self._pressed)
        self._listening = True
        for number, (action, combo) in enumerate(combos.items(), 1):
            wanted = registration(combo)
            if wanted is None:
                self.failed.emit(action, self._no_such_key(combo))
                continue
            reference = self._carbon.register(number, *wanted)
            if reference is None:
                self.failed.emit(action, HotkeyTaken(key=str(combo)))
                continue
            self._references.append(reference)
            self._actions[number] = action
            self.bound.emit(action, str(combo))

    def _no_such_key(self, combo: KeyCombo) -> BackendUnavailable:
        return BackendUnavailable(
            name=str(combo),
            reason=self.tr("Macs have no such key"),
            fix=self.tr("Choose another key in Settings, Capture."),
        )

    def close(self) -> None:
        if self._carbon is not None and self._listening:
            for reference in self._references:
                self._carbon.unregister(reference)
            self._carbon.stop()
        self._listening = False
        self._actions = {}
        self._references = []

    def _pressed(self, number: int) -> None:
        action = self._actions.get(number)
        if action is not None:
            self.activated.emit(action)


def _four(code: str) -> int:
    return int.from_bytes(code.encode("ascii"), "big")


class CtypesCarbon:
    """The calls of the Carbon framework; can be built on macOS only."""

    _SIGNATURE = _four("Yomi")

    def __init__(self) -> None:
        import ctypes

        class EventHotKeyID(ctypes.Structure):
            _fields_ = [("signature", ctypes.c_uint32), ("id", ctypes.c_uint32)]

        class EventTypeSpec(ctypes.Structure):
            _fields_ = [("event_class", ctypes.c_uint32), ("kind", ctypes.c_uint32)]

        self._ctypes = ctypes
        self._id_type = EventHotKeyID
        self._spec = EventTypeSpec(_four("keyb"), 5)
        self._library = ctypes.CDLL("/System/Library/Frameworks/Carbon.framework/Carbon")
        pointer, number, status = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int32
        self._handler_type = ctypes.CFUNCTYPE(status, pointer, pointer, pointer)
        for name, result, arguments in (
            ("GetApplicationEventTarget", pointer, []),
            ("RegisterEventHotKey", status, [number, number, EventHotKeyID, pointer, number, pointer]),
            ("UnregisterEventHotKey", status, [pointer]),
            (
                "InstallEventHandler",
                status,
                [pointer, self._handler_type, ctypes.c_ulong, pointer, pointer, pointer],
            ),
            ("RemoveEventHandler", status, [pointer]),
            (
                "GetEventParameter",
                status,
                [pointer, number, number, pointer, ctypes.c_ulong, pointer, pointer],
            ),
        ):
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._handler: Any = None
        self._installed = ctypes.c_void_p()

    def listen(self, pressed: Callable[[int], None]) -> None:
        ctypes = self._ctypes

        def handle(call: Any, event: Any, data: Any) -> int:
            found = self._id_type()
            status = self._library.GetEventParameter(
                event, _four("----"), _four("hkid"), None, ctypes.sizeof(found), None, ctypes.byref(found)
            )
            if status == 0 and found.signature == self._SIGNATURE:
                pressed(int(found.id))
            return int(status)

        # Kept as long as Carbon may call it.
        self._handler = self._handler_type(handle)
        self._library.InstallEventHandler(
            self._library.GetApplicationEventTarget(),
            self._handler,
            1,
            ctypes.byref(self._spec),
            None,
            ctypes.byref(self._installed),
        )

    def register(self, number: int, key_code: int, modifiers: int) -> Any | None:
        reference = self._ctypes.c_void_p()
        status = self._library.RegisterEventHotKey(
            key_code,
            modifiers,
            self._id_type(self._SIGNATURE, number),
            self._library.GetApplicationEventTarget(),
            0,
            self._ctypes.byref(reference),
        )
        return reference if status == 0 else None

    def unregister(self, reference: Any) -> None:
        self._library.UnregisterEventHotKey(reference)

    def stop(self) -> None:
        self._library.RemoveEventHandler(self._installed)
        self._handler = None
