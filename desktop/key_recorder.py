"""A field that takes down a key combination by having it pressed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QWidget

from desktop.hotkeys.keys import from_key_sequence
from desktop.theme import STEP, set_kind

_MODIFIER_KEYS = {
    Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
    Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
    Qt.Key.Key_Meta: Qt.KeyboardModifier.MetaModifier,
    Qt.Key.Key_Super_L: Qt.KeyboardModifier.MetaModifier,
    Qt.Key.Key_Super_R: Qt.KeyboardModifier.MetaModifier,
    Qt.Key.Key_AltGr: Qt.KeyboardModifier.NoModifier,
    Qt.Key.Key_unknown: Qt.KeyboardModifier.NoModifier,
}
_NAMES = (
    (Qt.KeyboardModifier.ControlModifier, "Ctrl"),
    (Qt.KeyboardModifier.AltModifier, "Alt"),
    (Qt.KeyboardModifier.ShiftModifier, "Shift"),
    (Qt.KeyboardModifier.MetaModifier, "Super"),
)


class KeyRecorder(QWidget):
    """Shows a combination such as ``Ctrl+Alt+S``; a press on it waits for another.

    While it waits, Esc leaves the old one, and Backspace or Delete alone leave none.
    """

    recorded = Signal(str)
    """The new combination; empty for none."""
    refused = Signal(str)
    """Why the keys that were pressed cannot be used, as a sentence."""
    recording_changed = Signal(bool)
    """Whether it waits for keys. Hotkeys that are taken everywhere should be let go meanwhile."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._combination = ""
        self._button = _RecordButton(self)
        self._clear = QToolButton(self)
        self._clear.setText("✕")
        set_kind(self._clear, "ghost")
        self._clear.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._clear.setToolTip(self.tr("Use no key"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP)
        layout.addWidget(self._button, 1)
        layout.addWidget(self._clear)
        self.setFocusProxy(self._button)
        self._button.pressed_keys.connect(self._take)
        self._button.cleared.connect(self._take_none)
        self._button.recording_changed.connect(self._show_recording)
        self._clear.clicked.connect(self._take_none)
        self._show()

    @property
    def combination(self) -> str:
        return self._combination

    def set_combination(self, combination: str) -> None:
        """Show ``combination`` (empty: none) without a signal."""
        self._combination = combination
        self._show()

    def set_accessible(self, name: str, description: str) -> None:
        """The names that screen readers tell."""
        self._button.setAccessibleName(name)
        self._button.setAccessibleDescription(description)
        self._clear.setAccessibleName(self.tr("No key for: {0}").format(name))

    def _take(self, keys: QKeySequence) -> None:
        try:
            combination = str(from_key_sequence(keys))
        except ValueError as error:
            self.refused.emit(str(error))
            return
        self._set(combination)

    def _take_none(self) -> None:
        self._set("")

    def _set(self, combination: str) -> None:
        self.set_combination(combination)
        self.recorded.emit(combination)

    def _show_recording(self, recording: bool) -> None:
        self._show()
        self.recording_changed.emit(recording)

    def _show(self) -> None:
        if self._button.recording:
            self._button.setText(self.tr("Press the keys…"))
        else:
            self._button.setText(self._combination or self.tr("None"))
        self._clear.setVisible(bool(self._combination))


class _RecordButton(QPushButton):
    pressed_keys = Signal(QKeySequence)
    cleared = Signal()
    recording_changed = Signal(bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.recording = False
        self.setMinimumWidth(160)
        self.clicked.connect(self._start)

    def _start(self) -> None:
        self.setFocus()
        self._set_recording(True)

    def _set_recording(self, recording: bool) -> None:
        if recording != self.recording:
            self.recording = recording
            self.recording_changed.emit(recording)

    def event(self, event: QEvent) -> bool:
        # Tab would move the focus, and shortcuts of the window would be taken, before keyPressEvent.
        if self.recording and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self.keyPressEvent(event)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if not self.recording:
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._start()
            else:
                super().keyPressEvent(event)
            return
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        event.accept()
        if key in _MODIFIER_KEYS:
            # The event tells what was held before this key.
            modifiers |= _MODIFIER_KEYS[key]
            held = [name for flag, name in _NAMES if modifiers & flag]
            self.setText("+".join([*held, "…"]))
            return
        self._set_recording(False)
        if modifiers == Qt.KeyboardModifier.NoModifier:
            if key == Qt.Key.Key_Escape:
                return
            if key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
                self.cleared.emit()
                return
        self.pressed_keys.emit(QKeySequence(QKeyCombination(modifiers, key)))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._set_recording(False)
        super().focusOutEvent(event)
