"""Who opens the panel, with which picture, and what is told of the model before it is asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from core.conversation_types import TurnState
from core.engine import Engine
from core.errors import ClipboardFailed, ImageTooLarge, NothingInClipboard
from core.history import History
from core.images import to_png
from core.paths import Paths
from core.settings import SettingsStore
from core.types import OcrResult, RgbImage
from desktop.missing_model import MissingModel
from desktop.panel import Panel
from desktop.panel_controller import PanelController, Parts
from desktop.snip import Reading
from desktop.theme import Theme
from tests.support.asking_models import TINY_LLAVA, catalogue
from tests.support.chat_server import ChatServer
from tests.support.fake_engine import FAKE
from tests.support.fake_vision_engine import FAKE_VISION
from tests.support.models_desk import ModelsDesk, Told

STALL = 30_000
PICTURE = RgbImage(6, 4, b"\x80" * 72)


class FakeSnips(QObject):
    """What the panel knows of the controller of snips."""

    ask_requested = Signal(object)
    read = Signal(object, object, object)
    selecting_ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.history_paused = False
        self.asked = 0

    def snip(self, asks: bool = False) -> None:
        assert asks
        self.asked += 1


class FakeClipboard:
    def __init__(self) -> None:
        self.picture: QImage | None = None
        self.texts: list[str] = []
        self.problem: ClipboardFailed | None = None

    def image(self) -> QImage | None:
        return self.picture

    def copy(self, text: str, done: Callable[[ClipboardFailed | None], None]) -> None:
        if self.problem is None:
            self.texts.append(text)
        done(self.problem)


class Stage:
    def __init__(self, qtbot: QtBot, app: QApplication, settings: SettingsStore, folder: Path) -> None:
        self.qtbot = qtbot
        self.settings = settings
        settings.set("vision.model", str(TINY_LLAVA))
        self.desk = ModelsDesk(folder / "models", settings, catalogue=catalogue())
        self.engine = Engine(settings, folder / "log", engines=(FAKE, FAKE_VISION), library=self.desk.library)
        self.desk.bridge.watch(self.engine)
        self.history_path = folder / "data" / "history.sqlite3"
        self.history = History(self.history_path)
        self.snips = FakeSnips()
        self.clipboard = FakeClipboard()
        self.told = Told()
        self._app, self._folder = app, folder
        self.replace_history()

    def replace_history(self) -> None:
        """A controller of the history that is there now."""
        settings, folder = self.settings, self._folder
        self.controller = PanelController(
            Parts(
                self.engine,
                self.desk.bridge,
                settings,
                self.history,
                Paths.below(folder / "home"),
                Theme(self._app, "light"),
                self.told,
                lambda: self.clipboard,  # type: ignore[arg-type, return-value]
                self.desk.controller,
                self.snips,  # type: ignore[arg-type]
            ),
            "en",
        )

    def restart(self) -> None:
        """Yomitori ends, and begins with the same files."""
        self.controller.close()
        # What was given to write is written.
        written: list[bool] = []
        self.desk.bridge.run_in_order(lambda: None, lambda _, error: written.append(True))
        self.until(lambda: bool(written))
        self.controller.forget()
        self.history.close()
        self.history = History(self.history_path)
        self.snips = FakeSnips()
        self.replace_history()

    @property
    def window(self) -> Panel:
        assert self.controller.window is not None
        return self.controller.window

    @property
    def line(self) -> str:
        return self.window.composer.status.text()

    def reading(self, result: OcrResult | None = None) -> Reading:
        row = self.history.add_pending(to_png(PICTURE), 6, 4, "snip")
        if result is not None:
            self.history.finish(row, result)
        return Reading(PICTURE, "snip", QRect(10, 10, 6, 4), row=row, result=result)

    def until(self, right: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(right, timeout=STALL)

    def until_shown(self) -> None:
        self.until(lambda: len(self.controller.talk.pictures) == 1)

    def close(self) -> None:
        self.controller.close()
        self.engine.close()
        self.desk.close()
        self.controller.forget()
        self.history.close()


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(qtbot, qapp, settings, tmp_path)
    yield stage
    stage.close()


READ = OcrResult("学校", (), "fake", "cpu", 0.1)


def test_the_hotkey_opens_it_and_closes_it_again(stage: Stage) -> None:
    stage.controller.toggle()
    stage.until(stage.window.isActiveWindow)
    assert stage.window.welcome.isVisible()

    stage.controller.toggle()

    assert not stage.controller.is_open


def test_a_snip_that_was_read_comes_with_its_text(stage: Stage) -> None:
    reading = stage.reading(READ)
    assert reading.row is not None
    stage.history.update_text(reading.row, "学校だ")

    stage.snips.ask_requested.emit(reading)
    stage.until_shown()

    (shown,) = stage.controller.talk.pictures
    assert (shown.picture.text, shown.picture.snip) == ("学校だ", reading.row)
    assert shown.result == READ
    assert stage.window.composer.isVisible()


def test_the_text_of_a_snip_comes_when_it_is_read(stage: Stage) -> None:
    reading = stage.reading()
    stage.snips.ask_requested.emit(reading)
    # As the controller of snips does it: the job is there right after.
    reading.job = stage.engine.recognize(RgbImage(2, 2, b"\0\0\1" * 4))
    stage.until_shown()
    stage.until(lambda: stage.controller.talk.pictures[0].reading)

    reading.result = READ
    stage.snips.read.emit(reading, READ, None)

    assert stage.controller.talk.pictures[0].picture.text == "学校"
    reading.job.cancel()


def test_a_text_that_comes_before_the_picture_is_kept_is_not_lost(stage: Stage) -> None:
    reading = stage.reading()
    stage.snips.ask_requested.emit(reading)
    reading.result = READ
    stage.snips.read.emit(reading, READ, None)

    stage.until_shown()

    stage.until(lambda: stage.controller.talk.pictures[0].picture.text == "学校")


def test_each_snip_begins_a_conversation(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    first = stage.controller.talk.id

    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until(lambda: stage.controller.talk.id not in (None, first))

    assert len(stage.controller.talk.pictures) == 1


def test_the_picture_in_the_clipboard(stage: Stage) -> None:
    stage.controller.ask_clipboard()
    stage.clipboard.picture = QImage(20_000, 20_000, QImage.Format.Format_Mono)
    stage.controller.ask_clipboard()
    assert [type(error) for error in stage.told.errors] == [NothingInClipboard, ImageTooLarge]
    assert not stage.controller.is_open

    stage.clipboard.picture = QImage(6, 4, QImage.Format.Format_RGB32)
    stage.clipboard.picture.fill(Qt.GlobalColor.red)
    stage.controller.ask_clipboard()
    stage.until_shown()
    # In the panel, another one is added to the same conversation.
    stage.controller.paste()
    stage.until(lambda: len(stage.controller.talk.pictures) == 2)

    assert stage.history.conversations.count() == 1


def test_a_search_of_the_history_goes_on_in_the_list_of_conversations(stage: Stage) -> None:
    talks = stage.history.conversations
    for question in ("学校は何時から？", "海はどこ？"):
        talks.add_question(talks.create(), question)

    stage.controller.find_conversations("学校")

    page = stage.controller._list
    assert page is not None
    assert stage.window.pages.currentWidget() is page
    assert (page.search.text(), page.model.query, page.model.rowCount()) == ("学校", "学校", 1)
    # And while it is open, another one
    stage.controller.find_conversations("海")
    assert (page.search.text(), page.model.rowCount()) == ("海", 1)


def test_several_pictures_for_a_model_that_looks_at_one_are_told_before_the_question(
    stage: Stage, tmp_path: Path
) -> None:
    # Given a conversation with one picture, and a model that looks at one
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    hint = stage.window.composer.several
    stage.until(lambda: stage.desk.tasks.survey is not None)
    assert hint.isHidden()

    # When another one comes, then that is told, and the question cannot be asked yet
    stage.controller.talk.add_picture(PICTURE, "file")
    stage.until(hint.isVisible)
    assert hint.text.text().startswith("tiny-llava looks at one picture at a time. Ask about each")
    stage.window.composer.set_text("which is larger?")
    assert not stage.window.composer.send.isEnabled()

    # And not of a server, nor of a model of which nobody knows
    stage.settings.set("vision.backend", "remote")
    assert hint.isHidden()
    stage.settings.set("vision.backend", "local")
    stage.until(hint.isVisible)
    other = tmp_path / "other"
    shutil.copytree(TINY_LLAVA, other)
    config = json.loads((other / "config.json").read_text("utf-8"))
    (other / "config.json").write_text(json.dumps(config | {"model_type": "llava_onevision"}), "utf-8")
    stage.settings.set("vision.model", str(other))
    stage.until(hint.isHidden)
    (other / "config.json").write_text(json.dumps(config | {"model_type": "somebody_s_own"}), "utf-8")
    stage.desk.tasks.look()
    stage.until(lambda: not stage.desk.tasks.survey.asking.here)
    assert hint.isHidden()
    stage.settings.set("vision.model", str(TINY_LLAVA))
    stage.until(hint.isVisible)

    # When one of them is taken out again, then there is nothing to tell
    stage.controller.talk.remove_picture(stage.controller.talk.pictures[0].picture.id)
    assert hint.isHidden()


def test_a_snip_of_the_history(stage: Stage) -> None:
    row = stage.reading(READ).row
    assert row is not None

    stage.controller.ask_about_row(row)
    stage.until_shown()

    assert stage.controller.talk.text() == "学校"


def test_what_was_written_stays_while_the_window_is_closed(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    stage.window.composer.set_text("why th")
    stage.window.close()
    stage.until(lambda: not stage.controller.is_open)

    stage.controller.show()

    assert stage.window.composer.text() == "why th"


def test_it_opens_again_after_a_window_that_asked_for_its_screen_has_gone(stage: Stage) -> None:
    # Given a snip, and whatever was known of screens then
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    known = QGuiApplication.primaryScreen()
    # When a window that has asked for its screen is deleted, and every reference to the screen with it
    other = QWidget()
    assert other.screen() is known
    delete(other)
    assert not isValid(known)
    stage.controller.toggle()
    stage.until(lambda: not stage.controller.is_open)

    stage.controller.toggle()

    assert stage.window.isVisible()


def test_what_was_copied_is_said_where_it_was_asked_for(stage: Stage) -> None:
    store = stage.history.conversations
    conversation = store.create()
    store.add_question(conversation, "why?")
    turn = store.begin_answer(conversation)
    assert turn is not None
    store.stop_answer(turn, "because")
    stage.controller.open_conversation(conversation)
    stage.until(lambda: len(stage.controller.talk.turns) == 2)
    stage.until(stage.window.isActiveWindow)
    part = stage.window.chat.part(turn)

    # On the button that was pressed
    part.copy.click()
    assert stage.clipboard.texts == ["because"]
    assert part.copy.text() == "Copied ✓"
    assert stage.window.notice.isHidden()
    # And where there is none, in words
    stage.window.copy_all.trigger()
    assert stage.clipboard.texts == ["because"] * 2
    assert stage.window.notice.text() == "Copied to the clipboard"
    # A copy that failed is told there, too
    stage.clipboard.problem = ClipboardFailed(reason="it is busy")
    stage.window.copy_all.trigger()
    assert "it is busy" in stage.window.notice.text()
    assert stage.told.errors == []


def test_a_paused_history_keeps_no_conversation(stage: Stage) -> None:
    stage.snips.history_paused = True

    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()

    assert stage.history.conversations.count() == 0


def test_need_and_room_are_told_before_the_model_is_loaded(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()

    stage.until(lambda: "needs" in stage.line)
    assert "tiny-llava" in stage.line
    assert "free on CPU" in stage.line
    assert "tokens/s" not in stage.line


def test_a_server_s_line_says_where_pictures_go_and_the_engine_holds_it_to_that(stage: Stage) -> None:
    with ChatServer() as server:
        stage.settings.set("vision.server_url", server.base_url)
        stage.settings.set("vision.server_model", "owner/big")
        stage.settings.set("vision.backend", "remote")
        stage.snips.ask_requested.emit(stage.reading(READ))
        stage.until_shown()

        stage.until(lambda: "pictures stay on this computer" in stage.line)
        assert stage.line.startswith("big · ")
        stage.settings.set("vision.server_url", "http://192.0.2.1:9/v1")
        stage.until(lambda: "pictures leave this computer" in stage.line)
        assert server.requests == []


def test_an_export_is_written_where_the_user_says(stage: Stage, tmp_path: Path) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    with stage.qtbot.waitSignal(stage.controller.talk.accepted, timeout=STALL):
        stage.controller.talk.ask("hello")
    stage.until(lambda: stage.controller.talk.turns[-1].state is TurnState.DONE)

    stage.window.export_json.trigger()
    dialog = stage.window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.defaultSuffix() == "json"
    dialog.fileSelected.emit(str(tmp_path / "talk.json"))
    # Told in the panel, whichever window is active then
    stage.until(stage.window.saved.isVisible)
    assert "talk.json" in stage.window.saved.text.text().replace("\u200b", "")
    assert stage.told.messages == []
    dialog.close()

    turns = json.loads((tmp_path / "talk.json").read_text("utf-8"))["turns"]
    assert turns[0]["text"] == "hello"
    stage.window.export_markdown.trigger()
    dialog = next(each for each in stage.window.findChildren(QFileDialog) if each.isVisible())
    dialog.fileSelected.emit(str(tmp_path / "no" / "talk.md"))
    dialog.close()
    stage.until(lambda: "cannot be used" in stage.window.notice.text())
    assert stage.told.errors == []


def test_the_list_opens_what_is_chosen(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    first = stage.controller.talk.id
    assert first is not None
    stage.window.new.trigger()

    stage.window.earlier.trigger()
    assert not stage.window.on_talk
    stage.controller.open_conversation(first)

    stage.until(lambda: stage.controller.talk.id == first)
    assert stage.window.on_talk


def test_a_finished_conversation_is_shown_again_after_a_restart(stage: Stage) -> None:
    # Given one that was opened from among several, and is not the last one that changed
    store = stage.history.conversations
    older, newer = store.create(), store.create()
    for conversation in (older, newer):
        store.add_question(conversation, "why?")
    stage.controller.open_conversation(older)
    stage.until(lambda: stage.controller.talk.id == older)
    stage.controller.show()
    stage.window.composer.field.insertPlainText("半分だけ")

    stage.restart()
    assert stage.controller._talk is None
    stage.controller.show()

    # Then with what was half written
    stage.until(lambda: stage.controller.talk.id == older)
    assert stage.window.chat.isVisible()
    assert stage.window.composer.field.hasFocus()
    assert stage.window.composer.text() == "半分だけ"


def test_a_new_conversation_is_still_a_new_one_after_a_restart(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    stage.window.new.trigger()

    stage.restart()
    stage.controller.show()

    assert stage.controller._left.conversation is None
    assert stage.controller.talk.empty
    assert stage.window.welcome.isVisible()
    assert stage.window.focusWidget() is stage.window


def test_a_snip_after_a_restart_begins_a_conversation(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    first = stage.controller.talk.id

    stage.restart()
    stage.snips.ask_requested.emit(stage.reading(READ))

    stage.until_shown()
    assert stage.controller.talk.id != first
    assert len(stage.history.conversations.get(first or 0).pictures) == 1  # type: ignore[union-attr]


def test_one_that_was_deleted_is_not_looked_for_after_a_restart(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    conversation = stage.controller.talk.id
    assert conversation is not None
    stage.restart()
    stage.history.conversations.delete([conversation])

    stage.controller.show()

    assert stage.controller._left.conversation == conversation
    stage.qtbot.wait(100)
    assert stage.controller.talk.empty
    assert not stage.told.errors


def test_one_that_lived_in_memory_is_not_confused_with_one_of_the_history(stage: Stage) -> None:
    kept = stage.history.conversations.create()
    stage.history.conversations.add_question(kept, "why?")
    stage.snips.history_paused = True
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()

    stage.restart()
    stage.controller.show()

    assert stage.controller._left.conversation is None
    assert stage.controller.talk.empty


def test_without_a_model_one_thing_is_said_once(stage: Stage) -> None:
    # Given a question for which no model is here
    stage.settings.set("vision.model", "auto")
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    window = stage.window
    missing = window.findChild(MissingModel)
    assert missing is not None
    stage.until(missing.isVisible)
    window.composer.set_text("what is this")

    # Then the model is named where it can be had, and nowhere else
    shown = [label.text() for label in window.findChildren(QLabel) if label.isVisible() and label.text()]
    assert [text for text in shown if "Tiny LLaVA" in text] == [missing.text.text()]
    assert stage.line == ""
    assert not [text for text in shown if "loaded when you ask" in text]

    # And what was written waits for it
    assert not window.composer.send.isEnabled()
    assert window.composer.reason.text() == "You can send it once the model is here."
    stage.settings.set("vision.model", str(TINY_LLAVA))
    stage.until(window.composer.send.isEnabled)
    assert window.composer.text() == "what is this"
    stage.until(lambda: "needs" in stage.line)


def test_that_a_model_was_missing_is_not_said_any_more_once_it_is_here(stage: Stage) -> None:
    # Given a question that failed for want of a model
    stage.settings.set("vision.model", "auto")
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()
    stage.controller.talk.ask("what is this")
    stage.until(lambda: bool(stage.controller.talk.turns) and not stage.controller.talk.busy)
    assert stage.controller.talk.turns[-1].state is TurnState.FAILED

    stage.settings.set("vision.model", str(TINY_LLAVA))

    stage.until(lambda: stage.line.startswith("tiny-llava"))


def test_a_window_that_opens_again_does_not_cover_what_it_talks_about(stage: Stage) -> None:
    stage.settings.set("panel.width", 320)
    room = QGuiApplication.primaryScreen().availableGeometry()
    reading = stage.reading(READ)
    reading.anchor = QRect(room.right() - 100, room.top() + 10, 90, 90)
    stage.snips.ask_requested.emit(reading)
    stage.until_shown()
    stage.until(lambda: stage.window.frameGeometry().left() == room.left())

    stage.window.close()
    stage.until(lambda: not stage.controller.is_open)
    stage.controller.show()

    stage.until(lambda: stage.window.frameGeometry().left() == room.left())


def test_the_panel_goes_out_of_the_way_of_its_own_snip(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()

    stage.window.new_snip.click()
    assert not stage.window.isVisible()
    stage.until(lambda: stage.snips.asked == 1)
    stage.snips.selecting_ended.emit()

    assert stage.window.isVisible()


def test_a_snip_can_be_added_to_the_open_conversation(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()

    stage.window.add_snip.trigger()
    stage.until(lambda: stage.snips.asked == 1)
    stage.snips.ask_requested.emit(stage.reading(READ))

    stage.until(lambda: len(stage.controller.talk.pictures) == 2)
    assert stage.history.conversations.count() == 1


def test_what_a_crash_cut_off_is_opened_first(stage: Stage) -> None:
    store = stage.history.conversations
    conversation = store.create()
    store.add_question(conversation, "why?")
    assert store.begin_answer(conversation) is not None
    stage.history.close()
    stage.history = History(stage.history_path)
    stage.replace_history()

    stage.controller.show()

    stage.until(lambda: stage.controller.talk.id == conversation)
    assert stage.controller.talk.turns[-1].state is TurnState.INTERRUPTED


def test_the_open_conversation_is_deleted_from_the_menu(stage: Stage) -> None:
    stage.snips.ask_requested.emit(stage.reading(READ))
    stage.until_shown()

    stage.window.delete_requested.emit()

    stage.until(lambda: stage.history.conversations.count() == 0)
    assert stage.controller.talk.id is None
    assert stage.window.welcome.isVisible()
