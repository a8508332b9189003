"""Hotkeys follow the settings; a conflict is known to the dialog and told to the user once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pytestqt.qtbot import QtBot

from core.errors import BackendUnavailable, HotkeyTaken, YomitoriError
from core.settings import SettingsStore
from desktop.hotkey_manager import HotkeyManager
from desktop.hotkeys.base import HotkeyBackend


class FakeHotkeys(HotkeyBackend):
    """Binds everything but the keys in ``taken``."""

    name = "fake"

    def __init__(self, taken: set[str]) -> None:
        super().__init__()
        self.taken = taken
        self.bindings: dict[str, str] = {}
        self.closed = False

    def unavailable(self) -> BackendUnavailable | None:
        return None

    def bind(self, bindings: Mapping[str, str], titles: Mapping[str, str]) -> None:
        assert set(titles) == set(bindings)
        for action, key in bindings.items():
            if key in self.taken:
                self.failed.emit(action, HotkeyTaken(key=key))
            elif key:
                self.bindings[action] = key
                self.bound.emit(action, key)

    def close(self) -> None:
        self.closed = True


class Made:
    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.backends: list[FakeHotkeys] = []

    def choose(self, name: str) -> HotkeyBackend:
        if name == "portal":
            raise BackendUnavailable(name="portal", reason="no portal", fix="Install one.")
        self.backends.append(FakeHotkeys(self.taken))
        return self.backends[-1]


@pytest.fixture
def made() -> Made:
    return Made()


def test_every_key_is_bound_and_reported(qtbot: QtBot, made: Made, settings: SettingsStore) -> None:
    manager = HotkeyManager(settings, made.choose)
    with qtbot.waitSignal(manager.changed):
        manager.start()
    assert manager.keys["snip"] == settings.current.capture.snip_hotkey
    with qtbot.waitSignal(manager.activated) as pressed:
        made.backends[-1].activated.emit("snip")
    assert pressed.args == ["snip"]
    manager.close()
    assert made.backends[-1].closed


def test_a_taken_key_is_told_and_noted_at_its_setting(
    qtbot: QtBot, made: Made, settings: SettingsStore
) -> None:
    made.taken = {settings.current.capture.repeat_hotkey}
    manager = HotkeyManager(settings, made.choose)
    told: list[YomitoriError] = []
    manager.failed.connect(told.append)
    manager.start()
    assert [type(error) for error in told] == [HotkeyTaken]
    assert set(manager.problems) == {"capture.repeat_hotkey"}
    assert "snip" in manager.keys
    manager.close()


def test_a_changed_key_is_bound_anew_and_other_settings_are_left_alone(
    qtbot: QtBot, made: Made, settings: SettingsStore
) -> None:
    manager = HotkeyManager(settings, made.choose)
    manager.start()
    settings.set("general.theme", "dark")
    assert len(made.backends) == 1
    settings.set("capture.snip_hotkey", "Ctrl+Shift+F9")
    assert made.backends[0].closed
    assert made.backends[1].bindings["snip"] == "Ctrl+Shift+F9"
    settings.set("capture.snip_hotkey", "")
    assert "snip" not in manager.keys
    manager.close()


def test_pausing_gives_the_keys_back(qtbot: QtBot, made: Made, settings: SettingsStore) -> None:
    manager = HotkeyManager(settings, made.choose)
    manager.start()
    manager.pause(True)
    assert made.backends[0].closed
    assert manager.keys == {}
    manager.pause(False)
    assert "snip" in manager.keys
    manager.close()


def test_a_backend_that_does_not_work_is_told_with_its_fix(
    qtbot: QtBot, made: Made, settings: SettingsStore
) -> None:
    settings.set("capture.hotkey_backend", "portal")
    manager = HotkeyManager(settings, made.choose)
    told: list[YomitoriError] = []
    manager.failed.connect(told.append)
    manager.start()
    assert told[0].advice == "Install one."
    assert "capture.hotkey_backend" in manager.problems
    manager.close()
