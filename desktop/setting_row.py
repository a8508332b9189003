"""The rows of the settings dialog: a title, words about it, what is true now, and a control."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.errors import SettingsError, YomitoriError
from core.settings import SettingInfo, SettingsStore, value_of
from desktop.key_recorder import KeyRecorder
from desktop.setting_controls import make_control, translated
from desktop.texts import breakable, error_hint, error_sentence
from desktop.theme import STEP, Theme, set_kind, set_role


@dataclass(frozen=True)
class Note:
    """What is true about a row now.

    ``role`` is ``muted``, ``warn`` or ``bad``; ``button`` names what can be done about it, ``press`` does it.
    ``spoken`` is what a screen reader says when the note comes, else nothing.
    """

    text: str = ""
    role: str = "muted"
    button: str = ""
    press: Callable[[], None] | None = None
    spoken: str = ""


class Row(QWidget):
    """A title, a description, a note, and room for a control at the side or below.

    The search finds it by title, description and ``other_words``.
    """

    told = Signal()
    """It has become higher, for what ``say`` was given, or that is of another kind now."""

    def __init__(
        self, title: str, description: str = "", other_words: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._haystack = f"{title}\n{description}\n{other_words}".casefold()
        self._note = Note("?")
        self.title = QLabel(title)
        set_role(self.title, "strong")
        self._description = QLabel(breakable(description))
        self._description.setVisible(bool(description))
        set_role(self._description, "muted")
        self._note_text = QLabel()
        self.note_button: QPushButton | None = None
        self._error = QLabel()
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self.title, self._description, self._note_text):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            words.addWidget(label)
        self._note_place = QVBoxLayout()
        words.addLayout(self._note_place)
        self._error.setWordWrap(True)
        self._error.setTextFormat(Qt.TextFormat.PlainText)
        words.addWidget(self._error)
        words.addStretch(1)
        self.side = QVBoxLayout()
        self.side.setSpacing(STEP)
        top = QHBoxLayout()
        top.setSpacing(3 * STEP)
        top.addLayout(words, 1)
        top.addLayout(self.side)
        self.below = QVBoxLayout(self)
        self.below.setContentsMargins(0, 3 * STEP, 0, 3 * STEP)
        self.below.setSpacing(2 * STEP)
        self.below.addLayout(top)
        self.set_note(Note())
        self.say("")

    def matches(self, words: list[str]) -> bool:
        """Whether title or description contain every one of the case-folded ``words``."""
        return all(word in self._haystack for word in words)

    def set_note(self, note: Note) -> None:
        """A live fact under the description; empty for none."""
        same = self._note == replace(note, press=self._note.press)
        self._note = note
        if same:
            return
        set_role(self._note_text, note.role)
        self._note_text.setText(breakable(note.text))
        self._note_text.setVisible(bool(note.text))
        if note.button:
            button = self.note_button = self.note_button or self._make_note_button()
            button.setText(note.button)
            button.setAccessibleName(f"{note.button}: {self.title.text()}")
            button.show()
        elif self.note_button is not None:
            if self.note_button.hasFocus():
                # It has done its work; the keyboard stays at this row, where a key types nothing.
                control = self.title.buddy()
                getattr(control, "button", control).setFocus()
            self.note_button.hide()
        self._note_place.setContentsMargins(0, STEP if note.button else 0, 0, 0)
        if note.spoken and self.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, note.spoken))

    def _make_note_button(self) -> QPushButton:
        """Few rows ever have one. The Tab key comes to it before the control."""
        button = QPushButton()
        button.clicked.connect(self._press_note)
        self._note_place.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        before = control = self.title.buddy()
        while before is not None:
            before = before.previousInFocusChain()
            if before is control:
                break
            # Those without focus are no place in the order.
            if before is not button and before.focusPolicy() & Qt.FocusPolicy.TabFocus:
                QWidget.setTabOrder(before, button)
                break
        return button

    def say(self, text: str, role: str = "bad") -> None:
        """Something about what was just done here; empty for nothing."""
        before = (self._error.isHidden(), self._error.property("role"))
        set_role(self._error, role)
        self._error.setText(breakable(text))
        self._error.setVisible(bool(text))
        if text and before != (False, role):
            self.told.emit()

    def _press_note(self) -> None:
        if self._note.press is not None:
            self._note.press()


class SettingRow(Row):
    """One setting: title, description, what is true about it now, and its control."""

    recording_changed = Signal(bool)

    def __init__(
        self, info: SettingInfo, store: SettingsStore, theme: Theme, parent: QWidget | None = None
    ) -> None:
        title, description = translated(info.title), translated(info.description)
        super().__init__(title, description, f"{info.title}\n{info.description}", parent)
        self.info = info
        self._store = store
        self.restore = QPushButton(self.tr("Restore default"))
        set_kind(self.restore, "ghost")
        self.restore.setAccessibleName(self.tr("Restore default: {0}").format(title))
        self.restore.clicked.connect(self._restore)

        control = make_control(info, theme, self._change)
        self.control, self._show_value = control.widget, control.show
        self._lockable = control.locked or control.widget
        self.control.setAccessibleName(title)
        self.control.setAccessibleDescription(description)
        self.title.setBuddy(self.control)
        if isinstance(self.control, KeyRecorder):
            self.control.refused.connect(self.say)
            self.control.recording_changed.connect(self.recording_changed)
        # The control comes first for the Tab key, "Restore default" after it.
        if control.wide:
            self.below.addWidget(self.control)
            self.below.addWidget(self.restore, 0, Qt.AlignmentFlag.AlignRight)
        else:
            self.side.addWidget(self.control, 0, Qt.AlignmentFlag.AlignRight)
            self.side.addWidget(self.restore, 0, Qt.AlignmentFlag.AlignRight)
            self.side.addStretch(1)
        self.refresh()

    def refresh(self) -> None:
        """Show the value in force, and what set it where it cannot be changed here."""
        value = value_of(self._store.current, self.info.key)
        self.control.blockSignals(True)
        self._show_value(value)
        self.control.blockSignals(False)
        source = self._store.overridden.get(self.info.key)
        self._lockable.setEnabled(source is None)
        self.restore.setVisible(source is None and value != self.info.default)
        if source is not None:
            self.say(self.tr("Set by {0} for this run.").format(source), "muted")

    def _change(self, value: object) -> None:
        if value == value_of(self._store.current, self.info.key):
            self.say("")
            return
        self._attempt(lambda: self._store.set(self.info.key, value))

    def _restore(self) -> None:
        # The button goes when it has done its work; the keyboard stays at the setting.
        self.control.setFocus()
        self._attempt(lambda: self._store.reset(self.info.key))

    def _attempt(self, change: Callable[[], None]) -> None:
        self.say("")
        try:
            change()
        except YomitoriError as error:
            self.say(f"{error_sentence(error)} {error_hint(error)}")
            if self.info.kind == "text" and isinstance(error, SettingsError):
                # What was typed can be mended.
                return
        self.refresh()
