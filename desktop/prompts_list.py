"""The list of prompts in the settings: how a row is painted, and what keys and the mouse do in it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from core.prompts import Prompt
from desktop.keyboard import presses
from desktop.prompt_texts import direct_key, prompt_title
from desktop.theme import STEP, Theme

_ROW_HEIGHT = 8 * STEP
_MOST_ROWS = 9


class _Delegate(QStyledItemDelegate):
    """Paints a title and, at the end of the row, the key that goes with its place."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(160, _ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        tokens = self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = option.rect.adjusted(2, 1, -2, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("accent_soft"))
            painter.drawRoundedRect(body, 6, 6)
        right = body.right() - 2 * STEP
        key = direct_key(index.row())
        if key:
            right = self._paint_key(painter, key, body, option.font) - 2 * STEP
        painter.setFont(option.font)
        painter.setPen(tokens.color("text"))
        words = QRect(body.left() + 2 * STEP, body.top(), right - body.left() - 2 * STEP, body.height())
        title = QFontMetrics(option.font).elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        painter.restore()

    def _paint_key(self, painter: QPainter, key: str, body: QRect, font: QFont) -> int:
        """Returns its left edge."""
        tokens = self._theme.tokens
        small = QFont(font)
        small.setPixelSize(max(10, QFontMetrics(font).height() - 7))
        metrics = QFontMetrics(small)
        size = QSize(metrics.horizontalAdvance(key) + 10, metrics.height() + 2)
        place = QRect(body.right() - STEP - size.width(), 0, size.width(), size.height())
        place.moveTop(body.center().y() - size.height() // 2)
        painter.setPen(QPen(tokens.color("line"), 1))
        painter.setBrush(tokens.color("surface"))
        painter.drawRoundedRect(place.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setFont(small)
        painter.setPen(tokens.color("muted"))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, key)
        return place.left()


class PromptsList(QListWidget):
    """The titles, one of them current. Rows are dragged, or moved with Alt+Up and Alt+Down."""

    dragged = Signal(int, int)
    """A row was dropped: where it was, where it is now."""
    move_pressed = Signal(int)
    """The current row should go up (-1) or down (1)."""
    delete_pressed = Signal()
    undo_pressed = Signal()
    edit_pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(_Delegate(theme, self))
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.model().rowsMoved.connect(self._rows_moved)
        self.itemDoubleClicked.connect(lambda: self.edit_pressed.emit())
        theme.changed.connect(self.viewport().update)

    def show_prompts(self, prompts: Sequence[Prompt], current: int) -> None:
        """Show these; nothing is emitted."""
        self.blockSignals(True)
        while self.count() > len(prompts):
            self.takeItem(self.count() - 1)
        while self.count() < len(prompts):
            item = QListWidgetItem()
            # Rows are dropped between others, not on them.
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)
            self.addItem(item)
        for row, prompt in enumerate(prompts):
            self.show_title(row, prompt)
        self.setCurrentRow(current)
        self.blockSignals(False)
        rows = max(3, min(_MOST_ROWS, len(prompts)))
        self.setMinimumHeight(rows * _ROW_HEIGHT + 2 * STEP)

    def show_title(self, row: int, prompt: Prompt) -> None:
        title, key = prompt_title(prompt), direct_key(row)
        item = self.item(row)
        item.setText(title)
        item.setToolTip(title)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{title}, {key}" if key else title)

    def _rows_moved(self, parent: QModelIndex, first: int, last: int, into: QModelIndex, before: int) -> None:
        self.dragged.emit(first, before - 1 if before > first else before)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        if alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_pressed.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo_pressed.emit()
        elif presses(event) or event.key() == Qt.Key.Key_F2:
            self.edit_pressed.emit()
        else:
            super().keyPressEvent(event)
