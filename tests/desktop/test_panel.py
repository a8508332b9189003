"""The panel's window on a real talk: what it shows, and what its keys do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QImage, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.conversation_types import TurnState
from core.errors import NotAnImage
from core.presets import PresetLibrary
from core.prompts import Prompt, PromptLibrary
from core.settings import SettingsStore
from desktop.panel import Panel
from desktop.theme import Theme
from tests.support.talk_desk import STALL, Desk


class Stage:
    """A panel with a talk behind it."""

    def __init__(self, qtbot: QtBot, app: QApplication, settings: SettingsStore, folder: Path) -> None:
        self.qtbot = qtbot
        self.desk = Desk(qtbot, settings, folder)
        self.talk = self.desk.talk
        self.theme = Theme(app, "light")
        self.prompts = PromptLibrary(folder / "prompts.json")
        self.presets = PresetLibrary(folder / "presets.json", self.talk.defaults)
        self.closed = 0
        self.panel = self.open()

    def open(self) -> Panel:
        panel = Panel(self.talk, self.theme, self.desk.settings, self.prompts, self.presets, QWidget())
        panel.closed.connect(self._on_closed)
        panel.resize(420, 800)
        with self.qtbot.waitExposed(panel):
            panel.show()
        panel.activateWindow()
        self.panel = panel
        return panel

    def _on_closed(self) -> None:
        self.closed += 1

    def type(self, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
        self.panel.composer.take_focus()
        focus = self.panel.focusWidget()
        QTest.keyClicks(focus, text)
        QTest.keyClick(focus, key)

    def ask(self, text: str) -> None:
        with self.qtbot.waitSignal(self.talk.accepted, timeout=STALL):
            self.type(text)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.panel.focusWidget() or self.panel, key, modifier)

    def answers(self) -> list[str]:
        """The texts of the last turn as the widget shows it."""
        return [turn.text for turn in self.panel.chat.turns]

    def close(self) -> None:
        if not self.closed:
            self.panel.close()
        self.desk.close()


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(qtbot, qapp, settings, tmp_path)
    yield stage
    stage.close()


def test_an_empty_conversation_welcomes(stage: Stage) -> None:
    assert stage.panel.welcome.isVisible()
    assert not stage.panel.composer.isVisible()
    assert not stage.panel.export_markdown.isEnabled()

    stage.desk.add()

    assert not stage.panel.welcome.isVisible()
    assert stage.panel.composer.isVisible()
    assert stage.panel.pane.isVisible()


def test_enter_asks_and_the_answer_is_shown(stage: Stage) -> None:
    stage.desk.add()

    stage.ask("what is this")
    stage.desk.until_quiet()

    assert stage.answers() == ["what is this", 'Text in the picture: "6x4"\nwhat is this [1]']
    assert stage.panel.composer.text() == ""
    assert stage.panel.chat.turns[-1].state is TurnState.DONE


def test_a_question_that_cannot_be_kept_stays_in_the_field(stage: Stage) -> None:
    stage.desk.add()
    stage.desk.history.close()

    stage.type("what is this")
    stage.desk.until(lambda: bool(stage.desk.problems))

    assert stage.panel.composer.text() == "what is this"
    assert not stage.talk.busy


def test_enter_while_composing_asks_nothing(stage: Stage) -> None:
    stage.desk.add()
    stage.panel.composer.take_focus()
    field = stage.panel.focusWidget()

    QApplication.sendEvent(field, QInputMethodEvent("なに", []))
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert not stage.talk.busy

    commit = QInputMethodEvent()
    commit.setCommitString("何")
    QApplication.sendEvent(field, commit)
    assert stage.panel.composer.text() == "何"


def test_a_quick_prompt_is_filled_and_asked_with_its_key(stage: Stage) -> None:
    stage.prompts.set([Prompt("Translate", "Into {language}, for a {level}: {text}")])
    stage.desk.settings.set("panel.language", "French")
    stage.desk.add()

    with stage.qtbot.waitSignal(stage.talk.accepted, timeout=STALL):
        stage.press(Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    stage.desk.until_quiet()

    # The text stands in the prompt, so it is not told twice
    asked = "Into French, for a beginner (JLPT N5 to N4): 6x4"
    assert stage.answers() == [asked, f"{asked} [1]"]


def test_a_quick_prompt_takes_the_words_in_the_field_along(stage: Stage) -> None:
    stage.prompts.set([Prompt("Word", "Explain this word:")])
    stage.desk.add()
    stage.panel.composer.set_text("学校")

    with stage.qtbot.waitSignal(stage.talk.accepted, timeout=STALL):
        stage.panel.use_prompt(0)

    assert stage.answers()[0] == "Explain this word:\n学校"
    assert stage.panel.composer.text() == ""


def test_a_quick_prompt_is_about_the_selected_part_of_the_text(stage: Stage) -> None:
    stage.prompts.set([Prompt("Word", "Explain: {text}")])
    picture = stage.desk.add()
    stage.talk.edit_text(picture, "今日は学校")
    stage.panel.show_all()
    stage.panel.pane.text.select(3, 5)

    with stage.qtbot.waitSignal(stage.talk.accepted, timeout=STALL):
        stage.panel.use_prompt(0)

    assert stage.answers()[0] == "Explain: 学校"


def test_esc_stops_the_answer_and_closes_only_then(stage: Stage) -> None:
    stage.desk.settings.set("panel.give_text", False)
    stage.desk.add()
    stage.ask("stream 100000 every 0.001")
    stage.desk.wait_for_text(stage.talk.turns[-1].id)

    stage.press(Qt.Key.Key_Escape)
    stage.desk.until_quiet()
    assert stage.talk.turns[-1].state is TurnState.STOPPED
    assert stage.closed == 0

    stage.press(Qt.Key.Key_Escape)
    assert stage.closed == 1


def test_an_answer_goes_on_while_the_window_is_closed(stage: Stage) -> None:
    stage.desk.settings.set("panel.give_text", False)
    stage.desk.add()
    stage.ask("stream 300 every 0.002")
    stage.panel.close()

    panel = stage.open()
    stage.desk.until_quiet()

    assert panel.chat.turns[-1].text.endswith("word299 ")
    stage.closed = 0


def test_the_text_can_be_kept_from_the_model_with_the_switch(stage: Stage) -> None:
    stage.desk.add()

    stage.panel.pane.give_text_changed.emit(False)
    stage.ask("what")
    stage.desk.until_quiet()

    assert stage.answers()[-1] == "what [1]"


def test_a_step_that_had_to_be_taken_is_told_in_one_line(stage: Stage) -> None:
    # Given a model that fails, and is asked again
    stage.desk.library.folder = None
    stage.desk.add()
    stage.ask("hello")
    stage.desk.until_quiet()

    assert stage.panel.chat.turns[-1].state is TurnState.FAILED
    shown = " ".join(label.text() for label in stage.panel.chat.findChildren(QLabel) if label.isVisible())
    assert "not on this computer" in shown


def test_pasting_a_picture_into_the_question_adds_it(stage: Stage) -> None:
    stage.desk.add()
    image = QImage(8, 2, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    stage.panel.composer.take_focus()

    QTest.keyClick(stage.panel.focusWidget(), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    stage.desk.until(lambda: len(stage.talk.pictures) == 2)
    assert stage.talk.pictures[1].image.data[:3] == b"\xff\0\0"


def test_a_dropped_file_that_is_no_picture_is_told(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_text("no picture")

    stage.panel.composer.files_pasted.emit([tmp_path / "page.png"])

    stage.desk.until(lambda: bool(stage.desk.problems))
    assert isinstance(stage.desk.problems[0], NotAnImage)


def test_links_of_answers_open_only_on_the_web(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    told: list[str] = []
    monkeypatch.setattr(
        "desktop.panel.QDesktopServices.openUrl", lambda url: opened.append(url.toString()) or True
    )
    stage.panel.told.connect(told.append)

    for address in ("https://example.org/a", "file:///etc/passwd", "javascript:alert(1)"):
        stage.panel.chat.link_activated.emit(address)

    assert opened == ["https://example.org/a"]
    assert len(told) == 2


def test_another_conversation_is_shown_in_its_place(stage: Stage) -> None:
    stage.desk.add()
    stage.ask("first")
    stage.desk.until_quiet()
    first = stage.talk.id
    assert first is not None

    stage.panel.new.trigger()
    assert stage.panel.welcome.isVisible()

    with stage.qtbot.waitSignal(stage.talk.opened, timeout=STALL):
        stage.talk.open(first)
    assert stage.answers()[0] == "first"
    assert len(stage.panel.pane.pictures) == 1


def test_every_button_of_the_panel_has_a_name(stage: Stage) -> None:
    stage.desk.add()

    for button in stage.panel.findChildren(QPushButton):
        if button.isVisible():
            assert button.accessibleName() or button.text().strip("…×"), button


# ---- nothing goes without a word


def box_of(panel: Panel) -> QMessageBox:
    boxes = [box for box in panel.findChildren(QMessageBox) if box.isVisible()]
    assert len(boxes) == 1
    return boxes[0]


def answer_yes(panel: Panel) -> None:
    box = box_of(panel)
    yes = next(b for b in box.buttons() if box.buttonRole(b) is QMessageBox.ButtonRole.DestructiveRole)
    yes.click()


def test_editing_an_earlier_question_is_asked_about_first(stage: Stage) -> None:
    stage.desk.add()
    for question in ("first", "second"):
        stage.ask(question)
        stage.desk.until_quiet()
    first = stage.talk.turns[0].id

    stage.panel.chat.edit_requested.emit(first, "other")
    assert len(stage.talk.turns) == 4
    answer_yes(stage.panel)

    stage.desk.until(lambda: len(stage.talk.turns) == 2)
    stage.desk.until_quiet()
    assert stage.answers()[0] == "other"


def test_trying_an_earlier_answer_again_is_asked_about_first(stage: Stage) -> None:
    stage.desk.add()
    for question in ("first", "second"):
        stage.ask(question)
        stage.desk.until_quiet()
    turn = stage.talk.turns[1].id

    stage.panel.chat.retry_requested.emit(turn)

    assert not stage.talk.busy
    box_of(stage.panel).reject()
    assert len(stage.talk.turns) == 4


def test_a_picture_that_was_asked_about_goes_only_after_a_question(stage: Stage) -> None:
    unused = stage.desk.add()
    stage.panel.pane.remove_requested.emit(unused)
    assert stage.talk.pictures == ()
    used = stage.desk.add()
    stage.ask("what")
    stage.desk.until_quiet()

    stage.panel.pane.remove_requested.emit(used)
    assert len(stage.talk.pictures) == 1
    answer_yes(stage.panel)

    assert stage.talk.pictures == ()


def test_a_conversation_is_called_by_its_first_quick_prompt(stage: Stage) -> None:
    stage.prompts.set([Prompt("Translate", "Translate {text}")])
    stage.desk.add()

    with stage.qtbot.waitSignal(stage.talk.accepted, timeout=STALL):
        stage.panel.use_prompt(0)
    stage.desk.until_quiet()

    assert stage.desk.store.list()[0].title == "Translate: 6x4"


def test_what_is_said_gives_way_to_the_model_s_line_again(stage: Stage) -> None:
    stage.desk.add()
    stage.panel.set_model_line("a model", "muted")

    stage.panel.say("Something")
    stage.panel.set_model_line("another model", "muted")
    assert stage.panel.composer.status.text() == "Something"
    stage.panel._saying.timeout.emit()

    assert stage.panel.composer.status.text() == "another model"


def test_another_conversation_leaves_the_list_open(stage: Stage) -> None:
    stage.desk.add()
    page = QWidget()
    stage.panel.show_page(page)

    stage.talk.begin()

    assert not stage.panel.on_talk


@pytest.mark.parametrize("height", [480, 600, 800])
def test_nothing_overlaps_in_a_low_window(stage: Stage, height: int) -> None:
    picture = stage.desk.add()
    stage.talk.edit_text(picture, "今日は学校に行きませんでした。\n" * 8)
    stage.panel.show_all()
    stage.panel.resize(420, height)
    pane = stage.panel.pane
    stage.desk.until(lambda: pane.text.height() > 40)
    QTest.qWait(50)

    def place(part: QWidget) -> QRect:
        return QRect(part.mapTo(stage.panel, QPoint(0, 0)), part.size())

    parts = [pane.status, pane.text, pane.give_text, pane.copy, stage.panel.composer]
    shown = [place(part) for part in parts if part.isVisible()]
    for at, one in enumerate(shown):
        for other in shown[at + 1 :]:
            assert not one.intersects(other)
        assert one.bottom() <= stage.panel.height()
