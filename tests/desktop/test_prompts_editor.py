"""The editor of prompts in the settings, with real keys, mouse and files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt, QTranslator
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from core.chat import GenerationOptions
from core.paths import Paths
from core.presets import built_in
from core.prompts import DEFAULTS, VARIABLES, Prompt, PromptLibrary
from core.settings import SettingsStore
from desktop import prompt_texts
from desktop.prompt_texts import direct_key, preset_name, prompt_title, written_prompt
from desktop.prompts_editor import PromptsEditor
from desktop.settings_dialog import SettingsDialog
from desktop.theme import Theme

ALT = Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier
A, B, C = (Prompt(name, f"about {name}") for name in ("Apple", "Berry", "Cherry"))


class Reversed(QTranslator):
    """Another language: its titles of prompts are English backwards."""

    def isEmpty(self) -> bool:
        return False

    def translate(
        self, context: str, text: str, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        return text[::-1] if context in ("prompts", "presets") else None


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "light")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "prompts.json"


@pytest.fixture
def library(file: Path) -> PromptLibrary:
    library = PromptLibrary(file)
    library.set([A, B, C])
    return library


@pytest.fixture
def editor(library: PromptLibrary, theme: Theme, qtbot: QtBot) -> Iterator[PromptsEditor]:
    shown = PromptsEditor(library, theme)
    shown.resize(560, 480)
    shown.show()
    shown.activateWindow()
    qtbot.waitExposed(shown)
    yield shown
    shown.close()
    shown.deleteLater()


@pytest.fixture
def foreign(qapp: QApplication) -> Iterator[None]:
    translator = Reversed()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def kept(file: Path) -> list[Prompt]:
    """What another start would find."""
    return list(PromptLibrary(file).prompts())


def titles(editor: PromptsEditor) -> list[str]:
    return [editor.list.item(row).text() for row in range(editor.list.count())]


# --- titles ----------------------------------------------------------------------------------------------


def test_every_default_and_variable_has_words_that_are_translated() -> None:
    assert [prompt.title for prompt in DEFAULTS] == list(prompt_texts.TITLES)
    assert set(VARIABLES) == set(prompt_texts.VARIABLES)
    assert [preset.name for preset in built_in(GenerationOptions())] == list(prompt_texts.PRESETS)


def test_a_default_has_its_title_in_the_users_language_and_an_own_prompt_its_own(foreign: None) -> None:
    assert prompt_title(DEFAULTS[0]) == "etalsnarT"
    assert prompt_title(Prompt("Translate", "text")) == "Translate"
    assert preset_name(built_in(GenerationOptions())[0]) == "tcaxE"


def test_a_prompt_without_a_title_is_called_by_its_text() -> None:
    assert prompt_title(Prompt(" ", "What is\nthis?")) == "What is this?"
    assert prompt_title(Prompt("", "x" * 41)) == "x" * 39 + "…"
    assert prompt_title(Prompt("", " ")) == "Empty prompt"


def test_the_first_nine_have_keys() -> None:
    assert [direct_key(place) for place in (0, 8, 9)] == ["Alt+1", "Alt+9", ""]


# --- writing ---------------------------------------------------------------------------------------------


def test_the_first_prompt_is_in_the_form(editor: PromptsEditor) -> None:
    assert titles(editor) == ["Apple", "Berry", "Cherry"]
    assert (editor.name.text(), editor.text.toPlainText()) == ("Apple", "about Apple")
    # And a screen reader hears the keys
    assert editor.list.item(1).data(Qt.ItemDataRole.AccessibleTextRole) == "Berry, Alt+2"


def test_what_is_typed_is_kept_when_typing_pauses(
    editor: PromptsEditor, library: PromptLibrary, file: Path, qtbot: QtBot
) -> None:
    # When a title and a text are typed, the text with an input method
    editor.list.setCurrentRow(1)
    editor.name.setFocus()
    editor.name.selectAll()
    qtbot.keyClicks(editor.name, "Words")
    editor.text.selectAll()
    commit = QInputMethodEvent()
    commit.setCommitString("単語は？")
    QApplication.sendEvent(editor.text, commit)
    # Then the list shows the title at once, and both are kept a moment later, without anything else pressed
    assert titles(editor) == ["Apple", "Words", "Cherry"]
    qtbot.waitUntil(lambda: kept(file) == [A, Prompt("Words", "単語は？"), C])
    assert library.prompts()[1] == Prompt("Words", "単語は？")


def test_what_was_typed_is_kept_when_the_page_is_left_at_once(
    editor: PromptsEditor, file: Path, qtbot: QtBot
) -> None:
    qtbot.keyClicks(editor.name, "s")
    assert kept(file)[0] == A
    editor.hide()
    assert kept(file)[0] == Prompt("Apples", A.text)


def test_another_row_is_shown_and_changed_alone(editor: PromptsEditor, file: Path, qtbot: QtBot) -> None:
    editor.list.setFocus()
    qtbot.keyClick(editor.list, Qt.Key.Key_Down)
    assert (editor.name.text(), editor.text.toPlainText()) == ("Berry", "about Berry")
    # When it is written and the row left before typing has paused
    qtbot.keyClicks(editor.text, "x")
    qtbot.keyClick(editor.list, Qt.Key.Key_Down)
    editor.flush()
    assert kept(file) == [A, Prompt("Berry", "xabout Berry"), C]


def test_variables_are_inserted_where_the_cursor_is(editor: PromptsEditor, qtbot: QtBot) -> None:
    assert list(editor.variables) == list(VARIABLES)
    cursor = editor.text.textCursor()
    cursor.setPosition(5)
    editor.text.setTextCursor(cursor)
    qtbot.mouseClick(editor.variables["level"], Qt.MouseButton.LeftButton)
    assert editor.text.toPlainText() == "about{level} Apple"
    assert editor.text.hasFocus()


def test_known_variables_are_marked_in_the_text(editor: PromptsEditor) -> None:
    editor.text.setPlainText("𠮷 {text} {texts}")
    formats = editor.text.document().firstBlock().layout().formats()
    # Qt counts the first character twice.
    assert [(mark.start, mark.length) for mark in formats] == [(3, 6)]


def test_of_unknown_variables_it_is_said_that_they_are_sent_as_written(
    editor: PromptsEditor, qtbot: QtBot
) -> None:
    assert not editor.unknown.isVisible()
    editor.text.setPlainText("")
    qtbot.keyClicks(editor.text, "{left} and {text} and { }")
    assert editor.unknown.isVisible()
    assert editor.unknown.text() == "{left} is not a variable: it is sent as written."
    qtbot.keyClicks(editor.text, " {left} {right}")
    assert editor.unknown.text() == "{left}, {right} are not variables: they are sent as written."
    # It goes with another prompt
    editor.list.setCurrentRow(1)
    assert not editor.unknown.isVisible()


def test_a_default_keeps_its_title_in_every_language_until_another_is_written(
    library: PromptLibrary, theme: Theme, foreign: None, qtbot: QtBot, file: Path
) -> None:
    # Given the defaults, seen in another language
    library.reset()
    editor = PromptsEditor(library, theme)
    qtbot.addWidget(editor)
    editor.show()
    assert editor.name.text() == "etalsnarT"
    # When only its text is changed
    editor.text.setPlainText("Short: {text}")
    editor.flush()
    assert kept(file)[0] == Prompt("Translate", "Short: {text}", "translate")
    # Then the title follows the language; another title is the user's own
    qtbot.keyClicks(editor.name, "!")
    editor.flush()
    assert kept(file)[0] == Prompt("etalsnarT!", "Short: {text}")
    # And one that was typed by mistake and taken back is the default's again
    qtbot.keyClick(editor.name, Qt.Key.Key_Backspace)
    editor.flush()
    assert kept(file)[0] == Prompt("Translate", "Short: {text}", "translate")
    assert written_prompt("etalsnarT", "") == Prompt("Translate", "", "translate")
    editor.hide()


# --- adding, deleting, moving ----------------------------------------------------------------------------


def test_a_new_prompt_stands_below_the_current_one_and_waits_for_its_title(
    editor: PromptsEditor, file: Path, qtbot: QtBot
) -> None:
    qtbot.mouseClick(editor.add, Qt.MouseButton.LeftButton)
    assert titles(editor) == ["Apple", "New prompt", "Berry", "Cherry"]
    assert editor.name.hasFocus()
    # When its title is typed, Enter leads to the text
    qtbot.keyClicks(editor.name, "Mine")
    qtbot.keyClick(editor.name, Qt.Key.Key_Return)
    assert editor.text.hasFocus()
    qtbot.keyClicks(editor.text, "What?")
    editor.flush()
    assert kept(file) == [A, Prompt("Mine", "What?"), B, C]


def test_deleting_is_taken_back_step_by_step(editor: PromptsEditor, file: Path, qtbot: QtBot) -> None:
    # When two are deleted with the key
    editor.list.setFocus()
    editor.list.setCurrentRow(1)
    qtbot.keyClick(editor.list, Qt.Key.Key_Delete)
    assert editor.undo_text.text() == "“Berry” deleted."
    assert editor.name.text() == "Cherry"
    qtbot.keyClick(editor.list, Qt.Key.Key_Delete)
    assert kept(file) == [A]
    # Then they come back where they were, the last one first
    qtbot.keyClick(editor.list, Qt.Key.Key_Z, CTRL)
    assert kept(file) == [A, C]
    assert editor.undo_text.text() == "“Berry” deleted."
    editor.undo.setFocus()
    qtbot.mouseClick(editor.undo, Qt.MouseButton.LeftButton)
    assert kept(file) == [A, B, C]
    assert editor.list.currentRow() == 1
    # And there is nothing left to take back; the keyboard is in the list
    assert not editor.undo_bar.isVisible()
    assert editor.list.hasFocus()


def test_with_no_prompt_there_is_nothing_to_write_and_adding_still_works(
    editor: PromptsEditor, file: Path, qtbot: QtBot
) -> None:
    editor.delete.setFocus()
    for _ in range(3):
        editor.delete.click()
    assert kept(file) == []
    assert not editor.form.isEnabled()
    assert (editor.name.text(), editor.text.toPlainText()) == ("", "")
    assert editor.add.hasFocus()
    editor.add.click()
    assert titles(editor) == ["New prompt"]
    assert editor.form.isEnabled()


def test_prompts_are_moved_with_keys_and_buttons(editor: PromptsEditor, file: Path, qtbot: QtBot) -> None:
    editor.list.setFocus()
    assert not editor.up.isEnabled()
    qtbot.keyClick(editor.list, Qt.Key.Key_Down, ALT)
    assert kept(file) == [B, A, C]
    qtbot.mouseClick(editor.down, Qt.MouseButton.LeftButton)
    assert kept(file) == [B, C, A]
    # At the end there is no further down
    assert not editor.down.isEnabled()
    qtbot.keyClick(editor.list, Qt.Key.Key_Down, ALT)
    assert kept(file) == [B, C, A]
    qtbot.mouseClick(editor.up, Qt.MouseButton.LeftButton)
    assert titles(editor) == ["Berry", "Apple", "Cherry"]
    assert editor.name.text() == "Apple"


@pytest.mark.parametrize(
    ("row", "before", "after"), [(0, 3, [B, C, A]), (2, 0, [C, A, B]), (0, 2, [B, A, C])]
)
def test_prompts_are_moved_by_dragging(
    editor: PromptsEditor, file: Path, qtbot: QtBot, row: int, before: int, after: list[Prompt]
) -> None:
    # When the list has moved a row, as a drop makes it do
    nowhere = QModelIndex()
    assert editor.list.model().moveRow(nowhere, row, nowhere, before)
    # Then that is the order, and the dragged one is current
    assert kept(file) == after
    dragged = [A, B, C][row]
    qtbot.waitUntil(lambda: editor.name.text() == dragged.title)
    assert titles(editor) == [prompt.title for prompt in after]


def test_enter_in_the_list_leads_to_the_title(editor: PromptsEditor, qtbot: QtBot) -> None:
    editor.list.setFocus()
    qtbot.keyClick(editor.list, Qt.Key.Key_Return)
    assert editor.name.hasFocus()
    assert editor.name.selectedText() == "Apple"


def test_reset_asks_first(editor: PromptsEditor, file: Path, qtbot: QtBot) -> None:
    def press(wanted: str) -> None:
        editor.reset.click()
        box = editor.findChild(QMessageBox)
        assert box is not None
        button = next(b for b in box.buttons() if b.text().replace("&", "") == wanted)
        button.click()
        qtbot.waitUntil(lambda: not editor.findChildren(QMessageBox))

    editor.delete_current()
    press("Cancel")
    assert kept(file) == [B, C]
    press("Reset")
    assert kept(file) == list(DEFAULTS)
    assert editor.name.text() == "Translate"
    # And an old deletion cannot be put into the defaults
    assert not editor.undo_bar.isVisible()


# --- files and others ------------------------------------------------------------------------------------


def test_a_failed_write_is_told_until_one_succeeds(
    editor: PromptsEditor, library: PromptLibrary, file: Path
) -> None:
    # Given that something stands in the place of the folder
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("a file")
    # When a prompt is deleted
    editor.delete_current()
    # Then it is told, and the change is in force all the same
    told = editor._error
    assert told.isVisible()
    assert str(file.parent) in told.text().replace("\u200b", "")
    assert library.prompts() == (B, C)
    # And when it works again nothing is told any more
    file.parent.unlink()
    editor.undo_deletion()
    assert not told.isVisible()
    assert kept(file) == [A, B, C]


def test_changes_made_elsewhere_are_shown(editor: PromptsEditor, library: PromptLibrary) -> None:
    library.set([C])
    assert titles(editor) == ["Cherry"]
    assert editor.name.text() == "Cherry"
    # Also those that were made while it was not to be seen
    editor.hide()
    library.set([A, B])
    editor.show()
    assert titles(editor) == ["Apple", "Berry"]


def test_an_editor_that_is_gone_hears_nothing(library: PromptLibrary, theme: Theme, qtbot: QtBot) -> None:
    editor = PromptsEditor(library, theme)
    editor.show()
    qtbot.waitExposed(editor)
    editor.close()
    editor.deleteLater()
    qtbot.waitUntil(lambda: not isValid(editor))
    library.set([A])
    theme.set_choice("dark")


def test_the_settings_find_it_by_its_words_and_keep_what_was_typed(
    library: PromptLibrary, theme: Theme, settings: SettingsStore, tmp_path: Path, qtbot: QtBot, file: Path
) -> None:
    # Given the editor in the settings dialog
    editor = PromptsEditor(library, theme)
    dialog = SettingsDialog(settings, theme, Paths.below(tmp_path), more={"panel": [editor]})
    dialog.show()
    qtbot.waitExposed(dialog)
    # Then the search shows it
    for words in ("prompts", "quick actions", "grammar", "{level}"):
        dialog.search.setText(words)
        assert editor.isVisible(), words
    dialog.search.setText("wl-copy")
    assert not editor.isVisible()
    # And what was typed just before the dialog is closed is kept; Enter in the title presses no button
    dialog.search.setText("prompts")
    qtbot.keyClicks(editor.name, "!")
    qtbot.keyClick(editor.name, Qt.Key.Key_Return)
    dialog.close()
    assert kept(file) == [Prompt("Apple!", A.text), B, C]


def test_every_control_has_a_name(editor: PromptsEditor) -> None:
    buttons = (editor.up, editor.down, editor.add, editor.delete, *editor.variables.values())
    for control in (editor.list, editor.name, editor.text, *buttons):
        assert control.accessibleName()
