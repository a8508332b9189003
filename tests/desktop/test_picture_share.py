"""The enlarged picture and the conversation in windows of several heights, with the real panel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from core.conversation_types import TurnState
from core.presets import PresetLibrary
from core.prompts import PromptLibrary
from core.settings import SettingsStore
from desktop.panel import Panel
from desktop.theme import Theme
from tests.support.talk_desk import STALL, Desk


class Stage:
    def __init__(self, qtbot: QtBot, app: QApplication, settings: SettingsStore, folder: Path) -> None:
        self.qtbot = qtbot
        self.desk = Desk(qtbot, settings, folder)
        presets = PresetLibrary(folder / "presets.json", self.desk.talk.defaults)
        self.panel = Panel(
            self.desk.talk,
            Theme(app, "light"),
            settings,
            PromptLibrary(folder / "prompts.json"),
            presets,
            QWidget(),
        )
        # The fake model takes what it does from the question alone.
        settings.set("panel.give_text", False)
        self.desk.add()

    def open(self, height: int, width: int = 420) -> None:
        self.panel.resize(width, height)
        with self.qtbot.waitExposed(self.panel):
            self.panel.show()
        self.panel.pane.enlarge()
        self.settle()

    def settle(self) -> None:
        for _ in range(3):
            QApplication.processEvents()

    def place(self, part: QWidget) -> QRect:
        return part.rect().translated(part.mapTo(self.panel, QPoint(0, 0)))

    def ask(self, text: str) -> None:
        with self.qtbot.waitSignal(self.desk.talk.accepted, timeout=STALL):
            self.panel.composer.set_text(text)
            self.panel.composer.take_focus()
            QTest.keyClick(self.panel.focusWidget(), Qt.Key.Key_Return)

    def close(self) -> None:
        self.panel.close()
        self.desk.close()


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(qtbot, qapp, settings, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("height", [520, 540, 600, 660, 900])
def test_picture_and_conversation_are_seen_together(stage: Stage, height: int) -> None:
    # Given a window as on a screen of 1080 lines at scale 2, or higher
    stage.open(height)
    panel = stage.panel
    # Then both can be seen, with the way back, and nothing lies over another thing
    assert panel.chat.isVisible()
    assert panel.chat.height() >= 96
    assert panel.pane.enlarged.view.height() >= 90
    assert panel.pane.enlarged.smaller.isVisible()
    assert panel.pane.enlarged.smaller.text() == "Smaller"
    parts = [panel.pane.enlarged, panel.chat, panel.composer]
    for before, after in pairwise(parts):
        assert stage.place(before).bottom() <= stage.place(after).top()
    # And made smaller again, the conversation has all the room it had
    panel.pane.shrink()
    stage.settle()
    assert panel.chat.maximumHeight() > 10_000
    assert panel.chat.minimumHeight() <= 1


def test_in_the_lowest_window_the_way_back_names_the_conversation(stage: Stage) -> None:
    stage.open(480, 320)
    panel = stage.panel
    assert not panel.chat.isVisible()
    assert panel.pane.enlarged.view.height() >= 100
    smaller = panel.pane.enlarged.smaller
    assert smaller.text() == "Conversation"
    assert panel.rect().contains(stage.place(smaller))
    # A window that is made higher shows both
    panel.resize(420, 700)
    stage.settle()
    assert panel.chat.isVisible()
    assert smaller.text() == "Smaller"
    panel.resize(320, 480)
    stage.settle()
    assert not panel.chat.isVisible()
    smaller.click()
    assert panel.chat.isVisible()
    assert not panel.pane.is_enlarged


def test_sending_shows_the_conversation_where_the_picture_hid_it(stage: Stage) -> None:
    stage.open(480, 320)
    stage.ask("stream 3 every 0.001")
    assert not stage.panel.pane.is_enlarged
    assert stage.panel.chat.isVisible()
    # Where both are seen the picture stays as it is
    stage.qtbot.waitUntil(lambda: not stage.desk.talk.busy, timeout=STALL)
    stage.panel.resize(420, 700)
    stage.settle()
    stage.panel.pane.enlarge()
    stage.ask("stream 3 every 0.001")
    assert stage.panel.pane.is_enlarged
    stage.qtbot.waitUntil(lambda: not stage.desk.talk.busy, timeout=STALL)
    assert stage.panel.pane.is_enlarged


def test_an_answer_that_arrives_shows_the_conversation_once(stage: Stage) -> None:
    stage.open(480, 320)
    # Given the picture, enlarged again as soon as the question is on its way
    stage.desk.talk.accepted.connect(stage.panel.pane.enlarge)
    stage.ask("stream 4000 every 0.005")
    assert stage.panel.chat.isHidden()
    # When the answer begins it is shown
    stage.qtbot.waitUntil(lambda: not stage.panel.pane.is_enlarged, timeout=STALL)
    assert stage.desk.talk.busy
    # And who enlarges the picture after that is left in peace, to the end of that answer
    stage.panel.pane.enlarge()
    seen = stage.desk.talk.progress(stage.desk.talk.turns[-1].id)
    length = len(seen.text) if seen is not None else 0

    def grown() -> bool:
        now = stage.desk.talk.progress(stage.desk.talk.turns[-1].id)
        return now is not None and len(now.text) > length

    stage.qtbot.waitUntil(grown, timeout=STALL)
    assert stage.panel.pane.is_enlarged
    stage.desk.talk.stop()
    stage.qtbot.waitUntil(lambda: not stage.desk.talk.busy, timeout=STALL)
    assert stage.desk.talk.turns[-1].state is TurnState.STOPPED
    assert stage.panel.pane.is_enlarged


def test_an_answer_that_fails_shows_the_conversation(stage: Stage) -> None:
    stage.open(480, 320)
    stage.desk.library.folder = None
    stage.desk.talk.accepted.connect(stage.panel.pane.enlarge)
    stage.ask("hello")
    stage.qtbot.waitUntil(lambda: stage.desk.talk.turns[-1].state is TurnState.FAILED, timeout=STALL)
    stage.settle()
    assert not stage.panel.pane.is_enlarged
