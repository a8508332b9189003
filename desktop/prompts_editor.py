"""The prompt library in the settings: the quick actions of the panel, their order and their words."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import (
    QHideEvent,
    QKeyEvent,
    QShowEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.errors import StorageError
from core.prompts import VARIABLES, Prompt, PromptLibrary
from desktop import prompt_texts
from desktop.ask import ask
from desktop.keyboard import keyboard_stays, presses
from desktop.prompt_texts import prompt_title, translate, written_prompt
from desktop.prompts_list import PromptsList
from desktop.setting_row import Row
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP, Theme, set_kind, set_role

_SAVE_AFTER_MS = 500
"""Typing is kept when it pauses for so long."""
_LONGEST_TITLE = 60
_IN_BRACES = re.compile(r"\{(\w+)\}")
_MOST_UNKNOWN = 4


class PromptsEditor(Row):
    """Edits the prompts of ``library``. Every change is in force, and kept, at once."""

    def __init__(self, library: PromptLibrary, theme: Theme, parent: QWidget | None = None) -> None:
        title = QCoreApplication.translate("PromptsEditor", "Prompts")
        description = QCoreApplication.translate(
            "PromptsEditor", "The quick actions of the panel. The first nine have keys there."
        )
        # Found by what is in it, too, and in English as well.
        words = " ".join((*prompt_texts.TITLES, "quick actions", *(f"{{{name}}}" for name in VARIABLES)))
        shown = " ".join(translate("prompts", each) for each in prompt_texts.TITLES)
        super().__init__(title, description, f"{words}\n{shown}", parent)
        self._library = library
        self._unsubscribe: Callable[[], None] | None = None
        self._prompts = list(library.prompts())
        self._deleted: list[tuple[int, Prompt]] = []
        self._typing = QTimer(self, singleShot=True, interval=_SAVE_AFTER_MS)
        self._typing.timeout.connect(self._save)
        self._make_list(theme)
        self._make_form(theme)
        self._make_undo()
        self._lay_out()
        self._show(0)

    # ---- parts

    def _make_list(self, theme: Theme) -> None:
        self.list = PromptsList(theme)
        self.list.setAccessibleName(self.tr("Prompts"))
        self.list.setAccessibleDescription(self.tr("Alt+Up and Alt+Down move one, Delete deletes it."))
        self.title.setBuddy(self.list)
        self.list.currentRowChanged.connect(self._show_form)
        self.list.dragged.connect(self._dragged)
        self.list.move_pressed.connect(self.move_current)
        self.list.delete_pressed.connect(self.delete_current)
        self.list.undo_pressed.connect(self.undo_deletion)
        self.list.edit_pressed.connect(self._edit)
        self.up, self.down = QPushButton("↑"), QPushButton("↓")
        for button, name, key, step in (
            (self.up, self.tr("Move up"), "Alt+Up", -1),
            (self.down, self.tr("Move down"), "Alt+Down", 1),
        ):
            set_kind(button, "icon")
            button.setAccessibleName(name)
            button.setToolTip(f"{name} ({key})")
            button.clicked.connect(partial(self.move_current, step))
        self.add = QPushButton(self.tr("Add"))
        self.add.setAccessibleName(self.tr("Add a prompt"))
        self.add.clicked.connect(self.add_prompt)
        self.delete = QPushButton(self.tr("Delete"))
        set_kind(self.delete, "ghost")
        self.delete.setAccessibleName(self.tr("Delete this prompt"))
        self.delete.clicked.connect(self.delete_current)
        self.reset = QPushButton(self.tr("Reset to the defaults…"))
        set_kind(self.reset, "ghost")
        self.reset.clicked.connect(self._ask_to_reset)

    def _make_form(self, theme: Theme) -> None:
        self.form = QWidget()
        self.name = _TitleLine()
        self.name.setMaxLength(_LONGEST_TITLE)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(132)
        self._marks = _Variables(self.text.document(), theme)
        self.name.textEdited.connect(self._edited)
        self.text.textChanged.connect(self._edited)
        name_label, text_label = QLabel(self.tr("Title")), QLabel(self.tr("Text"))
        for label, field in ((name_label, self.name), (text_label, self.text)):
            set_role(label, "muted")
            label.setBuddy(field)
            field.setAccessibleName(label.text())
        self.unknown = QLabel()
        self.unknown.setWordWrap(True)
        self.unknown.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.unknown, "muted")
        self.unknown.hide()
        self.text.textChanged.connect(self._show_unknown)
        self.variables: dict[str, QPushButton] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * STEP)
        grid.setVerticalSpacing(STEP)
        grid.setColumnStretch(1, 1)
        for line, name in enumerate(VARIABLES):
            button = self.variables[name] = QPushButton(f"{{{name}}}")
            meaning = QLabel(translate("prompts", prompt_texts.VARIABLES[name]))
            meaning.setWordWrap(True)
            set_role(meaning, "muted")
            button.setAccessibleName(self.tr("Insert {0}").format(button.text()))
            button.setToolTip(button.accessibleName())
            button.setAccessibleDescription(meaning.text())
            button.clicked.connect(partial(self._insert, name))
            grid.addWidget(button, line, 0)
            grid.addWidget(meaning, line, 1)
        rule = QLabel(self.tr("A line whose variable is empty is left out."))
        rule.setWordWrap(True)
        set_role(rule, "muted")
        layout = QVBoxLayout(self.form)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP)
        for widget in (name_label, self.name, text_label, self.text, self.unknown):
            layout.addWidget(widget)
        layout.addSpacing(STEP)
        layout.addLayout(grid)
        layout.addWidget(rule)
        layout.addStretch(1)

    def _make_undo(self) -> None:
        self.undo_bar = QFrame()
        self.undo_text = QLabel()
        self.undo_text.setTextFormat(Qt.TextFormat.PlainText)
        self.undo = QPushButton(self.tr("Undo"))
        self.undo.setToolTip("Ctrl+Z")
        self.undo.clicked.connect(self.undo_deletion)
        row = QHBoxLayout(self.undo_bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * STEP)
        row.addWidget(self.undo_text)
        row.addWidget(self.undo)
        row.addStretch(1)
        self.undo_bar.hide()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(STEP)
        for button in (self.add, self.delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.up, self.down):
            buttons.addWidget(button)
        left = QVBoxLayout()
        left.setSpacing(2 * STEP)
        left.addWidget(self.list, 1)
        left.addLayout(buttons)
        columns = QHBoxLayout()
        columns.setSpacing(4 * STEP)
        columns.addLayout(left, 5)
        columns.addWidget(self.form, 6)
        self.below.addLayout(columns)
        end = QHBoxLayout()
        end.addWidget(self.undo_bar, 1)
        end.addStretch(0)
        end.addWidget(self.reset)
        self.below.addLayout(end)

    # ---- what is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._unsubscribe is None:
            self._unsubscribe = self._library.subscribe(self._library_changed)
            self._library_changed(self._library.prompts())

    def hideEvent(self, event: QHideEvent) -> None:
        self.flush()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        super().hideEvent(event)

    def _library_changed(self, prompts: tuple[Prompt, ...]) -> None:
        if list(prompts) == self._prompts:
            return
        # Someone else changed them; what is typed here is about prompts that may be gone.
        self._typing.stop()
        self._prompts = list(prompts)
        self._forget_deleted()
        self._show(self.list.currentRow())

    def _show(self, current: int) -> None:
        """Show all prompts, with the one at ``current`` or the next best in the form."""
        current = max(0, min(current, len(self._prompts) - 1)) if self._prompts else -1
        self.list.show_prompts(self._prompts, current)
        self._show_form(current)

    def _show_form(self, row: int) -> None:
        prompt = self._prompts[row] if 0 <= row < len(self._prompts) else None
        for field in (self.name, self.text):
            field.blockSignals(True)
        title = "" if prompt is None else prompt_title(prompt) if prompt.key else prompt.title
        # What is there already is not set again: the cursor and what can be undone stay.
        if self.name.text() != title:
            self.name.setText(title)
        text = "" if prompt is None else prompt.text
        if self.text.toPlainText() != text:
            self.text.setPlainText(text)
        for field in (self.name, self.text):
            field.blockSignals(False)
        self._show_unknown()
        with keyboard_stays(self, lambda _: self.list if self._prompts else self.add):
            self.form.setEnabled(prompt is not None)
            self.delete.setEnabled(prompt is not None)
            self.up.setEnabled(row > 0)
            self.down.setEnabled(0 <= row < len(self._prompts) - 1)

    def _show_unknown(self) -> None:
        """Say of names in braces that nothing takes their place: mostly one is misspelt."""
        names = dict.fromkeys(_IN_BRACES.findall(self.text.toPlainText()))
        unknown = [f"{{{name}}}" for name in names if name not in VARIABLES]
        told = ""
        if len(unknown) == 1:
            told = self.tr("{0} is not a variable: it is sent as written.").format(unknown[0])
        elif unknown:
            shown = ", ".join(unknown[:_MOST_UNKNOWN]) + (", …" if len(unknown) > _MOST_UNKNOWN else "")
            told = self.tr("{0} are not variables: they are sent as written.").format(shown)
        self.unknown.setText(told)
        self.unknown.setVisible(bool(told))
        self.text.setAccessibleDescription(told)

    # ---- changes

    def _edited(self) -> None:
        row = self.list.currentRow()
        if not 0 <= row < len(self._prompts):
            return
        changed = written_prompt(self.name.text(), self.text.toPlainText())
        if changed == self._prompts[row]:
            return
        self._prompts[row] = changed
        self.list.show_title(row, changed)
        self._typing.start()

    def add_prompt(self) -> None:
        """Add an empty prompt below the current one, to be written."""
        self._forget_deleted()
        row = self.list.currentRow() + 1
        self._prompts.insert(row, Prompt(self.tr("New prompt"), ""))
        self._show(row)
        self._save()
        self._edit()

    def delete_current(self) -> None:
        """Delete the current prompt; it can be taken back."""
        row = self.list.currentRow()
        if row < 0:
            return
        prompt = self._prompts.pop(row)
        self._deleted.append((row, prompt))
        self._show(row)
        self.undo_text.setText(self.tr("“{0}” deleted.").format(prompt_title(prompt)))
        self.undo_bar.show()
        self._save()

    def undo_deletion(self) -> None:
        """Take back the last deletion."""
        if not self._deleted:
            return
        row, prompt = self._deleted.pop()
        self._prompts.insert(row, prompt)
        self._show(row)
        if self._deleted:
            self.undo_text.setText(self.tr("“{0}” deleted.").format(prompt_title(self._deleted[-1][1])))
        else:
            self._forget_deleted()
        self._save()

    def _forget_deleted(self) -> None:
        self._deleted.clear()
        with keyboard_stays(self, lambda _: self.list):
            self.undo_bar.hide()

    def move_current(self, step: int) -> None:
        """Move the current prompt up (-1) or down (1)."""
        row = self.list.currentRow()
        if row >= 0 and 0 <= row + step < len(self._prompts):
            self._forget_deleted()
            self._prompts.insert(row + step, self._prompts.pop(row))
            self._show(row + step)
            self._save()

    def _dragged(self, row: int, to: int) -> None:
        self._forget_deleted()
        self._prompts.insert(to, self._prompts.pop(row))
        # The list is still busy with the drop.
        QTimer.singleShot(0, self, partial(self._show, to))
        self._save()

    def _ask_to_reset(self) -> None:
        ask(
            self,
            self.tr("Reset all prompts to the defaults?"),
            self.tr("Those that you wrote or changed are deleted. This cannot be undone."),
            self.tr("Reset"),
            self._reset,
        )

    def _reset(self) -> None:
        self._typing.stop()
        self._keep(self._library.reset)
        self._show(0)

    def flush(self) -> None:
        """Keep now what was typed and is not kept yet."""
        if self._typing.isActive():
            self._save()

    def _save(self) -> None:
        self._typing.stop()
        self._keep(lambda: self._library.set(self._prompts))

    def _keep(self, change: Callable[[], None]) -> None:
        try:
            change()
        except StorageError as error:
            self.say(f"{error_sentence(error)} {error_hint(error)}")
        else:
            self.say("")

    # ---- the keyboard

    def _edit(self) -> None:
        if self.form.isEnabled():
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
            self.name.selectAll()

    def _insert(self, name: str) -> None:
        self.text.insertPlainText(f"{{{name}}}")
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)


class _TitleLine(QLineEdit):
    """A line whose Enter is its own: in a dialog it would press some button."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if presses(event):
            self.focusNextChild()
        else:
            super().keyPressEvent(event)


class _Variables(QSyntaxHighlighter):
    """Marks the variables that are known, so that a misspelt one stands out."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        self._pattern = re.compile("|".join(rf"\{{{name}\}}" for name in VARIABLES))
        theme.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        mark = QTextCharFormat()
        mark.setForeground(self._theme.tokens.color("accent"))
        mark.setBackground(self._theme.tokens.color("accent_soft"))
        # Qt counts characters beyond U+FFFF twice.
        for found in self._pattern.finditer(text):
            start = len(text[: found.start()].encode("utf-16-le")) // 2
            self.setFormat(start, found.end() - found.start(), mark)
