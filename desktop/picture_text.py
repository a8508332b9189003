"""The field for the text of a picture: Japanese, as high as its lines up to five, then it scrolls."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QInputMethodEvent,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from desktop.keyboard import leave_paste
from desktop.theme import set_japanese

PAUSE = 400
"""Milliseconds without a key after which what was typed is told."""
TEXT_SIZE = 17
_LINE_HEIGHT = 1.5
_MOST_LINES = 5
_FRAME = 6
"""Border and padding of the style sheet, in logical pixels; together they are the same with the focus."""


class PictureText(QTextEdit):
    """Tells what the user makes of a text, once after each pause and when the field is left."""

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told = ""
        self._shown = ""
        self._composing = False
        self._most_lines = _MOST_LINES
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDocumentMargin(0)
        set_japanese(self, TEXT_SIZE)
        self.setAccessibleName(self.tr("Text of the picture"))
        self.setAccessibleDescription(self.tr("Correct it here if it was not read well"))
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.tell)
        self.textChanged.connect(self._changed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.show_text("")

    @property
    def busy(self) -> bool:
        """Whether the user is at it: text from elsewhere must not replace what is being typed."""
        if self._composing or self._pause.isActive():
            return True
        return self.hasFocus() and self.toPlainText() != self._shown

    def show_text(self, text: str) -> None:
        """Show what comes from elsewhere; what was typed before is told first."""
        self.tell()
        self._shown = self._told = text
        if text == self.toPlainText() and not self.document().isEmpty():
            return
        # What is undone is what the user typed, nothing else.
        self.setUndoRedoEnabled(False)
        self.setPlainText(text)
        form = QTextBlockFormat()
        # Fixed and not proportional: a fallback font for one character would spread its line.
        form.setLineHeight(
            round(_LINE_HEIGHT * TEXT_SIZE), QTextBlockFormat.LineHeightTypes.FixedHeight.value
        )
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(form)
        self.setUndoRedoEnabled(True)
        self._pause.stop()
        self._fit()

    def tell(self) -> None:
        """Tell what was typed now, if anything was."""
        self._pause.stop()
        text = self.toPlainText()
        if text != self._told:
            self._told = text
            self.edited.emit(text)

    def select(self, start: int, end: int) -> None:
        """Select these characters, counted in code points, and scroll to them."""
        text = self.toPlainText()
        cursor = QTextCursor(self.document())
        cursor.setPosition(_units(text[:start]))
        cursor.setPosition(_units(text[:end]), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def _changed(self) -> None:
        if self.toPlainText() != self._told:
            self._pause.start()
        else:
            self._pause.stop()

    def height_with(self, most_lines: int = _MOST_LINES) -> int:
        """Logical pixels for the text when at most so many lines are shown."""
        line = round(_LINE_HEIGHT * TEXT_SIZE)
        lines = round(self.document().size().height() / line)
        return min(max(lines, 1), most_lines) * line + 2 * _FRAME

    def limit_lines(self, most: int = _MOST_LINES) -> None:
        """Scroll from so many lines on."""
        if most != self._most_lines:
            self._most_lines = most
            self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(self.height_with(self._most_lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        # A menu, or the input method's window, only borrows the focus.
        if event.reason() not in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.MenuBarFocusReason):
            self.tell()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def event(self, event: QEvent) -> bool:
        # The panel may have a use for a picture in the clipboard.
        return False if leave_paste(self, event) else super().event(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        # Files come with their addresses as text, pictures of web pages, too.
        return source.hasText() and not source.hasUrls() and not source.hasImage()


def _units(text: str) -> int:
    """The length in UTF-16 units, by which Qt counts."""
    return len(text.encode("utf-16-le")) // 2
