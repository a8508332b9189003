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
from core.errors import NotAnImage, OnePictureOnly
from core.presets import PresetLibrary
from core.prompts import Prompt, PromptLibrary
from core.settings import SettingsStore
from core.types import OcrResult
from desktop.chat_turn import QuestionTurn
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


def test_pasting_a_picture_into_a_question_that_is_written_anew_adds_it(stage: Stage) -> None:
    stage.desk.add()
    stage.ask("what is this")
    stage.desk.until_quiet()
    pasted: list[bool] = []
    stage.panel.paste_requested.connect(lambda: pasted.append(True))
    question = stage.panel.chat.part(stage.panel.chat.turns[0].id)
    question.edit.click()
    box = question.editor.box
    stage.qtbot.waitUntil(box.hasFocus)

    QGuiApplication.clipboard().setText(" here")
    stage.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert (box.toPlainText(), pasted) == ("what is this here", [])
    image = QImage(8, 2, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    stage.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert (box.toPlainText(), pasted) == ("what is this here", [True])


def test_who_read_the_text_is_told(stage: Stage) -> None:
    stage.desk.add()
    (shown,) = stage.talk.pictures

    for engine, told in (
        ("ppocr", "Text read by the built-in engine"),
        ("manga-ocr", "Text read by MangaOCR"),
    ):
        stage.talk.set_read(shown.picture.id, OcrResult("学校", (), engine, "cpu", 0.1), None)
        assert stage.panel.pane.status.text() == told


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


def test_an_edit_that_is_not_accepted_goes_on(stage: Stage) -> None:
    # Given an earlier question that was written anew, and a half-written new one
    stage.desk.add()
    for question in ("first", "second"):
        stage.ask(question)
        stage.desk.until_quiet()
    stage.panel.composer.set_text("draft")
    part = stage.panel.chat.part(stage.talk.turns[0].id)
    assert isinstance(part, QuestionTurn)
    part.edit.click()
    assert part.editor is not None
    QTest.keyClicks(part.editor.box, " and more")
    QTest.keyClick(part.editor.box, Qt.Key.Key_Return)

    # When the question before that is answered with Cancel, then it is still being written
    box_of(stage.panel).reject()
    assert part.edited == "first and more"
    assert stage.panel.focusWidget() is part.editor.box
    assert len(stage.talk.turns) == 4

    # When it is sent once more, and that is accepted
    QTest.keyClick(part.editor.box, Qt.Key.Key_Return)
    answer_yes(stage.panel)
    stage.desk.until(lambda: len(stage.talk.turns) == 2)
    stage.desk.until_quiet()

    # Then it is asked, the new one is still there, and so is the keyboard
    assert stage.answers()[0] == "first and more"
    assert stage.panel.chat.drafts == {}
    assert stage.panel.composer.text() == "draft"
    assert stage.panel.focusWidget() is stage.panel.composer.field


def test_while_an_answer_is_written_nothing_is_asked_anew(stage: Stage) -> None:
    stage.desk.settings.set("panel.give_text", False)
    stage.desk.add()
    stage.ask("first")
    stage.desk.until_quiet()
    question, answer = (turn.id for turn in stage.talk.turns)
    stage.ask("stream 100000 every 0.001")
    part = stage.panel.chat.part(question)
    assert isinstance(part, QuestionTurn)
    part.start_edit("other")

    stage.panel.chat.edit_requested.emit(question, "other")
    stage.panel.chat.regenerate_requested.emit(answer)

    # That is said, and what was written stays
    assert "stop it first" in stage.panel.notice.text()
    assert not [box for box in stage.panel.findChildren(QMessageBox) if box.isVisible()]
    assert part.edited == "other"
    stage.talk.stop()
    stage.desk.until_quiet()
    assert part.edited == "other"


def test_trying_again_after_attempts_that_came_to_nothing_asks_nothing(stage: Stage, tmp_path: Path) -> None:
    # Given an answer, and an attempt at another one that failed
    stage.desk.add()
    stage.ask("first")
    stage.desk.until_quiet()
    stage.desk.library.folder = None
    stage.desk.engine.unload()
    answer = stage.talk.turns[-1].id
    stage.panel.chat.regenerate_requested.emit(answer)
    stage.desk.until(lambda: len(stage.talk.turns) == 3)
    stage.desk.until_quiet()
    assert stage.talk.turns[-1].state is TurnState.FAILED

    # When either is tried again, then nothing is lost by that, so there is no question
    stage.desk.library.folder = tmp_path
    stage.panel.chat.regenerate_requested.emit(answer)
    stage.desk.until(lambda: len(stage.talk.turns) == 2 and not stage.talk.busy)
    assert [turn.state for turn in stage.panel.chat.turns] == [TurnState.DONE, TurnState.DONE]
    assert stage.panel.chat.turns[-1].id > answer


def test_of_several_pictures_the_last_one_can_be_taken_out_or_asked_about_alone(stage: Stage) -> None:
    # Given a model that looks at one picture at a time
    stage.panel.set_one_picture("tiny")
    stage.desk.add()
    composer = stage.panel.composer
    composer.set_text("Why?")
    assert composer.send.isEnabled()

    # When there are two, nothing can be sent until the last is taken out
    stage.desk.add()
    assert composer.several.isVisible()
    assert not composer.send.isEnabled()
    composer.several.take_out.click()
    assert len(stage.talk.pictures) == 1
    assert composer.send.isEnabled()

    # Or has a conversation of its own, to which the question goes along
    last, first = stage.desk.add(), stage.talk.id
    composer.several.part.click()
    stage.desk.until(lambda: stage.talk.id not in (None, first))
    assert [shown.picture.id for shown in stage.talk.pictures] != [last]
    assert len(stage.talk.pictures) == 1
    assert not composer.several.isVisible()
    assert composer.text() == "Why?"
    assert composer.send.isEnabled()


def test_an_edit_that_the_model_cannot_answer_is_refused_before_anything_goes(stage: Stage) -> None:
    stage.desk.add()
    stage.desk.add()
    for question in ("first", "second"):
        stage.ask(question)
        stage.desk.until_quiet()
    stage.panel.set_one_picture("tiny")

    stage.panel.chat.edit_requested.emit(stage.talk.turns[0].id, "other")

    assert [type(problem) for problem in stage.desk.problems] == [OnePictureOnly]
    assert not [box for box in stage.panel.findChildren(QMessageBox) if box.isVisible()]
    assert len(stage.talk.turns) == 4


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


def test_what_is_said_stands_beside_the_model_s_line(stage: Stage) -> None:
    stage.desk.add()
    stage.panel.set_model_line("a model", "muted")

    stage.panel.say("Something")
    stage.panel.set_model_line("another model", "muted")

    assert stage.panel.notice.text() == "Something"
    assert stage.panel.composer.status.text() == "another model"


def test_what_is_said_can_be_read_on_every_page(stage: Stage) -> None:
    stage.panel.say("Something")
    assert stage.panel.notice.isVisible()

    stage.panel.show_page(QWidget())
    assert stage.panel.notice.isVisible()
    assert not stage.panel.composer.isVisible()

    stage.desk.add()
    stage.panel.say("Something")
    stage.panel.show_talk()
    assert stage.panel.notice.isVisible()
    assert stage.panel.composer.isVisible()


def test_what_is_said_goes_with_what_it_was_about(stage: Stage) -> None:
    stage.panel.say("No picture")
    stage.desk.add()
    assert not stage.panel.notice.isVisible()

    stage.panel.say("No question")
    stage.ask("what is this")
    assert not stage.panel.notice.isVisible()
    stage.desk.until_quiet()

    stage.panel.say("Exported")
    stage.panel.new.trigger()
    assert not stage.panel.notice.isVisible()
    stage.desk.add()
    assert stage.panel.notice.text() == ""


def test_why_a_picture_cannot_be_shown_stays_to_be_read(stage: Stage, tmp_path: Path) -> None:
    stage.talk.problem.connect(lambda error: stage.panel.say(error.message, "bad"))
    (tmp_path / "no.png").write_bytes(b"no picture")

    stage.talk.add_file(tmp_path / "no.png")
    stage.desk.until(lambda: bool(stage.desk.problems))
    stage.desk.until(lambda: stage.talk.empty)

    assert "no.png" in stage.panel.notice.text()
    assert stage.panel.notice.isVisible()


def test_while_there_is_nothing_to_ask_about_keys_press_nothing(stage: Stage) -> None:
    snips: list[bool] = []
    stage.panel.snip_requested.connect(lambda: snips.append(True))
    stage.panel.take_focus()
    assert stage.panel.focusWidget() is stage.panel

    QTest.keyClicks(stage.panel.focusWidget(), "what is this ")
    stage.press(Qt.Key.Key_Return)
    assert not snips
    assert not stage.closed

    # Tab goes to the buttons, in the order in which they are seen
    reached = []
    for _ in range(3):
        stage.press(Qt.Key.Key_Tab)
        reached.append(stage.panel.focusWidget())
    assert reached == [stage.panel.new_snip, stage.panel.paste, stage.panel.more]


def test_a_new_conversation_leaves_no_button_with_the_keyboard(stage: Stage) -> None:
    stage.desk.add()
    assert stage.panel.focusWidget() is stage.panel.composer.field

    stage.panel.new.trigger()
    assert stage.panel.focusWidget() is stage.panel

    stage.desk.add()
    assert stage.panel.focusWidget() is stage.panel.composer.field
    QTest.mouseClick(stage.panel.new_snip, Qt.MouseButton.LeftButton)
    assert stage.panel.focusWidget() is stage.panel.composer.field


def test_a_new_conversation_is_shown_in_the_place_of_the_list(stage: Stage) -> None:
    stage.desk.add()
    stage.panel.show_page(QWidget())

    stage.panel.new.trigger()

    assert stage.panel.on_talk
    assert stage.panel.welcome.isVisible()


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


@pytest.mark.parametrize("size", [(320, 480), (320, 540), (420, 480), (420, 540)])
def test_what_is_in_the_way_of_asking_has_its_room_in_a_low_window(
    stage: Stage, size: tuple[int, int]
) -> None:
    # Given two pictures for a model that looks at one
    stage.desk.add()
    stage.desk.add()
    panel, pane, several = stage.panel, stage.panel.pane, stage.panel.composer.several
    panel.resize(*size)
    panel.set_one_picture("LLaVA 1.5 7B")
    QTest.qWait(50)

    # Then nothing is cut, and nothing lies on something else
    parts = [pane.strip, pane.status, pane.text, pane.give_text, pane.again, panel.chat]
    parts += [several.text, several.part, several.take_out, several.models]
    parts += [panel.composer.field, panel.composer.send]
    shown = [QRect(part.mapTo(panel, QPoint(0, 0)), part.size()) for part in parts if part.isVisible()]
    for at, one in enumerate(shown):
        assert not any(one.intersects(other) for other in shown[at + 1 :])
        assert panel.rect().contains(one)
    assert pane.height() >= pane.layout().totalHeightForWidth(pane.width())
    assert several.text.height() >= several.text.heightForWidth(several.text.width())
    for button in (several.part, several.take_out, several.models):
        inside = QRect(button.mapTo(several, QPoint(0, 0)), button.size())
        assert several.rect().contains(inside)
        assert button.height() >= button.sizeHint().height()
    # And what gave way comes back when a question can be asked
    gone = [pane.status, pane.give_text, pane.copy, pane.again]
    assert not any(part.isVisible() for part in (*gone, *panel.composer.chips.chips))
    panel.set_one_picture("")
    assert panel.composer.chips.chips[0].isVisible()
    assert all(part.isVisible() == (size[1] >= 540) for part in gone)
    panel.resize(size[0], 700)
    assert all(part.isVisible() for part in gone)
