"""The result card: what it shows, where it stands, how it is used and when it goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from core.types import Box, Direction, OcrResult, TextBlock, TextLine
from desktop.doubt import doubtful_characters, is_doubtful
from desktop.focus import Focus
from desktop.result import CARD_WIDTH, ResultCard, place_card
from desktop.theme import Theme

SENTENCE = "今日は学校に行きませんでした"
BOX = Box(0, 0, 10, 10)


def read(text: str, confidences: tuple[float, ...] | None = None, raw: str | None = None) -> OcrResult:
    """A result of the built-in engine; ``raw`` is what it read before post-processing."""
    raw = text if raw is None else raw
    values = (0.95,) * len(raw) if confidences is None else confidences
    line = TextLine(raw, BOX, values)
    blocks = (TextBlock(BOX, Direction.VERTICAL, (line,)),) if raw else ()
    return OcrResult(text, blocks, "ppocr", "cpu", 0.12)


class RecordingFocus(Focus):
    def __init__(self, composited: bool = True) -> None:
        self.log: list[str] = []
        self._composited = composited

    def take(self, widget: QWidget) -> None:
        self.log.append("take")
        super().take(widget)

    def give_back(self) -> None:
        self.log.append("give back")

    def composited(self) -> bool:
        return self._composited


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme(qapp, "light")
    yield theme
    theme.set_choice("system")
    theme.deleteLater()


@pytest.fixture
def focus() -> RecordingFocus:
    return RecordingFocus()


@pytest.fixture
def other(qtbot: QtBot) -> QWidget:
    """The window in use while the card is shown."""
    other = QWidget()
    qtbot.addWidget(other)
    return other


@pytest.fixture
def card(theme: Theme, focus: RecordingFocus, other: QWidget, qtbot: QtBot) -> ResultCard:
    card = ResultCard(theme, focus)
    qtbot.addWidget(card)
    card.show_pending(QRect(50, 60, 40, 120), QGuiApplication.primaryScreen())
    # The offscreen platform activates every window that is shown.
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: not card.isActiveWindow(), timeout=30_000)
    return card


def button(card: ResultCard, text: str) -> QPushButton | None:
    shown = [b for b in card.findChildren(QPushButton) if b.isVisible()]
    return next((b for b in shown if text in (b.text(), b.accessibleName())), None)


def click(card: ResultCard, text: str) -> None:
    found = button(card, text)
    assert found is not None, text
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def words(card: ResultCard) -> list[str]:
    return [label.text() for label in card.findChildren(QLabel) if label.isVisible() and label.text()]


def text_of(card: ResultCard) -> QTextEdit:
    return card.findChildren(QTextEdit)[0]


def underlined(card: ResultCard) -> str:
    cursor = QTextCursor(text_of(card).document())
    found = ""
    while cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor):
        if cursor.charFormat().underlineStyle() == QTextCharFormat.UnderlineStyle.DotLine:
            found += cursor.selectedText()
        cursor.setPosition(cursor.position())
    return found


def test_while_reading_it_says_so_with_a_bar(card: ResultCard) -> None:
    assert card.isVisible()
    assert "Reading…" in words(card)
    assert card.findChildren(QProgressBar)[0].isVisible()
    assert button(card, "Copy") is None


def test_a_read_text_is_shown_with_its_engine_and_time(card: ResultCard) -> None:
    card.show_result(read(SENTENCE), copied=True)

    assert text_of(card).toPlainText() == SENTENCE
    assert words(card) == ["built-in · 0.1 s"]
    assert button(card, "Copied ✓") is not None
    assert not card.findChildren(QProgressBar)[0].isVisible()
    assert underlined(card) == ""


def test_doubtful_characters_are_marked(card: ResultCard) -> None:
    card.show_result(read(SENTENCE, (0.95,) * 8 + (0.4,) + (0.95,) * 5))

    assert underlined(card) == "ま"
    assert "Not sure about this one." not in words(card), "one character of many is no doubt"


def test_a_doubtful_read_says_so(card: ResultCard) -> None:
    card.show_result(read("ドドドド", (0.9, 0.9, 0.9, 0.3)))

    assert "Not sure about this one." in words(card)
    assert button(card, "Read again") is not None


def test_marks_stand_right_after_characters_of_two_units(card: ResultCard) -> None:
    card.show_result(read("𠮷野家", (0.9, 0.2, 0.9)))

    assert underlined(card) == "野"


def test_marks_follow_a_change_of_theme(card: ResultCard, theme: Theme) -> None:
    card.show_result(read("ドドドド", (0.9, 0.9, 0.9, 0.3)))

    theme.set_choice("dark")

    cursor = QTextCursor(text_of(card).document())
    cursor.setPosition(4)
    assert cursor.charFormat().underlineColor() == theme.tokens.color("warn")


def test_nothing_found_says_what_to_do(card: ResultCard, qtbot: QtBot) -> None:
    card.show_result(read(""))

    assert words(card)[0] == "No text found."
    assert button(card, "Copy") is None
    with qtbot.waitSignal(card.reread_requested):
        click(card, "Read again")


@pytest.mark.parametrize("retry", [True, False])
def test_a_failure_says_why_and_what_to_do(card: ResultCard, qtbot: QtBot, retry: bool) -> None:
    card.show_error("The model process ended.", "Try again.", retry)

    assert words(card) == ["The model process ended.", "Try again."]
    assert (button(card, "Try again") is not None) == retry
    if retry:
        with qtbot.waitSignal(card.reread_requested):
            click(card, "Try again")


def test_copy_asks_for_the_shown_text(card: ResultCard, qtbot: QtBot) -> None:
    card.show_result(read(SENTENCE))

    with qtbot.waitSignal(card.copy_requested) as asked:
        click(card, "Copy")
    assert asked.args == [SENTENCE]

    card.set_copied(True)
    assert button(card, "Copied ✓") is not None


def test_a_failed_copy_is_said(card: ResultCard) -> None:
    card.show_result(read(SENTENCE))

    card.set_copied(False, "The text could not be put into the clipboard.")

    assert "The text could not be put into the clipboard." in words(card)
    assert button(card, "Copy") is not None


def test_editing_with_the_keyboard(card: ResultCard, focus: RecordingFocus, qtbot: QtBot) -> None:
    card.show_result(read("学佼"))
    click(card, "Edit")
    assert focus.log == ["take"]
    text = text_of(card)

    QTest.keyClick(text, Qt.Key.Key_End)
    QTest.keyClick(text, Qt.Key.Key_Backspace)
    QTest.keyClicks(text, "x")
    with qtbot.waitSignal(card.edited) as edited:
        QTest.keyClick(text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)

    assert edited.args == ["学x"]
    assert text.isReadOnly()
    assert button(card, "Copy") is not None


def test_done_without_a_change_tells_nobody(card: ResultCard, qtbot: QtBot) -> None:
    card.show_result(read(SENTENCE))
    click(card, "Edit")

    with qtbot.assertNotEmitted(card.edited):
        click(card, "Done")


def test_escape_leaves_editing_first_and_the_card_then(
    card: ResultCard, focus: RecordingFocus, qtbot: QtBot
) -> None:
    card.show_result(read(SENTENCE))
    click(card, "Edit")
    QTest.keyClicks(text_of(card), "zzz")

    QTest.keyClick(text_of(card), Qt.Key.Key_Escape)
    assert text_of(card).toPlainText() == SENTENCE
    assert card.isVisible()

    with qtbot.waitSignal(card.closed):
        QTest.keyClick(text_of(card), Qt.Key.Key_Escape)
    assert not card.isVisible()
    assert focus.log == ["take", "give back"]


def test_the_close_button_closes(card: ResultCard, qtbot: QtBot) -> None:
    card.show_result(read(SENTENCE))

    with qtbot.waitSignal(card.closed):
        click(card, "Close")
    assert not card.isVisible()


def test_tab_goes_through_the_buttons(card: ResultCard) -> None:
    card.show_result(read(SENTENCE))
    card.take_focus()

    seen = []
    for _ in range(4):
        QTest.keyClick(card.focusWidget(), Qt.Key.Key_Tab)
        seen.append(card.focusWidget().text())

    assert seen == ["Copy", "Read again", "Edit", "×"]


def test_a_click_on_the_text_takes_the_focus(card: ResultCard, focus: RecordingFocus) -> None:
    card.show_result(read(SENTENCE))

    QTest.mouseClick(text_of(card).viewport(), Qt.MouseButton.LeftButton)

    assert focus.log == ["take"]


def test_it_goes_by_itself(card: ResultCard, qtbot: QtBot) -> None:
    card.configure(19, 1)

    card.show_result(read(SENTENCE))

    with qtbot.waitSignal(card.closed, timeout=30_000):
        pass
    assert not card.isVisible()


def test_it_stays_while_reading_and_when_told_to(card: ResultCard, qtbot: QtBot) -> None:
    card.configure(19, 0)
    card.show_result(read(SENTENCE))

    with qtbot.assertNotEmitted(card.closed, wait=100):
        pass


def test_pointing_at_it_keeps_it(card: ResultCard, other: QWidget, qtbot: QtBot) -> None:
    card.configure(19, 1)
    card.show_result(read(SENTENCE))

    QTest.mouseMove(card, QPoint(100, 30))
    with qtbot.assertNotEmitted(card.closed, wait=1300):
        pass
    QTest.mouseMove(other, QPoint(5, 5))
    with qtbot.waitSignal(card.closed, timeout=30_000):
        pass


def test_it_opens_without_asking_for_the_focus(card: ResultCard, focus: RecordingFocus) -> None:
    card.show_result(read(SENTENCE))

    assert focus.log == []
    assert card.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)


def test_a_screen_reader_hears_the_text(card: ResultCard) -> None:
    card.show_result(read(SENTENCE))

    assert card.accessibleDescription() == SENTENCE
    for part in card.findChildren(QPushButton):
        assert part.accessibleName() or part.text()


def test_long_text_scrolls_instead_of_filling_the_screen(card: ResultCard) -> None:
    card.show_result(read(SENTENCE * 3))
    short = card.height()
    card.show_result(read(SENTENCE * 60))

    assert short < card.height() < 400
    assert text_of(card).verticalScrollBar().maximum() > 0


@pytest.mark.qt_log_ignore("setting window masks", "raise", "propagateSizeHints")
def test_without_a_compositor_it_has_no_shadow(theme: Theme, qtbot: QtBot) -> None:
    card = ResultCard(theme, RecordingFocus(composited=False))
    qtbot.addWidget(card)
    card.show_pending(QRect(50, 60, 40, 120), QGuiApplication.primaryScreen())

    assert card.width() == CARD_WIDTH
    assert not card.mask().isEmpty()


def test_inside_another_window_it_stands_beside_the_region_there(card: ResultCard, qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.setGeometry(100, 0, 700, 500)
    host.show()

    card.embed(host)
    card.show_pending(QRect(150, 60, 40, 120), QGuiApplication.primaryScreen())
    card.show_result(read(SENTENCE))
    assert card.parentWidget() is host
    inner = card.geometry().adjusted(16, 12, -16, -20)
    assert inner.topLeft() == QPoint(50 + 40 + 8, 60)

    card.detach()
    assert card.isWindow()
    assert not card.isVisible()


rects = st.builds(
    QRect, st.integers(-50, 1900), st.integers(-50, 1060), st.integers(1, 1900), st.integers(1, 1000)
)
sizes = st.builds(QSize, st.integers(50, 400), st.integers(40, 400))


@given(rects, sizes)
def test_the_card_is_on_the_screen_and_off_the_region_when_there_is_room(anchor: QRect, size: QSize) -> None:
    available = QRect(10, 20, 1900, 1040)

    place = QRect(place_card(anchor, size, available), size)

    assert available.contains(place)
    room = (
        available.right() - anchor.right() >= size.width()
        or anchor.left() - available.left() >= size.width()
        or available.bottom() - anchor.bottom() >= size.height()
        or anchor.top() - available.top() >= size.height()
    )
    if room:
        assert not place.intersects(anchor)


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        (QRect(100, 100, 100, 100), QPoint(208, 100)),
        (QRect(800, 100, 100, 100), QPoint(492, 100)),
        (QRect(100, 700, 100, 100), QPoint(208, 600)),
        (QRect(50, 100, 900, 100), QPoint(50, 208)),
        (QRect(50, 600, 900, 190), QPoint(50, 392)),
    ],
    ids=["right", "left", "right, pushed up", "below", "above"],
)
def test_sides_are_tried_in_order(anchor: QRect, expected: QPoint) -> None:
    assert place_card(anchor, QSize(300, 200), QRect(0, 0, 1000, 800)) == expected


kana = st.text(alphabet="あいうえおアイウエオ漢字。", min_size=1, max_size=30)


@given(kana, st.data())
def test_every_doubtful_character_of_an_unchanged_text_is_found(text: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.floats(0, 1), min_size=len(text), max_size=len(text)))

    found = doubtful_characters(read(text, tuple(values)))

    assert found == [i for i, value in enumerate(values) if value < 0.6]


@given(kana)
def test_marks_stay_on_their_characters_when_line_breaks_come_and_widths_change(text: str) -> None:
    raw = "".join(f"{char}A" for char in text)
    shown = "".join(f"{char}\nＡ" for char in text)
    values = tuple(0.2 if char == "A" else 0.9 for char in raw)

    found = doubtful_characters(read(shown, values, raw=raw))

    assert [shown[i] for i in found] == ["Ａ"] * len(text)


def test_a_text_without_likelihoods_is_never_doubtful() -> None:
    assert not is_doubtful(read(SENTENCE, ()))
    assert not is_doubtful(read(""))
