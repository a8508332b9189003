"""The field in which a question is written: grows with it, minds input methods, gives pictures on."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QFontInfo,
    QFontMetricsF,
    QInputMethodEvent,
    QKeyEvent,
    QResizeEvent,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QSizePolicy, QWidget

from desktop.asked_before import AskedBefore
from desktop.keyboard import presses
from desktop.picture_input import rather_than_text, take
from desktop.theme import set_japanese

_LEAST_LINES, _MOST_LINES = 2, 8
_SMALLEST_TEXT = 14
_SETTLE_MS = 100
"""So long after a composition its last key may still come: far less than between two presses of a finger."""
_TYPING_EVERY_MS = 4_000


class QuestionField(QPlainTextEdit):
    """Enter asks to send; Shift+Enter and Ctrl+Enter begin a new line; Esc is left to what is around it.

    While an input method composes, Enter and Esc are its own. Some input methods end a composition with Enter
    and give us that key as well: it does nothing.
    """

    send_requested = Signal()
    composed = Signal()
    """An input method has changed what it shows here."""
    given = Signal(object)
    """A ``Given``: what was pasted is no text."""
    typing = Signal()
    """The user began to write a question; at most once in some seconds."""

    def __init__(self, asked: AskedBefore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked = asked
        self._unheard = True
        self._settling = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._quiet = QTimer(self, singleShot=True, interval=_TYPING_EVERY_MS)
        set_japanese(self, max(_SMALLEST_TEXT, QFontInfo(QApplication.font()).pixelSize()))
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Question"))
        self.setAccessibleDescription(self.tr("Enter sends it, Shift+Enter starts a new line."))
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    @property
    def composing(self) -> bool:
        """Whether an input method shows text here that is not written yet."""
        return bool(self.textCursor().block().layout().preeditAreaText())

    @property
    def blank(self) -> bool:
        """Whether there is nothing to send, not even in an input method."""
        return not self.composing and not self.toPlainText().strip()

    def show_text(self, text: str) -> None:
        """Write ``text`` in place of what is there, as the program does: nobody is told of typing."""
        self.setPlainText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)
        self._unheard = not text

    # ---- keys

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        composed = self.composing
        super().inputMethodEvent(event)
        if composed and not self.composing:
            self._settling.start()
        self.composed.emit()
        self._tell_typing()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ends = presses(event) or event.key() == Qt.Key.Key_Escape
        settling = self._settling.isActive()
        self._settling.stop()
        if ends and (self.composing or settling):
            event.accept()
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()
        elif presses(event):
            self._press_enter(event)
        elif not self._press_arrow(event):
            super().keyPressEvent(event)
        self._tell_typing()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if presses(event) or event.key() == Qt.Key.Key_Escape:
            # The key that ended a composition is up again; the next one is meant for us.
            self._settling.stop()
        super().keyReleaseEvent(event)

    def _press_enter(self, event: QKeyEvent) -> None:
        held = _modifiers(event)
        if held in (Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier):
            self.insertPlainText("\n")
            self.ensureCursorVisible()
        elif held != Qt.KeyboardModifier.NoModifier:
            event.ignore()
        elif not event.isAutoRepeat():
            self.send_requested.emit()

    def _press_arrow(self, event: QKeyEvent) -> bool:
        """Go through the questions asked before; whether there was one to go to."""
        if _modifiers(event) != Qt.KeyboardModifier.NoModifier or self.composing:
            return False
        if event.key() == Qt.Key.Key_Up and self._at_edge(QTextCursor.MoveOperation.Up):
            text = self._asked.older(self.toPlainText())
        elif event.key() == Qt.Key.Key_Down and self._at_edge(QTextCursor.MoveOperation.Down):
            text = self._asked.newer(self.toPlainText())
        else:
            return False
        if text is None:
            return False
        self.setPlainText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)
        return True

    def _at_edge(self, move: QTextCursor.MoveOperation) -> bool:
        return not self.textCursor().movePosition(move)

    def _tell_typing(self) -> None:
        if self.blank:
            self._unheard = True
        elif self._unheard and not self._quiet.isActive():
            self._unheard = False
            self._quiet.start()
            self.typing.emit()

    # ---- what is pasted and dropped

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return rather_than_text(source) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if rather_than_text(source):
            self.given.emit(take(source))
        else:
            super().insertFromMimeData(source)
            self._tell_typing()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # Pictures are for what is around the field and shows where they may be dropped.
        if rather_than_text(event.mimeData()):
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if rather_than_text(event.mimeData()):
            event.ignore()
        else:
            super().dragMoveEvent(event)

    # ---- size

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as its lines, within bounds; from there on it scrolls."""
        # The size of a plain document is counted in lines.
        lines = max(1, round(self.document().size().height()))
        bar = (
            Qt.ScrollBarPolicy.ScrollBarAsNeeded
            if lines > _MOST_LINES
            else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        if bar != self.verticalScrollBarPolicy():
            self.setVerticalScrollBarPolicy(bar)
        shown = min(max(lines, _LEAST_LINES), _MOST_LINES)
        margins = self.contentsMargins()
        around = margins.top() + margins.bottom() + 2 * round(self.document().documentMargin())
        # One pixel more than they fill: else the last line counts as cut off and can be scrolled.
        height = shown * self._line_height() + around + 1
        if height != self.height() or self.minimumHeight() != height:
            self.setFixedHeight(height)
        if lines <= _MOST_LINES:
            # It had scrolled to the cursor while it was still too low.
            self.verticalScrollBar().setValue(0)

    def _line_height(self) -> int:
        """Of a line as it is laid out: rounded up, where the font's own metrics round to the nearest."""
        return ceil(QFontMetricsF(self.font()).height())


def _modifiers(event: QKeyEvent) -> Qt.KeyboardModifier:
    # Keys of the number pad count as themselves, and on some systems arrows seem to be there.
    return event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
