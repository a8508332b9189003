"""The tray's menu, and the small window where there is no tray."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from desktop.theme import Theme
from desktop.tray import Actions, Tray


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


def test_the_menu_holds_every_action_once(qtbot: QtBot) -> None:
    actions = Actions()
    named = [a.text() for group in actions.groups for a in group]
    assert named == [
        "Snip",
        "Repeat last region",
        "Read clipboard image",
        "Open image…",
        "History",
        "Settings",
        "Free memory now",
        "Pause hotkeys",
        "Pause history",
        "Quit",
    ]


def test_live_hotkeys_are_written_beside_their_actions(qtbot: QtBot) -> None:
    actions = Actions()
    actions.show_keys({"snip": "Ctrl+Alt+S"})
    assert actions.snip.shortcut().toString() == "Ctrl+Alt+S"
    assert actions.repeat.shortcut().isEmpty()


def test_without_a_tray_a_window_with_the_actions_is_shown_once(qtbot: QtBot, theme: Theme) -> None:
    if QSystemTrayIcon.isSystemTrayAvailable():
        pytest.skip("this platform has a tray")
    actions = Actions()
    tray = Tray(actions, theme, wait_ms=10)
    with qtbot.waitSignal(tray.no_tray):
        tray.show()
    assert tray.window is not None
    assert tray.window.isVisible()
    tray.set_state("No model in memory")
    assert tray.window.state.text() == "No model in memory"
    snip = next(b for b in tray.window.findChildren(QPushButton) if b.text() == "Snip")
    with qtbot.waitSignal(actions.snip.triggered):
        qtbot.mouseClick(snip, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(actions.quit.triggered):
        tray.window.close()
    tray.close()


def test_the_tooltip_tells_the_models_state(qtbot: QtBot, theme: Theme) -> None:
    tray = Tray(Actions(), theme, wait_ms=60_000)
    tray.set_state("built-in: ready, 150 MB in use")
    assert tray.icon.toolTip() == "Yomitori\nbuilt-in: ready, 150 MB in use"
    tray.close()


def test_the_window_waits_for_the_selection_and_goes_when_a_tray_comes_back(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = False
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: there))
    busy = True
    tray = Tray(Actions(), theme, wait_ms=10, busy=lambda: busy)
    tray.show()
    qtbot.wait(60)
    assert tray.window is None
    busy = False
    with qtbot.waitSignal(tray.no_tray):
        pass
    assert tray.window is not None
    there = True
    qtbot.waitUntil(lambda: tray.window is None)
    tray.close()


def test_a_message_in_the_window_is_shown_whole(qtbot: QtBot, theme: Theme) -> None:
    tray = Tray(Actions(), theme, wait_ms=10)
    tray.show_message("The settings file was damaged. It was moved to a place with a long name. " * 3)
    tray.show()
    qtbot.waitUntil(lambda: tray.window is not None)
    assert tray.window is not None
    message = tray.window.message
    qtbot.waitUntil(lambda: message.height() >= message.heightForWidth(message.width()))
    tray.close()
