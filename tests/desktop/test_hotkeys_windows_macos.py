"""Hotkeys on Windows and macOS, with the few system calls replaced by objects of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray

from core.errors import BackendUnavailable, HotkeyTaken, YomitoriError
from desktop.hotkeys import macos, windows
from desktop.hotkeys.base import HotkeyBackend
from desktop.hotkeys.keys import KEYS, KeyCombo, Modifier, parse

pytestmark = pytest.mark.usefixtures("qapp")


class Heard:
    def __init__(self, backend: HotkeyBackend) -> None:
        self.events: list[tuple[str, ...]] = []
        self.errors: list[YomitoriError] = []
        backend.activated.connect(lambda action: self.events.append(("activated", action)))
        backend.bound.connect(lambda action, key: self.events.append(("bound", action, key)))
        backend.failed.connect(self._failed)

    def _failed(self, action: str, error: YomitoriError) -> None:
        self.events.append(("failed", action))
        self.errors.append(error)


# --- Windows --------------------------------------------------------------------------------------------

TAKEN = windows.registration(parse("Alt+Shift+R"))


class FakeUser32:
    """A Windows on which Alt+Shift+R is taken, and a message's address is the hotkey's number."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[int, int]] = {}

    def register(self, number: int, modifiers: int, virtual_key: int) -> bool:
        if (modifiers, virtual_key) == TAKEN:
            return False
        self.held[number] = (modifiers, virtual_key)
        return True

    def unregister(self, number: int) -> None:
        del self.held[number]

    def hotkey_of(self, message: int) -> int | None:
        return message or None


@pytest.fixture
def user32() -> FakeUser32:
    return FakeUser32()


@pytest.fixture
def on_windows(user32: FakeUser32) -> Iterator[windows.WindowsHotkeys]:
    backend = windows.WindowsHotkeys(user32, "win32")
    yield backend
    backend.close()


def native_filter(backend: windows.WindowsHotkeys) -> QAbstractNativeEventFilter:
    return windows._Filter(backend)


def test_windows_binds_fires_and_tells_of_conflicts(
    user32: FakeUser32, on_windows: windows.WindowsHotkeys
) -> None:
    heard = Heard(on_windows)
    on_windows.bind({"snip": "Alt+Shift+S", "repeat": "Alt+Shift+R", "card": ""}, {})
    assert heard.events == [("bound", "snip", "Alt+Shift+S"), ("failed", "repeat")]
    assert isinstance(heard.errors[0], HotkeyTaken)
    ((number, held),) = user32.held.items()
    assert held == (0x4000 | 0x1 | 0x4, ord("S"))
    events = native_filter(on_windows)
    dispatcher = QByteArray(b"windows_dispatcher_MSG")
    assert events.nativeEventFilter(dispatcher, number)[0] is True
    assert events.nativeEventFilter(dispatcher, number + 9)[0] is False
    assert events.nativeEventFilter(dispatcher, 0)[0] is False
    assert events.nativeEventFilter(QByteArray(b"xcb_generic_event_t"), number)[0] is False
    assert heard.events[2:] == [("activated", "snip")]


def test_windows_binding_again_replaces_and_closing_gives_back(
    user32: FakeUser32, on_windows: windows.WindowsHotkeys
) -> None:
    on_windows.bind({"snip": "Alt+Shift+S"}, {})
    on_windows.bind({"snip": "Alt+Shift+A"}, {})
    assert [key for _, key in user32.held.values()] == [ord("A")]
    on_windows.close()
    assert user32.held == {}


def test_windows_has_a_code_for_every_key() -> None:
    codes = {windows.registration(KeyCombo(Modifier.CTRL, key)) for key in KEYS}
    assert len(codes) == len(KEYS)


# --- macOS ----------------------------------------------------------------------------------------------

MAC_TAKEN = macos.registration(parse("Ctrl+Alt+R"))


class FakeCarbon:
    """A Mac on which Command+Option+R is taken; the reference of a hotkey is its number."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[int, int]] = {}
        self.pressed: Callable[[int], None] | None = None

    def listen(self, pressed: Callable[[int], None]) -> None:
        self.pressed = pressed

    def register(self, number: int, key_code: int, modifiers: int) -> int | None:
        if (key_code, modifiers) == MAC_TAKEN:
            return None
        self.held[number] = (key_code, modifiers)
        return number

    def unregister(self, reference: int) -> None:
        del self.held[reference]

    def stop(self) -> None:
        self.pressed = None


def test_macos_binds_fires_and_tells_of_conflicts() -> None:
    carbon = FakeCarbon()
    backend = macos.MacHotkeys(carbon, "darwin")
    heard = Heard(backend)
    backend.bind({"snip": "Ctrl+Alt+S", "repeat": "Ctrl+Alt+R", "card": "Print", "x": "Ctrl+Foo"}, {})
    assert heard.events == [
        ("failed", "x"),
        ("bound", "snip", "Ctrl+Alt+S"),
        ("failed", "repeat"),
        ("failed", "card"),
    ]
    assert isinstance(heard.errors[1], HotkeyTaken)
    assert isinstance(heard.errors[2], BackendUnavailable)
    ((number, held),) = carbon.held.items()
    assert held == (1, 0x0100 | 0x0800), "S with Command and Option"
    assert carbon.pressed is not None
    carbon.pressed(number)
    carbon.pressed(number + 9)
    assert heard.events[4:] == [("activated", "snip")]
    backend.bind({"snip": "Ctrl+Alt+A"}, {})
    assert [code for code, _ in carbon.held.values()] == [0]
    backend.close()
    assert (carbon.held, carbon.pressed) == ({}, None)


def test_macos_key_codes_are_all_different_and_only_pc_keys_are_missing() -> None:
    codes = {key.name: macos.registration(KeyCombo(Modifier.CTRL, key)) for key in KEYS}
    missing = {name for name, code in codes.items() if code is None}
    assert missing == {"Print", "Pause", "F21", "F22", "F23", "F24"}
    assert len(set(codes.values())) == len(KEYS) - len(missing) + 1
    assert codes["P"] == (0x23, 0x0100)
    assert codes["B"] == (0x0B, 0x0100)


def test_each_says_where_it_belongs() -> None:
    for backend in (windows.WindowsHotkeys(platform="linux"), macos.MacHotkeys(platform="linux")):
        problem = backend.unavailable()
        assert problem is not None
        assert "this is not" in problem.message
    assert windows.WindowsHotkeys(platform="win32").unavailable() is None
    assert macos.MacHotkeys(platform="darwin").unavailable() is None
