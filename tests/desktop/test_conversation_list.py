"""The page with the conversations that were kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from core.chat import Answer, Finish
from core.conversation_types import ConversationRow
from core.errors import StorageError, YomitoriError
from core.history import History
from core.images import to_png
from core.search import find_spans
from core.types import OcrResult, RgbImage
from desktop.conversation_list import ConversationList
from desktop.conversation_model import PAGE, Row
from desktop.theme import Theme
from desktop.worker import Bridge

STALL = 30_000
PNG = to_png(RgbImage(40, 20, b"\xff\0\0" * 800))


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Stage:
    def __init__(self, qtbot: QtBot, app: QApplication, folder: Path) -> None:
        self.qtbot = qtbot
        self.history = History(folder / "history.sqlite3", Clock())
        self.bridge = Bridge()
        self.theme = Theme(app, "light")
        self.page: ConversationList | None = None
        self.opened: list[int] = []
        self.snips: list[int] = []
        self.gone: list[int] = []
        self.back = 0

    def talk(self, question: str, picture: bool = True) -> int:
        store = self.history.conversations
        conversation = store.create()
        if picture:
            store.add_picture(conversation, PNG, 40, 20, "snip")
        store.add_question(conversation, question)
        turn = store.begin_answer(conversation)
        assert turn is not None
        store.finish_answer(turn, Answer(f"about {question}", Finish.STOP, "llava", "tiny"))
        return conversation

    def snip(self, text: str) -> int:
        row = self.history.add_pending(PNG, 40, 20, "snip")
        self.history.finish(row, OcrResult(text, (), "fake", "cpu", 0.1))
        return row

    def show(self) -> ConversationList:
        page = ConversationList(self.history, self.theme, self.bridge)
        self.qtbot.addWidget(page)
        page.conversation_chosen.connect(self.opened.append)
        page.snip_chosen.connect(self.snips.append)
        page.deleted.connect(self.gone.extend)
        page.back_requested.connect(self._went_back)
        page.resize(400, 600)
        with self.qtbot.waitExposed(page):
            page.show()
        page.activateWindow()
        page.setFocus()
        self.page = page
        return page

    def _went_back(self) -> None:
        self.back += 1

    def titles(self) -> list[str]:
        assert self.page is not None
        model = self.page.model
        return [model.index(row).data() for row in range(model.rowCount())]

    def search(self, words: str) -> None:
        assert self.page is not None
        self.page.search.setText(words)
        self.qtbot.waitUntil(lambda: self.page is not None and self.page.model.query == words, timeout=STALL)

    def close(self) -> None:
        if self.page is not None:
            self.page.finish()
        self.bridge.close()
        self.history.close()


@pytest.fixture
def stage(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(qtbot, qapp, tmp_path)
    yield stage
    stage.close()


def test_the_last_one_comes_first_and_enter_opens_it(stage: Stage) -> None:
    first, second = stage.talk("first"), stage.talk("second")
    page = stage.show()
    assert stage.titles() == ["second", "first"]

    QTest.keyClick(page.search, Qt.Key.Key_Down)
    QTest.keyClick(page.list, Qt.Key.Key_Return)
    QTest.keyClick(page.list, Qt.Key.Key_Down)
    QTest.keyClick(page.list, Qt.Key.Key_Return)

    assert stage.opened == [second, first]


def test_a_click_opens(stage: Stage) -> None:
    row = stage.talk("first")
    page = stage.show()

    where = page.list.visualRect(page.model.index(0)).center()
    QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, pos=where)

    assert stage.opened == [row]


def test_the_search_finds_answers_and_snips(stage: Stage) -> None:
    stage.talk("other")
    talk, snip = stage.talk("学校に行く"), stage.snip("学校の帰り")
    page = stage.show()

    stage.search("学校")
    assert stage.titles() == ["学校の帰り", "学校に行く"]
    for row in (0, 1):
        page.list.setCurrentIndex(page.model.index(row))
        QTest.keyClick(page.list, Qt.Key.Key_Return)
    assert (stage.snips, stage.opened) == ([snip], [talk])

    stage.search("nothing like it")
    assert page.empty.isVisible()
    assert "nothing like it" in page.empty.text()


def test_an_empty_list_says_what_to_do(stage: Stage) -> None:
    page = stage.show()

    assert page.empty.isVisible()
    assert "Ask about a picture" in page.empty.text()


def test_a_deletion_can_be_taken_back(stage: Stage) -> None:
    row, other = stage.talk("first"), stage.talk("second")
    page = stage.show()
    page.list.setFocus()
    page.list.setCurrentIndex(page.model.index_of(row))

    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    assert stage.titles() == ["second"]
    assert stage.gone == [row]
    QTest.keyClick(page, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    assert stage.titles() == ["second", "first"]
    assert stage.history.conversations.get(row) is not None
    assert stage.history.conversations.get(other) is not None


def test_what_is_not_taken_back_is_gone_for_good(stage: Stage) -> None:
    row = stage.talk("first")
    page = stage.show()
    page.list.setFocus()

    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    page.finish()

    stage.qtbot.waitUntil(lambda: stage.history.conversations.get(row) is None, timeout=STALL)


def test_a_title_of_the_users_own(stage: Stage) -> None:
    row = stage.talk("first")
    page = stage.show()
    page.list.setFocus()

    QTest.keyClick(page.list, Qt.Key.Key_F2)
    field = page.list.findChild(QLineEdit)
    assert field is not None
    field.setText("My talk")
    QTest.keyClick(field, Qt.Key.Key_Return)

    stage.qtbot.waitUntil(lambda: stage.titles() == ["My talk"], timeout=STALL)
    kept = stage.history.conversations.get(row)
    assert kept is not None
    assert kept.title == "My talk"
    assert stage.opened == []


def test_its_menu_exports(stage: Stage) -> None:
    row = stage.talk("first")
    page = stage.show()
    exported: list[tuple[int, str]] = []
    page.export_requested.connect(lambda *told: exported.append(told))
    menu = page.menu(page.model.index(0))

    for action in menu.actions():
        if "Export" in action.text():
            action.trigger()

    assert exported == [(row, "markdown"), (row, "json")]
    menu.close()


def test_many_come_page_by_page(stage: Stage) -> None:
    for number in range(PAGE + 10):
        stage.talk(f"question {number}", picture=False)
    page = stage.show()
    assert page.model.rowCount() == PAGE

    page.list.scrollToBottom()
    page.model.fetchMore(page.list.rootIndex())

    assert len(set(stage.titles())) == PAGE + 10


def test_esc_leads_back(stage: Stage) -> None:
    page = stage.show()

    QTest.keyClick(page, Qt.Key.Key_Escape)

    assert stage.back == 1


def test_screen_readers_hear_title_time_and_number(stage: Stage) -> None:
    stage.talk("first")
    page = stage.show()

    told = page.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)

    assert told.startswith("first, ")
    assert told.endswith("1 question")


def test_a_new_title_leaves_the_keyboard_at_its_row(stage: Stage) -> None:
    for question in ("first", "second", "third"):
        stage.talk(question)
    page = stage.show()
    page.list.setFocus()
    page.list.setCurrentIndex(page.model.index(1))

    QTest.keyClick(page.list, Qt.Key.Key_F2)
    field = page.list.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "Mine")
    QTest.keyClick(field, Qt.Key.Key_Return)

    stage.qtbot.waitUntil(lambda: stage.titles() == ["third", "Mine", "first"], timeout=STALL)
    assert page.list.currentIndex().row() == 1


def test_an_empty_title_brings_the_first_question_back(stage: Stage) -> None:
    row = stage.talk("first")
    stage.history.conversations.rename(row, "Mine")
    page = stage.show()

    page.model.setData(page.model.index(0), "")

    assert stage.titles() == ["first"]


def test_what_comes_meanwhile_leaves_a_title_alone_that_is_being_written(stage: Stage) -> None:
    # Given a title that is half written
    stage.talk("first")
    page = stage.show()
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_F2)
    field = page.list.findChild(QLineEdit)
    assert field is not None
    QTest.keyClicks(field, "Half")

    # When another conversation comes, and something of the row is drawn anew
    stage.talk("second")
    page.refresh()
    page.model.dataChanged.emit(page.model.index(0), page.model.index(0))

    # Then it can be finished, and the other one is shown after that
    assert page.list.findChild(QLineEdit) is field
    QTest.keyClicks(field, " and whole")
    QTest.keyClick(field, Qt.Key.Key_Return)
    stage.qtbot.waitUntil(lambda: stage.titles() == ["second", "Half and whole"], timeout=STALL)


def test_a_menu_is_about_the_row_it_was_opened_for(stage: Stage) -> None:
    row = stage.talk("first")
    page = stage.show()
    menu = page.menu(page.model.index(0))
    # Given one that comes before it while the menu is open
    other = stage.talk("second")
    page.refresh()

    for action in menu.actions():
        if action.text() in ("Open", "Delete"):
            action.trigger()

    assert (stage.opened, stage.gone) == ([row], [row])
    assert stage.titles() == ["second"]
    assert stage.history.conversations.get(other) is not None


def test_a_press_that_is_led_to_another_row_opens_nothing(stage: Stage) -> None:
    stage.talk("first")
    stage.talk("second")
    page = stage.show()
    here, there = (page.list.visualRect(page.model.index(row)).center() for row in (0, 1))

    QTest.mousePress(page.list.viewport(), Qt.MouseButton.LeftButton, pos=here)
    QTest.mouseRelease(page.list.viewport(), Qt.MouseButton.LeftButton, pos=there)

    assert stage.opened == []


def test_a_double_click_opens_once(stage: Stage) -> None:
    row = stage.talk("first")
    page = stage.show()
    where = page.list.visualRect(page.model.index(0)).center()

    QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    QTest.mouseDClick(page.list.viewport(), Qt.MouseButton.LeftButton, pos=where)

    assert stage.opened == [row]


def test_esc_empties_the_search_before_it_leads_back(stage: Stage) -> None:
    stage.talk("first")
    page = stage.show()
    stage.search("first")

    QTest.keyClick(page.search, Qt.Key.Key_Escape)
    assert (page.search.text(), stage.back) == ("", 0)
    QTest.keyClick(page.search, Qt.Key.Key_Escape)

    assert stage.back == 1


def test_what_could_not_be_deleted_is_shown_again(stage: Stage) -> None:
    # Given a history that is closed by the time
    stage.talk("first")
    page = stage.show()
    page.list.setFocus()
    problems: list[YomitoriError] = []
    page.problem.connect(problems.append)
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    assert stage.titles() == []

    # When it cannot be deleted for good
    stage.history.close()
    page.finish()

    # Then the user hears of it, and the row is hidden no more
    stage.qtbot.waitUntil(lambda: bool(problems), timeout=STALL)
    assert isinstance(problems[0], StorageError)
    assert page.model.hidden == set()


def test_screen_readers_hear_what_was_found_and_deleted(stage: Stage) -> None:
    for question in ("学校に", "学校へ", "other"):
        stage.talk(question)
    page = stage.show()

    page.search.setText("学校")
    stage.qtbot.waitUntil(lambda: page.announcement == "2 found.", timeout=STALL)
    page.list.setFocus()
    QTest.keyClick(page.list, Qt.Key.Key_Delete)
    assert page.announcement == "1 conversation deleted."
    page.search.setText("nothing like it")

    stage.qtbot.waitUntil(lambda: "nothing like it" in page.announcement, timeout=STALL)


def test_a_snip_says_what_a_click_does(stage: Stage) -> None:
    stage.snip("学校の帰り")
    stage.talk("学校に行く")
    page = stage.show()
    stage.search("学校")
    page.list.clearSelection()
    page.list.setCurrentIndex(QModelIndex())
    accent = stage.theme.tokens.color("accent").rgb()

    def in_accent(row: int) -> int:
        rect = page.list.visualRect(page.model.index(row))
        image = page.list.viewport().grab(rect).toImage()
        right = range(image.width() * 2 // 3, image.width())
        return sum(image.pixel(x, y) == accent for x in right for y in range(image.height()))

    assert stage.titles() == ["学校に行く", "学校の帰り"]
    assert in_accent(0) == 0
    assert in_accent(1) > 0


def test_the_undo_key_takes_a_deletion_back_from_the_search_field_too(stage: Stage) -> None:
    row = stage.talk("first")
    stage.talk("other")
    page = stage.show()
    page.search.setFocus()
    QTest.keyClicks(page.search, "first")
    stage.qtbot.waitUntil(lambda: page.model.query == "first", timeout=STALL)
    page.list.setCurrentIndex(page.model.index_of(row))
    page.delete_current()
    assert page.undo_key.isVisible()
    assert page.undo_key.text() == "Ctrl+Z"

    # When its key is pressed where something was typed that could be taken back as well
    QTest.keyClick(page.search, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    # Then it is the deletion that is, and after that what was typed
    assert stage.titles() == ["first"]
    assert page.search.text() == "first"
    QTest.keyClick(page.search, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page.search.text() == ""


def test_a_title_is_written_beside_the_picture_and_above_the_facts(stage: Stage) -> None:
    stage.talk("first")
    page = stage.show()
    page.list.setFocus()

    QTest.keyClick(page.list, Qt.Key.Key_F2)

    field = page.list.findChild(QLineEdit)
    assert field is not None
    rect = page.list.visualRect(page.model.index(0))
    assert field.x() > rect.left() + 60
    assert field.y() >= rect.top()
    assert field.geometry().bottom() < rect.center().y() + 8
    assert field.geometry().right() < rect.right() - 28


def test_its_menu_shows_the_keys(stage: Stage) -> None:
    stage.talk("first")
    page = stage.show()
    menu = page.menu(page.model.index(0))

    shown = {
        action.text(): action.shortcut().toString()
        for action in menu.actions()
        if action.isShortcutVisibleInContextMenu() and not action.shortcut().isEmpty()
    }

    assert shown == {"Open": "Return", "Rename": "F2", "Delete": "Del"}
    menu.close()


def popups(page: ConversationList) -> list[QMenu]:
    return [menu for menu in page.findChildren(QMenu) if menu.isVisible()]


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard", extend=True)
def test_the_button_of_a_row_opens_its_menu_and_not_the_row(stage: Stage) -> None:
    stage.talk("first")
    row = stage.talk("second")
    page = stage.show()
    rect = page.list.visualRect(page.model.index_of(row))

    where = page.list.itemDelegate().button(rect).center()
    QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, pos=where)

    assert stage.opened == []
    [menu] = popups(page)
    next(action for action in menu.actions() if action.text() == "Delete").trigger()
    assert stage.gone == [row]
    menu.close()


def test_a_press_beside_the_button_that_is_led_to_it_does_nothing(stage: Stage) -> None:
    row = stage.talk("first")
    page = stage.show()
    rect = page.list.visualRect(page.model.index_of(row))

    QTest.mousePress(page.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    where = page.list.itemDelegate().button(rect).center()
    QTest.mouseRelease(page.list.viewport(), Qt.MouseButton.LeftButton, pos=where)

    assert (stage.opened, popups(page)) == ([], [])


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard", extend=True)
@pytest.mark.parametrize(
    ("key", "held"),
    [
        (Qt.Key.Key_Menu, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier),
    ],
)
def test_keys_open_the_menu_of_the_row(stage: Stage, key: Qt.Key, held: Qt.KeyboardModifier) -> None:
    row = stage.talk("first")
    stage.talk("second")
    page = stage.show()
    page.list.setFocus()
    page.list.setCurrentIndex(page.model.index_of(row))

    QTest.keyClick(page.list, key, held)

    [menu] = popups(page)
    next(action for action in menu.actions() if action.text() == "Open").trigger()
    assert stage.opened == [row]
    menu.close()


def test_what_was_found_is_shown_and_marked(stage: Stage) -> None:
    # Given one word that the title has, and one that only the answer has
    row = stage.talk("学校に行く")
    page = stage.show()
    soft = stage.theme.tokens.color("accent_soft").rgb()

    def marked(lower: bool) -> int:
        page.list.clearSelection()
        page.list.setCurrentIndex(QModelIndex())
        rect = page.list.visualRect(page.model.index_of(row))
        image = page.list.viewport().grab(rect).toImage()
        middle = image.height() // 2
        lines = range(middle + 4, image.height()) if lower else range(middle - 4)
        return sum(image.pixel(x, y) == soft for x in range(image.width()) for y in lines)

    assert page.model.passage(stage_row(page, row)) == ""
    stage.search("学校")
    assert page.model.passage(stage_row(page, row)) == ""
    assert marked(lower=False) > 20
    assert marked(lower=True) == 0

    stage.search("about")
    assert page.model.passage(stage_row(page, row)) == "about 学校に行く"
    assert marked(lower=True) > 20
    assert marked(lower=False) == 0
    told = page.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert told.startswith("学校に行く, about 学校に行く, ")


def test_rows_show_words_without_marks_and_mark_the_match(stage: Stage) -> None:
    # Given a question in Markdown; the model answers with "about" and the question
    row = stage.talk("# **学校** and `home`")
    page = stage.show()
    stage.search("home")
    kept = stage_row(page, row)
    assert isinstance(kept, ConversationRow)
    assert page.model.title(kept) == "学校 and home"
    assert find_spans(page.model.title(kept), "home") == [(7, 11)]

    stage.search("about home")
    passage = page.model.passage(kept)
    assert passage == "about # 学校 and home"
    assert [passage[start:end] for start, end in find_spans(passage, "about home")] == ["about", "home"]
    # And what is kept and written anew is what was asked
    assert page.model.index(0).data(Qt.ItemDataRole.EditRole) == kept.title == "# **学校** and `home`"


def test_a_match_far_behind_in_a_title_is_seen(stage: Stage) -> None:
    row = stage.talk("長" * 60 + "学校")
    page = stage.show()
    page.list.setCurrentIndex(QModelIndex())
    stage.search("学校")
    soft = stage.theme.tokens.color("accent_soft").rgb()

    image = page.list.viewport().grab(page.list.visualRect(page.model.index_of(row))).toImage()

    points = ((x, y) for x in range(image.width()) for y in range(image.height()))
    assert any(image.pixel(x, y) == soft for x, y in points)


def stage_row(page: ConversationList, row: int) -> Row:
    found = page.model.row(page.model.index_of(row))
    assert found is not None
    return found
