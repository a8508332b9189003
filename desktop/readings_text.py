"""The widget for text that was read: as high as its lines, and it tells how likely each character is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QToolTip, QWidget

LINE_HEIGHT = 1.6
_EDITABLE = Qt.TextInteractionFlag.TextEditorInteraction
_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
_MOVES = frozenset(
    {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}
)


class ReadText(QTextEdit):
    """Read-only until ``set_editable``.

    Characters are counted in code points, Qt's positions in UTF-16 units.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._likelihoods: Sequence[float | None] = ()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        # Its window is mostly not the active one.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_AlwaysShowToolTips)
        self.document().setDocumentMargin(0)
        self.set_editable(False)

    def set_editable(self, on: bool) -> None:
        self.setReadOnly(not on)
        self.setTextInteractionFlags(_EDITABLE if on else _SELECTABLE)
        # Undo takes back what the user typed, not how the text was marked before.
        self.document().setUndoRedoEnabled(on)

    def show_text(self, text: str, size: int) -> None:
        """Show ``text`` in lines for a font of ``size`` pixels; of the same text the selection stays."""
        if text == self.toPlainText():
            return
        self.setPlainText(text)
        form = QTextBlockFormat()
        height = QFontMetricsF(self.font()).height()
        form.setLineHeight(
            100 * LINE_HEIGHT * size / height,
            QTextBlockFormat.LineHeightTypes.ProportionalHeight.value,
        )
        self._everything().mergeBlockFormat(form)

    def mark(
        self,
        likelihoods: Sequence[float | None] = (),
        doubtful: Collection[int] = (),
        underline: QColor | None = None,
        ink: QColor | None = None,
    ) -> None:
        """Tell ``likelihoods`` in tooltips, underline the ``doubtful`` ones, write all in ``ink``."""
        self._likelihoods = likelihoods
        plain = QTextCharFormat()
        if ink is not None:
            plain.setForeground(ink)
        self._everything().setCharFormat(plain)
        dotted = QTextCharFormat()
        dotted.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        dotted.setUnderlineColor(underline or QColor())
        cursor = QTextCursor(self.document())
        text = self.toPlainText()
        for index in doubtful:
            start = _units(text[:index])
            cursor.setPosition(start)
            cursor.setPosition(start + _units(text[index]), QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(dotted)

    def fit(self, width: int, most: float) -> None:
        """Take the height of the text in ``width``, at most ``most``; the rest is scrolled."""
        self.document().setTextWidth(width)
        self.setFixedHeight(round(min(self.document().size().height(), most)))

    def likelihood_at(self, point: QPoint) -> str:
        """What is known of the character at a point of the viewport; empty when there is none."""
        cursor = self.cursorForPosition(point)
        before = QTextCursor(cursor)
        # The cursor goes to the nearer side of a character.
        for start in (cursor, before):
            if start is before and not before.movePosition(QTextCursor.MoveOperation.PreviousCharacter):
                break
            left = self.cursorRect(start)
            if point.x() >= left.left() and left.top() <= point.y() <= left.bottom():
                end = QTextCursor(start)
                end.movePosition(QTextCursor.MoveOperation.NextCharacter)
                right = self.cursorRect(end)
                if right.top() == left.top() and point.x() > right.left():
                    break
                return self._likelihood_after(start)
        return ""

    def _likelihood_after(self, cursor: QTextCursor) -> str:
        text = self.toPlainText()
        index = len(text.encode("utf-16-le")[: 2 * cursor.position()].decode("utf-16-le", "ignore"))
        if self.isReadOnly() and len(self._likelihoods) == len(text) > index:
            value = self._likelihoods[index]
            if value is not None and not text[index].isspace():
                return self.tr("{character}: likelihood {value}").format(
                    character=text[index], value=f"{value:.2f}"
                )
        return ""

    def _everything(self) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        return cursor

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            assert isinstance(event, QHelpEvent)
            told = self.likelihood_at(event.pos())
            if told:
                QToolTip.showText(event.globalPos(), told, self.viewport())
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if self.isReadOnly() and event.key() in _MOVES:
            cursor = self.textCursor()
            if cursor.hasSelection() and cursor.position() > cursor.anchor():
                # The character that was just taken in.
                cursor.movePosition(QTextCursor.MoveOperation.PreviousCharacter)
            place = self.viewport().mapToGlobal(self.cursorRect(cursor).bottomLeft())
            QToolTip.showText(place, self._likelihood_after(cursor), self.viewport())


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
