"""The popover with the options of one conversation, with real keys and mouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from core.chat import GenerationOptions
from core.presets import Preset, PresetLibrary
from core.settings import find_setting
from desktop.ask_options import AskOptions
from desktop.theme import Theme

pytestmark = pytest.mark.qt_log_ignore("does not support grabbing the keyboard", extend=True)

SETTINGS = GenerationOptions(0.2, 1.0, 1024, None)
MINE = GenerationOptions(0.55, 0.4, 64, 7)


class Window(QWidget):
    """What the popover stands beside: a field that has the keyboard, and a button at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.field = QLineEdit()
        self.button = QPushButton("Options")
        layout = QVBoxLayout(self)
        layout.addWidget(self.field)
        layout.addStretch(1)
        layout.addWidget(self.button)
        self.resize(420, 600)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def presets(tmp_path: Path) -> PresetLibrary:
    return PresetLibrary(tmp_path / "config" / "presets.json", lambda: SETTINGS)


@pytest.fixture
def window(theme: Theme, qtbot: QtBot) -> Iterator[Window]:
    window = Window()
    window.show()
    window.activateWindow()
    window.field.setFocus()
    qtbot.waitExposed(window)
    yield window
    window.close()


@pytest.fixture
def popover(theme: Theme, presets: PresetLibrary, window: Window, qtbot: QtBot) -> Iterator[AskOptions]:
    popover = AskOptions(theme, presets, window)
    popover.open_at(window.button)
    qtbot.waitExposed(popover)
    yield popover
    popover.close()


def own(presets: PresetLibrary) -> list[Preset]:
    return [preset for preset in presets.presets() if not preset.key]


def choose(popover: AskOptions, name: str) -> None:
    """As the list of a combo box does it."""
    index = popover.preset.findText(name)
    assert index >= 0
    popover.preset.setCurrentIndex(index)
    popover.preset.activated.emit(index)


# --- values ----------------------------------------------------------------------------------------------


def test_at_first_it_is_as_in_the_settings(popover: AskOptions) -> None:
    assert popover.options() == SETTINGS
    assert popover.system() == ""
    assert popover.preset.currentText() == "Balanced"


def test_what_a_conversation_has_is_shown_and_nobody_is_told(popover: AskOptions, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(popover.changed):
        popover.set_options(MINE, "一文で")
    assert popover.temperature.value() == 0.55
    assert popover.top_p.value() == 0.4
    assert popover.max_tokens.text() == "64 tokens"
    assert popover.seed.text() == "7"
    assert (popover.options(), popover.system()) == (MINE, "一文で")
    # These are no preset's values
    assert popover.preset.currentIndex() == -1


def test_bounds_are_those_of_the_settings(popover: AskOptions) -> None:
    for name in ("temperature", "top_p", "max_tokens"):
        info, box = find_setting(f"vision.{name}"), getattr(popover, name)
        assert (box.minimum(), box.maximum()) == (info.minimum, info.maximum)


def test_each_value_that_is_typed_is_told_and_in_force(popover: AskOptions, qtbot: QtBot) -> None:
    for box, typed in ((popover.temperature, "0.7"), (popover.top_p, "0.5"), (popover.max_tokens, "99")):
        box.setFocus()
        box.selectAll()
        with qtbot.waitSignal(popover.changed):
            qtbot.keyClicks(box, typed)
            qtbot.keyClick(box, Qt.Key.Key_Return)
    with qtbot.waitSignal(popover.changed):
        qtbot.keyClicks(popover.seed, "12")
    assert popover.options() == GenerationOptions(0.7, 0.5, 99, 12)
    # Enter in a box closes nothing
    assert popover.isVisible()


def test_an_empty_seed_is_a_new_one_each_time_and_letters_are_none(popover: AskOptions, qtbot: QtBot) -> None:
    popover.set_options(MINE, "")
    popover.seed.selectAll()
    qtbot.keyClick(popover.seed, Qt.Key.Key_Delete)
    assert popover.options().seed is None
    qtbot.keyClicks(popover.seed, "-x9999999999")
    assert popover.seed.text() == "999999999"
    assert popover.options().seed == 999999999


def test_a_value_that_is_not_touched_stays_to_the_last_decimal(popover: AskOptions, qtbot: QtBot) -> None:
    precise = GenerationOptions(1 / 3, 0.987, 64, None)
    popover.set_options(precise, "")
    popover.max_tokens.setValue(65)
    assert popover.options() == replace(precise, max_tokens=65)
    popover.close()
    assert popover.options() == replace(precise, max_tokens=65)


def test_a_number_without_enter_counts_when_the_popover_is_closed(popover: AskOptions, qtbot: QtBot) -> None:
    popover.temperature.setFocus()
    popover.temperature.selectAll()
    qtbot.keyClicks(popover.temperature, "0.9")
    with qtbot.waitSignal(popover.changed):
        qtbot.keyClick(popover.temperature, Qt.Key.Key_Escape)
    assert popover.options().temperature == 0.9


@pytest.mark.parametrize(
    ("name", "typed", "value", "told"),
    [
        ("temperature", "5", 1.0, "Temperature can be 0 to 1."),
        ("temperature", "-3", 0.0, "Temperature can be 0 to 1."),
        ("top_p", "0", 0.05, "Choose among (top_p) can be 0.05 to 1."),
        ("max_tokens", "99999", 32768, "Longest answer can be 1 to 32768."),
    ],
)
def test_a_number_beyond_its_bounds_is_told_and_the_nearest_one_taken(
    popover: AskOptions, qtbot: QtBot, name: str, typed: str, value: float, told: str
) -> None:
    popover.set_options(MINE, "")
    box = getattr(popover, name)
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, typed)
    assert box.lineEdit().text() == typed
    with qtbot.waitSignal(popover.changed):
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert getattr(popover.options(), name) == value
    assert popover.note.text() == told
    # It goes with the next number that is allowed
    box.selectAll()
    qtbot.keyClicks(box, "1")
    assert not popover.note.isVisible()


def test_a_number_too_large_is_told_while_it_is_typed(popover: AskOptions, qtbot: QtBot) -> None:
    popover.temperature.setFocus()
    popover.temperature.selectAll()
    qtbot.keyClicks(popover.temperature, "5")
    assert popover.note.isVisible()
    assert popover.options() == SETTINGS
    # Half of what is typed is no mistake yet
    popover.top_p.setFocus()
    popover.top_p.selectAll()
    popover.note.clear()
    qtbot.keyClicks(popover.top_p, "0")
    assert not popover.note.text()


def test_the_system_prompt_takes_several_lines_and_an_input_method(popover: AskOptions, qtbot: QtBot) -> None:
    popover.system_text.setFocus()
    # An input method writes into what has the focus, and that is the popover's field
    assert QGuiApplication.focusObject() is popover.system_text
    commit = QInputMethodEvent()
    commit.setCommitString("短く。")
    with qtbot.waitSignal(popover.changed):
        QApplication.sendEvent(popover.system_text, commit)
    qtbot.keyClick(popover.system_text, Qt.Key.Key_Return)
    qtbot.keyClicks(popover.system_text, "Be kind.")
    assert popover.system() == "短く。\nBe kind."


# --- presets ---------------------------------------------------------------------------------------------


def test_choosing_a_preset_takes_its_values_with_one_signal(
    popover: AskOptions, presets: PresetLibrary, qtbot: QtBot
) -> None:
    told: list[GenerationOptions] = []
    popover.changed.connect(lambda: told.append(popover.options()))
    choose(popover, "Exact")
    choose(popover, "Lively")
    assert [(options.temperature, options.top_p) for options in told] == [(0.0, 1.0), (0.8, 0.95)]
    assert popover.temperature.value() == 0.8
    # A value that is changed makes them one's own, and the same preset takes that back
    popover.temperature.setValue(0.5)
    assert popover.preset.currentIndex() == -1
    choose(popover, "Lively")
    assert popover.options().temperature == 0.8


def test_a_preset_is_chosen_with_keys(popover: AskOptions, qtbot: QtBot) -> None:
    assert popover.preset.hasFocus()
    with qtbot.waitSignal(popover.changed):
        qtbot.keyClick(popover.preset, Qt.Key.Key_Down)
    assert popover.preset.currentText() == "Lively"


def test_the_list_of_presets_and_a_spin_box_work_inside_the_popover(
    popover: AskOptions, qtbot: QtBot
) -> None:
    # When the list is opened and a row of it is clicked
    qtbot.mouseClick(popover.preset, Qt.MouseButton.LeftButton)
    view = popover.preset.view()
    qtbot.waitUntil(view.isVisible)
    row = view.visualRect(popover.preset.model().index(0, 0)).center()
    # A list takes no click in its first moments: it may be the one that opened it.
    qtbot.wait(QApplication.doubleClickInterval() + 50)
    qtbot.mouseMove(view.viewport(), row)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=row)
    # Then it is taken, and the popover is still there
    qtbot.waitUntil(lambda: popover.options().temperature == 0.0)
    assert popover.isVisible()
    assert not view.isVisible()
    # And so it is after Esc in the open list
    qtbot.keyClick(popover.preset, Qt.Key.Key_Space)
    qtbot.waitUntil(view.isVisible)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not view.isVisible())
    assert popover.isVisible()
    # And an arrow of a spin box works
    corner = QPoint(popover.temperature.width() - 12, 8)
    qtbot.mouseClick(popover.temperature, Qt.MouseButton.LeftButton, pos=corner)
    assert popover.options().temperature == 0.05


def test_values_are_saved_as_a_preset(popover: AskOptions, presets: PresetLibrary, qtbot: QtBot) -> None:
    popover.set_options(MINE, "Be kind.")
    # When a name is given
    qtbot.mouseClick(popover.save, Qt.MouseButton.LeftButton)
    assert popover.name.hasFocus()
    assert not popover.keep.isEnabled()
    qtbot.keyClicks(popover.name, "Kind")
    qtbot.keyClick(popover.name, Qt.Key.Key_Return)
    # Then it is kept and chosen, and it can be deleted
    assert own(presets) == [Preset("Kind", MINE, "Be kind.")]
    assert popover.preset.currentText() == "Kind"
    assert popover.note.text() == "“Kind” saved."
    assert popover.delete.isEnabled()
    assert not popover.name.isVisible()
    # And the same name replaces it: the button says so
    popover.temperature.setValue(0.6)
    popover.save.click()
    qtbot.keyClicks(popover.name, "Kind")
    assert popover.keep.text() == "Replace"
    popover.keep.click()
    assert own(presets) == [Preset("Kind", replace(MINE, temperature=0.6), "Be kind.")]
    # What was replaced can be taken back
    assert popover.note.text() == "“Kind” replaced."
    popover.undo.click()
    assert own(presets) == [Preset("Kind", MINE, "Be kind.")]


def test_the_name_of_a_built_in_preset_is_not_taken(
    popover: AskOptions, presets: PresetLibrary, qtbot: QtBot
) -> None:
    popover.save.click()
    qtbot.keyClicks(popover.name, "exact")
    popover.keep.click()
    assert own(presets) == []
    assert popover.note.text() == "A built-in preset is called “exact”. Choose another name."
    assert popover.name.hasFocus()
    # Esc gives up the name, not the popover
    qtbot.keyClick(popover.name, Qt.Key.Key_Escape)
    assert popover.isVisible()
    assert not popover.name.isVisible()
    assert not popover.note.isVisible()
    assert popover.save.hasFocus()


def test_an_own_preset_is_deleted_and_taken_back(
    popover: AskOptions, presets: PresetLibrary, qtbot: QtBot
) -> None:
    presets.save("Kind", MINE, "Be kind.")
    popover.set_options(MINE, "Be kind.")
    popover.delete.setFocus()
    popover.delete.click()
    # Then it is gone, the conversation keeps its values, and the keyboard is not lost
    assert own(presets) == []
    assert popover.preset.findText("Kind") == -1
    assert (popover.options(), popover.system()) == (MINE, "Be kind.")
    assert popover.preset.hasFocus()
    popover.undo.click()
    assert own(presets) == [Preset("Kind", MINE, "Be kind.")]
    assert popover.preset.currentText() == "Kind"
    assert not popover.undo.isVisible()


def test_a_built_in_preset_cannot_be_deleted(popover: AskOptions) -> None:
    choose(popover, "Exact")
    for button in (popover.rename, popover.delete):
        assert button.isVisible()
        assert not button.isEnabled()
        assert button.toolTip() == "For presets of your own: choose one above"


def test_of_presets_with_equal_values_each_can_be_chosen_and_deleted(
    popover: AskOptions, presets: PresetLibrary, window: Window, qtbot: QtBot
) -> None:
    # Given one with the values of a built-in preset, and another one like it
    for name in ("Same", "Same again"):
        popover.save.click()
        popover.name.setText(name)
        popover.keep.click()
        assert popover.preset.currentText() == name
    # When one is chosen, that is told although no value has changed
    with qtbot.waitSignal(popover.changed):
        choose(popover, "Same")
    assert popover.preset.currentText() == "Same"
    kept = popover.chosen()
    with qtbot.waitSignal(popover.changed):
        choose(popover, "Balanced")
    # And a conversation that keeps it shows it again
    popover.set_options(SETTINGS, "", kept)
    popover.close()
    popover.open_at(window.button)
    assert popover.preset.currentText() == "Same"
    popover.delete.click()
    assert [preset.name for preset in own(presets)] == ["Same again"]
    # Without it, the values are those of the built-in one
    assert popover.preset.currentText() == "Balanced"
    popover.undo.click()
    assert [preset.name for preset in own(presets)] == ["Same", "Same again"]
    assert popover.preset.currentText() == "Same"


def test_a_preset_is_renamed(popover: AskOptions, presets: PresetLibrary, qtbot: QtBot) -> None:
    presets.save("Kind", MINE, "")
    presets.save("Short", SETTINGS, "")
    popover.set_options(MINE, "", presets.presets()[3].id)
    qtbot.mouseClick(popover.rename, Qt.MouseButton.LeftButton)
    # The old name is there to be changed
    assert (popover.name.text(), popover.keep.text()) == ("Kind", "Rename")
    assert popover.name.selectedText() == "Kind"
    # A name of another one is not taken
    for taken in ("Short", "Lively"):
        popover.name.setText(taken)
        qtbot.keyClick(popover.name, Qt.Key.Key_Return)
        assert taken in popover.note.text()
        assert popover.name.isVisible()
    popover.name.setText("Kinder")
    with qtbot.waitSignal(popover.changed):
        qtbot.keyClick(popover.name, Qt.Key.Key_Return)
    assert own(presets) == [Preset("Kinder", MINE, ""), Preset("Short", SETTINGS, "")]
    assert popover.preset.currentText() == "Kinder"
    assert popover.preset.hasFocus()
    # After that a name is one to save under again
    popover.save.click()
    assert popover.keep.text() == "Replace"


def test_presets_are_deleted_and_renamed_with_keys(
    popover: AskOptions, presets: PresetLibrary, qtbot: QtBot
) -> None:
    for name in ("A", "B"):
        presets.save(name, MINE, name)
    popover.set_options(MINE, "A")
    # Given the keyboard at the presets, F2 renames and Delete deletes, and both can be left
    qtbot.keyClick(popover.preset, Qt.Key.Key_F2)
    assert popover.name.text() == "A"
    qtbot.keyClick(popover.name, Qt.Key.Key_Escape)
    qtbot.keyClick(popover.preset, Qt.Key.Key_Delete)
    assert [preset.name for preset in own(presets)] == ["B"]
    qtbot.keyClick(popover.preset, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [preset.name for preset in own(presets)] == ["A", "B"]
    # In the open list it is the row that is marked
    qtbot.keyClick(popover.preset, Qt.Key.Key_Space)
    view = popover.preset.view()
    qtbot.waitUntil(view.isVisible)
    view.setCurrentIndex(popover.preset.model().index(popover.preset.findText("B"), 0))
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert [preset.name for preset in own(presets)] == ["A"]
    assert not view.isVisible()
    # A built-in one stays
    choose(popover, "Exact")
    qtbot.keyClick(popover.preset, Qt.Key.Key_Delete)
    qtbot.keyClick(popover.preset, Qt.Key.Key_F2)
    assert len(presets.presets()) == 4
    assert not popover.name.isVisible()


def test_changed_values_of_a_preset_are_saved_under_its_name(
    popover: AskOptions, presets: PresetLibrary
) -> None:
    presets.save("Kind", MINE, "")
    popover.set_options(SETTINGS, "")
    choose(popover, "Kind")
    popover.temperature.setValue(0.9)
    assert popover.preset.currentIndex() == -1
    popover.save.click()
    assert (popover.name.text(), popover.keep.text()) == ("Kind", "Replace")


def test_a_preset_without_a_system_prompt_leaves_the_users_own_words(
    popover: AskOptions, presets: PresetLibrary, qtbot: QtBot
) -> None:
    presets.save("Kind", MINE, "Be kind.")
    # Given words that were written here
    popover.set_options(SETTINGS, "Written here.")
    assert popover.preset.currentText() == "Balanced"
    # Then a built-in preset leaves them; one with words of its own replaces them
    choose(popover, "Exact")
    assert popover.system() == "Written here."
    popover.open_at(popover)
    choose(popover, "Kind")
    assert popover.system() == "Be kind."
    # And those go with their preset
    choose(popover, "Exact")
    assert popover.system() == ""
    # What was replaced is not lost
    popover.system_text.undo()
    popover.system_text.undo()
    assert popover.system() == "Written here."


def test_as_in_settings_takes_everything_back(popover: AskOptions, qtbot: QtBot) -> None:
    popover.set_options(MINE, "Written here.")
    with qtbot.waitSignal(popover.changed):
        qtbot.mouseClick(popover.as_in_settings, Qt.MouseButton.LeftButton)
    assert (popover.options(), popover.system()) == (SETTINGS, "")
    # When nothing changes nobody is told
    with qtbot.assertNotEmitted(popover.changed):
        popover.as_in_settings.click()


def test_a_preset_that_cannot_be_kept_is_told(
    popover: AskOptions, presets: PresetLibrary, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "config").write_text("a file")
    popover.save.click()
    qtbot.keyClicks(popover.name, "Kind")
    popover.keep.click()
    assert popover.note.isVisible()
    assert "cannot be used" in popover.note.text()
    assert [preset.name for preset in own(presets)] == ["Kind"]


# --- the window ------------------------------------------------------------------------------------------


def test_esc_closes_it_and_the_keyboard_is_where_it_was(
    popover: AskOptions, window: Window, qtbot: QtBot
) -> None:
    assert popover.preset.hasFocus()
    qtbot.keyClick(popover.preset, Qt.Key.Key_Escape)
    assert not popover.isVisible()
    window.activateWindow()
    qtbot.waitUntil(window.field.hasFocus)


def test_closed_it_gives_the_keyboard_back_and_the_button_forgets_the_mouse(
    popover: AskOptions, window: Window, qtbot: QtBot
) -> None:
    # Given the popover, opened from the field; the click took the keyboard to the button
    window.button.setFocus()
    window.button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    qtbot.keyClick(popover.preset, Qt.Key.Key_Escape)
    window.activateWindow()
    qtbot.waitUntil(window.field.hasFocus)
    assert not window.button.underMouse()
    # And opened with the keyboard at the button, it goes back there
    window.button.setFocus()
    popover.open_at(window.button)
    qtbot.keyClick(popover.preset, Qt.Key.Key_Escape)
    window.activateWindow()
    qtbot.waitUntil(window.button.hasFocus)


def test_what_had_the_keyboard_may_be_gone(popover: AskOptions, window: Window, qtbot: QtBot) -> None:
    window.field.deleteLater()
    QApplication.sendPostedEvents(window.field, QEvent.Type.DeferredDelete)
    popover.close()
    assert not popover.isVisible()


def test_above_its_button_it_grows_upwards(
    popover: AskOptions, window: Window, presets: PresetLibrary, qtbot: QtBot
) -> None:
    # Given the popover above its button
    popover.close()
    room = window.screen().availableGeometry()
    window.move(room.bottomRight() - QPoint(window.width(), window.height()))
    popover.set_options(MINE, "")
    popover.open_at(window.button)
    qtbot.wait(0)
    # It has room for another line
    popover.move(popover.x(), room.top() + 100)
    before, place = popover.geometry(), popover.preset.geometry()
    # When a line tells that a preset was saved
    popover.save.click()
    qtbot.keyClicks(popover.name, "Kind")
    popover.keep.click()
    qtbot.waitUntil(lambda: popover.height() > before.height())
    # Then its lower edge stays, and nothing else moves
    qtbot.waitUntil(lambda: popover.geometry().bottom() == before.bottom())
    assert popover.preset.geometry() == place
    assert popover.width() == before.width()


def test_it_opens_beside_its_button_and_on_the_screen(popover: AskOptions, window: Window) -> None:
    room = window.screen().availableGeometry()
    bottom = room.bottomRight() - QPoint(window.width(), window.height())
    for corner in (room.topLeft(), bottom, room.bottomRight()):
        popover.close()
        window.move(corner)
        popover.open_at(window.button)
        assert room.contains(popover.geometry())
    # Where there is room above and none below, it stands above and covers nothing of the button
    popover.close()
    window.move(bottom)
    popover.open_at(window.button)
    assert popover.geometry().bottom() < window.button.mapToGlobal(QPoint(0, 0)).y()
    # And below, where there is more room
    popover.close()
    window.move(room.topLeft())
    popover.open_at(window.field)
    assert popover.geometry().top() > window.field.mapToGlobal(QPoint(0, window.field.height() - 1)).y()


@pytest.mark.parametrize("width", [320, 340, 420])
def test_it_stays_above_a_window_at_the_edge_of_the_screen(
    popover: AskOptions, window: Window, width: int
) -> None:
    popover.close()
    window.setMinimumWidth(0)
    window.resize(width, 600)
    room = window.screen().availableGeometry()
    for corner in (room.topLeft(), room.topRight() - QPoint(width - 1, 0)):
        window.move(corner)
        popover.open_at(window.button)
        assert window.geometry().left() <= popover.geometry().left()
        assert popover.geometry().right() <= window.geometry().right()
        inside = popover.rect()
        for part in (popover.temperature, popover.rename, popover.delete, popover.as_in_settings):
            assert inside.contains(part.rect().translated(part.mapTo(popover, QPoint(0, 0))))
        popover.save.click()
        QApplication.processEvents()
        assert popover.geometry().right() <= window.geometry().right()
        popover.close()


def test_in_a_low_screen_the_system_prompt_gives_way(popover: AskOptions, window: Window) -> None:
    high = popover.height()
    popover._fit(QRect(0, 0, 420, high - 30))
    assert popover.height() == high - 30


def test_opened_again_it_is_tidy(popover: AskOptions, window: Window, presets: PresetLibrary) -> None:
    popover.save.click()
    popover.close()
    presets.save("Kind", MINE, "")
    popover.open_at(window.button)
    assert not popover.name.isVisible()
    assert popover.save.isVisible()
    assert popover.preset.findText("Kind") >= 0


def test_every_control_has_a_name_and_tab_reaches_all_of_them(popover: AskOptions, qtbot: QtBot) -> None:
    presets = [popover.preset, popover.temperature, popover.top_p, popover.max_tokens, popover.seed]
    wanted = [*presets, popover.system_text, popover.save, popover.as_in_settings]
    for control in wanted[:-2]:
        assert control.accessibleName()
    reached: list[QWidget | None] = []
    for _ in wanted:
        reached.append(popover.focusWidget())
        qtbot.keyClick(popover.focusWidget(), Qt.Key.Key_Tab)
    assert reached == wanted
    assert popover.focusWidget() is popover.preset
    # And each field has its label
    labelled = {label.buddy() for label in popover.findChildren(QLabel) if label.buddy() is not None}
    assert labelled == set(wanted[:-2])


def test_a_note_that_needs_room_does_not_push_it_off_the_screen(
    popover: AskOptions, presets: PresetLibrary, qtbot: QtBot
) -> None:
    # Given the popover at the lower edge of the screen
    presets.save("Kind", MINE, "")
    popover.set_options(MINE, "")
    room = popover.screen().availableGeometry()
    popover.move(room.left(), room.bottom() + 1 - popover.height())
    height = popover.height()
    # When a line is added to it
    popover.delete.click()
    qtbot.waitUntil(lambda: popover.height() > height)
    # Then all of it can be seen
    qtbot.waitUntil(lambda: room.contains(popover.geometry()))
