"""Who opens the panel, with which picture, and what is told of the model before it is asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from core.conversation_types import TurnState
from core.engine import Engine
from core.errors import ClipboardFailed, ImageTooLarge, NothingInClipboard, StorageError
from core.history import History
from core.images import to_png
from core.paths import Paths
from core.settings import SettingsStore
from core.types import OcrResult, RgbImage
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

    def image(self) -> QImage | None:
        return self.picture

    def copy(self, text: str, done: Callable[[ClipboardFailed | None], None]) -> None:
        self.texts.append(text)
        done(None)


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
        screen = QGuiApplication.primaryScreen()
        return Reading(PICTURE, "snip", QRect(10, 10, 6, 4), screen, row=row, result=result)

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
    hint = stage.window.composer.hint
    stage.until(lambda: stage.desk.tasks.survey is not None)
    assert hint.isHidden()

    # When another one comes, then that is told, and the question can be asked all the same
    stage.controller.talk.add_picture(PICTURE, "file")
    stage.until(hint.isVisible)
    assert hint.text().startswith("tiny-llava looks at one picture at a time. Ask about each")
    assert not stage.window.composer.reason.isVisible()
    stage.window.composer.set_text("which is larger?")
    assert stage.window.composer.send.isEnabled()

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
    stage.until((tmp_path / "talk.json").exists)
    dialog.close()

    turns = json.loads((tmp_path / "talk.json").read_text("utf-8"))["turns"]
    assert turns[0]["text"] == "hello"
    stage.window.export_markdown.trigger()
    stage.controller._write_export(
        stage.history.conversations, stage.controller.talk.id or 0, "markdown", tmp_path / "no" / "talk.md"
    )
    stage.until(lambda: bool(stage.told.errors))
    assert isinstance(stage.told.errors[0], StorageError)


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
