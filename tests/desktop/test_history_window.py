"""The history window, with real rows, keys and mouse."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu, QMessageBox, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from core.errors import HistoryDamaged, ProcessDied
from core.history import History, State
from core.images import to_png
from core.types import OcrResult, RgbImage
from desktop.ask import ask
from desktop.history_model import PAGE, when_text
from desktop.history_pictures import Pictures
from desktop.history_window import HistoryWindow
from desktop.theme import Theme
from desktop.worker import Bridge

GREEN = to_png(RgbImage(60, 90, bytes((0, 200, 0)) * 60 * 90))


def add(history: History, text: str) -> int:
    row = history.add_pending(GREEN, 60, 90, "snip")
    history.finish(row, OcrResult(text, (), "Built-in", "cpu", 0.1))
    return row


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    store = History(tmp_path / "history.sqlite3")
    yield store
    store.close()


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def bridge(qapp: QApplication) -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


@pytest.fixture
def window(history: History, theme: Theme, bridge: Bridge, qtbot: QtBot) -> Iterator[HistoryWindow]:
    shown = HistoryWindow(history, theme, bridge)
    shown.set_hotkey("Ctrl+Alt+S")
    shown.show()
    qtbot.waitExposed(shown)
    yield shown
    if isValid(shown):
        shown.close()


def texts(window: HistoryWindow) -> list[str]:
    model = window.model
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def search(window: HistoryWindow, qtbot: QtBot, query: str) -> None:
    window.search.setText(query)
    qtbot.waitUntil(lambda: window.model.query == query)


def press_button(window: HistoryWindow, qtbot: QtBot, position: int, name: str) -> None:
    index = window.model.index(position)
    row = window.model.row(index)
    assert row is not None
    rect, _ = window.list.delegate.buttons(row, window.list.visualRect(index), window.list.font())[name]
    qtbot.mouseClick(window.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def test_an_empty_history_tells_how_to_begin(window: HistoryWindow) -> None:
    assert window.empty.isVisible()
    assert window.empty.text() == "Nothing here yet. Press Ctrl+Alt+S and drag over some text."
    assert not window.clear_all.isEnabled()


def test_a_search_tells_of_conversations_that_it_finds(
    window: HistoryWindow, history: History, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a snip and two conversations
    add(history, "学校の帰り")
    talks = history.conversations
    for question in ("学校は何時から？", "学校はどこ？"):
        talks.add_question(talks.create(), question)
    window.refresh()
    assert not window.others.isVisible()
    # When both kinds are found
    search(window, qtbot, "学校")
    assert (texts(window), window.others_text.text()) == (["学校の帰り"], "2 conversations match.")
    asked: list[str] = []
    window.conversations_requested.connect(asked.append)
    # Then Tab leads from the search to the way there, and Enter goes it
    window.search.setFocus()
    for _ in range(9):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        if window.focusWidget() is window.others_show:
            break
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert asked == ["学校"]
    # And without a snip that is found they stand in the place of the list, and only there
    search(window, qtbot, "何時")
    assert window.empty.isVisible()
    assert window.empty.text() == "No snip matches “何時”.\n1 conversation matches."
    assert not window.others.isVisible()
    window.search.setFocus()
    for _ in range(9):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        if window.focusWidget() is window.found_show:
            break
    assert window.found_show.accessibleDescription() == "1 conversation matches."
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert asked == ["学校", "何時"]
    # Many are not counted to the end
    monkeypatch.setattr("desktop.history_window._COUNTED", 1)
    search(window, qtbot, "学校")
    assert window.others_text.text() == "More than 1 conversations match."
    # And where none is found the keyboard is not left behind
    window.others_show.setFocus()
    search(window, qtbot, "帰り")
    assert not window.others.isVisible()
    assert window.focusWidget() is window.search


def test_typing_finds_rows_and_says_when_there_are_none(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    # Given three snips, newest first
    for text in ("学校の帰り", "どこへ行くの？", "今日は学校に"):
        add(history, text)
    window.refresh()
    assert texts(window) == ["今日は学校に", "どこへ行くの？", "学校の帰り"]
    # When part of the text is typed, as an input method does
    window.search.setFocus()
    window.search.insert("学校")
    # Then only what contains it is left
    qtbot.waitUntil(lambda: texts(window) == ["今日は学校に", "学校の帰り"])
    search(window, qtbot, "んん")
    assert window.empty.isVisible()
    assert window.empty.text() == "Nothing found for “んん”."
    assert not window.found_show.isVisible()
    # And Esc in the window brings all back
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(texts(window)) == 3)
    assert window.list.isVisible()


def test_the_match_is_marked_in_the_row(window: HistoryWindow, history: History, qtbot: QtBot) -> None:
    add(history, "長" * 200 + "学校")
    window.refresh()

    def marked() -> int:
        image = window.list.grab().toImage()
        soft = window.list.delegate._theme.tokens.color("accent_soft").rgb()
        points = ((x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))
        return sum(image.pixel(x, y) == soft for x, y in points)

    before = marked()
    search(window, qtbot, "学校")
    assert marked() > before + 50


def test_a_row_is_copied_with_its_button_and_with_keys(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校\nへ")
    window.refresh()
    with qtbot.waitSignal(window.copy_requested) as button:
        press_button(window, qtbot, 0, "copy")
    assert button.args == ["学校\nへ"]
    window.list.setFocus()
    window.list.setCurrentIndex(window.model.index(0))
    with qtbot.waitSignal(window.copy_requested) as keys:
        qtbot.keyClick(window.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert keys.args == ["学校\nへ"]
    with qtbot.waitSignal(window.copy_requested):
        qtbot.keyClick(window.list, Qt.Key.Key_Return)


def test_a_failed_row_says_why_and_offers_a_retry(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    row = history.add_pending(GREEN, 60, 90, "snip")
    window.refresh()
    assert texts(window) == ["Reading…"]
    history.fail(row, ProcessDied(reason="signal 9"))
    window.refresh()
    assert "signal 9" in texts(window)[0]
    with qtbot.waitSignal(window.reread_requested) as retried:
        press_button(window, qtbot, 0, "reread")
    assert retried.args == [row]
    # The detail says the same and offers the same
    assert window.detail.error.isVisible()
    assert not window.detail.copy.isVisible()
    assert window.detail.reread.text() == "Retry"


def test_a_selected_row_is_shown_larger_with_its_text_to_select(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    row = add(history, "学校")
    window.refresh()
    assert not window.detail.isVisible()
    window.list.setCurrentIndex(window.model.index(0))
    assert window.detail.isVisible()
    assert window.detail.text.toPlainText() == "学校"
    assert window.detail.text.isReadOnly()
    qtbot.waitUntil(lambda: not window.detail.picture._image.isNull())
    with qtbot.waitSignal(window.copy_image_requested) as image:
        window.detail.copy_image.click()
    assert image.args == [GREEN]
    with qtbot.waitSignal(window.reread_requested) as reread:
        window.detail.reread.click()
    assert reread.args == [row]
    # When its text changes, the detail follows
    history.update_text(row, "学院")
    window.refresh()
    assert window.detail.text.toPlainText() == "学院"
    assert "edited" in window.detail.facts.text()


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard")
def test_the_menu_of_a_row_copies_reads_again_and_deletes(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校")
    window.refresh()
    press_button(window, qtbot, 0, "menu")
    menu = window.findChild(QMenu)
    assert menu is not None
    assert [a.text() for a in menu.actions() if not a.isSeparator()] == [
        "Copy",
        "Copy image",
        "Read again",
        "Ask about it",
        "Delete",
    ]
    menu.actions()[-1].trigger()
    menu.close()
    assert window.model.rowCount() == 0
    window.close()
    qtbot.waitUntil(lambda: history.count() == 0)


def answer(name: str, seen: list[str]) -> None:
    """Press the button called ``name`` in the question that comes up."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        seen.append(box.text())
        (button,) = [b for b in box.buttons() if b.text().replace("&", "") == name]
        button.click()

    QTimer.singleShot(50, press)


def test_what_was_deleted_can_be_taken_back_for_a_while(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    for number in range(4):
        add(history, f"{number}番")
    window.refresh()
    window.list.setFocus()
    window.list.setCurrentIndex(window.model.index(0))
    qtbot.keyClick(window.list, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    # When two are deleted, they go from the list, and nothing is lost yet
    qtbot.keyClick(window.list, Qt.Key.Key_Delete)
    assert texts(window) == ["1番", "0番"]
    assert window.undo_text.text() == "2 snips deleted."
    assert history.count() == 4
    # And a key brings them back
    qtbot.keyClick(window.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert texts(window) == ["3番", "2番", "1番", "0番"]
    assert not window.undo_bar.isVisible()
    # As does the button, for all that was deleted since
    window.list.go_to(0)
    qtbot.keyClick(window.list, Qt.Key.Key_Delete)
    qtbot.keyClick(window.list, Qt.Key.Key_Delete)
    assert texts(window) == ["1番", "0番"]
    qtbot.mouseClick(window.undo, Qt.MouseButton.LeftButton)
    assert texts(window) == ["3番", "2番", "1番", "0番"]
    assert window.list.currentIndex().row() == 0
    # When the time is over, they are gone for good
    qtbot.keyClick(window.list, Qt.Key.Key_Delete)
    window._grace.setInterval(0)
    window._grace.start()
    qtbot.waitUntil(lambda: history.count() == 3)
    qtbot.waitUntil(lambda: not window.model.hidden)
    assert not window.undo_bar.isVisible()
    assert texts(window) == ["2番", "1番", "0番"]


def test_clear_all_asks_first(window: HistoryWindow, history: History, qtbot: QtBot) -> None:
    add(history, "学校")
    window.refresh()
    seen: list[str] = []
    answer("Cancel", seen)
    window.clear_all.click()
    assert history.count() == 1
    answer("Delete all", seen)
    window.clear_all.click()
    qtbot.waitUntil(lambda: window.model.rowCount() == 0)
    assert history.count() == 0
    assert window.empty.isVisible()


def test_many_rows_come_page_by_page_and_pictures_only_for_what_is_seen(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    for number in range(PAGE + 30):
        add(history, f"{number}番")
    window.refresh()
    qtbot.waitUntil(lambda: len(window.model.thumbnails.kept) > 0)
    assert window.model.rowCount() == PAGE
    assert len(window.model.thumbnails.kept) < 20
    # When the list is scrolled to its end, the rest comes
    window.list.scrollToBottom()
    qtbot.waitUntil(lambda: window.model.rowCount() == PAGE + 30)
    window.list.scrollToBottom()
    assert texts(window)[-1] == "0番"
    # And a refresh keeps the place and the selection
    window.list.setCurrentIndex(window.model.index(PAGE + 20))
    place = window.list.verticalScrollBar().value()
    window.refresh()
    assert window.model.rowCount() == PAGE + 30
    assert window.list.verticalScrollBar().value() == place
    assert window.list.currentIndex().row() == PAGE + 20
    assert window.detail.isVisible()


def test_a_picture_that_cannot_be_decoded_is_left_blank(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    row = history.add_pending(b"no picture", 1, 1, "snip")
    window.refresh()
    qtbot.waitUntil(lambda: row in window.model.thumbnails.kept)
    assert window.model.thumbnails.kept[row].isNull()


def test_everything_can_be_reached_with_tab_and_has_a_name(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校")
    window.refresh()
    window.list.setCurrentIndex(window.model.index(0))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.search.setFocus()
    order = []
    for _ in range(9):
        focused = QApplication.focusWidget()
        order.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    detail = window.detail
    assert order == [
        window.search,
        window.clear_all,
        window.list,
        detail.text,
        detail.copy,
        detail.copy_image,
        detail.ask,
        detail.reread,
        detail.delete,
    ]
    for widget in order:
        assert isinstance(widget, QLineEdit | QPlainTextEdit | QPushButton) or widget is window.list
        assert widget.accessibleName() or isinstance(widget, QPushButton)
    spoken = window.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("学校, ")
    assert "Built-in" in spoken


def test_the_find_key_goes_to_the_search_field(window: HistoryWindow, history: History, qtbot: QtBot) -> None:
    add(history, "学校")
    window.refresh()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.list.setFocus()
    qtbot.keyClick(window.list, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert window.search.hasFocus()


def test_closing_frees_the_window_and_finishes_deletions(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校")
    window.refresh()
    window.list.setCurrentIndex(window.model.index(0))
    window.delete_selected()
    with qtbot.waitSignal(window.destroyed):
        window.close()
    assert history.count() == 0


def test_a_deletion_that_fails_is_reported_although_the_window_was_closed(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校")
    window.refresh()
    window.list.setCurrentIndex(window.model.index(0))
    history.close()
    window.delete_selected()
    said: list[str] = []
    window.problem.connect(lambda error: said.append(str(error)))
    window.close()
    assert not window.isVisible()
    qtbot.waitUntil(lambda: not isValid(window))
    assert "closed" in said[0]


def test_a_window_opened_again_while_it_deletes_stays(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    for text in ("学校", "駅前"):
        add(history, text)
    window.refresh()
    window.list.setCurrentIndex(window.model.index(0))
    window.delete_selected()
    window.close()
    window.show()
    qtbot.waitUntil(lambda: texts(window) == ["学校"])
    assert window.isVisible()


def test_the_picture_that_is_looked_at_comes_before_those_that_wait(
    history: History, bridge: Bridge, qtbot: QtBot
) -> None:
    rows = [add(history, f"{number}番") for number in range(5)]
    pictures = Pictures(history, bridge)
    told: list[int] = []
    for row in rows:
        pictures.ask(row, lambda picture, _, row=row: told.append(row), first=row == rows[-1])
    qtbot.waitUntil(lambda: len(told) == 5)
    # The first had been begun
    assert told == [rows[0], rows[4], *rows[1:4]]


def test_nobody_hears_of_pictures_after_the_end(history: History, bridge: Bridge, qtbot: QtBot) -> None:
    pictures = Pictures(history, bridge)
    told: list[object] = []
    for row in [add(history, f"{number}番") for number in range(5)]:
        pictures.ask(row, lambda *answer: told.append(answer))
    pictures.close()
    # When the one that was begun has come, too
    qtbot.waitUntil(lambda: not pictures._busy)
    assert told == []


def test_a_history_that_fails_is_reported_and_the_window_lives(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校")
    window.refresh()
    history.close()
    with qtbot.waitSignal(window.problem) as problem:
        window.refresh()
    assert "closed" in str(problem.args[0])
    assert window.empty.isVisible()


def test_a_damaged_picture_is_said_once_and_the_new_history_shown(
    tmp_path: Path, theme: Theme, bridge: Bridge, qtbot: QtBot
) -> None:
    # Given a history with one picture whose chain of pages was broken behind its back
    noise = to_png(RgbImage(100, 100, os.urandom(30_000)))
    path = tmp_path / "damaged" / "history.sqlite3"
    store = History(path)
    store.add_pending(noise, 100, 100, "snip")
    store.close()
    whole = bytearray(path.read_bytes())
    page = whole.index(noise[:60]) // 4096 * 4096
    whole[page : page + 4] = b"\xff" * 4
    path.write_bytes(whole)
    store = History(path)
    # When its row is shown
    window = HistoryWindow(store, theme, bridge)
    said: list[object] = []
    window.problem.connect(said.append)
    assert window.model.rowCount() == 1
    window.show()
    # Then the user hears it, and sees what there is now
    qtbot.waitUntil(window.empty.isVisible)
    assert [type(error) for error in said] == [HistoryDamaged]
    add(store, "新しい")
    window.refresh()
    assert texts(window) == ["新しい"]
    window.close()
    store.close()


def test_the_date_is_told_unless_it_is_today() -> None:
    locale = QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom)
    moment = datetime(2026, 3, 5, 14, 2)
    assert when_text(moment.timestamp(), locale, datetime(2026, 3, 5, 20, 0)) == "14:02"
    assert when_text(moment.timestamp(), locale, datetime(2026, 3, 6)) == "05/03/2026 14:02"


def test_rows_are_painted_in_light_and_dark(window: HistoryWindow, history: History, theme: Theme) -> None:
    add(history, "学校")
    row = history.add_pending(GREEN, 60, 90, "snip")
    history.fail(row, ProcessDied(reason="x"))
    window.refresh()
    images: list[QImage] = []
    for choice in ("light", "dark"):
        theme.set_choice(choice)
        window.list.setCurrentIndex(window.model.index(0))
        images.append(window.grab().toImage())
    corner = QPoint(window.width() - 3, window.height() - 3)
    assert images[0].pixelColor(corner).lightness() > 200
    assert images[1].pixelColor(corner).lightness() < 60
    assert [kept.state for kept in history.list()] == [State.FAILED, State.DONE]


def test_the_delete_key_goes_on_with_the_next_row(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    for number in range(4):
        add(history, f"{number}番")
    window.refresh()
    window.list.setFocus()
    window.list.go_to(1)
    qtbot.keyClick(window.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: texts(window) == ["3番", "1番", "0番"])
    qtbot.waitUntil(lambda: window.list.currentIndex().row() == 1)
    qtbot.keyClick(window.list, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: texts(window) == ["3番", "0番"])


def test_down_and_enter_lead_from_the_search_to_what_it_found(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    for text in ("駅前で", "学校で", "駅へ"):
        add(history, text)
    window.refresh()
    window.show()
    qtbot.waitActive(window)
    window.search.setFocus()
    window.search.setText("駅")
    qtbot.keyClick(window.search, Qt.Key.Key_Down)
    assert window.list.hasFocus()
    assert texts(window) == ["駅へ", "駅前で"]
    assert window.list.currentIndex().row() == 0
    assert window.list.selectionModel().isRowSelected(0)
    with qtbot.waitSignal(window.copy_requested) as copied:
        qtbot.keyClick(window.list, Qt.Key.Key_Return)
    assert copied.args == ["駅へ"]


def test_the_snip_that_is_shown_can_be_asked_about(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    row = add(history, "学校")
    add(history, "帰り")
    window.refresh()
    window.list.setCurrentIndex(window.model.index_of(row))

    with qtbot.waitSignal(window.ask_requested) as asked:
        window.detail.ask.click()

    assert asked.args == [row]


def test_the_undo_key_takes_a_deletion_back_from_the_search_field_too(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校")
    add(history, "帰り")
    window.refresh()
    window.search.setFocus()
    qtbot.keyClicks(window.search, "a")
    qtbot.keyClick(window.search, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: window.model.query == "")
    window.list.setCurrentIndex(window.model.index(0))
    window.delete_selected()
    assert texts(window) == ["学校"]
    assert (window.undo_key.isVisible(), window.undo_key.text()) == (True, "Ctrl+Z")

    qtbot.keyClick(window.search, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    assert texts(window) == ["帰り", "学校"]
    assert window.search.text() == ""


@pytest.mark.parametrize(
    "detail", ["Short.", "What was asked and answered after it is deleted when it is there."]
)
@pytest.mark.parametrize("question", ["Again?", "Delete the whole history with all its pictures?"])
def test_words_of_a_question_begin_at_its_margin(
    window: HistoryWindow, qtbot: QtBot, question: str, detail: str
) -> None:
    box = ask(window, question, detail, "Answer it once more", lambda: None)

    margin = box.layout().contentsMargins().left()
    labels = [label for label in box.findChildren(QLabel) if label.isVisible()]

    assert {label.text() for label in labels} == {question, detail}
    assert [label.mapTo(box, QPoint(0, 0)).x() for label in labels] == [margin, margin]
    box.reject()


def test_a_window_with_a_snip_shown_can_be_made_narrow(
    window: HistoryWindow, history: History, qtbot: QtBot
) -> None:
    add(history, "学校")
    window.refresh()
    window.list.setCurrentIndex(window.model.index(0))
    assert window.detail.ask.isVisible()

    # As the mouse does, little by little
    for width in range(window.width(), 480, -10):
        window.resize(width, 560)
        QApplication.processEvents()

    assert window.width() <= 490
    assert window.detail.y() > window.list.y()
