"""The result card: what it shows, where it stands, how it is used and when it goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QHelpEvent, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QProgressBar,
    QPushButton,
    QTextEdit,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from core.alternatives import Variant
from core.errors import LoadFailed
from core.types import Box, Direction, OcrResult, TextBlock, TextLine
from desktop import result as result_module
from desktop.card_place import place_card
from desktop.card_window import CARD_WIDTH
from desktop.doubt import doubtful_characters, is_doubtful, likelihoods
from desktop.focus import Focus
from desktop.readings_facts import Facts
from desktop.readings_text import ReadText
from desktop.result import ResultCard
from desktop.theme import Theme

SENTENCE = "今日は学校に行きませんでした"
BOX = Box(0, 0, 10, 10)


def read(
    text: str,
    confidences: tuple[float, ...] | None = None,
    raw: str | None = None,
    engine: str = "ppocr",
) -> OcrResult:
    """A result, by default of the built-in engine; ``raw`` is what it read before post-processing."""
    raw = text if raw is None else raw
    values = (0.95,) * len(raw) if confidences is None else confidences
    line = TextLine(raw, BOX, values)
    blocks = (TextBlock(BOX, Direction.VERTICAL, (line,)),) if raw else ()
    return OcrResult(text, blocks, engine, "cpu", 0.12)


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
    card.show_pending(QRect(50, 60, 40, 120))
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
    for _ in range(5):
        QTest.keyClick(card.focusWidget(), Qt.Key.Key_Tab)
        seen.append(card.focusWidget().text())

    assert seen == ["Copy", "Ask", "Read again", "Edit", "×"]


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


def test_it_finds_its_place_after_a_window_that_asked_for_its_screen_has_gone(card: ResultCard) -> None:
    known = QGuiApplication.primaryScreen()
    window = QWidget()
    assert window.screen() is known
    delete(window)
    assert not isValid(known), "every reference to the screen goes with that window"

    card.show_result(read(SENTENCE))

    assert QGuiApplication.primaryScreen().availableGeometry().contains(card.geometry())


@pytest.mark.qt_log_ignore("setting window masks", "raise", "propagateSizeHints")
def test_without_a_compositor_it_has_no_shadow(theme: Theme, qtbot: QtBot) -> None:
    card = ResultCard(theme, RecordingFocus(composited=False))
    qtbot.addWidget(card)
    card.show_pending(QRect(50, 60, 40, 120))

    assert card.width() == CARD_WIDTH
    assert not card.mask().isEmpty()


def test_inside_another_window_it_stands_beside_the_region_there(card: ResultCard, qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.setGeometry(100, 0, 700, 500)
    host.show()

    card.embed(host)
    card.show_pending(QRect(150, 60, 40, 120))
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


def test_each_engine_has_its_own_idea_of_doubt() -> None:
    values = (0.65, *(0.95,) * 13)
    assert doubtful_characters(read(SENTENCE, values)) == []
    assert doubtful_characters(read(SENTENCE, values, engine="manga-ocr")) == [0]
    low = (0.8,) * 14
    assert is_doubtful(read(SENTENCE, low, engine="manga-ocr")), "a low mean is doubt enough"
    assert not is_doubtful(read(SENTENCE, low))
    assert not is_doubtful(read("", (0.1,), raw="x", engine="manga-ocr"))


def test_a_second_opinion_is_said(card: ResultCard) -> None:
    # given a text that MangaOCR has left to the built-in engine
    told = read(SENTENCE, (0.9,) * 14, engine="ppocr")
    block = dataclasses.replace(told.blocks[0], how="built-in")
    # when it is shown, then the card says whose it is
    card.show_result(dataclasses.replace(told, blocks=(block,)))
    assert any("MangaOCR was not sure." in word for word in words(card))


def test_a_character_without_a_counterpart_has_no_likelihood() -> None:
    assert likelihoods(read("学…校", (0.9, 0.5), raw="学校")) == [0.9, None, 0.5]


# ---- a quick reading first


QUICK = read(SENTENCE)
WRONG = "今日は学校に行きませんてした"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What screen readers are told, as it is told."""
    said: list[str] = []

    class Told:
        @staticmethod
        def updateAccessibility(event: Any) -> None:
            said.append(event.message())

    monkeypatch.setattr(result_module, "QAccessible", Told)
    return said


def final(text: str = SENTENCE, confidences: tuple[float, ...] | None = None) -> OcrResult:
    return read(text, confidences, engine="manga-ocr")


def others(*texts: str) -> Sequence[Variant]:
    return [Variant(final(text), "beam") for text in texts]


def bar(card: ResultCard) -> QProgressBar:
    return card.findChildren(QProgressBar)[0]


def ink(card: ResultCard) -> str:
    cursor = QTextCursor(text_of(card).document())
    cursor.setPosition(1)
    brush = cursor.charFormat().foreground()
    return "" if brush.style() == Qt.BrushStyle.NoBrush else brush.color().name()


def test_a_quick_reading_is_marked_as_one(card: ResultCard, theme: Theme) -> None:
    card.show_provisional(QUICK, "manga-ocr")

    assert text_of(card).toPlainText() == SENTENCE
    assert "Quick reading. MangaOCR is still reading…" in words(card)
    assert "built-in · 0.1 s" in " ".join(words(card))
    assert bar(card).isVisible()
    assert ink(card) == theme.tokens.muted
    copy, again = button(card, "Copy"), button(card, "Read again")
    assert copy is not None
    assert copy.isEnabled()
    assert again is not None
    assert not again.isEnabled(), "it is being read already"


def test_its_ink_follows_a_change_of_theme(card: ResultCard, theme: Theme) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    theme.set_choice("dark")
    assert ink(card) == theme.tokens.muted


def test_a_quick_reading_does_not_open_a_closed_card(card: ResultCard) -> None:
    card.dismiss()
    card.show_provisional(QUICK, "manga-ocr")
    assert not card.isVisible()


def test_the_result_takes_its_place_and_nothing_moves(card: ResultCard, said: list[str]) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    card.take_focus()
    copy = button(card, "Copy")
    assert copy is not None
    copy.setFocus()
    before = {b.text(): b.geometry() for b in card.findChildren(QPushButton) if b.isVisible()}
    place = card.geometry()

    assert card.show_result(final(WRONG))

    assert text_of(card).toPlainText() == WRONG
    assert ink(card) == ""
    assert not bar(card).isVisible()
    assert "Now as MangaOCR reads it." in words(card)
    assert said == [f"{SENTENCE}\nQuick reading. MangaOCR is still reading…", WRONG]
    QApplication.sendPostedEvents()
    assert card.geometry() == place
    assert {b.text(): b.geometry() for b in card.findChildren(QPushButton) if b.isVisible()} == before
    assert card.focusWidget() is copy
    card.set_copied(True)
    QApplication.sendPostedEvents()
    assert copy.geometry() == before["Copy"], "the longer word was expected"


def test_a_result_that_agrees_is_not_told_twice(card: ResultCard, said: list[str]) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    place = card.geometry()
    text_of(card).selectAll()

    card.show_result(final())

    assert "MangaOCR agrees." in words(card)
    assert len(said) == 1
    assert card.accessibleDescription() == SENTENCE
    assert card.geometry() == place
    assert text_of(card).textCursor().hasSelection(), "what the user selected stays selected"


def test_the_card_stays_where_it_is_when_the_result_is_longer(
    theme: Theme, focus: RecordingFocus, qtbot: QtBot
) -> None:
    """Given a card beside the region near the bottom; when the text grows by a line and there is no room
    below; then it moves up, and only then."""
    card = ResultCard(theme, focus)
    qtbot.addWidget(card)
    card.show_pending(QRect(50, 60, 40, 120))
    card.show_provisional(QUICK, "manga-ocr")
    top = card.pos()
    card.show_result(final(SENTENCE * 3))
    assert card.pos() == top

    bottom = QGuiApplication.primaryScreen().availableGeometry().bottom()
    card.show_pending(QRect(50, bottom - 130, 40, 120))
    card.show_provisional(QUICK, "manga-ocr")
    top = card.pos()
    card.show_result(final(SENTENCE * 5))
    assert card.pos().x() == top.x()
    assert card.pos().y() < top.y()
    assert card.geometry().adjusted(0, 0, 0, -20).bottom() <= bottom

    card.show_pending(QRect(50, bottom - 130, 40, 120))
    card.show_provisional(read(SENTENCE * 5), "manga-ocr")
    top = card.pos()
    card.show_result(final(SENTENCE))
    assert card.pos() == top, "a shorter one has room where it is"


def test_a_copied_quick_reading_stays_and_the_result_is_offered(
    card: ResultCard, qtbot: QtBot, said: list[str]
) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    with qtbot.waitSignal(card.taken):
        click(card, "Copy")
    card.set_copied(True)
    place = card.geometry()

    assert not card.show_result(final(WRONG), keep=True)

    assert text_of(card).toPlainText() == SENTENCE
    assert button(card, "Copied ✓") is not None
    assert {"MangaOCR reads it differently.", "Tab", "1/2"} <= set(words(card))
    assert said[-1] == "MangaOCR reads it differently."
    assert card.geometry() == place
    with qtbot.waitSignal(card.chosen) as chosen:
        click(card, "Next reading")
    assert chosen.args == [WRONG]
    assert "Read by MangaOCR." in words(card)


def test_a_copied_quick_reading_that_proves_right_is_the_result(card: ResultCard, said: list[str]) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    assert not card.show_result(final(), keep=True), "the clipboard is the user's"
    assert "MangaOCR agrees." in words(card)
    assert "MangaOCR · 0.1 s" in " ".join(words(card))
    assert len(said) == 1


def test_copying_a_part_by_key_counts_as_copying(card: ResultCard, qtbot: QtBot) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    with qtbot.assertNotEmitted(card.taken):
        QTest.keyClick(text_of(card), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    text_of(card).selectAll()
    with qtbot.waitSignal(card.taken):
        QTest.keyClick(text_of(card), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)


def test_a_result_does_not_disturb_an_edit(card: ResultCard, qtbot: QtBot) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    click(card, "Edit")
    assert ink(card) == "", "what one edits is no longer provisional"
    QTest.keyClicks(text_of(card), "x")

    assert not card.show_result(final(WRONG), others=others("ドド"))

    assert text_of(card).toPlainText() == SENTENCE + "x"
    assert card.focusWidget() is text_of(card)
    assert button(card, "Next reading") is None, "stepping would lose the edit"
    assert "MangaOCR reads it differently." in words(card)
    with qtbot.waitSignal(card.edited) as edited:
        click(card, "Done")
    assert edited.args == [SENTENCE + "x"]
    assert {"MangaOCR reads it differently.", "1/3"} <= set(words(card))
    click(card, "Next reading")
    assert text_of(card).toPlainText() == WRONG
    click(card, "Previous reading")
    assert text_of(card).toPlainText() == SENTENCE + "x", "an edit is not lost by stepping"


def press_escape(card: ResultCard) -> None:
    QTest.keyClick(text_of(card), Qt.Key.Key_Escape)


@pytest.mark.parametrize(
    "leave",
    [lambda card: click(card, "Cancel"), lambda card: click(card, "Done"), press_escape],
    ids=["cancelled", "done without a change", "cancelled by key"],
)
def test_an_edit_that_comes_to_nothing_lets_the_result_in(
    card: ResultCard, qtbot: QtBot, said: list[str], leave: Callable[[ResultCard], None]
) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    click(card, "Edit")
    card.show_result(final(WRONG))

    with qtbot.waitSignal(card.chosen) as chosen, qtbot.assertNotEmitted(card.edited):
        leave(card)

    assert chosen.args == [WRONG]
    assert text_of(card).toPlainText() == WRONG
    assert said[-1] == WRONG
    assert "Now as MangaOCR reads it." in words(card)
    assert button(card, "Next reading") is None


def test_an_edit_of_a_quick_reading_stays_when_the_result_comes(card: ResultCard) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    click(card, "Edit")
    QTest.keyClicks(text_of(card), "x")
    click(card, "Done")
    assert "MangaOCR is still reading…" in words(card)

    assert not card.show_result(final(WRONG), keep=True)

    assert text_of(card).toPlainText() == SENTENCE + "x"
    assert "1/2" in words(card), "the quick reading itself is gone"


def test_an_edit_is_not_told_that_the_same_engine_reads_it_differently(
    card: ResultCard, said: list[str]
) -> None:
    """Given that the other engine failed in the end and the built-in one stood in."""
    card.show_provisional(QUICK, "manga-ocr")
    click(card, "Edit")
    QTest.keyClicks(text_of(card), "x")
    click(card, "Done")
    told = len(said)
    card.show_result(QUICK, keep=True)
    assert not any("differently" in word for word in words(card))
    assert "1/2" in words(card)
    assert len(said) == told


def test_an_edit_to_what_the_engine_reads_leaves_nothing_to_say(card: ResultCard) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    card.show_result(final(WRONG), keep=True)
    click(card, "Edit")
    text_of(card).selectAll()
    QTest.keyClicks(text_of(card), "x")
    text_of(card).setPlainText(WRONG)
    click(card, "Done")
    assert "MangaOCR reads it differently." not in words(card)
    assert button(card, "Next reading") is None


def test_a_failure_leaves_the_quick_reading_usable(card: ResultCard, said: list[str]) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    click(card, "Copy")
    card.set_copied(True)

    card.show_error("The model process ended.", "Try it once more.", True)

    assert text_of(card).toPlainText() == SENTENCE
    assert ink(card) == ""
    assert {"Read by the built-in engine.", "The model process ended. Try it once more."} <= set(words(card))
    assert not bar(card).isVisible()
    again = button(card, "Try again")
    assert again is not None
    assert again.isEnabled()
    assert button(card, "Copied ✓") is not None
    assert said[-1] == "The model process ended. Try it once more."


def test_a_failure_does_not_disturb_an_edit(card: ResultCard, qtbot: QtBot) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    click(card, "Edit")
    QTest.keyClicks(text_of(card), "x")
    card.show_error("The model process ended.", "Try it once more.", False)
    assert "The model process ended. Try it once more." in words(card)
    with qtbot.waitSignal(card.edited) as edited:
        click(card, "Done")
    assert edited.args == [SENTENCE + "x"]
    assert button(card, "Try again") is None


def test_an_engine_that_finds_nothing_does_not_erase_the_quick_reading(card: ResultCard) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    assert not card.show_result(read("", engine="manga-ocr"))
    assert text_of(card).toPlainText() == SENTENCE
    assert "MangaOCR found no text." in words(card)


def test_closing_it_while_the_engine_still_reads_cancels(card: ResultCard, qtbot: QtBot) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    with qtbot.waitSignals([card.cancel_requested, card.closed]):
        click(card, "Close")


def test_the_next_snip_knows_nothing_of_the_last(card: ResultCard) -> None:
    card.show_provisional(QUICK, "manga-ocr")
    card.show_error("The model process ended.", "Try it once more.", True)
    height = card.height()
    card.show_pending(QRect(50, 60, 40, 120))
    assert words(card) == ["Reading…"]
    card.show_result(final(WRONG))
    assert words(card) == ["MangaOCR · 0.1 s"]
    assert card.height() < height


# ---- other readings


DOUBTFUL = read("ドドドド", (0.9, 0.9, 0.9, 0.3))


def test_a_doubtful_read_offers_the_others(card: ResultCard, said: list[str]) -> None:
    card.show_result(DOUBTFUL, others=others("ドドド", "トドド"))

    hint = " ".join(words(card))
    assert "Not sure about this one." in hint
    assert "2 other readings" in hint
    assert {"Tab", "1/3"} <= set(words(card))
    assert said == ["ドドドド\nNot sure about this one. 2 other readings"]


def test_one_other_reading_is_counted_in_words(card: ResultCard) -> None:
    card.show_result(DOUBTFUL, others=others("ドドド"))
    assert "Not sure about this one. 1 other reading" in " ".join(words(card)).replace("\n", " ")


def test_a_sure_read_has_them_quietly(card: ResultCard) -> None:
    card.show_result(final(), others=others("ドドド"))
    assert "1/2" in words(card)
    assert not {"Tab", "Not sure about this one."} & set(words(card))


def test_stepping_with_the_mouse(card: ResultCard, qtbot: QtBot, said: list[str]) -> None:
    alternatives = [Variant(read("ドドド", (0.2, 0.9, 0.9)), "enlarged"), *others("トドド")]
    card.show_result(DOUBTFUL, copied=True, others=alternatives)
    place = card.geometry()

    with qtbot.waitSignal(card.chosen) as chosen:
        click(card, "Next reading")
    assert chosen.args == ["ドドド"]
    assert text_of(card).toPlainText() == "ドドド"
    assert underlined(card) == "ド", "marks are those of this reading"
    assert button(card, "Copied ✓") is None
    assert {"2/3", "Read enlarged"} <= set(words(card))
    assert said[-1] == "ドドド\nRead enlarged"
    assert card.geometry() == place, "the button stays under the pointer"

    click(card, "Next reading")
    assert "A less likely reading" in words(card)
    click(card, "Next reading")
    assert text_of(card).toPlainText() == "ドドドド"
    assert "1/3" in words(card)
    with qtbot.waitSignal(card.chosen) as chosen:
        click(card, "Previous reading")
    assert chosen.args == ["トドド"]


@pytest.mark.parametrize(
    ("forward", "back"),
    [(Qt.Key.Key_Right, Qt.Key.Key_Left), (Qt.Key.Key_Down, Qt.Key.Key_Up)],
    ids=["left and right", "up and down"],
)
def test_stepping_with_the_keyboard(card: ResultCard, qtbot: QtBot, forward: Qt.Key, back: Qt.Key) -> None:
    card.show_result(DOUBTFUL, others=others("ドドド", "トドド"))
    card.take_focus()
    qtbot.waitUntil(card.isActiveWindow, timeout=30_000)

    # The arrows step as soon as the card has the keyboard
    assert "← →" in words(card)
    assert "Tab" not in words(card)
    QTest.keyClick(card.focusWidget(), forward)
    assert text_of(card).toPlainText() == "ドドド"
    QTest.keyClick(card.focusWidget(), back)
    QTest.keyClick(card.focusWidget(), back)
    assert text_of(card).toPlainText() == "トドド"
    QTest.keyClick(card.focusWidget(), Qt.Key.Key_Space)
    assert text_of(card).toPlainText() == "ドドドド"

    seen = []
    for _ in range(6):
        QTest.keyClick(card.focusWidget(), Qt.Key.Key_Tab)
        seen.append(card.focusWidget().accessibleName() or card.focusWidget().text())
    assert seen == ["Copy", "Ask", "Read again", "Edit", "Close", "Text that was read"], "no trap"
    QTest.keyClick(card.focusWidget(), Qt.Key.Key_Tab)
    assert card.focusWidget() is button(card, "Previous reading")
    QTest.keyClick(card.focusWidget(), Qt.Key.Key_Tab)
    assert card.focusWidget() is button(card, "Next reading")
    QTest.keyClick(card.focusWidget(), forward)
    assert text_of(card).toPlainText() == "ドドド", "arrows step from every button"


def test_arrows_in_the_text_move_in_the_text(card: ResultCard, qtbot: QtBot) -> None:
    card.show_result(DOUBTFUL, others=others("ドドド"))
    card.take_focus()
    with qtbot.assertNotEmitted(card.chosen):
        QTest.keyClick(text_of(card), Qt.Key.Key_Right)
    assert text_of(card).textCursor().position() == 1


def test_an_edit_stands_beside_what_was_read(card: ResultCard) -> None:
    card.show_result(DOUBTFUL, others=others("ドドド"))
    click(card, "Next reading")
    click(card, "Edit")
    QTest.keyClicks(text_of(card), "x")
    click(card, "Done")
    assert text_of(card).toPlainText() == "ドドドx"
    assert "1/3" in words(card)
    assert "Not sure about this one." not in " ".join(words(card))
    click(card, "Next reading")
    assert text_of(card).toPlainText() == "ドドドド"
    assert "Read by the built-in engine." in words(card)


def test_undo_in_an_edit_takes_back_typing_alone(card: ResultCard) -> None:
    card.show_result(DOUBTFUL)
    click(card, "Edit")
    line = text_of(card).document().firstBlock().blockFormat().lineHeight()
    QTest.keyClicks(text_of(card), "x")
    for _ in range(5):
        text_of(card).undo()
    assert text_of(card).toPlainText() == "ドドドド"
    assert text_of(card).document().firstBlock().blockFormat().lineHeight() == line


def test_marks_of_one_text_do_not_spread_to_the_next(card: ResultCard) -> None:
    card.show_result(read("ド", (0.3,)))
    card.show_result(read(SENTENCE))
    assert underlined(card) == ""


# ---- how sure, who, and why


def point_of(card: ResultCard, position: int) -> QPoint:
    """The middle of a character, in the text's viewport."""
    text = text_of(card)
    start, end = QTextCursor(text.document()), QTextCursor(text.document())
    start.setPosition(position)
    end.setPosition(position + 1)
    left, right = text.cursorRect(start), text.cursorRect(end)
    x = (left.x() + right.x()) // 2 if left.top() == right.top() else left.x() + 5
    return QPoint(x, left.center().y())


def hover(card: ResultCard, point: QPoint) -> str:
    viewport = text_of(card).viewport()
    QToolTip.hideText()
    QApplication.sendEvent(viewport, QHelpEvent(QEvent.Type.ToolTip, point, viewport.mapToGlobal(point)))
    return QToolTip.text()


def test_pointing_at_a_character_tells_its_likelihood(card: ResultCard) -> None:
    values = tuple(round(0.3 + 0.01 * i, 2) for i in range(42))
    card.show_result(read(SENTENCE * 3, values))
    assert text_of(card).height() > 60, "more than one line"
    for position, char in enumerate(SENTENCE * 3):
        for shift in (-3, 3):
            told = hover(card, point_of(card, position) + QPoint(shift, 0))
            assert told == f"{char}: likelihood {values[position]:.2f}"
    last = point_of(card, 41)
    for beside in (QPoint(40, 0), QPoint(0, 40)):
        assert card.findChildren(ReadText)[0].likelihood_at(last + beside) == ""


def test_likelihoods_stand_right_after_characters_of_two_units(card: ResultCard) -> None:
    card.show_result(read("𠮷野家", (0.9, 0.25, 0.8)))
    assert hover(card, point_of(card, 2)) == "野: likelihood 0.25"


def test_nothing_is_told_while_editing_and_of_unknown_likelihoods(card: ResultCard) -> None:
    (text,) = card.findChildren(ReadText)
    card.show_result(read("学校", ()))
    assert text.likelihood_at(point_of(card, 0)) == ""
    card.show_result(read("学校"))
    assert text.likelihood_at(point_of(card, 0)) == "学: likelihood 0.95"
    click(card, "Edit")
    assert text.likelihood_at(point_of(card, 0)) == ""


def test_the_keyboard_tells_likelihoods_too(card: ResultCard) -> None:
    card.show_result(read("学校に", (0.9, 0.5, 0.7)))
    card.take_focus()
    QTest.keyClick(text_of(card), Qt.Key.Key_Right)
    assert QToolTip.text() == "校: likelihood 0.50"
    QTest.keyClick(text_of(card), Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert QToolTip.text() == "校: likelihood 0.50", "the one that was selected"


def test_tooltips_come_although_the_card_has_no_focus(card: ResultCard) -> None:
    card.show_result(DOUBTFUL, others=others("ドドド"))
    for part in (text_of(card).viewport(), *card.findChildren(Facts)):
        assert part.testAttribute(Qt.WidgetAttribute.WA_AlwaysShowToolTips)


def test_all_figures_are_in_the_tooltip_of_the_facts(card: ResultCard) -> None:
    card.show_result(final(SENTENCE, (0.9,) * 7 + (1.0,) * 7))
    (facts,) = card.findChildren(Facts)
    for told in (facts.toolTip(), facts.accessibleDescription()):
        for figure in ("MangaOCR", "CPU", "0.12 s", "0.95", "not a calibrated probability"):
            assert figure in told
    facts.fit(1000)
    assert facts.text() == "MangaOCR · 0.1 s · 0.95"
    facts.fit(10)
    assert facts.text() == "MangaOCR · 0.1 s"


def test_the_likelihood_of_what_was_read_is_not_that_of_an_edit(card: ResultCard) -> None:
    card.show_result(final())
    click(card, "Edit")
    QTest.keyClicks(text_of(card), "x")
    click(card, "Done")
    (facts,) = card.findChildren(Facts)
    assert "ikelihood" not in facts.toolTip()
    assert "Changed by you" in facts.toolTip()


def test_why_another_engine_has_read_is_said_quietly(card: ResultCard, said: list[str]) -> None:
    notice = LoadFailed(engine="MangaOCR", reason="a file is missing")
    card.show_result(OcrResult(SENTENCE, (), "ppocr", "cpu", 0.1, notice))
    told = "The MangaOCR engine could not be loaded: a file is missing. The built-in engine read this."
    label = next(label for label in card.findChildren(QLabel) if label.text() == told)
    assert label.isVisible()
    assert label.property("role") == "muted"
    assert label.toolTip() == notice.advice
    assert said == [f"{SENTENCE}\n{told}"]
    card.set_copied(None, "The picture was left alone.")
    assert f"{told} The picture was left alone." in words(card)
    card.show_result(read(SENTENCE))
    assert words(card) == ["built-in · 0.1 s"]


def test_every_word_on_the_card_has_room(card: ResultCard) -> None:
    """In each state, nothing is cut off: labels are as high as their text, and inside the card."""
    notice = LoadFailed(engine="MangaOCR", reason="a file is missing " * 8)
    long = OcrResult(SENTENCE, (), "ppocr", "cpu", 0.1, notice)

    def check() -> None:
        QApplication.sendPostedEvents()
        for label in card.findChildren(QLabel):
            if not label.isVisible():
                continue
            width = label.width()
            needed = label.heightForWidth(width) if label.wordWrap() else label.sizeHint().height()
            assert label.height() >= needed, label.text()
            if not isinstance(label, Facts) and not label.wordWrap():
                assert width >= label.sizeHint().width(), label.text()
            corner = label.mapTo(card, label.rect().bottomRight())
            assert card.rect().contains(corner), label.text()

    card.show_provisional(QUICK, "manga-ocr")
    check()
    card.show_result(final(WRONG), others=others("ドドド", "トドド"), keep=True)
    check()
    card.show_result(DOUBTFUL, others=others("ドドド", "トドド"))
    check()
    card.set_copied(False, "The text could not be put into the clipboard: another program holds it.")
    check()
    click(card, "Next reading")
    check()
    card.show_result(long)
    check()
    card.show_error("It failed for a reason. " * 5, "Do this and then do that. " * 5, True)
    check()
    card.show_pending(QRect(50, 60, 40, 120))
    card.show_provisional(QUICK, "manga-ocr")
    wordy = read(WRONG, engine="an engine with a very long name " * 3)
    card.show_result(wordy, others=others("ドドド"), keep=True)
    check()
    height = card.height()
    for _ in range(2):
        click(card, "Next reading")
        check()
        assert card.height() == height, "the button stays under the pointer"
