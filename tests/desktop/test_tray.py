"""The tray's menu, and the small window where there is no tray."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from core.events import State
from core.settings import SettingsStore
from core.types import RgbImage
from desktop.model_tasks import Doing
from desktop.theme import Theme
from desktop.tray import Actions, SmallWindow, Tray
from tests.support.checkpoint_files import write_checkpoint
from tests.support.fake_manga_engine import FAILS
from tests.support.models_desk import REPO, ModelsDesk
from tests.support.stub_hub import StubHub

STALL = 60_000


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
        "Ask…",
        "Snip and ask",
        "Ask about clipboard image",
        "History",
        "Settings",
        "Models…",
        "Download a model…",
        "Free memory now",
        "Pause hotkeys",
        "Pause history",
        "HTTP service",
        "Quit",
    ]


def test_live_hotkeys_are_written_beside_their_actions(qtbot: QtBot) -> None:
    actions = Actions()
    actions.show_keys({"snip": "Ctrl+Alt+S"})
    assert actions.snip.shortcut().toString() == "Ctrl+Alt+S"
    assert actions.repeat.shortcut().isEmpty()


def test_the_service_is_in_the_menu_while_it_listens(qtbot: QtBot) -> None:
    actions = Actions()
    assert not actions.service.isVisible()
    actions.show_service("http://127.0.0.1:9100")
    assert actions.service.isVisible()
    assert actions.service.text() == "HTTP service: http://127.0.0.1:9100"
    actions.show_service("")
    assert not actions.service.isVisible()


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


def test_the_small_window_shows_what_the_menu_would(qtbot: QtBot, theme: Theme) -> None:
    actions = Actions()
    window = SmallWindow(actions, theme)
    qtbot.addWidget(window)
    window.show()

    def shown() -> list[str]:
        return [button.text() for button in window.findChildren(QPushButton) if button.isVisible()]

    assert shown() == [
        "Snip",
        "Repeat last region",
        "Read clipboard image",
        "Open image…",
        "Ask…",
        "Snip and ask",
        "Ask about clipboard image",
        "History",
        "Settings",
        "Models…",
    ]
    actions.download.setText("Download MangaOCR (444 MB)…")
    actions.download.setVisible(True)
    assert shown()[-1] == "Download MangaOCR (444 MB)…"


# ---- what the tray tells about models


@pytest.fixture
def start(
    qapp: QApplication, theme: Theme, tmp_path: Path, settings: SettingsStore, qtbot: QtBot
) -> Iterator[Callable[[], ModelsDesk]]:
    desks: list[ModelsDesk] = []

    def make() -> ModelsDesk:
        desks.append(ModelsDesk(tmp_path / "desk", settings))
        with qtbot.waitSignal(desks[-1].tasks.surveyed, timeout=STALL):
            desks[-1].controller.start()
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


def read(desk: ModelsDesk, qtbot: QtBot) -> None:
    job = desk.engine.recognize(RgbImage(4, 3, bytes(36)))
    qtbot.waitUntil(job.done, timeout=STALL)


def test_a_download_is_offered_followed_and_told(
    start: Callable[[], ModelsDesk], tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StubHub() as hub:
        # Given a computer without MangaOCR's weights
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.add_repo(REPO, write_checkpoint(tmp_path / "checkpoint", size=400_000))
        hub.slow(200_000, "*.safetensors")
        desk = start()
        action = desk.actions.download
        assert action.isVisible()
        assert action.text() == "Download MangaOCR (444 MB)…"
        assert desk.told.messages == []
        # When it is chosen in the menu, then the window asks
        action.trigger()
        qtbot.waitUntil(lambda: desk.tasks.task(REPO).offer is not None, timeout=STALL)
        dialog = desk.controller._dialog
        assert dialog is not None
        assert dialog.rows[REPO].offer.isVisible()
        # While it comes, the tooltip and the menu tell how far it is
        desk.tasks.download(REPO)
        assert desk.controller.state_lines() == ["Downloading MangaOCR"]
        qtbot.waitUntil(lambda: "%" in desk.controller.state_lines()[0], timeout=STALL)
        assert action.text() == f"{desk.controller.state_lines()[0]}…"
        hub.heal()
        qtbot.waitUntil(lambda: bool(desk.told.messages), timeout=STALL)
        # Then it is told once, and the menu offers nothing any more
        assert desk.told.messages == [("MangaOCR is ready", "It reads from the next snip on.")]
        qtbot.waitUntil(lambda: not action.isVisible(), timeout=STALL)
        assert desk.controller.state_lines() == []


def test_a_download_that_fails_is_told_where_no_window_shows_it(
    start: Callable[[], ModelsDesk], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StubHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        desk = start()
        desk.watched = True
        with qtbot.waitSignal(desk.tasks.failed, timeout=STALL):
            desk.tasks.download(REPO)
        assert desk.told.errors == []
        desk.watched = False
        with qtbot.waitSignal(desk.tasks.failed, timeout=STALL):
            desk.tasks.download(REPO)
        assert [type(error).__name__ for error in desk.told.errors] == ["HubNotFound"]


def test_who_chose_the_built_in_engine_is_offered_nothing(
    start: Callable[[], ModelsDesk], settings: SettingsStore
) -> None:
    settings.set("reading.engine", "ppocr")
    assert not start().actions.download.isVisible()


def test_a_download_begun_earlier_is_offered_to_be_resumed(
    start: Callable[[], ModelsDesk], tmp_path: Path
) -> None:
    blobs = tmp_path / "desk" / "hub" / f"models--{REPO.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / ("b" * 64 + ".yomitori.incomplete")).write_bytes(bytes(1_000_000))
    desk = start()
    assert desk.actions.download.text() == "Resume the download of MangaOCR"
    assert desk.tasks.task(REPO).doing is None


def test_a_model_that_cannot_be_loaded_is_told_once_until_it_could(
    start: Callable[[], ModelsDesk],
    tmp_path: Path,
    settings: SettingsStore,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given weights that cannot be loaded
    settings.set("models.ocr_model", str(write_checkpoint(tmp_path / "checkpoint", size=40_000)))
    monkeypatch.setenv(FAILS, "raise")
    desk = start()
    # When several pictures are read, by the built-in engine
    for _ in range(3):
        read(desk, qtbot)
    qtbot.waitUntil(lambda: bool(desk.told.errors), timeout=STALL)
    # Then the cause was told once
    assert [type(error).__name__ for error in desk.told.errors] == ["LoadFailed"]
    # When it works again, and fails again, then that is news
    monkeypatch.delenv(FAILS)
    read(desk, qtbot)
    qtbot.waitUntil(lambda: desk.engine.state().state is State.READY, timeout=STALL)
    desk.engine.unload()
    qtbot.waitUntil(lambda: desk.engine.state().state is State.UNLOADED, timeout=STALL)
    monkeypatch.setenv(FAILS, "raise")
    read(desk, qtbot)
    qtbot.waitUntil(lambda: len(desk.told.errors) == 2, timeout=STALL)


def test_freeing_memory_tells_what_it_gave(
    start: Callable[[], ModelsDesk], tmp_path: Path, settings: SettingsStore, qtbot: QtBot
) -> None:
    settings.set("models.ocr_model", str(write_checkpoint(tmp_path / "checkpoint", size=40_000)))
    desk = start()
    read(desk, qtbot)
    qtbot.waitUntil(lambda: desk.engine.state().state is State.READY, timeout=STALL)
    desk.actions.unload.trigger()
    qtbot.waitUntil(lambda: bool(desk.told.messages), timeout=STALL)
    assert desk.told.messages[0][0] == "No model is in memory"
    freed = sum(desk.engine.state(role).freed for role in ("ocr", "quick"))
    assert desk.told.messages[0][1].endswith(" are free again.") == bool(freed)
    # An idle unload is not told
    read(desk, qtbot)
    qtbot.waitUntil(lambda: desk.engine.state().state is State.READY, timeout=STALL)
    desk.engine.unload()
    qtbot.waitUntil(lambda: desk.engine.state().state is State.UNLOADED, timeout=STALL)
    assert len(desk.told.messages) == 1


def test_what_a_window_is_not_open_for_is_not_lost(
    start: Callable[[], ModelsDesk], tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen in the menu before anything is known about models: the question comes as soon as it is."""
    with StubHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.add_repo(REPO, write_checkpoint(tmp_path / "checkpoint", size=40_000))
        desk = start()
        desk.tasks.survey = None
        desk.controller.offer_download()
        assert desk.tasks.task(REPO).doing is None
        qtbot.waitUntil(lambda: desk.tasks.task(REPO).doing is Doing.PLAN, timeout=STALL)
