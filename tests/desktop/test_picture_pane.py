"""The picture at the top of the side panel, with real keys, mouse and pixels."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QLocale, QMimeData, QPoint, QPointF, QRect, QRectF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QFontInfo,
    QHelpEvent,
    QImage,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPointingDevice,
    QShortcut,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.types import Box, Direction, TextBlock, TextLine
from desktop.picture_blocks import block_range
from desktop.picture_pane import PanePicture, PicturePane
from desktop.picture_scaling import Levels, thumbnail
from desktop.picture_text import PAUSE
from desktop.picture_view import PictureView
from desktop.theme import JAPANESE_FAMILIES, Theme


def filled(width: int, height: int, color: str = "white") -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(color))
    return image


def block(box: Box, text: str) -> TextBlock:
    return TextBlock(box, Direction.VERTICAL, tuple(TextLine(line, box) for line in text.split("\n")))


BLOCKS = (block(Box(300, 40, 80, 200), "今日は\n学校に"), block(Box(60, 220, 120, 80), "行きません"))


def picture(
    number: int = 1,
    text: str = "今日は学校に行きません",
    image: QImage | None = None,
    blocks: tuple[TextBlock, ...] = BLOCKS,
    status: str = "Text read by MangaOCR",
    **others: bool,
) -> PanePicture:
    shown = filled(400, 320) if image is None else image
    return PanePicture(number, shown, text, others.pop("edited", False), blocks, status, **others)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


class Panel(QWidget):
    """A window with the pane on top, and something below that can have the keyboard."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.pane = PicturePane(theme, self)
        self.rest = QLabel("chat")
        self.rest.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pane)
        layout.addWidget(self.rest, 1)
        self.edits: list[tuple[int, str]] = []
        self.pane.text_edited.connect(lambda number, text: self.edits.append((number, text)))


@pytest.fixture
def panel(theme: Theme, qtbot: QtBot) -> Iterator[Panel]:
    shown = Panel(theme)
    qtbot.addWidget(shown)
    shown.resize(400, 800)
    shown.show()
    shown.activateWindow()
    qtbot.waitExposed(shown)
    yield shown
    shown.close()


@pytest.fixture
def pane(panel: Panel) -> PicturePane:
    return panel.pane


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> PictureView:
    shown = PictureView(theme)
    qtbot.addWidget(shown)
    shown.resize(300, 240)
    shown.set_picture(filled(400, 320), BLOCKS, "今日は")
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def wheel(view: PictureView, at: QPointF, notches: int) -> None:
    event = QWheelEvent(
        at,
        QPointF(view.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def move(widget: QWidget, qtbot: QtBot, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(widget, (start + end) / 2)
    qtbot.mouseMove(widget, end)
    qtbot.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end)


def near(one: QPointF, other: QPointF) -> bool:
    return (one - other).manhattanLength() < 0.01


# ---- the text


def test_typing_is_told_once_after_the_pause(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(7, "今日")])
    pane.text.setFocus()
    with qtbot.waitSignal(pane.text_edited):
        qtbot.keyClicks(pane.text, "abc")
        assert panel.edits == []
    qtbot.wait(PAUSE + 100)
    assert panel.edits == [(7, "abc今日")]


def test_leaving_the_field_tells_at_once_and_only_once(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(7, "今日")])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    panel.rest.setFocus()
    assert panel.edits == [(7, "a今日")]
    qtbot.wait(PAUSE + 100)
    assert panel.edits == [(7, "a今日")]


def test_what_was_typed_and_taken_back_is_not_told(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(7, "今日")])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    qtbot.keyClick(pane.text, Qt.Key.Key_Backspace)
    panel.rest.setFocus()
    qtbot.wait(PAUSE + 100)
    assert panel.edits == []


def test_showing_texts_is_no_edit(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "一"), picture(2, "二")])
    pane.choose(2)
    pane.update_picture(picture(2, "三"))
    pane.clear()
    qtbot.wait(PAUSE + 100)
    assert panel.edits == []


def test_undo_takes_back_only_what_the_user_typed(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "昨日")])
    pane.update_picture(picture(1, "今日"))
    assert not pane.text.document().isUndoAvailable()
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    pane.text.undo()
    assert pane.text.toPlainText() == "今日"
    assert not pane.text.document().isUndoAvailable()


def test_a_reading_that_comes_while_the_user_types_does_not_replace_it(
    panel: Panel, pane: PicturePane, qtbot: QtBot
) -> None:
    pane.set_pictures([picture(1, "", status="Reading…", reading=True)])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "mine")
    pane.update_picture(picture(1, "読んだ"))
    assert pane.text.toPlainText() == "mine"
    # The rest of what is new is shown all the same.
    assert pane.status.text() == "Text read by MangaOCR · edited"
    qtbot.waitUntil(lambda: panel.edits == [(1, "mine")])
    # Still in the field after the pause.
    pane.update_picture(picture(1, "読んだ"))
    assert pane.text.toPlainText() == "mine"
    assert pane.pictures[0].text == "mine"


def test_news_of_another_picture_leaves_what_is_being_typed(
    panel: Panel, pane: PicturePane, qtbot: QtBot
) -> None:
    pane.set_pictures([picture(1, "一"), picture(2, "")])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    pane.update_picture(picture(2, "読んだ"))
    pane.set_pictures([picture(1, "一"), picture(2, "二"), picture(3)])
    assert pane.text.toPlainText() == "a一"
    qtbot.waitUntil(lambda: panel.edits == [(1, "a一")])
    pane.choose(2)
    assert pane.text.toPlainText() == "二"


def test_a_reading_replaces_the_text_that_nobody_edits(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "古い")])
    pane.text.setFocus()
    pane.update_picture(picture(1, "新しい"))
    assert pane.text.toPlainText() == "新しい"
    qtbot.keyClicks(pane.text, "a")
    panel.rest.setFocus()
    pane.update_picture(picture(1, "また読んだ"))
    assert pane.text.toPlainText() == "また読んだ"
    assert panel.edits == [(1, "a新しい")]


def test_an_input_method_that_composes_is_not_disturbed(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "")])
    pane.text.setFocus()
    QApplication.sendEvent(pane.text, QInputMethodEvent("にほ", []))
    pane.update_picture(picture(1, "読んだ"))
    commit = QInputMethodEvent("", [])
    commit.setCommitString("日本")
    QApplication.sendEvent(pane.text, commit)
    assert pane.text.toPlainText() == "日本"


def test_choosing_another_picture_tells_what_was_typed_of_the_first(
    panel: Panel, pane: PicturePane, qtbot: QtBot
) -> None:
    pane.set_pictures([picture(1, "一"), picture(2, "二")])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    pane.choose(2)
    assert panel.edits == [(1, "a一")]
    assert pane.text.toPlainText() == "二"
    pane.choose(1)
    assert pane.text.toPlainText() == "a一"
    qtbot.keyClicks(pane.text, "b")
    pane.clear()
    assert panel.edits[1:] == [(1, "ba一")]


def test_hiding_the_panel_tells_what_was_typed(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "一")])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    panel.hide()
    assert panel.edits == [(1, "a一")]


def test_the_text_is_set_in_a_japanese_font(pane: PicturePane) -> None:
    pane.set_pictures([picture()])
    assert QFontInfo(pane.text.font()).family() in JAPANESE_FAMILIES
    assert 16 <= QFontInfo(pane.text.font()).pixelSize() <= 19
    assert pane.text.locale().language() == QLocale.Language.Japanese


def test_the_field_grows_to_five_lines_and_then_scrolls(pane: PicturePane, qtbot: QtBot) -> None:
    heights = []
    for lines in (1, 2, 5, 9):
        pane.set_pictures([picture(1, "\n".join("字" * lines))])
        heights.append(pane.text.height())
        qtbot.waitUntil(lambda lines=lines: (pane.text.verticalScrollBar().maximum() > 0) == (lines > 5))
    line = heights[1] - heights[0]
    assert 24 <= line <= 30
    assert heights == [heights[0] + line * more for more in (0, 1, 4, 4)]


def test_a_narrow_field_wraps_and_grows(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "今日は学校に行きませんでした")])
    panel.resize(900, 600)
    qtbot.waitUntil(lambda: pane.width() == 900)
    wide = pane.text.height()
    panel.resize(320, 600)
    qtbot.waitUntil(lambda: pane.width() == 320)
    assert pane.text.height() > wide


@pytest.mark.parametrize("width", [320, 400, 1600])
def test_nothing_is_cut_off_at_any_width(panel: Panel, pane: PicturePane, qtbot: QtBot, width: int) -> None:
    sentence = "The model process ended unexpectedly. Read again to start it once more."
    panel.resize(width, 700)
    pane.set_pictures([picture(1, status=sentence), picture(2)])
    qtbot.waitUntil(lambda: pane.width() == width)
    for enlarged in (False, True):
        if enlarged:
            pane.enlarge()
        for part in (pane.status, pane.give_words):
            qtbot.waitUntil(lambda part=part: part.height() >= part.heightForWidth(part.width()))
        for part in (pane.copy, pane.again, pane.enlarged.smaller, pane.enlarged.show_blocks):
            if part.isVisible():
                # The layout follows when the event loop runs.
                qtbot.waitUntil(lambda part=part: part.width() >= part.minimumSizeHint().width())
                assert pane.rect().contains(QRect(part.mapTo(pane, QPoint()), part.size()))


def test_files_and_pictures_are_no_text_to_insert(pane: PicturePane) -> None:
    words, files, image = QMimeData(), QMimeData(), QMimeData()
    words.setText("字")
    files.setUrls([QUrl("file:///picture.png")])
    image.setImageData(filled(2, 2))
    assert [pane.text.canInsertFromMimeData(data) for data in (words, files, image)] == [True, False, False]


def test_pasting_a_picture_is_left_to_the_panel(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pasted: list[bool] = []
    shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), panel)
    shortcut.activated.connect(lambda: pasted.append(True))
    pane.set_pictures([picture(1, "")])
    pane.text.setFocus()
    QApplication.clipboard().setText("字")
    qtbot.keyClick(pane.text, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert (pane.text.toPlainText(), pasted) == ("字", [])
    QApplication.clipboard().setImage(filled(2, 2))
    qtbot.keyClick(pane.text, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert (pane.text.toPlainText(), pasted) == ("字", [True])


# ---- what is said and asked


def test_the_status_and_the_alt_text_are_told(pane: PicturePane) -> None:
    pane.set_pictures([picture(1, "今日", filled(640, 480), status="No text found", edited=False)])
    assert pane.status.text() == "No text found"
    assert pane.thumbnail.accessibleName() == "Picture, 640 × 480 pixels"
    assert pane.thumbnail.accessibleDescription() == "今日"
    pane.enlarge()
    assert pane.enlarged.view.accessibleName() == "Picture, 640 × 480 pixels"


def test_every_control_has_a_name(pane: PicturePane) -> None:
    pane.set_pictures([picture(1), picture(2)])
    pane.enlarge()
    for widget in pane.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            assert widget.accessibleName() or widget.property("text"), widget


def test_parts_that_need_a_text_go_without_one(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "", status="Reading…", reading=True)])
    assert not pane.copy.isVisible()
    assert not pane.give_text.isVisible()
    assert not pane.again.isEnabled()
    before = pane.height()
    pane.update_picture(picture(1, "", status="No text found"))
    assert pane.again.isEnabled()
    # and nothing below has moved
    assert pane.height() == before
    qtbot.keyClicks(pane.text, "a")
    assert pane.copy.isVisible()
    assert pane.give_text.isVisible()


def test_copy_and_read_again_are_asked_for(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(4, "今日")])
    qtbot.keyClicks(pane.text, "a")
    with qtbot.waitSignal(pane.copy_text_requested) as copied:
        qtbot.mouseClick(pane.copy, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(pane.read_again_requested) as again:
        qtbot.mouseClick(pane.again, Qt.MouseButton.LeftButton)
    assert (copied.args, again.args) == (["a今日"], [4])


def test_the_switch_tells_of_the_user_alone(pane: PicturePane, qtbot: QtBot) -> None:
    told: list[bool] = []
    pane.give_text_changed.connect(told.append)
    pane.set_pictures([picture()])
    pane.set_give_text(False)
    pane.set_give_text(True)
    assert told == []
    pane.give_text.setFocus()
    qtbot.keyClick(pane.give_text, Qt.Key.Key_Space)
    qtbot.mouseClick(pane.give_words, Qt.MouseButton.LeftButton)
    assert told == [False, True]


# ---- several pictures


def test_one_picture_needs_no_strip_several_do(pane: PicturePane) -> None:
    assert not pane.isVisible()
    pane.set_pictures([picture(1)])
    assert (pane.isVisible(), pane.strip.isVisible(), pane.current) == (True, False, 1)
    pane.set_pictures([picture(1), picture(2)])
    assert pane.strip.isVisible()
    assert pane.strip.height() <= 72
    pane.clear()
    assert (pane.isVisible(), pane.current) == (False, -1)


def test_the_user_chooses_with_mouse_and_keys(pane: PicturePane, qtbot: QtBot) -> None:
    told: list[int] = []
    pane.chosen.connect(told.append)
    pane.set_pictures([picture(n, f"文{n}") for n in (11, 12, 13)])
    pane.choose(12)
    assert (told, pane.text.toPlainText()) == ([], "文12")
    place = pane.strip.visualItemRect(pane.strip.item(2))
    qtbot.mouseClick(pane.strip.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    assert (told, pane.current, pane.text.toPlainText()) == ([13], 13, "文13")
    qtbot.keyClick(pane.strip, Qt.Key.Key_Left)
    assert (told, pane.current) == ([13, 12], 12)


def test_many_pictures_scroll_and_the_chosen_one_is_in_sight(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(n) for n in range(20)])
    pane.choose(19)
    viewport = pane.strip.viewport().rect()
    qtbot.waitUntil(lambda: viewport.contains(pane.strip.visualItemRect(pane.strip.item(19)).center()))
    assert not viewport.intersects(pane.strip.visualItemRect(pane.strip.item(0)))
    assert viewport.height() >= pane.strip.visualItemRect(pane.strip.item(19)).height()


def test_the_strip_removes_with_the_cross_and_with_delete(pane: PicturePane, qtbot: QtBot) -> None:
    removed: list[int] = []
    told: list[int] = []
    pane.remove_requested.connect(removed.append)
    pane.chosen.connect(told.append)
    pane.set_pictures([picture(1), picture(2), picture(3)])
    corner = pane.strip.visualItemRect(pane.strip.item(1)).topRight() + QPoint(-8, 8)
    qtbot.mouseClick(pane.strip.viewport(), Qt.MouseButton.LeftButton, pos=corner)
    assert (removed, told, pane.current) == ([2], [], 1)
    qtbot.keyClick(pane.strip, Qt.Key.Key_Delete)
    assert removed == [2, 1]
    pane.set_removable(False)
    qtbot.keyClick(pane.strip, Qt.Key.Key_Delete)
    qtbot.mouseClick(pane.strip.viewport(), Qt.MouseButton.LeftButton, pos=corner)
    assert (removed, pane.current) == ([2, 1], 2)


def test_the_only_picture_is_removed_with_its_cross_and_with_delete(pane: PicturePane, qtbot: QtBot) -> None:
    removed: list[int] = []
    pane.remove_requested.connect(removed.append)
    pane.set_pictures([picture(5)])
    qtbot.mouseClick(pane.thumbnail.cross, Qt.MouseButton.LeftButton)
    qtbot.keyClick(pane.thumbnail, Qt.Key.Key_Delete)
    assert removed == [5, 5]
    assert not pane.is_enlarged
    pane.set_removable(False)
    assert not pane.thumbnail.cross.isVisible()
    qtbot.keyClick(pane.thumbnail, Qt.Key.Key_Delete)
    assert removed == [5, 5]


def test_after_a_removal_the_neighbour_is_shown_and_the_keyboard_stays_here(pane: PicturePane) -> None:
    pane.set_pictures([picture(n) for n in (1, 2, 3)])
    pane.choose(2)
    pane.strip.setFocus()
    pane.set_pictures([picture(n) for n in (1, 3)])
    assert pane.current == 3
    assert pane.strip.hasFocus()
    pane.set_pictures([picture(1)])
    assert pane.current == 1
    assert pane.thumbnail.hasFocus()


def test_an_added_picture_is_shown_with_its_text(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "一")])
    pane.set_pictures([picture(1, "一"), picture(2, "二"), picture(3, "三")])
    assert (pane.current, pane.text.toPlainText()) == (3, "三")
    pane.choose(1)
    # What was typed and told before is no reason to stay.
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    panel.rest.setFocus()
    pane.set_pictures([picture(1, "a一"), picture(2, "二"), picture(3, "三"), picture(4, "四")])
    assert (pane.current, pane.text.toPlainText()) == (4, "四")
    assert panel.edits == [(1, "a一")]


def test_an_added_picture_waits_while_the_text_is_edited(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "一")])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    pane.set_pictures([picture(1, "一"), picture(2, "二")])
    assert (pane.current, pane.text.toPlainText()) == (1, "a一")


def test_another_conversation_begins_with_its_first_picture(pane: PicturePane) -> None:
    pane.set_pictures([picture(1)])
    pane.set_pictures([picture(5), picture(6)])
    assert pane.current == 5


def test_the_status_tells_at_once_that_the_text_was_edited(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "一")])
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    assert pane.status.text() == "Text read by MangaOCR · edited"
    qtbot.keyClick(pane.text, Qt.Key.Key_Backspace)
    assert pane.status.text() == "Text read by MangaOCR"
    qtbot.keyClicks(pane.text, "a")
    pane.flush()
    qtbot.keyClick(pane.text, Qt.Key.Key_Backspace)
    assert pane.status.text() == "Text read by MangaOCR · edited"


# ---- enlarging


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_keys_enlarge_and_esc_makes_small_before_it_closes_the_panel(
    panel: Panel, pane: PicturePane, qtbot: QtBot, key: Qt.Key
) -> None:
    closed: list[bool] = []
    shortcut = QShortcut(QKeySequence(Qt.Key.Key_Escape), panel)
    shortcut.activated.connect(lambda: closed.append(True))
    pane.set_pictures([picture()])
    pane.thumbnail.setFocus()
    qtbot.keyClick(pane.thumbnail, key)
    assert pane.is_enlarged
    assert pane.enlarged.view.hasFocus()
    qtbot.waitUntil(lambda: 380 <= pane.enlarged.height() <= 420)
    qtbot.keyClick(pane.enlarged.view, Qt.Key.Key_Escape)
    assert not pane.is_enlarged
    assert pane.thumbnail.hasFocus()
    assert closed == []
    qtbot.keyClick(pane.thumbnail, Qt.Key.Key_Escape)
    assert closed == [True]


def test_esc_in_the_text_makes_small_and_leaves_the_keyboard_there(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture()])
    qtbot.mouseClick(pane.thumbnail, Qt.MouseButton.LeftButton)
    pane.text.setFocus()
    qtbot.keyClick(pane.text, Qt.Key.Key_Escape)
    assert not pane.is_enlarged
    assert pane.text.hasFocus()


def test_the_button_makes_small_and_clearing_does_too(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture()])
    pane.enlarge()
    qtbot.mouseClick(pane.enlarged.smaller, Qt.MouseButton.LeftButton)
    assert not pane.is_enlarged
    pane.enlarge()
    pane.clear()
    pane.set_pictures([picture(2)])
    assert not pane.is_enlarged
    assert pane.thumbnail.isVisible()


class LowPanel(Panel):
    """As much below the pane as a conversation and the question's field need."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.layout().setSpacing(0)
        self.rest.setMinimumHeight(280)
        self.setMinimumSize(320, 370)


def places(pane: PicturePane) -> list[QRect]:
    """Of everything that is seen and holds nothing else that is, in the pane's coordinates."""
    large = pane.enlarged
    parts = (
        *(pane.strip, large.view, large.show_blocks, large.zoom_out, large.percent, large.zoom_in, large.fit),
        *(large.smaller, large.handle, pane.status, pane.text, pane.give_text, pane.give_words, pane.copy),
        pane.again,
    )
    return [QRect(part.mapTo(pane, QPoint()), part.size()) for part in parts if part.isVisible()]


def apart(pane: PicturePane) -> bool:
    rects = places(pane)
    pairs = [(one, other) for at, one in enumerate(rects) for other in rects[:at]]
    return all(pane.rect().contains(rect) for rect in rects) and not any(a.intersects(b) for a, b in pairs)


@pytest.mark.parametrize("text", ["今日は", "\n".join("字" * 7)])
@pytest.mark.parametrize("pictures", [1, 2])
@pytest.mark.parametrize(
    ("size", "least"), [((420, 560), 140), ((320, 600), 150), ((420, 700), 200), ((320, 370), 32)]
)
def test_in_a_low_panel_nothing_lies_on_the_picture(
    theme: Theme, qtbot: QtBot, size: tuple[int, int], least: int, pictures: int, text: str
) -> None:
    panel = LowPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(*size)
    with qtbot.waitExposed(panel):
        panel.show()
    pane = panel.pane
    pane.set_pictures([picture(number, text) for number in range(pictures)])
    pane.enlarge()
    qtbot.waitUntil(lambda: apart(pane) and pane.enlarged.view.height() >= least)
    assert pane.enlarged.smaller.isVisible()
    # Small again, everything is there.
    pane.shrink()
    assert all(part.isVisible() for part in (pane.status, pane.text, pane.give_text, pane.copy, pane.again))
    assert pane.strip.isVisible() == (pictures == 2)


def test_a_panel_that_is_made_higher_shows_everything_and_gives_half_to_the_picture(
    theme: Theme, qtbot: QtBot
) -> None:
    panel = LowPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(420, 560)
    with qtbot.waitExposed(panel):
        panel.show()
    pane = panel.pane
    pane.set_pictures([picture()])
    pane.enlarge()
    qtbot.waitUntil(lambda: not pane.status.isVisible())
    for height in (1000, 1200):
        panel.resize(420, height)
        qtbot.waitUntil(lambda height=height: pane.enlarged.height() == height // 2)
        assert apart(pane)
        large = pane.enlarged
        assert all(part.isVisible() for part in (pane.status, pane.copy, large.handle, large.show_blocks))
    panel.resize(420, 560)
    qtbot.waitUntil(lambda: pane.height() <= 280 and apart(pane))


def test_an_error_stays_in_a_low_panel(theme: Theme, qtbot: QtBot) -> None:
    panel = LowPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(420, 560)
    with qtbot.waitExposed(panel):
        panel.show()
    failed = picture(1, "", status="The model is not there")
    panel.pane.set_pictures([dataclasses.replace(failed, role="bad")])
    panel.pane.enlarge()
    qtbot.waitUntil(lambda: not panel.pane.enlarged.handle.isVisible() and apart(panel.pane))
    assert panel.pane.status.isVisible()


def test_esc_leaves_view_and_text_for_the_question(panel: Panel, pane: PicturePane, qtbot: QtBot) -> None:
    closed: list[bool] = []
    shortcut = QShortcut(QKeySequence(Qt.Key.Key_Escape), panel)
    shortcut.activated.connect(lambda: closed.append(True))
    pane.left.connect(panel.rest.setFocus)
    pane.set_pictures([picture(7, "今日")])
    pane.enlarge()
    qtbot.keyClick(pane.enlarged.view, Qt.Key.Key_Escape)
    assert not pane.is_enlarged
    assert panel.rest.hasFocus()
    pane.text.setFocus()
    qtbot.keyClicks(pane.text, "a")
    qtbot.keyClick(pane.text, Qt.Key.Key_Escape)
    assert panel.rest.hasFocus()
    assert panel.edits == [(7, "a今日")]
    assert closed == []


def test_esc_in_the_text_is_the_panel_s_while_nobody_takes_the_keyboard(
    panel: Panel, pane: PicturePane, qtbot: QtBot
) -> None:
    closed: list[bool] = []
    shortcut = QShortcut(QKeySequence(Qt.Key.Key_Escape), panel)
    shortcut.activated.connect(lambda: closed.append(True))
    pane.set_pictures([picture()])
    pane.text.setFocus()
    qtbot.keyClick(pane.text, Qt.Key.Key_Escape)
    assert closed == [True]


def test_tab_reaches_everything_in_the_order_it_is_seen(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1), picture(2)])
    pane.enlarge()
    pane.strip.setFocus()
    large = pane.enlarged
    order = (
        *(large.view, large.show_blocks, large.zoom_out, large.zoom_in, large.fit, large.smaller),
        *(large.handle, pane.text, pane.give_text, pane.copy, pane.again),
    )
    reached = []
    for _ in order:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert reached == list(order)


def test_focus_is_seen_on_thumbnail_and_view(panel: Panel, pane: PicturePane) -> None:
    pane.set_pictures([picture()])
    for widget in (pane.thumbnail, pane.enlarged.view):
        if widget is pane.enlarged.view:
            pane.enlarge()
        panel.rest.setFocus()
        without = widget.grab().toImage()
        widget.setFocus()
        assert widget.grab().toImage() != without


def test_the_handle_changes_the_height_with_mouse_and_keys(
    panel: Panel, pane: PicturePane, qtbot: QtBot
) -> None:
    pane.set_pictures([picture()])
    pane.enlarge()
    qtbot.waitUntil(lambda: pane.enlarged.height() == 400)
    handle = pane.enlarged.handle
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=QPoint(20, 5))
    origin = handle.mapToGlobal(QPointF(20, 5))
    for way in (-20, -40, -60):
        place = origin + QPointF(0, way)
        moved = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(handle.mapFromGlobal(place)),
            place,
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(handle, moved)
        qtbot.waitUntil(lambda way=way: pane.enlarged.height() == 400 + way)
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=QPoint(20, -55))
    qtbot.waitUntil(lambda: pane.enlarged.height() == 340)
    handle.setFocus()
    qtbot.keyClick(handle, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: pane.enlarged.height() > 340)
    for _ in range(40):
        qtbot.keyClick(handle, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: panel.rest.height() > 0)
    assert pane.height() < panel.height()


def test_clicking_a_block_selects_its_part_of_the_text(pane: PicturePane, qtbot: QtBot) -> None:
    pane.set_pictures([picture(1, "今日は学校に\n行きません")])
    pane.enlarge()
    QApplication.processEvents()
    view = pane.enlarged.view
    middle = view.block_rect(1).center().toPoint()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle)
    assert pane.text.textCursor().selectedText() == "行きません"
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert pane.text.textCursor().selectedText() == "今日は学校に"
    qtbot.mouseClick(pane.enlarged.show_blocks, Qt.MouseButton.LeftButton, pos=QPoint(12, 12))
    assert not pane.enlarged.show_blocks.isChecked()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle)
    assert pane.text.textCursor().selectedText() == "今日は学校に"


def test_an_update_of_the_same_picture_keeps_the_zoom(pane: PicturePane) -> None:
    image = filled(400, 320)
    pane.set_pictures([picture(1, image=image, blocks=())])
    pane.enlarge()
    pane.enlarged.view.zoom(3)
    scale = pane.enlarged.view.scale
    pane.update_picture(picture(1, image=image))
    assert pane.enlarged.view.scale == scale
    pane.set_pictures([picture(1, image=image), picture(2)])
    pane.choose(2)
    assert pane.enlarged.view.fitted


# ---- the view


def outlined(view: PictureView) -> QImage:
    """Where pixels change when the blocks are shown."""
    view.set_show_blocks(False)
    plain = view.grab().toImage()
    view.set_show_blocks(True)
    marked = view.grab().toImage()
    changed = QImage(plain.size(), QImage.Format.Format_Mono)
    changed.fill(0)
    for y in range(plain.height()):
        for x in range(plain.width()):
            if plain.pixel(x, y) != marked.pixel(x, y):
                changed.setPixel(x, y, 1)
    return changed


@pytest.mark.parametrize("zoom", [1.0, 1.7, 0.6])
def test_blocks_are_drawn_where_they_are_at_any_zoom(view: PictureView, zoom: float) -> None:
    view.set_picture(filled(400, 320), (BLOCKS[1],), "")
    view.zoom(zoom)
    box = BLOCKS[1].box
    rect = view.block_rect(0)
    assert near(view.to_picture(rect.topLeft()), QPointF(box.x, box.y))
    assert near(view.to_picture(rect.bottomRight()), QPointF(box.right, box.bottom))
    changed = outlined(view)
    marked = [(x, y) for y in range(240) for x in range(300) if changed.pixelIndex(x, y)]
    left, right = min(x for x, _ in marked), max(x for x, _ in marked) + 1
    top, bottom = min(y for _, y in marked), max(y for _, y in marked) + 1
    seen = rect.intersected(QRectF(view.rect()))
    assert [left, top, right, bottom] == pytest.approx(seen.getCoords(), abs=3.5)
    # An outline, nothing over the text.
    assert not changed.pixelIndex(seen.center().toPoint())


def test_the_picture_is_drawn_where_it_is_said_to_be(view: PictureView, qtbot: QtBot) -> None:
    image = filled(400, 320)
    painter = QPainter(image)
    painter.fillRect(60, 220, 120, 80, QColor("red"))
    painter.end()
    view.set_picture(image, BLOCKS, "")
    view.set_show_blocks(False)
    qtbot.waitUntil(lambda: view.sharp)
    for zoom in (1, 0.7, 3):
        view.zoom(zoom, view.block_rect(1).center())
        rect, shown = view.block_rect(1), view.grab().toImage()
        for corner, inwards in ((rect.topLeft(), 1), (rect.bottomRight(), -1)):
            inside = (corner + QPointF(3, 3) * inwards).toPoint()
            outside = (corner - QPointF(3, 3) * inwards).toPoint()
            if view.rect().adjusted(3, 3, -3, -3).contains(inside):
                assert shown.pixelColor(inside) == QColor("red")
            if view.rect().adjusted(3, 3, -3, -3).contains(outside):
                assert shown.pixelColor(outside) == QColor("white")


def test_the_wheel_zooms_around_the_pointer(view: PictureView) -> None:
    view.zoom(3)
    pointer = QPointF(70, 190)
    place, scale = view.to_picture(pointer), view.scale
    wheel(view, pointer, 1)
    assert view.scale > scale
    assert near(view.to_picture(pointer), place)
    wheel(view, pointer, -1)
    assert view.scale == pytest.approx(scale)
    assert near(view.to_picture(pointer), place)


def test_a_pinch_zooms_around_the_fingers(view: PictureView) -> None:
    view.zoom(3)
    fingers = QPointF(70, 190)
    place, scale = view.to_picture(fingers), view.scale
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        fingers,
        fingers,
        QPointF(view.mapToGlobal(fingers.toPoint())),
        0.25,
        QPointF(),
    )
    QApplication.sendEvent(view, pinch)
    assert view.scale == pytest.approx(scale * 1.25)
    assert near(view.to_picture(fingers), place)


def test_zoom_has_limits_and_the_picture_stays_in_sight(view: PictureView) -> None:
    wheel(view, QPointF(1, 1), 200)
    assert view.scale == 16
    view.move_by(QPointF(1e6, 1e6))
    assert view.picture_rect().topLeft() == QPointF(0, 0)
    view.move_by(QPointF(-1e6, -1e6))
    assert near(view.picture_rect().bottomRight(), QPointF(300, 240))
    wheel(view, QPointF(1, 1), -200)
    assert view.fitted
    assert QRectF(view.rect()).contains(view.picture_rect())


@pytest.mark.parametrize("control", [Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier])
def test_keys_zoom_and_fit(view: PictureView, qtbot: QtBot, control: Qt.KeyboardModifier) -> None:
    fit = view.scale
    middle = view.to_picture(QPointF(150, 120))
    qtbot.keyClick(view, Qt.Key.Key_Plus, control)
    assert view.scale > fit
    assert near(view.to_picture(QPointF(150, 120)), middle)
    qtbot.keyClick(view, Qt.Key.Key_Equal, control)
    larger = view.scale
    qtbot.keyClick(view, Qt.Key.Key_Minus, control)
    assert fit < view.scale < larger
    qtbot.keyClick(view, Qt.Key.Key_0, control)
    assert (view.scale, view.fitted) == (fit, True)


def test_dragging_arrows_and_a_double_click(view: PictureView, qtbot: QtBot) -> None:
    view.zoom(4)
    chosen: list[int] = []
    view.block_chosen.connect(chosen.append)
    start = view.picture_rect().topLeft()
    move(view, qtbot, QPoint(100, 100), QPoint(140, 130))
    assert near(view.picture_rect().topLeft(), start + QPointF(40, 30))
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    moved = view.picture_rect().topLeft()
    assert moved.x() < start.x() + 40
    assert moved.y() < start.y() + 30
    # A drag on a block is no click on it: the block goes along with the pointer.
    view.move_by(QPointF(150, 120) - view.block_rect(0).center())
    move(view, qtbot, QPoint(150, 120), QPoint(170, 130))
    assert view.block_at(QPointF(170, 130)) == 0
    assert chosen == []
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert view.fitted


def test_hovering_a_block_shows_its_text_as_it_is(view: PictureView, qtbot: QtBot) -> None:
    view.set_picture(filled(400, 320), (block(Box(0, 0, 400, 320), "<b>今日</b>"), *BLOCKS), "")

    def hover(point: QPoint) -> None:
        QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, point, view.mapToGlobal(point)))

    # Of a block within a block the inner one is meant.
    hover(view.block_rect(2).center().toPoint())
    assert "行きません" in QToolTip.text()
    hover(view.picture_rect().topLeft().toPoint() + QPoint(4, 4))
    assert "&lt;b&gt;今日" in QToolTip.text()
    view.set_show_blocks(False)
    hover(view.block_rect(2).center().toPoint())
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_small_pictures_are_enlarged_to_fit_and_large_ones_reduced(view: PictureView) -> None:
    for size, scale in ((QSize(20, 10), 4.0), (QSize(2920, 100), 0.1), (QSize(100, 116), 2.0)):
        view.set_picture(filled(size.width(), size.height()), (), "")
        assert view.scale == pytest.approx(scale)
        assert near(view.picture_rect().center(), QPointF(150, 120))


def test_resizing_keeps_the_fit_or_the_middle(view: PictureView, qtbot: QtBot) -> None:
    view.resize(600, 480)
    assert view.picture_rect().height() == pytest.approx(472)
    view.zoom(3)
    middle = view.to_picture(QPointF(300, 240))
    view.resize(500, 300)
    assert near(view.to_picture(QPointF(250, 150)), middle)


# ---- large pictures


def stripes(width: int, height: int) -> QImage:
    """Black and white columns, each one pixel wide: their mean is grey, and single ones are not."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    tile = QImage(64, 64, QImage.Format.Format_RGB32)
    for x in range(64):
        for y in range(64):
            tile.setPixelColor(x, y, QColor("white" if x % 2 else "black"))
    painter = QPainter(image)
    painter.fillRect(image.rect(), tile)
    painter.end()
    return image


def test_a_picture_of_40_megapixels_is_never_worked_on_for_long(pane: PicturePane, qtbot: QtBot) -> None:
    image = stripes(8000, 5000)
    # A thumbnail takes less than touching every pixel once; both are work of this thread alone.
    start = time.thread_time()
    image.copy()
    every_pixel = time.thread_time() - start
    start = time.thread_time()
    thumbnail(image, QSize(104, 128), 2.0)
    assert time.thread_time() - start < every_pixel
    # The smaller copies are made in small steps.
    levels = Levels(image)
    steps = 0
    while levels.step():
        steps += 1
    assert levels.sizes[1:3] == [QSize(4000, 2500), QSize(2000, 1250)]
    made = sum(size.width() * size.height() for size in levels.sizes[1:])
    assert made / steps <= 500_000
    # It is seen before they are there.
    pane.set_pictures([picture(1, image=image)])
    pane.enlarge()
    pane.enlarged.view.grab()
    assert not pane.enlarged.view.sharp
    qtbot.waitUntil(lambda: pane.enlarged.view.sharp)
    # Reduced, the stripes are grey: no pixel was left out.
    shown = pane.enlarged.view.grab().toImage()
    assert abs(shown.pixelColor(shown.rect().center()).lightness() - 127) <= 2


def test_copies_average_four_pixels_in_every_row_up_to_the_last() -> None:
    image = filled(1801, 1203)
    painter = QPainter(image)
    painter.fillRect(0, 0, 1801, 601, QColor("black"))
    painter.end()
    levels = Levels(image)
    while levels.step():
        pass
    assert levels.sizes == [QSize(1801, 1203), QSize(900, 601), QSize(450, 300)]
    drawn = QImage(900, 601, QImage.Format.Format_RGB32)
    painter = QPainter(drawn)
    levels.draw(painter, QRectF(drawn.rect()), 0.499, QRectF(drawn.rect()))
    painter.end()
    rows = [drawn.pixelColor(450, y).lightness() for y in (0, 299, 300, 301, 556, 600)]
    assert rows == [0, 0, pytest.approx(127, abs=1), 255, 255, 255]


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_thumbnails_have_the_screen_s_pixels_and_are_not_enlarged(ratio: float) -> None:
    small = thumbnail(filled(4000, 2000), QSize(100, 100), ratio)
    assert small.size() == QSize(100, 50) * ratio
    assert small.devicePixelRatio() == ratio
    assert thumbnail(filled(30, 20), QSize(100, 100), ratio).deviceIndependentSize().toSize() == QSize(30, 20)


# ---- which part of the text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("今日は学校に行きません", ["今日は学校に", "行きません"]),
        ("今日は\n学校に\n\n行きません", ["今日は\n学校に", "行きません"]),
        ("昨日は学校へ行きました", ["昨日は学校へ", "行きました"]),
        ("😀今日は学校に行きません", ["今日は学校に", "行きません"]),
        ("行きません", [None, "行きません"]),
        ("", [None, None]),
    ],
)
def test_a_block_s_part_is_found_in_a_corrected_text(text: str, parts: list[str | None]) -> None:
    found = [block_range(BLOCKS, index, text) for index in range(2)]
    assert [None if part is None else text[part[0] : part[1]] for part in found] == parts


def test_the_selection_counts_characters_beyond_the_basic_plane(pane: PicturePane) -> None:
    pane.set_pictures([picture(1, "😀今日は学校に行きません")])
    pane.text.select(1, 4)
    assert pane.text.textCursor().selectedText() == "今日は"


def test_keys_of_the_view_do_not_run_the_panel_s_shortcuts(pane: PicturePane) -> None:
    pane.set_pictures([picture()])
    pane.enlarge()
    zoom = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier, "0")
    zoom.ignore()
    QApplication.sendEvent(pane.enlarged.view, zoom)
    assert zoom.isAccepted()
