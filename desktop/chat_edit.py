"""A question being written anew in its own place."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.keyboard import leave_paste, presses
from desktop.picture_input import rather_than_text
from desktop.readings_hint import key_label
from desktop.theme import STEP, set_japanese, set_kind

_MOST_LINES = 8


class EditBox(QPlainTextEdit):
    """Enter sends and Esc gives up, unless an input method composes: then both keys are its own."""

    sent = Signal()
    given_up = Signal()

    def __init__(self, size: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._composing = False
        self.setTabChangesFocus(True)
        set_japanese(self, size)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter, escape = presses(event), event.key() == Qt.Key.Key_Escape
        if not (enter or escape) or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
        elif self._composing or event.isAutoRepeat():
            # What is composed is not in the text yet; and held for too long, a key asks once.
            event.accept()
        else:
            event.accept()
            (self.sent if enter else self.given_up).emit()

    def event(self, event: QEvent) -> bool:
        # A picture in the clipboard is for the conversation.
        return False if leave_paste(self, event) else super().event(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not rather_than_text(source) and super().canInsertFromMimeData(source)

    def height_needed(self) -> int:
        """As high as its lines, up to a few; then it scrolls."""
        lines = min(max(2, round(self.document().size().height())), _MOST_LINES)
        return lines * self.fontMetrics().lineSpacing() + 5 * STEP


class QuestionEditor(QWidget):
    """The box with its buttons."""

    sent = Signal(str)
    given_up = Signal()
    grown = Signal()

    def __init__(self, text: str, size: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.box = EditBox(size)
        self.box.setPlainText(text)
        self.box.moveCursor(QTextCursor.MoveOperation.End)
        self.box.setAccessibleName(self.tr("Your question"))
        self.send = QPushButton(self.tr("Send"))
        set_kind(self.send, "primary")
        self.cancel = QPushButton(self.tr("Cancel"))
        set_kind(self.cancel, "ghost")
        row = QHBoxLayout()
        row.setSpacing(2 * STEP)
        for part in (self.send, key_label("Enter"), self.cancel, key_label("Esc")):
            row.addWidget(part)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * STEP)
        column.addWidget(self.box)
        column.addLayout(row)
        for before, after in pairwise((self.box, self.send, self.cancel)):
            QWidget.setTabOrder(before, after)
        self.box.sent.connect(self._send)
        self.box.given_up.connect(self.given_up)
        self.send.clicked.connect(self._send)
        self.cancel.clicked.connect(self.given_up)
        self.box.textChanged.connect(self._changed)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)

    def _changed(self) -> None:
        self.send.setEnabled(bool(self.box.toPlainText().strip()))
        self._fit()

    def _fit(self) -> None:
        height = self.box.height_needed()
        if height != self.box.minimumHeight():
            self.box.setFixedHeight(height)
            self.grown.emit()

    def _send(self) -> None:
        text = self.box.toPlainText().strip()
        if text:
            self.sent.emit(text)
