"""The text of a turn: a rendered document that grows at its end and never scrolls by itself."""

from __future__ import annotations

import math
import time
from typing import Any

from PySide6.QtCore import QMimeData, QRect, QRectF, QRegularExpression, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextBlock,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from desktop.chat_document import CODE, QUOTE, RULE, ChatDocument, TextStyle, Writer
from desktop.chat_markdown import Splitter
from desktop.theme import CONTROL_RADIUS, STEP

_PLAIN_CHARACTERS = 2000
BY_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
_SCROLLS = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Space)
_PAD = 2 * STEP
_INK = QRegularExpression(r"\S")


class ChatText(QTextBrowser):
    """Markdown, or with ``plain`` text as it is. ``set_text`` takes it, ``work`` renders it bit by bit."""

    link_activated = Signal(str)
    cursor_moved = Signal()
    """The user moved the text cursor, maybe out of sight."""
    reached = Signal()
    """The keyboard came to it with Tab."""

    def __init__(self, style: TextStyle, plain: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plain = plain
        self._text = ""
        self._splitter = Splitter()
        self._written = 0
        self._done = True
        self._ring = False
        self._caret = False
        document = ChatDocument(self)
        self._writer = Writer(document, style)
        self._style = style
        self.setDocument(document)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabChangesFocus(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        # A right click leaves the keyboard where it is; the left button brings it, for what it selects.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursorWidth(0)
        self.anchorClicked.connect(self._activate)
        self.setFont(style.font)

    # ---- what it shows

    @property
    def text(self) -> str:
        """What was given, as it was given."""
        return self._text

    @property
    def done(self) -> bool:
        """Whether all of the text has been rendered."""
        return self._done

    @property
    def caret(self) -> bool:
        """Whether a mark at the end tells that more is coming."""
        return self._caret

    @property
    def caret_shown(self) -> bool:
        """Whether there is a word yet behind which that mark can stand."""
        return self._caret and not self.document().find(_INK).isNull()

    def set_caret(self, on: bool) -> None:
        if on != self._caret:
            self._caret = on
            self.viewport().update()

    def set_text(self, text: str) -> None:
        """Show ``text`` once ``work`` has rendered it; what it has in common with the text before stays."""
        if text == self._text:
            return
        self._text, self._done = text, False
        if self._plain:
            self._writer.clear()
            self._written = 0

    def restyle(self, style: TextStyle) -> None:
        """Render all of it anew."""
        self._style = style
        self.setFont(style.font)
        self._writer.restyle(style)
        self._splitter = Splitter()
        self._written = 0
        self._done = not self._text

    def work(self, until: float) -> bool:
        """Render, at least a piece and then more before ``until`` (``time.perf_counter``); True: all done."""
        if self._done:
            return True
        selected = self.textCursor()
        place = (selected.anchor(), selected.position())
        if self._plain:
            self._done = self._work_plain(until)
        else:
            self._done = self._work_markdown(until)
        self._select_again(*place)
        return self._done

    def finish(self) -> None:
        """Render all of it now."""
        while not self.work(math.inf):
            pass

    def shown_text(self) -> str:
        """The text as it is shown, without its Markdown."""
        self.finish()
        return self._text if self._plain else self._writer.plain

    def height_for(self, width: int) -> int:
        """The height of what has been rendered when it is ``width`` wide, in logical pixels."""
        if self.width() != width:
            self.resize(width, self.height())
        # Qt lays a document out when its viewport has a width, and a hidden one learns that late.
        document = self.document()
        if document.textWidth() != width:
            document.setTextWidth(width)
        return math.ceil(document.size().height())

    def natural_width(self, most: int) -> int:
        """How wide its longest line is, at most ``most``."""
        document = self.document()
        if document.characterCount() > most:
            return most
        document.setTextWidth(most)
        return min(most, math.ceil(document.idealWidth()) + 1)

    def _work_markdown(self, until: float) -> bool:
        writer = self._writer
        writer.rewind()
        if not self._splitter.feed(self._text):
            writer.clear()
        while (piece := self._splitter.settle()) is not None:
            writer.write(piece)
            writer.keep()
            if time.perf_counter() > until:
                return False
        rest = self._splitter.rest()
        if rest is not None:
            writer.write(rest)
        return True

    def _work_plain(self, until: float) -> bool:
        # Most questions are short; of one that was pasted, nothing else shall wait for all of it.
        while self._written < len(self._text):
            end = self._written + _PLAIN_CHARACTERS
            if end < len(self._text):
                end = self._text.rfind("\n", self._written, end) + 1 or end
            part = self._text[self._written : end]
            self._writer.write_plain(part.removesuffix("\n") if end < len(self._text) else part)
            self._written = end
            if time.perf_counter() > until:
                break
        return self._written >= len(self._text)

    def _select_again(self, anchor: int, position: int) -> None:
        """Writing has moved the text cursor, and has taken away what was selected of the text that grows."""
        now = self.textCursor()
        last = self.document().characterCount() - 1
        if (now.anchor(), now.position()) != (anchor, position):
            now.setPosition(min(anchor, last))
            now.setPosition(min(position, last), QTextCursor.MoveMode.KeepAnchor)
            self.setTextCursor(now)

    # ---- safety

    def loadResource(self, kind: int, name: QUrl) -> Any:
        return None

    def _activate(self, url: QUrl) -> None:
        self.link_activated.emit(url.toString(QUrl.ComponentFormattingOption.FullyEncoded))

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        text = self.textCursor().selectedText()
        data.setText(
            text.replace("\u2029", "\n").replace("\u2028", "\n").replace("\ufdd0", "").strip("\n\ufdd1")
        )
        return data

    # ---- keys and focus

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if plain and event.key() in _SCROLLS:
            # They scroll the conversation.
            event.ignore()
            return
        if event.matches(QKeySequence.StandardKey.Paste):
            event.ignore()
            return
        before = self.textCursor().position()
        super().keyPressEvent(event)
        if self.textCursor().position() != before:
            # Who selects with keys has to see from where.
            self.setCursorWidth(1)
            self.cursor_moved.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            # Nothing can be written here: a text cursor would only mislead.
            self.setCursorWidth(0)
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton and self.textCursor().hasSelection():
            self.cursor_moved.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = event.reason() in BY_KEYBOARD
        super().focusInEvent(event)
        self._tell_parent()
        if self._ring:
            self.reached.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._ring = False
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.setCursorWidth(0)
        self._tell_parent()

    @property
    def ring(self) -> bool:
        """Whether it came to the focus by the keyboard, which whoever it stands on shows."""
        return self._ring

    def _tell_parent(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            parent.update()

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_grounds(painter, event.rect())
        painter.end()
        super().paintEvent(event)
        if self.caret_shown:
            painter = QPainter(self.viewport())
            painter.fillRect(self._caret_rect(), self._color("text"))
            painter.end()

    def _color(self, name: str) -> QColor:
        return self._style.tokens.color(name)

    def _caret_rect(self) -> QRect:
        """Behind the last word."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.movePosition(QTextCursor.MoveOperation.PreviousCharacter)
        rect = self.cursorRect(cursor)
        size = self._style.size
        return QRect(min(rect.left() + 1, self.width() - 2 * STEP), rect.bottom() - size, size // 2, size)

    def _paint_grounds(self, painter: QPainter, exposed: QRect) -> None:
        """The boxes of code and the bars beside quotes, which a document cannot have."""
        layout = self.document().documentLayout()
        block = self.cursorForPosition(exposed.topLeft()).block()
        # The box of a block that begins above may reach into what is exposed.
        while block.previous().isValid() and _ground(block) and _ground(block) == _ground(block.previous()):
            block = block.previous()
        while block.isValid():
            kind = _ground(block)
            rect = layout.blockBoundingRect(block)
            if rect.top() - _PAD > exposed.bottom():
                return
            top = rect.top()
            while kind and _goes_on(block.next(), kind):
                block = block.next()
                rect = layout.blockBoundingRect(block)
            if kind == "code":
                self._paint_code(painter, top, rect.bottom(), block.blockFormat().leftMargin())
            elif kind == "rule":
                middle = round(rect.center().y())
                painter.fillRect(QRectF(0, middle, self.viewport().width(), 1), self._color("line"))
            elif kind == "quote":
                painter.fillRect(QRectF(0, top, 3, rect.bottom() - top), self._color("control_line"))
            block = block.next()

    def _paint_code(self, painter: QPainter, top: float, bottom: float, margin: float) -> None:
        left = margin - _PAD
        box = QRectF(left, top - _PAD, self.viewport().width() - left, bottom - top + 2 * _PAD)
        painter.setPen(self._color("line"))
        painter.setBrush(self._color("surface"))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), CONTROL_RADIUS, CONTROL_RADIUS)


def _ground(block: QTextBlock) -> str:
    form = block.blockFormat()
    if form.hasProperty(CODE):
        return "code"
    if form.hasProperty(RULE):
        return "rule"
    return "quote" if form.hasProperty(QUOTE) else ""


def _goes_on(block: QTextBlock, kind: str) -> bool:
    """Whether it stands on the same ground as the block before."""
    if not block.isValid() or _ground(block) != kind:
        return False
    if kind == "rule":
        return False
    return kind != "code" or block.blockFormat().intProperty(CODE) == 2
