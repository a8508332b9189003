"""The foot of the side panel, with real keys, an input method's events, the clipboard and drops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import (
    QAccessible,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QPalette,
    QRawFont,
    QShortcut,
    QTextLayout,
)
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.errors import OnePictureOnly
from desktop.asked_before import AskedBefore
from desktop.composer import Composer
from desktop.theme import JAPANESE_FAMILIES, Theme, contrast

PROMPTS = ["Translate", "Grammar", "Scene"]
MANY = [
    *("Translate", "Explain the grammar", "Explain this word", "What is happening", "Who speaks to whom"),
    *("Describe for someone who cannot see it", "Seven", "Eight", "Nine", "Ten", "R & D"),
]


class Heard:
    """What the composer told, in order."""

    def __init__(self, composer: Composer) -> None:
        self.questions: list[str] = []
        self.prompts: list[int] = []
        self.images: list[QImage] = []
        self.files: list[list[Path]] = []
        self.refused: list[str] = []
        self.others: list[str] = []
        composer.submitted.connect(self.questions.append)
        composer.prompt_chosen.connect(self.prompts.append)
        composer.picture_pasted.connect(self.images.append)
        composer.files_pasted.connect(self.files.append)
        composer.refused.connect(self.refused.append)
        composer.stop_requested.connect(lambda: self.others.append("stop"))
        composer.options_requested.connect(lambda: self.others.append("options"))
        composer.typing.connect(lambda: self.others.append("typing"))


class Window(QWidget):
    """The panel around it: another field, and whether Esc came through."""

    def __init__(self, theme: Theme, width: int = 420) -> None:
        super().__init__()
        self.escapes = 0
        self.other = QLineEdit()
        self.composer = Composer(theme)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.addWidget(self.other)
        self.column.addStretch(1)
        self.column.addWidget(self.composer)
        self.resize(width, 500)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escapes += 1
        super().keyPressEvent(event)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def window(theme: Theme, qtbot: QtBot) -> Iterator[Window]:
    shown = Window(theme)
    qtbot.addWidget(shown)
    shown.composer.set_prompts(PROMPTS)
    shown.show()
    shown.activateWindow()
    qtbot.waitActive(shown)
    shown.composer.take_focus()
    yield shown
    QGuiApplication.clipboard().clear()


@pytest.fixture
def composer(window: Window) -> Composer:
    return window.composer


@pytest.fixture
def heard(composer: Composer) -> Heard:
    return Heard(composer)


def compose(composer: Composer, preedit: str, commit: str = "") -> None:
    """What an input method shows, and what it writes first."""
    event = QInputMethodEvent(preedit, [])
    event.setCommitString(commit)
    QApplication.sendEvent(composer.field, event)


def press(
    qtbot: QtBot,
    composer: Composer,
    key: Qt.Key,
    held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    focused = composer.window().focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, key, held)


ENTER, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Escape


# ---- sending


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_sends_and_the_question_stays_until_the_panel_takes_it(
    composer: Composer, heard: Heard, qtbot: QtBot, key: Qt.Key
) -> None:
    qtbot.keyClicks(composer.field, " Why? ")
    press(qtbot, composer, key)
    assert heard.questions == ["Why?"]
    assert composer.text() == " Why? "
    composer.set_text("")
    assert composer.text() == ""


@pytest.mark.parametrize("held", [Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier])
def test_shift_enter_and_ctrl_enter_begin_a_new_line(
    composer: Composer, heard: Heard, qtbot: QtBot, held: Qt.KeyboardModifier
) -> None:
    qtbot.keyClicks(composer.field, "a")
    press(qtbot, composer, ENTER, held)
    qtbot.keyClicks(composer.field, "b")
    assert composer.text() == "a\nb"
    assert heard.questions == []
    press(qtbot, composer, ENTER)
    assert heard.questions == ["a\nb"]


@pytest.mark.parametrize("text", ["", "  ", "\n\n", "\u3000"])
def test_blank_text_is_not_sent(composer: Composer, heard: Heard, qtbot: QtBot, text: str) -> None:
    composer.set_text(text)
    assert not composer.send.isEnabled()
    press(qtbot, composer, ENTER)
    assert heard.questions == []
    assert composer.text() == text


def test_a_key_held_down_sends_once(composer: Composer, heard: Heard) -> None:
    composer.set_text("Why?")
    for again in (False, True, True):
        key = QKeyEvent(
            QEvent.Type.KeyPress, ENTER, Qt.KeyboardModifier.NoModifier, "\r", autorep=again, count=1
        )
        QApplication.sendEvent(composer.field, key)
    assert heard.questions == ["Why?"]


def test_the_button_sends_and_the_keyboard_stays_in_the_field(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    composer.set_text("Why?")
    qtbot.mouseClick(composer.send, Qt.MouseButton.LeftButton)
    assert heard.questions == ["Why?"]
    assert composer.field.hasFocus()
    # With the keyboard, too: else Enter would stop what it has just begun
    composer.send.setFocus()
    press(qtbot, composer, ENTER)
    assert heard.questions == ["Why?", "Why?"]
    assert composer.field.hasFocus()


def test_while_it_says_why_nothing_can_be_sent_a_question_can_be_written(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    composer.set_enabled_reason("Add a picture first.")
    assert composer.reason.isVisible()
    assert composer.reason.text() == "Add a picture first."
    qtbot.keyClicks(composer.field, "Why?")
    assert not composer.send.isEnabled()
    press(qtbot, composer, ENTER)
    press(qtbot, composer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert (heard.questions, heard.prompts) == ([], [])
    assert composer.text() == "Why?"
    composer.set_enabled_reason("")
    assert not composer.reason.isVisible()
    press(qtbot, composer, ENTER)
    assert heard.questions == ["Why?"]


def test_more_pictures_than_the_model_looks_at_are_told_with_the_ways_out(
    window: Window, composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    several = composer.several
    asked: list[str] = []
    several.part_requested.connect(lambda: asked.append("part"))
    several.take_out_requested.connect(lambda: asked.append("take out"))
    several.models_requested.connect(lambda: asked.append("models"))
    composer.set_text("Why?")
    composer.set_problem(OnePictureOnly(model="tiny"))
    # Then it is said, nothing can be sent, and the question stays
    assert several.isVisible()
    assert several.text.text().startswith("tiny looks at one picture at a time. Ask about each")
    assert not composer.send.isEnabled()
    assert composer.send.toolTip() == "tiny looks at one picture at a time."
    press(qtbot, composer, ENTER)
    press(qtbot, composer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert (heard.questions, heard.prompts, composer.text()) == ([], [], "Why?")
    # The ways out come before the rest with Tab, and Enter takes them
    window.other.setFocus()
    for button in (several.part, several.take_out, several.models):
        press(qtbot, composer, Qt.Key.Key_Tab)
        assert window.focusWidget() is button
        qtbot.keyClick(button, Qt.Key.Key_Space)
    assert asked == ["part", "take out", "models"]
    # Once it is gone, the keyboard is in the field
    composer.set_problem(None)
    assert not several.isVisible()
    assert window.focusWidget() is composer.field
    press(qtbot, composer, ENTER)
    assert heard.questions == ["Why?"]


@pytest.mark.parametrize("width", [320, 340, 420])
def test_the_ways_out_fit_a_narrow_panel(
    window: Window, composer: Composer, qtbot: QtBot, width: int
) -> None:
    window.resize(width, 500)
    composer.set_problem(OnePictureOnly(model="LLaVA 1.6 Mistral 7B"))
    several = composer.several
    buttons = (several.part, several.take_out, several.models)
    qtbot.waitUntil(lambda: all(button.width() >= button.sizeHint().width() for button in buttons))
    assert window.width() == width
    for button in buttons:
        assert button.mapTo(window, button.rect().bottomRight()).x() < width
    assert several.text.height() >= several.text.heightForWidth(several.text.width())


# ---- input methods


def test_enter_does_not_send_while_an_input_method_composes(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    composer.set_text("なぜ")
    compose(composer, "でした")
    press(qtbot, composer, ENTER)
    assert heard.questions == []
    assert composer.text() == "なぜ", "no line is begun, either"
    assert composer.field.composing


def test_after_the_composition_the_next_enter_sends(composer: Composer, heard: Heard, qtbot: QtBot) -> None:
    compose(composer, "がっこう")
    # When its Enter ends the composition, of which we see the key's release alone
    compose(composer, "", commit="学校")
    qtbot.keyRelease(composer.field, ENTER)
    assert heard.questions == []
    assert composer.text() == "学校"
    press(qtbot, composer, ENTER)
    assert heard.questions == ["学校"]


def test_the_enter_that_ends_a_composition_does_not_send_where_we_get_it_too(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    compose(composer, "がっこう")
    compose(composer, "", commit="学校")
    # A key that was still down from before makes no difference
    qtbot.keyRelease(composer.field, Qt.Key.Key_Space)
    press(qtbot, composer, ENTER)
    assert heard.questions == []
    assert composer.text() == "学校"
    press(qtbot, composer, ENTER)
    assert heard.questions == ["学校"]


def test_a_composition_that_ended_without_enter_holds_nothing_up_for_long(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    compose(composer, "がっこう")
    # When a click in the list of candidates ends it
    compose(composer, "", commit="学校")
    qtbot.waitUntil(lambda: not composer.field._settling.isActive())
    press(qtbot, composer, ENTER)
    assert heard.questions == ["学校"]


def test_text_that_an_input_method_writes_without_composing_holds_nothing_up(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    compose(composer, "", commit="ok")
    press(qtbot, composer, ENTER)
    assert heard.questions == ["ok"]


def test_a_composition_that_goes_on_after_a_part_was_written_is_still_one(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    compose(composer, "がっこうに")
    compose(composer, "に", commit="学校")
    press(qtbot, composer, ENTER)
    assert heard.questions == []


@pytest.mark.parametrize("busy", [False, True])
def test_esc_while_composing_is_the_input_methods(
    window: Window, composer: Composer, heard: Heard, qtbot: QtBot, busy: bool
) -> None:
    composer.set_busy(busy)
    compose(composer, "がっ")
    press(qtbot, composer, ESCAPE)
    assert (heard.others.count("stop"), window.escapes) == (0, 0)
    # And where it has ended the composition, and we get the key all the same
    compose(composer, "")
    press(qtbot, composer, ESCAPE)
    assert (heard.others.count("stop"), window.escapes) == (0, 0)
    # Then the next one is ours
    press(qtbot, composer, ESCAPE)
    assert (heard.others.count("stop"), window.escapes) == ((1, 0) if busy else (0, 1))


def test_a_click_on_send_sends_no_half_of_what_is_being_composed(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    # Given an input method that does not hand over its text when it is asked to
    composer.set_text("今日は")
    compose(composer, "がっこう")
    qtbot.mouseClick(composer.send, Qt.MouseButton.LeftButton)
    assert heard.questions == []
    assert composer.field.composing


def test_what_is_being_composed_counts_as_something_to_send(composer: Composer) -> None:
    compose(composer, "が")
    assert composer.send.isEnabled()
    compose(composer, "")
    assert not composer.send.isEnabled()


# ---- stopping


def test_esc_stops_an_answer_and_else_goes_on_to_the_panel(
    window: Window, composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    press(qtbot, composer, ESCAPE)
    assert (heard.others, window.escapes) == ([], 1)
    composer.set_busy(True)
    press(qtbot, composer, ESCAPE)
    assert (heard.others, window.escapes) == (["stop"], 1)
    # From the buttons as well
    composer.stop.setFocus()
    press(qtbot, composer, ESCAPE)
    assert (heard.others, window.escapes) == (["stop", "stop"], 1)


def test_esc_that_is_held_down_stops_but_does_not_close(
    window: Window, composer: Composer, heard: Heard
) -> None:
    composer.set_busy(True)
    composer.stop_requested.connect(lambda: composer.set_busy(False))
    for again in (False, True, True):
        none = Qt.KeyboardModifier.NoModifier
        key = QKeyEvent(QEvent.Type.KeyPress, ESCAPE, none, "", autorep=again, count=1)
        QApplication.sendEvent(composer.field, key)
    assert (heard.others, window.escapes) == (["stop"], 0)


def test_stop_takes_the_place_of_send_and_nothing_moves(
    window: Window, composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    composer.set_text("And casually?")
    place, options = composer.send.geometry(), composer.options.geometry()
    composer.set_busy(True)
    window.column.activate()
    assert (composer.send.isVisible(), composer.stop.isVisible()) == (False, True)
    assert composer.field.hasFocus()
    qtbot.waitUntil(lambda: composer.stop.geometry() == place)
    assert composer.options.geometry() == options
    # What is typed meanwhile is not sent
    press(qtbot, composer, ENTER)
    assert heard.questions == []
    qtbot.mouseClick(composer.stop, Qt.MouseButton.LeftButton)
    assert heard.others == ["stop"]
    composer.set_busy(False)
    assert (composer.send.isVisible(), composer.stop.isVisible()) == (True, False)
    assert composer.field.hasFocus()
    assert composer.text() == "And casually?"


def test_the_keyboard_goes_to_the_field_when_its_button_goes(composer: Composer) -> None:
    composer.set_text("Why?")
    composer.send.setFocus()
    composer.set_busy(True)
    assert composer.field.hasFocus()
    composer.stop.setFocus()
    composer.set_busy(False)
    assert composer.field.hasFocus()
    composer.chips.chips[0].setFocus()
    composer.set_busy(True)
    assert composer.field.hasFocus()


# ---- prompts


def test_alt_and_a_digit_chooses_a_prompt_from_anywhere_in_the_window(
    window: Window, composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    press(qtbot, composer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    window.other.setFocus()
    press(qtbot, composer, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert heard.prompts == [0, 2]
    # There is no fourth, and none at all during an answer
    press(qtbot, composer, Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    composer.set_busy(True)
    press(qtbot, composer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert heard.prompts == [0, 2]
    assert (composer.text(), window.other.text()) == ("", "")


def test_chips_are_buttons_that_say_their_key(composer: Composer, heard: Heard, qtbot: QtBot) -> None:
    chips = composer.chips.chips
    told = [QAccessible.queryAccessibleInterface(chip) for chip in chips]
    assert [each.role() for each in told] == [QAccessible.Role.Button] * 3
    assert [each.text(QAccessible.Text.Name) for each in told] == [
        "Translate, Alt+1",
        "Grammar, Alt+2",
        "Scene, Alt+3",
    ]
    qtbot.mouseClick(chips[1], Qt.MouseButton.LeftButton)
    assert composer.field.hasFocus(), "a click leaves the keyboard where it was"
    chips[2].setFocus()
    press(qtbot, composer, ENTER)
    press(qtbot, composer, Qt.Key.Key_Space)
    assert heard.prompts == [1, 2, 2]


def visible(composer: Composer) -> list[str]:
    return [chip.title for chip in composer.chips.chips if chip.isVisible()]


def test_chips_wrap_at_320_pixels_and_the_others_are_in_a_menu(
    window: Window, composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    window.resize(320, 500)
    composer.set_prompts(MANY)
    qtbot.waitUntil(lambda: composer.chips.width() == 320 - 24)
    chips = [*(chip for chip in composer.chips.chips if chip.isVisible()), composer.chips.more]
    # Then nothing is cut off, nothing overlaps, and there are two rows
    assert composer.chips.more.isVisible()
    assert all(composer.chips.rect().contains(chip.geometry()) for chip in chips)
    for one, other in pairwise(chips):
        assert not one.geometry().intersects(other.geometry())
    assert len({chip.y() for chip in chips}) == 2
    qtbot.waitUntil(lambda: composer.chips.geometry().bottom() < composer.field.geometry().top())
    # And the menu has the rest, each with its key
    shown = visible(composer)
    menu = composer.chips.menu()
    texts = [action.text() for action in menu.actions()]
    assert [text.split("\t")[0].replace("&&", "&") for text in texts] == MANY[len(shown) :]
    assert "Nine\tAlt+9" in texts
    assert "Ten" in texts
    menu.actions()[-1].trigger()
    menu.deleteLater()
    assert heard.prompts == [10]
    # Their keys work as well
    press(qtbot, composer, Qt.Key.Key_9, Qt.KeyboardModifier.AltModifier)
    assert heard.prompts == [10, 8]
    # When there is room again, fewer are in the menu
    window.resize(900, 500)
    qtbot.waitUntil(lambda: len(visible(composer)) > len(shown))


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard", extend=True)
def test_the_menu_opens_with_the_keyboard(window: Window, composer: Composer, qtbot: QtBot) -> None:
    window.resize(320, 500)
    composer.set_prompts(MANY)
    qtbot.waitUntil(composer.chips.more.isVisible)
    composer.chips.more.setFocus()
    press(qtbot, composer, ENTER)
    menu = QApplication.activePopupWidget()
    assert menu is not None
    qtbot.keyClick(menu, ESCAPE)
    assert QApplication.activePopupWidget() is None


@pytest.mark.qt_log_ignore("does not support grabbing the keyboard", extend=True)
def test_no_chip_keeps_the_look_of_the_pointer_that_has_gone(
    window: Window, composer: Composer, qtbot: QtBot
) -> None:
    window.resize(320, 500)
    composer.set_prompts(MANY)
    chips = composer.chips
    qtbot.waitUntil(chips.more.isVisible)
    # Given the pointer at the button, whose menu takes it away
    chips.more.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    chips.more.click()
    menu = QApplication.activePopupWidget()
    assert menu is not None
    qtbot.keyClick(menu, ESCAPE)
    assert not chips.more.underMouse()
    # Given it at two chips, of which one moves from under it
    first, last = chips.chips[0], [chip for chip in chips.chips if chip.isVisible()][-1]
    for chip in (first, last):
        chip.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    place = last.geometry()
    window.resize(900, 500)
    qtbot.waitUntil(lambda: last.geometry() != place)
    assert first.underMouse()
    assert not last.underMouse()


def test_a_very_long_prompt_is_cut_off_and_named_in_full(composer: Composer, qtbot: QtBot) -> None:
    long = "長い" * 200
    composer.set_prompts([long, "a\nb\tc"])
    qtbot.waitUntil(lambda: composer.chips.chips[0].isVisible())
    assert composer.chips.rect().contains(composer.chips.chips[0].geometry())
    assert composer.chips.chips[0].toolTip() == f"{long} (Alt+1)"
    assert composer.chips.chips[1].title == "a b c"


def test_no_prompts_take_no_room_and_changed_prompts_keep_no_old_key(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    height = composer.sizeHint().height()
    composer.set_prompts([])
    assert not composer.chips.isVisible()
    qtbot.waitUntil(lambda: composer.sizeHint().height() < height)
    press(qtbot, composer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert heard.prompts == []
    composer.set_prompts(["One"])
    press(qtbot, composer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    press(qtbot, composer, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert heard.prompts == [0]


def test_tab_goes_through_all_that_can_be_used_in_the_order_it_stands(
    window: Window, composer: Composer, qtbot: QtBot
) -> None:
    composer.set_text("Why?")
    # Prompts that came after all the rest
    composer.set_prompts(["One", "Two"])
    chips = composer.chips.chips
    window.other.setFocus()
    order = []
    for _ in range(6):
        press(qtbot, composer, Qt.Key.Key_Tab)
        order.append(window.focusWidget())
    assert order == [*chips, composer.field, composer.options, composer.send, window.other]
    assert composer.text() == "Why?"


# ---- paste and drop


def put(mime: QMimeData) -> None:
    QGuiApplication.clipboard().setMimeData(mime)


def a_picture() -> QImage:
    image = QImage(4, 3, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.blue)
    return image


def test_a_pasted_picture_goes_to_the_panel_not_into_the_text(
    window: Window, composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    # Given a window with a key of its own for pasting
    taken: list[str] = []
    shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), window)
    shortcut.activated.connect(lambda: taken.append("window"))
    mime = QMimeData()
    mime.setImageData(a_picture())
    put(mime)
    press(qtbot, composer, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert heard.images == [a_picture()]
    assert (composer.text(), taken) == ("", [])


def test_pasted_files_go_to_the_panel(composer: Composer, heard: Heard, qtbot: QtBot, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("a.png", "b.jpg", "c.zip")])
    put(mime)
    press(qtbot, composer, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert heard.files == [[tmp_path / "a.png", tmp_path / "b.jpg"]]
    assert len(heard.refused) == 1
    assert heard.refused[0].startswith("c.zip is not a picture.")
    assert composer.text() == ""


def test_text_is_pasted_without_its_looks(composer: Composer, heard: Heard, qtbot: QtBot) -> None:
    mime = QMimeData()
    mime.setHtml("<h1 style='color:red'>学校</h1>")
    mime.setText("学校\nhttps://example.org/page.png")
    put(mime)
    press(qtbot, composer, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert composer.text() == "学校\nhttps://example.org/page.png"
    assert (heard.images, heard.files, heard.refused) == ([], [], [])


def test_over_the_field_it_is_shown_where_to_drop(composer: Composer) -> None:
    mime, text = QMimeData(), QMimeData()
    mime.setImageData(a_picture())
    text.setText("学校")
    send_drag(composer.field.viewport(), mime)
    assert composer.drop.veil.text == "Drop the picture here"
    QApplication.sendEvent(composer.field.viewport(), QDragLeaveEvent())
    assert composer.drop.veil.text == ""
    send_drag(composer.field.viewport(), text)
    assert composer.drop.veil.text == ""


def send_drag(widget: QWidget, mime: QMimeData) -> None:
    enter = QDragEnterEvent(
        widget.rect().center(),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()


def send_drop(widget: QWidget, mime: QMimeData) -> None:
    send_drag(widget, mime)
    point, copy = QPointF(widget.rect().center()), Qt.DropAction.CopyAction
    button, held = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDropEvent(point, copy, mime, button, held))


def test_what_is_dropped_on_the_field(composer: Composer, heard: Heard, tmp_path: Path) -> None:
    target = composer.field.viewport()
    image, files, text, web = (QMimeData() for _ in range(4))
    image.setImageData(a_picture())
    files.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.png"))])
    text.setText("学校")
    web.setUrls([QUrl("https://example.org/a.png")])
    for mime in (image, files, text, web):
        send_drop(target, mime)
    assert heard.images == [a_picture()]
    assert heard.files == [[tmp_path / "a.png"]]
    assert composer.text() == "学校"
    assert len(heard.refused) == 1
    assert heard.refused[0].startswith("Nothing is fetched from the web.")
    assert not composer.drop.veil.isVisible()


# ---- what was asked before


def test_up_in_the_empty_field_calls_up_what_was_asked(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    press(qtbot, composer, Qt.Key.Key_Up)
    assert composer.text() == ""
    for question in ("one", "two\nlines"):
        composer.set_text(question)
        press(qtbot, composer, ENTER)
        composer.set_text("")
    press(qtbot, composer, Qt.Key.Key_Up)
    assert composer.text() == "two\nlines"
    # Within it the key moves the cursor first
    press(qtbot, composer, Qt.Key.Key_Up)
    assert composer.text() == "two\nlines"
    press(qtbot, composer, Qt.Key.Key_Up)
    assert composer.text() == "one"
    press(qtbot, composer, Qt.Key.Key_Up)
    assert composer.text() == "one"
    press(qtbot, composer, Qt.Key.Key_Down)
    assert composer.text() == "two\nlines"
    press(qtbot, composer, Qt.Key.Key_Down)
    assert composer.text() == ""
    assert heard.questions == ["one", "two\nlines"]


def test_up_takes_nothing_away_that_is_being_written(composer: Composer, qtbot: QtBot) -> None:
    composer.set_text("one")
    press(qtbot, composer, ENTER)
    composer.set_text("another")
    press(qtbot, composer, Qt.Key.Key_Up)
    assert composer.text() == "another"


def called_up(asked: AskedBefore) -> list[str]:
    found: list[str] = []
    while (older := asked.older(found[-1] if found else "")) is not None:
        found.append(older)
    return found


def test_the_same_question_twice_is_kept_once_and_old_ones_are_let_go() -> None:
    asked = AskedBefore()
    for text in ("a", "b", "b"):
        asked.add(text)
    assert called_up(asked) == ["b", "a"]
    for number in range(99):
        asked.add(str(number))
    assert called_up(asked) == [*(str(number) for number in range(98, -1, -1)), "b"]
    # What was changed is a question of its own
    assert asked.newer("changed") is None
    assert asked.older("changed") is None


# ---- what it tells of typing


def test_the_first_key_of_a_question_is_told_once(composer: Composer, heard: Heard, qtbot: QtBot) -> None:
    composer.set_text("written by the program")
    composer.set_text("")
    assert heard.others == []
    qtbot.keyClicks(composer.field, "Why")
    assert heard.others == ["typing"]
    # Not again for the next question within the same seconds, but with its next key after them
    composer.set_text("")
    qtbot.keyClicks(composer.field, "A")
    assert heard.others == ["typing"]
    composer.field._quiet.stop()
    qtbot.keyClicks(composer.field, "nd")
    assert heard.others == ["typing", "typing"]


def test_composing_is_typing(composer: Composer, heard: Heard) -> None:
    compose(composer, "な")
    assert heard.others == ["typing"]


# ---- looks


def test_the_field_grows_with_its_lines_and_then_scrolls(composer: Composer, qtbot: QtBot) -> None:
    field = composer.field

    def height(lines: int) -> int:
        composer.set_text("\n".join("行" for _ in range(lines)))
        QCoreApplication.sendPostedEvents()
        return field.height()

    line = height(3) - height(2)
    assert line >= field.fontMetrics().height()
    assert height(0) == height(1) == height(2)
    assert [height(lines) - height(2) for lines in (3, 5, 8)] == [line, 3 * line, 6 * line]
    # All of eight lines can be seen, of nine not
    composer.set_text("\n".join("行" for _ in range(8)))
    assert field.verticalScrollBar().maximum() == 0
    assert not field.verticalScrollBar().isVisible()
    assert height(8) == height(9) == height(30)
    assert field.verticalScrollBar().isVisible()
    # It shrinks again
    assert height(1) == height(2)


def test_long_lines_count_as_they_are_broken(window: Window, composer: Composer, qtbot: QtBot) -> None:
    composer.set_text("今日は学校に行きませんでした。" * 4)
    wide = composer.field.height()
    window.resize(320, 500)
    qtbot.waitUntil(lambda: composer.field.height() > wide)
    window.resize(420, 500)
    qtbot.waitUntil(lambda: composer.field.height() == wide)


def test_japanese_is_written_with_japanese_glyphs(composer: Composer) -> None:
    assert composer.field.font().families()[0] in JAPANESE_FAMILIES
    assert composer.field.locale().language() == QLocale.Language.Japanese
    layout = QTextLayout("直骨 and", composer.field.font())
    layout.beginLayout()
    layout.createLine().setLineWidth(1000)
    layout.endLayout()
    fonts: list[QRawFont] = [run.rawFont() for run in layout.glyphRuns()]
    assert {font.familyName() for font in fonts} <= {*JAPANESE_FAMILIES}


def test_the_facts_break_between_two_of_them_and_are_never_lost(
    window: Window, composer: Composer, qtbot: QtBot
) -> None:
    told = "LLaVA 1.6 Mistral 7B · int4 · GPU 5.9 GB"
    composer.set_status(told)
    assert " · ".join(composer.status.rows) == told
    assert composer.status.toolTip() == ""
    window.resize(320, 500)
    qtbot.waitUntil(lambda: composer.options.small)
    composer.set_status("A model with a name that is really far too long for any panel · " * 3, "warn")
    assert len(composer.status.rows) == 2
    assert composer.status.rows[-1].endswith("…")
    assert composer.status.toolTip() == composer.status.text()
    assert composer.status.property("role") == "warn"


@pytest.mark.parametrize("choice", ["light", "dark"])
def test_in_a_narrow_panel_the_options_have_a_sign_of_their_own(
    window: Window, composer: Composer, theme: Theme, qtbot: QtBot, choice: str
) -> None:
    theme.set_choice(choice)
    options = composer.options
    assert (options.text(), options.toolTip()) == ("Options…", "")
    words = options.width()
    window.resize(320, 500)
    qtbot.waitUntil(lambda: options.small and options.width() < words)
    # It has no dots, which mean more of something elsewhere, and says what it is
    assert options.text() == ""
    assert options.toolTip() == options.accessibleName() == "Options…"
    place = options.mapTo(window, QPoint(0, 0))
    image = window.grab(QRect(place, options.size())).toImage()
    ground = image.pixelColor(1, 1)
    inked = [
        y
        for y in range(image.height())
        if sum(image.pixelColor(x, y) != ground for x in range(image.width())) > image.width() // 4
    ]
    # Two lines, one below the other
    middle = image.height() // 2
    assert any(y < middle - 1 for y in inked)
    assert any(y > middle + 1 for y in inked)
    assert middle not in inked
    window.resize(500, 500)
    qtbot.waitUntil(lambda: options.text() == "Options…")


def test_the_options_are_asked_for_at_their_button(composer: Composer, heard: Heard, qtbot: QtBot) -> None:
    qtbot.mouseClick(composer.options_anchor, Qt.MouseButton.LeftButton)
    assert heard.others == ["options"]


def test_pressed_with_the_mouse_options_leaves_the_keyboard_in_the_field(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    composer.options.setFocus()
    qtbot.mouseClick(composer.options, Qt.MouseButton.LeftButton)
    assert composer.field.hasFocus()
    # And pressed with a key it keeps it
    composer.options.setFocus()
    qtbot.keyClick(composer.options, Qt.Key.Key_Space)
    assert composer.options.hasFocus()
    assert heard.others == ["options", "options"]


def test_the_last_fact_is_seen_in_a_narrow_panel(window: Window, composer: Composer, qtbot: QtBot) -> None:
    told = "tiny-llava · Fits: needs 754 MB of memory, 21.4 GB free on CPU. · about 12 tokens/s"
    composer.set_status(told)
    for width in (420, 360):
        window.resize(width, 500)
        qtbot.waitUntil(lambda width=width: composer.width() <= width)
        rows = composer.status.rows
        # What stands between the first and the last gives way
        assert len(rows) == 2
        assert rows[0].startswith("tiny-llava · Fits: needs")
        assert rows[1].endswith("about 12 tokens/s")
        measure = composer.status.fontMetrics().horizontalAdvance
        assert all(measure(row) <= composer.status.width() for row in rows)
    assert "…" in rows[1]
    assert composer.status.toolTip() == told


@pytest.mark.parametrize("choice", ["light", "dark"])
def test_the_placeholder_can_be_read_in_both_themes(composer: Composer, theme: Theme, choice: str) -> None:
    theme.set_choice("light" if choice == "dark" else "dark")
    theme.set_choice(choice)
    composer.set_placeholder("Ask about these pictures…")
    color = composer.field.palette().color(QPalette.ColorRole.PlaceholderText)
    assert color.alpha() == 255
    assert contrast(color.name(), theme.tokens.surface) >= 4.5


def test_in_a_low_window_prompts_that_cannot_be_chosen_give_way(
    composer: Composer, heard: Heard, qtbot: QtBot
) -> None:
    composer.set_prompts(PROMPTS)
    composer.set_low(True)
    assert composer.chips.chips[0].isVisible()
    before = composer.height()

    composer.set_enabled_reason("You can send it once the model is here.")

    assert not any(chip.isVisible() for chip in composer.chips.chips)
    assert composer.chips.height() == 0
    # Their keys still write nothing
    press(qtbot, composer, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert (composer.text(), heard.prompts) == ("", [])
    # And they come back with more room, or with the model
    composer.set_low(False)
    assert composer.chips.chips[0].isVisible()
    composer.set_low(True)
    composer.set_enabled_reason("")
    assert composer.chips.chips[0].isVisible()
    qtbot.waitUntil(lambda: composer.height() == before)


def test_chips_follow_the_theme(composer: Composer, theme: Theme) -> None:
    def ground() -> str:
        chip = composer.chips.chips[0]
        return chip.grab().toImage().pixelColor(chip.width() // 2, 3).name()

    assert ground() == theme.tokens.raised
    theme.set_choice("dark")
    assert ground() == theme.tokens.raised
