"""The list of snips: how a row is painted, and what keys and buttons in it do."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QPointF,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QCursor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPen,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from core.history import HistoryRow, State
from core.search import find_spans
from desktop.history_model import THUMBNAIL, HistoryModel, Index
from desktop.row_painting import format_range, paint_thumbnail
from desktop.theme import CONTROL_RADIUS, STEP, Theme, japanese_font, set_role

_ROW_HEIGHT = 104


class _Delegate(QStyledItemDelegate):
    """Paints a row: picture, text with the match marked, facts, and its two buttons."""

    def __init__(self, model: HistoryModel, theme: Theme, parent: HistoryList) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme
        self._list = parent
        self._text_font = japanese_font(16)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(320, _ROW_HEIGHT)

    def buttons(self, row: HistoryRow, rect: QRect, font: QFont) -> dict[str, tuple[QRect, str]]:
        """Where the buttons of a row lie, and what is on them."""
        labels = [("menu", "⋯")]
        if row.text:
            labels.append(("copy", self.tr("Copy")))
        elif row.state is State.FAILED:
            labels.append(("reread", self.tr("Retry")))
        metrics = QFontMetrics(font)
        height, right = 7 * STEP, rect.right() - 2 * STEP
        found: dict[str, tuple[QRect, str]] = {}
        for name, label in labels:
            width = metrics.horizontalAdvance(label) + 5 * STEP
            top = rect.center().y() - height // 2
            found[name] = (QRect(right - width, top, width, height), label)
            right -= width + STEP
        return found

    def button_at(self, point: QPoint, index: Index, rect: QRect, font: QFont) -> str:
        row = self._model.row(index)
        if row is not None:
            for name, (button, _) in self.buttons(row, rect, font).items():
                if button.contains(point):
                    return name
        return ""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = self._model.row(index)
        if row is None:
            return
        tokens = self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        body = rect.adjusted(0, 1, 0, -2)
        if selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("raised"))
            painter.drawRoundedRect(body, CONTROL_RADIUS, CONTROL_RADIUS)
            painter.setBrush(tokens.color("accent"))
            painter.drawRoundedRect(QRect(body.left(), body.top() + 12, 3, body.height() - 24), 1.5, 1.5)
        painter.setPen(tokens.color("line"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        has_focus = bool(option.state & QStyle.StateFlag.State_HasFocus)
        if has_focus and not selected:
            painter.setPen(QPen(tokens.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body.adjusted(1, 1, -1, -1), CONTROL_RADIUS, CONTROL_RADIUS)
        left = rect.left() + 3 * STEP
        frame = QRect(QPoint(left, rect.center().y() - 42), THUMBNAIL)
        paint_thumbnail(painter, self._model.thumbnails.get(row.id), frame, CONTROL_RADIUS, tokens)
        buttons = self.buttons(row, rect, option.font)
        left += THUMBNAIL.width() + 14
        right = min(button.left() for button, _ in buttons.values()) - 2 * STEP
        self._paint_words(painter, row, QRect(left, rect.top(), right - left, rect.height()), option.font)
        self._paint_buttons(painter, buttons, option)
        painter.restore()

    def _paint_words(self, painter: QPainter, row: HistoryRow, rect: QRect, font: QFont) -> None:
        tokens = self._theme.tokens
        has_text = bool(row.text)
        words = " ".join(self._model.words(row).split())
        spans = find_spans(words, self._model.query) if has_text else []
        if spans and spans[0][0] > 20:
            # The match would lie behind the end of what is shown.
            cut = spans[0][0] - 8
            words = "…" + words[cut:]
            spans = [(start - cut + 1, end - cut + 1) for start, end in spans]
        layout = QTextLayout(words, self._text_font if has_text else font)
        options = QTextOption()
        options.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(options)
        marked = QTextCharFormat()
        marked.setBackground(tokens.color("accent_soft"))
        marked.setForeground(tokens.color("accent"))
        layout.setFormats([format_range(words, start, end, marked) for start, end in spans])
        height = self._lay_out(layout, rect.width())
        metrics = QFontMetrics(font)
        top = rect.top() + (rect.height() - height - metrics.height() - STEP) / 2
        if has_text:
            painter.setPen(tokens.color("text"))
        else:
            painter.setPen(tokens.color("bad" if row.state is State.FAILED else "muted"))
        layout.draw(painter, QPointF(rect.left(), top))
        painter.setFont(font)
        painter.setPen(tokens.color("muted"))
        facts = metrics.elidedText(self._model.facts(row), Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(QPointF(rect.left(), top + height + STEP + metrics.ascent()), facts)

    def _lay_out(self, layout: QTextLayout, width: int) -> float:
        """Two lines at most, the second elided; returns their height."""
        height = 0.0
        layout.beginLayout()
        for number in range(2):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(width)
            line.setPosition(QPointF(0, height))
            height += line.height()
            end = line.textStart() + line.textLength()
            if number == 1 and end < len(layout.text()):
                start = line.textStart()
                rest = QFontMetrics(layout.font()).elidedText(
                    layout.text()[start : start + 400], Qt.TextElideMode.ElideRight, width - STEP
                )
                layout.endLayout()
                formats = layout.formats()
                layout.setText(layout.text()[:start] + rest)
                layout.setFormats(formats)
                return self._lay_out(layout, width)
        layout.endLayout()
        return height

    def _paint_buttons(
        self, painter: QPainter, buttons: dict[str, tuple[QRect, str]], option: QStyleOptionViewItem
    ) -> None:
        tokens = self._theme.tokens
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        pointer = self._list.viewport().mapFromGlobal(QCursor.pos())
        painter.setFont(option.font)
        for button, label in buttons.values():
            if hovered and button.contains(pointer):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(tokens.color("accent_soft"))
                painter.drawRoundedRect(button, CONTROL_RADIUS, CONTROL_RADIUS)
            painter.setPen(tokens.color("text"))
            painter.drawText(button, Qt.AlignmentFlag.AlignCenter, label)

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        if isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton:
            name = self.button_at(event.position().toPoint(), index, option.rect, option.font)
            if name and event.type() == QEvent.Type.MouseButtonRelease:
                self._list.button_pressed.emit(name, QModelIndex(index))
                return True
        return super().editorEvent(event, model, option, index)


class HistoryList(QListView):
    """The list of snips. ``button_pressed`` names a row's button: ``copy``, ``reread`` or ``menu``."""

    button_pressed = Signal(str, QModelIndex)
    delete_pressed = Signal()

    def __init__(self, model: HistoryModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.delegate = _Delegate(model, theme, self)
        self.setItemDelegate(self.delegate)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListView.Shape.NoFrame)
        set_role(self, "rows")
        theme.changed.connect(self.viewport().update)

    def go_to(self, row: int) -> None:
        """Select this row alone, whatever modifier keys are held."""
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(self.model().index(row, 0), flag)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The ring is drawn around the current row, so there has to be one, and it is selected."""
        if not self.currentIndex().isValid() and self.model().rowCount() > 0:
            self.go_to(0)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.currentIndex()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if (enter or event.matches(QKeySequence.StandardKey.Copy)) and current.isValid():
            self.button_pressed.emit("copy", current)
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)
