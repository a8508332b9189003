"""The history: every snip with its picture, found by any part of its text."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QByteArray,
    QEvent,
    QItemSelectionModel,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRunnable,
    QSize,
    Qt,
    QThreadPool,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QCursor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from core.errors import HistoryDamaged, StorageError, YomitoriError
from core.history import History, HistoryRow, State
from core.search import find_spans
from desktop.texts import engine_title, error_hint, error_sentence
from desktop.theme import CONTROL_RADIUS, STEP, Theme, japanese_font, set_japanese, set_kind, set_role

log = logging.getLogger(__name__)

PAGE = 100
_THUMBNAIL = QSize(74, 84)
_ROW_HEIGHT = 104
_KEPT_THUMBNAILS = 200
_ROW = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


def error_text(error: YomitoriError) -> str:
    """What happened and what to do, in the user's language."""
    return f"{error_sentence(error)} {error_hint(error)}".strip()


def when_text(created: float, locale: QLocale, now: datetime | None = None) -> str:
    """The time of day, with the date unless that is today."""
    moment = datetime.fromtimestamp(created)
    time = locale.toString(moment.time(), QLocale.FormatType.ShortFormat)
    if moment.date() == (now or datetime.now()).date():
        return time
    return f"{locale.toString(moment.date(), QLocale.FormatType.ShortFormat)} {time}"


class _Task(QRunnable):
    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work

    def run(self) -> None:
        self._work()


class HistoryModel(QAbstractListModel):
    """The rows that match ``query``, read from the store page by page; pictures on demand, small.

    Thumbnails are decoded in ``pool`` and only for rows that a view asks for.
    """

    problem = Signal(object)
    """A ``StorageError``."""
    _decoded = Signal(int, QImage)

    def __init__(self, history: History, pool: QThreadPool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._pool = pool
        self._rows: list[HistoryRow] = []
        self._complete = False
        self._thumbnails: OrderedDict[int, QPixmap] = OrderedDict()
        self._asked: set[int] = set()
        self.query = ""
        self.scale = 1.0
        self._decoded.connect(self._keep)

    def load(self, query: str) -> None:
        """Show the rows that match, as many as were shown before if the query is the same."""
        wanted = max(PAGE, len(self._rows)) if query == self.query else PAGE
        self.beginResetModel()
        self.query = query
        self._rows = self._page(wanted, None)
        self._complete = len(self._rows) < wanted
        self.endResetModel()

    def row(self, index: _Index) -> HistoryRow | None:
        return self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None

    def index_of(self, row: int) -> QModelIndex:
        for position, kept in enumerate(self._rows):
            if kept.id == row:
                return self.index(position)
        return QModelIndex()

    def thumbnail(self, row: int) -> QPixmap | None:
        """The picture of a row, or None until it has been decoded."""
        if row in self._thumbnails:
            self._thumbnails.move_to_end(row)
            return self._thumbnails[row]
        if row not in self._asked:
            self._asked.add(row)
            size = _THUMBNAIL * self.scale
            self._pool.start(_Task(lambda: self._decode(row, size)))
        return None

    def _decode(self, row: int, size: QSize) -> None:
        picture = QImage()
        try:
            picture.loadFromData(QByteArray(self._history.image(row) or b""))
        except HistoryDamaged as error:
            # Told once, and only here: by now there is a new history.
            self.problem.emit(error)
        except StorageError as error:
            log.info("a thumbnail could not be read: %s", error)
        if not picture.isNull() and (picture.width() > size.width() or picture.height() > size.height()):
            picture = picture.scaled(
                size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        self._decoded.emit(row, picture)

    def _keep(self, row: int, picture: QImage) -> None:
        self._asked.discard(row)
        pixmap = QPixmap.fromImage(picture)
        pixmap.setDevicePixelRatio(self.scale)
        self._thumbnails[row] = pixmap
        while len(self._thumbnails) > _KEPT_THUMBNAILS:
            self._thumbnails.popitem(last=False)
        index = self.index_of(row)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def _page(self, limit: int, before: int | None) -> list[HistoryRow]:
        try:
            return self._history.list(self.query, limit, before)
        except StorageError as error:
            self.problem.emit(error)
            return []

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def canFetchMore(self, parent: _Index) -> bool:
        return not parent.isValid() and not self._complete and bool(self._rows)

    def fetchMore(self, parent: _Index) -> None:
        more = self._page(PAGE, self._rows[-1].id)
        self._complete = len(more) < PAGE
        if more:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(more) - 1)
            self._rows += more
            self.endInsertRows()

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index)
        if row is None:
            return None
        if role == _ROW:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self.words(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.words(row)}, {self.facts(row)}"
        return None

    def words(self, row: HistoryRow) -> str:
        """What a row says: its text, or why there is none."""
        if row.text:
            return row.text
        if row.state is State.PENDING:
            return self.tr("Reading…")
        if row.error is not None:
            return error_text(row.error)
        return self.tr("No text was found.")

    def facts(self, row: HistoryRow) -> str:
        """When it was read, and by what."""
        parts = [when_text(row.created, QLocale())]
        if row.engine:
            parts.append(engine_title(row.engine))
        if row.edited:
            parts.append(self.tr("edited"))
        if row.text and row.state is State.FAILED:
            parts.append(self.tr("reading it again failed"))
        elif row.text and row.state is State.PENDING:
            parts.append(self.tr("being read again"))
        return " · ".join(parts)


class _Delegate(QStyledItemDelegate):
    """Paints a row: picture, text with the match marked, facts, and its two buttons."""

    def __init__(self, model: HistoryModel, theme: Theme, parent: HistoryList) -> None:
        super().__init__(parent)
        self._model = model
        self._theme = theme
        self._list = parent
        self._text_font = japanese_font(16)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
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

    def button_at(self, point: QPoint, index: _Index, rect: QRect, font: QFont) -> str:
        row = self._model.row(index)
        if row is not None:
            for name, (button, _) in self.buttons(row, rect, font).items():
                if button.contains(point):
                    return name
        return ""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
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
        self._paint_picture(painter, row, QRect(QPoint(left, rect.center().y() - 42), _THUMBNAIL))
        buttons = self.buttons(row, rect, option.font)
        left += _THUMBNAIL.width() + 14
        right = min(button.left() for button, _ in buttons.values()) - 2 * STEP
        self._paint_words(painter, row, QRect(left, rect.top(), right - left, rect.height()), option.font)
        self._paint_buttons(painter, buttons, option)
        painter.restore()

    def _paint_picture(self, painter: QPainter, row: HistoryRow, frame: QRect) -> None:
        tokens = self._theme.tokens
        path = QPainterPath()
        path.addRoundedRect(frame, CONTROL_RADIUS, CONTROL_RADIUS)
        painter.fillPath(path, tokens.color("surface"))
        picture = self._model.thumbnail(row.id)
        if picture is not None and not picture.isNull():
            size = picture.deviceIndependentSize().toSize()
            place = QRect(QPoint(0, 0), size)
            place.moveCenter(frame.center())
            painter.save()
            painter.setClipPath(path)
            painter.drawPixmap(place.topLeft(), picture)
            painter.restore()
        painter.setPen(tokens.color("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)

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
        layout.setFormats([_format_range(words, start, end, marked) for start, end in spans])
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
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        if isinstance(event, QMouseEvent) and event.button() == Qt.MouseButton.LeftButton:
            name = self.button_at(event.position().toPoint(), index, option.rect, option.font)
            if name and event.type() == QEvent.Type.MouseButtonRelease:
                self._list.button_pressed.emit(name, QModelIndex(index))
                return True
        return super().editorEvent(event, model, option, index)


def _format_range(text: str, start: int, end: int, style: QTextCharFormat) -> QTextLayout.FormatRange:
    """A range of Python characters as Qt counts them: those beyond U+FFFF are two."""
    found = QTextLayout.FormatRange()
    found.start = len(text[:start].encode("utf-16-le")) // 2
    found.length = len(text[start:end].encode("utf-16-le")) // 2
    found.format = style
    return found


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


class _Picture(QWidget):
    """A picture as large as its place allows, at most one logical pixel for each of its own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    def paintEvent(self, event: Any) -> None:
        if self._image.isNull():
            return
        size = natural = self._image.size()
        if natural.width() > self.width() or natural.height() > self.height():
            size = natural.scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(QPoint(0, 0), size)
        place.moveCenter(self.rect().center())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._image)
        painter.end()


class _Detail(QWidget):
    """One snip, larger: its picture, its text to select from, and what can be done with it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = _Picture()
        self.picture.setAccessibleName(self.tr("Picture of the snip"))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("Text of the snip"))
        set_japanese(self.text, 19)
        self.error = QLabel()
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.error, "bad")
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.facts, "muted")
        self.copy = QPushButton(self.tr("Copy"))
        set_kind(self.copy, "primary")
        self.copy_image = QPushButton(self.tr("Copy image"))
        self.reread = QPushButton(self.tr("Read again"))
        self.delete = QPushButton(self.tr("Delete"))
        set_kind(self.delete, "ghost")
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * STEP)
        for button in (self.copy, self.copy_image, self.reread, self.delete):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * STEP, 0, 3 * STEP, 3 * STEP)
        layout.setSpacing(2 * STEP)
        layout.addWidget(self.picture, 3)
        layout.addWidget(self.text, 2)
        layout.addWidget(self.error)
        layout.addWidget(self.facts)
        layout.addLayout(buttons)


class HistoryWindow(QWidget):
    """Search, look at, copy, read again and delete what was snipped.

    Closing frees the window.
    """

    copy_requested = Signal(str)
    copy_image_requested = Signal(bytes)
    """The picture as PNG or WebP."""
    reread_requested = Signal(int)
    """The id of the row to be read again."""
    problem = Signal(object)
    """A ``StorageError``."""
    _shown_image = Signal(int, QImage)
    _deleted = Signal()

    def __init__(self, history: History, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("History"))
        self._history = history
        self._snip_key = ""
        self._shown: int | None = None
        self._next = 0
        self._pictures = QThreadPool(self)
        self._pictures.setMaxThreadCount(1)
        self._deletions = QThreadPool(self)
        self._deletions.setMaxThreadCount(1)
        self.model = HistoryModel(history, self._pictures, self)
        self.model.problem.connect(self.problem)

        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search the text"))
        self.search.setAccessibleName(self.tr("Search the text"))
        self.search.setClearButtonEnabled(True)
        self.search.setFont(japanese_font(self.font().pixelSize() if self.font().pixelSize() > 0 else 14))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(120)
        self._typing.timeout.connect(self._search)
        self.search.textChanged.connect(lambda: self._typing.start())
        self.search.returnPressed.connect(self._enter_list)
        self.search.installEventFilter(self)
        self.clear_all = QPushButton(self.tr("Clear all…"))
        self.clear_all.clicked.connect(self._ask_to_clear)

        self.list = HistoryList(self.model, theme)
        self.list.setAccessibleName(self.tr("Snips, newest first"))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._context_menu)
        self.list.button_pressed.connect(self._button_pressed)
        self.list.delete_pressed.connect(self.delete_selected)
        self.list.selectionModel().selectionChanged.connect(lambda: self._show_detail())
        self.list.selectionModel().currentChanged.connect(lambda: self._show_detail())
        self.detail = _Detail()
        self.detail.copy.clicked.connect(lambda: self._do("copy", self._shown))
        self.detail.copy_image.clicked.connect(lambda: self._do("copy_image", self._shown))
        self.detail.reread.clicked.connect(lambda: self._do("reread", self._shown))
        self.detail.delete.clicked.connect(self.delete_selected)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.list)
        self._splitter.addWidget(self.detail)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        self.list.setMinimumWidth(320)
        self.empty = QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.empty, "muted")
        self.stack = QStackedWidget()
        self.stack.addWidget(self._splitter)
        self.stack.addWidget(self.empty)

        bar = QHBoxLayout()
        bar.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 0)
        bar.setSpacing(2 * STEP)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.clear_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * STEP)
        layout.addLayout(bar)
        layout.addWidget(self.stack, 1)

        self._shown_image.connect(self._image_arrived)
        self._deleted.connect(self._after_deletion)
        self.problem.connect(self._leave_damaged, Qt.ConnectionType.QueuedConnection)
        self._add_find_key()
        self.resize(880, 560)
        self.refresh()

    def _add_find_key(self) -> None:
        action = QAction(self)
        action.setShortcuts(QKeySequence.keyBindings(QKeySequence.StandardKey.Find))
        action.triggered.connect(self.search.setFocus)
        self.addAction(action)

    def set_hotkey(self, key: str) -> None:
        """The hotkey that an empty history names; empty for none."""
        self._snip_key = key
        self._show_empty()

    def refresh(self) -> None:
        """Read the rows again; the selection and the place in the list stay."""
        selected = self._selected()
        current = self.model.row(self.list.currentIndex())
        position = self.list.verticalScrollBar().value()
        self.model.scale = self.devicePixelRatioF()
        self.model.load(self.search.text().strip())
        selection = self.list.selectionModel()
        for row in selected:
            index = self.model.index_of(row)
            if index.isValid():
                selection.select(index, selection.SelectionFlag.Select)
        if current is not None and (index := self.model.index_of(current.id)).isValid():
            selection.setCurrentIndex(index, selection.SelectionFlag.NoUpdate)
        self.list.verticalScrollBar().setValue(position)
        self._show_empty()
        self._show_detail()

    def _leave_damaged(self, error: YomitoriError) -> None:
        """The rows shown are in the file that was moved aside."""
        if isinstance(error, HistoryDamaged):
            self.refresh()

    def delete_selected(self) -> None:
        """Delete the selected rows; several are asked about first."""
        rows = self._selected()
        if not rows:
            return
        if len(rows) > 1:
            question = self.tr("Delete {0} snips with their pictures?").format(len(rows))
            if not self._asked(question, self.tr("Delete")):
                return
        self._delete(rows)

    def _delete(self, rows: list[int]) -> None:
        self._next = min((self.model.index_of(row).row() for row in rows), default=0)
        self._in_background(lambda: self._history.delete(rows))

    def _after_deletion(self) -> None:
        """The row that comes next is selected, so that the Delete key goes on."""
        self.refresh()
        if self.model.rowCount() and not self.list.currentIndex().isValid():
            self.list.go_to(min(self._next, self.model.rowCount() - 1))

    def _ask_to_clear(self) -> None:
        question = self.tr("Delete the whole history with all its pictures?")
        if self._asked(question, self.tr("Delete all")):
            self._in_background(self._history.clear)

    def _in_background(self, work: Callable[[], object]) -> None:
        """Deleting many pictures takes longer than a frame."""

        def run() -> None:
            try:
                work()
            except StorageError as error:
                self.problem.emit(error)
            self._deleted.emit()

        self._deletions.start(_Task(run))

    def _asked(self, question: str, yes: str) -> bool:
        box = QMessageBox(QMessageBox.Icon.NoIcon, self.windowTitle(), question, parent=self)
        box.setInformativeText(self.tr("This cannot be undone."))
        delete = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(cancel)
        box.setEscapeButton(cancel)
        box.exec()
        return box.clickedButton() is delete

    def _selected(self) -> list[int]:
        rows = [self.model.row(index) for index in self.list.selectionModel().selectedIndexes()]
        return [row.id for row in rows if row is not None]

    def _search(self) -> None:
        self._typing.stop()
        if self.search.text().strip() != self.model.query:
            self.refresh()

    def _enter_list(self) -> None:
        """From the search to what it found."""
        self._search()
        if self.model.rowCount():
            self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self.search
            and event.type() == QEvent.Type.KeyPress
            and cast(QKeyEvent, event).key() == Qt.Key.Key_Down
        ):
            self._enter_list()
            return True
        return super().eventFilter(watched, event)

    def _show_empty(self) -> None:
        if self.model.rowCount():
            self.stack.setCurrentWidget(self._splitter)
        else:
            if self.model.query:
                text = self.tr("Nothing found for “{0}”.").format(self.model.query)
            elif self._snip_key:
                text = self.tr("Nothing here yet. Press {0} and drag over some text.").format(self._snip_key)
            else:
                text = self.tr("Nothing here yet. Choose Snip in the tray and drag over some text.")
            self.empty.setText(text)
            self.stack.setCurrentWidget(self.empty)
        self.clear_all.setEnabled(bool(self.model.rowCount() or self.model.query))

    def _show_detail(self) -> None:
        selected = self._selected()
        row = self.model.row(self.model.index_of(selected[0])) if len(selected) == 1 else None
        self.detail.setVisible(row is not None)
        if row is None:
            self._shown = None
            return
        if row.id != self._shown:
            self._shown = row.id
            self.detail.picture.show_image(QImage())
            shown = row.id
            # Before the thumbnails that still wait.
            self._pictures.start(_Task(lambda: self._decode(shown)), 1)
        if self.detail.text.toPlainText() != row.text:
            self.detail.text.setPlainText(row.text)
        self.detail.text.setVisible(bool(row.text))
        problem = "" if row.error is None else error_text(row.error)
        if not problem and not row.text:
            problem = self.model.words(row)
        set_role(self.detail.error, "bad" if row.error is not None else "muted")
        self.detail.error.setText(problem)
        self.detail.error.setVisible(bool(problem))
        size = f"{row.width} × {row.height}"
        self.detail.facts.setText(f"{self.model.facts(row)} · {size}")
        self.detail.copy.setVisible(bool(row.text))
        self.detail.reread.setEnabled(row.state is not State.PENDING)
        retry = row.state is State.FAILED
        self.detail.reread.setText(self.tr("Retry") if retry else self.tr("Read again"))

    def _decode(self, row: int) -> None:
        picture = QImage()
        try:
            picture.loadFromData(QByteArray(self._history.image(row) or b""))
        except StorageError as error:
            self.problem.emit(error)
        self._shown_image.emit(row, picture)

    def _image_arrived(self, row: int, picture: QImage) -> None:
        if row == self._shown:
            self.detail.picture.show_image(picture)

    def _button_pressed(self, name: str, index: QModelIndex) -> None:
        row = self.model.row(index)
        if row is None:
            return
        if name == "menu":
            rect = self.list.visualRect(index)
            button, _ = self.list.delegate.buttons(row, rect, self.list.font())["menu"]
            self._menu(row).popup(self.list.viewport().mapToGlobal(button.bottomLeft()))
        else:
            self._do(name, row.id)

    def _context_menu(self, point: QPoint) -> None:
        index = self.list.indexAt(point)
        row = self.model.row(index if index.isValid() else self.list.currentIndex())
        if row is not None:
            self._menu(row).popup(self.list.viewport().mapToGlobal(point))

    def _menu(self, row: HistoryRow) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = menu.addAction(self.tr("Copy"), lambda: self._do("copy", row.id))
        copy.setEnabled(bool(row.text))
        menu.addAction(self.tr("Copy image"), lambda: self._do("copy_image", row.id))
        again = self.tr("Retry") if row.state is State.FAILED else self.tr("Read again")
        reread = menu.addAction(again, lambda: self._do("reread", row.id))
        reread.setEnabled(row.state is not State.PENDING)
        menu.addSeparator()
        selected = self._selected()
        if row.id in selected and len(selected) > 1:
            menu.addAction(self.tr("Delete {0} snips").format(len(selected)), self.delete_selected)
        else:
            menu.addAction(self.tr("Delete"), lambda: self._delete([row.id]))
        return menu

    def _do(self, name: str, row: int | None) -> None:
        if row is None:
            return
        try:
            if name == "copy_image":
                picture = self._history.image(row)
                if picture is not None:
                    self.copy_image_requested.emit(picture)
            elif name == "reread":
                self.reread_requested.emit(row)
            else:
                kept = self._history.get(row)
                if kept is not None and kept.text:
                    self.copy_requested.emit(kept.text)
        except StorageError as error:
            self.problem.emit(error)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Beside the list where there is room, below it in a narrow window.
        wide = self.width() >= 680
        self._splitter.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.search.text():
                self.search.clear()
            else:
                self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        # Deletions are finished, thumbnails are not; no thread may outlive the window it reports to.
        self._pictures.clear()
        self._pictures.waitForDone()
        self._deletions.waitForDone()
        super().closeEvent(event)
