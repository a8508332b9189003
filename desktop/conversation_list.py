"""The page of the side panel with the conversations that were kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAction,
    QCursor,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPen,
    QShowEvent,
    QTextCharFormat,
    QTextLayout,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from core.conversation_types import ConversationRow
from core.errors import YomitoriError
from core.history import History
from core.search import find_spans
from desktop.conversation_model import THUMBNAIL, ConversationModel, Index, Row
from desktop.history_pictures import Pictures
from desktop.keyboard import keyboard_stays
from desktop.row_painting import format_range, paint_thumbnail
from desktop.theme import CONTROL_RADIUS, STEP, Theme, japanese_font, set_kind, set_role
from desktop.worker import Bridge

log = logging.getLogger(__name__)

_GRACE_MS = 8_000
"""So long a deletion can be taken back."""
_ROW_HEIGHT = 68
_TYPING_MS = 120
_BEFORE_MATCH = 8
_FRAME_RADIUS = 6


class _Delegate(QStyledItemDelegate):
    """Paints a row: picture, title, and the facts or what the search found; a conversation's button."""

    def __init__(self, model: ConversationModel, theme: Theme, parent: _List) -> None:
        super().__init__(parent)
        self._list = parent
        self._model = model
        self._theme = theme
        self._title_font = japanese_font(15)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = self._model.row(index)
        if row is None:
            return
        tokens, rect = self._theme.tokens, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = rect.adjusted(2 * STEP, 1, -2 * STEP, -2)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tokens.color("accent_soft" if selected else "raised"))
            painter.drawRoundedRect(body, CONTROL_RADIUS, CONTROL_RADIUS)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(tokens.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(body.adjusted(1, 1, -1, -1), CONTROL_RADIUS, CONTROL_RADIUS)
        frame, words = self._places(rect)
        paint_thumbnail(painter, self._model.thumbnail(row), frame, _FRAME_RADIUS, tokens)
        if isinstance(row, ConversationRow):
            button = self.button(rect)
            words.setRight(button.left() - STEP)
            hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
            if hovered or index.row() == self._list.currentIndex().row():
                self._paint_button(painter, button, hovered)
        self._paint_words(painter, row, words, option.font, "raised" if selected else "accent_soft")
        painter.restore()

    def _places(self, rect: QRect) -> tuple[QRect, QRect]:
        """Where the picture and the words of a row lie."""
        body = rect.adjusted(2 * STEP, 1, -2 * STEP, -2)
        frame = QRect(QPoint(body.left() + 2 * STEP, body.center().y() - THUMBNAIL.height() // 2), THUMBNAIL)
        words = QRect(body)
        words.setLeft(frame.right() + 3 * STEP)
        words.setRight(body.right() - 2 * STEP)
        return frame, words

    def button(self, rect: QRect) -> QRect:
        """Where the button of a conversation's row lies."""
        size = 7 * STEP
        return QRect(rect.right() - 3 * STEP - size, rect.center().y() - size // 2, size, size)

    def _title_top(self, words: QRect, font: QFont) -> int:
        title, facts = QFontMetrics(self._title_font), QFontMetrics(font)
        return words.center().y() - (title.height() + facts.height() + 2) // 2

    def _paint_button(self, painter: QPainter, button: QRect, hovered: bool) -> None:
        tokens = self._theme.tokens
        if hovered and button.contains(self._list.viewport().mapFromGlobal(QCursor.pos())):
            painter.setPen(tokens.color("control_line"))
            painter.setBrush(tokens.color("surface"))
            painter.drawRoundedRect(button, CONTROL_RADIUS, CONTROL_RADIUS)
        painter.setFont(self._title_font)
        painter.setPen(tokens.color("text"))
        painter.drawText(button, Qt.AlignmentFlag.AlignCenter, "⋯")

    def _paint_words(self, painter: QPainter, row: Row, words: QRect, font: QFont, mark: str) -> None:
        tokens = self._theme.tokens
        title, facts = QFontMetrics(self._title_font), QFontMetrics(font)
        place = QRect(words.left(), self._title_top(words, font), words.width(), title.height())
        painter.setPen(tokens.color("text"))
        self._paint_marked(painter, self._model.title(row), place, self._title_font, mark)
        place = QRect(words.left(), place.top() + title.height() + 2, words.width(), facts.height())
        painter.setPen(tokens.color("muted"))
        if passage := self._model.passage(row):
            self._paint_marked(painter, passage, place, font, mark)
            return
        painter.setFont(font)
        base, room = place.top() + facts.ascent(), words.width()
        told = self._model.facts(row)
        if not isinstance(row, ConversationRow):
            # What a click and Enter do here is not what they do in the other rows.
            action = self.tr("Ask about it")
            width = facts.horizontalAdvance(action)
            painter.setPen(tokens.color("accent"))
            painter.drawText(words.right() + 1 - width, base, action)
            painter.setPen(tokens.color("muted"))
            room -= width + 2 * STEP
        painter.drawText(words.left(), base, facts.elidedText(told, Qt.TextElideMode.ElideRight, room))

    def _paint_marked(self, painter: QPainter, text: str, place: QRect, font: QFont, mark: str) -> None:
        """One line, with what was searched for on the colour ``mark``."""
        metrics = QFontMetrics(font)
        spans = find_spans(text, self._model.query)
        if spans and metrics.horizontalAdvance(text[: spans[0][1]] + "…") > place.width():
            # The match would lie behind the end of what is shown.
            cut = max(1, spans[0][0] - _BEFORE_MATCH)
            text = "…" + text[cut:]
            spans = [(start - cut + 1, end - cut + 1) for start, end in spans]
        elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        shown = len(elided) if elided == text else len(elided) - 1
        marked = QTextCharFormat()
        marked.setBackground(self._theme.tokens.color(mark))
        marked.setForeground(self._theme.tokens.color("accent"))
        formats = [
            format_range(elided, start, min(end, shown), marked) for start, end in spans if start < shown
        ]
        layout = QTextLayout(elided, font)
        layout.setFormats(formats)
        layout.beginLayout()
        line = layout.createLine()
        line.setNumColumns(len(elided) + 1)
        layout.endLayout()
        layout.draw(painter, QPointF(place.left(), place.top() + metrics.ascent() - line.ascent()))

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        field = QLineEdit(parent)
        field.setFont(self._title_font)
        field.setAccessibleName(self.tr("Title of the conversation"))
        return field

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        # In place of the title; picture and facts stay to be seen.
        _, words = self._places(option.rect)
        height = editor.sizeHint().height()
        bottom = self._title_top(words, option.font) + QFontMetrics(self._title_font).height()
        top = max(words.top(), bottom - height + 1)
        left, right = words.left() - 2 * STEP, self.button(option.rect).left() - STEP
        editor.setGeometry(left, top, right - left, height)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        # What is being written stays, whatever else of the row is new.
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)


class _List(QListView):
    """``opened`` by Enter or a click, ``menu_pressed`` by its keys or the row's button, ``delete_pressed`` by
    its key."""

    opened = Signal(QModelIndex)
    menu_pressed = Signal(QModelIndex)
    delete_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pressed = QPersistentModelIndex()
        self._on_button = False

    @property
    def is_edited(self) -> bool:
        """Whether a title is just being written."""
        return self.state() == QAbstractItemView.State.EditingState

    def focusInEvent(self, event: QFocusEvent) -> None:
        # The ring is drawn around the current row, so there has to be one.
        if not self.currentIndex().isValid() and self.model().rowCount():
            self.setCurrentIndex(self.model().index(0, 0))
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.currentIndex()
        if self.is_edited:
            # The keys are the title's.
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current.isValid():
            self.opened.emit(current)
        elif event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        elif event.key() == Qt.Key.Key_F2 and current.isValid():
            self.edit(current)
        elif _opens_menu(event) and current.isValid():
            self.menu_pressed.emit(current)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        point = event.position().toPoint()
        self._pressed = QPersistentModelIndex(self.indexAt(point))
        self._on_button = self._is_on_button(point)

    def menu_place(self, index: QModelIndex) -> QPoint:
        """Below the button of a row, or in the middle of one that has none."""
        rect, delegate = self.visualRect(index), self.itemDelegate()
        return delegate.button(rect).bottomLeft() if self._has_button(index) else rect.center()

    def _has_button(self, index: QModelIndex) -> bool:
        return bool(index.flags() & Qt.ItemFlag.ItemIsEditable)

    def _is_on_button(self, point: QPoint) -> bool:
        index = self.indexAt(point)
        return self._has_button(index) and self.itemDelegate().button(self.visualRect(index)).contains(point)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, QPersistentModelIndex()
        point = event.position().toPoint()
        index = self.indexAt(point)
        # A press that is led away is not meant; the second of a double click has opened it already.
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid() or pressed != index:
            return
        if self._on_button != self._is_on_button(point):
            return
        (self.menu_pressed if self._on_button else self.opened).emit(index)


def _opens_menu(event: QKeyEvent) -> bool:
    shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
    return event.key() == Qt.Key.Key_Menu or (event.key() == Qt.Key.Key_F10 and shift)


def _add(menu: QMenu, words: str, what: Callable[[], object], key: Qt.Key) -> None:
    """An action that shows the key by which the list does the same."""
    action = menu.addAction(words, what)
    action.setShortcut(QKeySequence(key))
    action.setShortcutVisibleInContextMenu(True)


class ConversationList(QWidget):
    """Search, open, rename, export and delete conversations; Esc leads back."""

    conversation_chosen = Signal(int)
    snip_chosen = Signal(int)
    """A snip that the search found: the user wants to ask about it."""
    new_requested = Signal()
    back_requested = Signal()
    export_requested = Signal(int, str)
    """A conversation, ``markdown`` or ``json``."""
    deleted = Signal(list)
    """These conversations go: whoever shows one of them should not any more."""
    problem = Signal(object)
    """A ``YomitoriError``."""

    def __init__(self, history: History, theme: Theme, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._bridge = bridge
        self._undoable: list[int] = []
        self._outdated = False
        self.announcement = ""
        """What screen readers were told last."""
        self._grace = QTimer(self, singleShot=True, interval=_GRACE_MS)
        self._grace.timeout.connect(self._delete_for_good)
        self._pictures = Pictures(history, bridge)
        self.model = ConversationModel(history, self._pictures, self)
        self.model.problem.connect(self.problem)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._search)

        self.back = QPushButton(self.tr("Back"))
        set_kind(self.back, "ghost")
        self.back.setToolTip(self.tr("Back to the conversation (Esc)"))
        self.back.clicked.connect(self.back_requested)
        title = QLabel(self.tr("Conversations"))
        set_role(title, "title")
        self.new = QPushButton(self.tr("New"))
        self.new.setAccessibleName(self.tr("New conversation"))
        set_kind(self.new, "ghost")
        self.new.clicked.connect(self._begin)
        self.search = QLineEdit()
        words = self.tr("Search conversations and snips")
        self.search.setPlaceholderText(words)
        self.search.setAccessibleName(words)
        self.search.setClearButtonEnabled(True)
        self.search.setFont(japanese_font(14))
        self.search.textChanged.connect(lambda: self._typing.start())
        self.search.installEventFilter(self)
        self.list = _List()
        self.list.setModel(self.model)
        delegate = _Delegate(self.model, theme, self.list)
        # By then the list knows, too, that nothing is written any more.
        delegate.closeEditor.connect(self._refresh_outdated, Qt.ConnectionType.QueuedConnection)
        self.list.setItemDelegate(delegate)
        self.list.setAccessibleName(self.tr("Conversations, newest first"))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFrameShape(QListView.Shape.NoFrame)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.opened.connect(self._open)
        self.list.menu_pressed.connect(self._show_menu_of)
        self.list.delete_pressed.connect(self.delete_current)
        set_role(self.list, "rows")
        theme.changed.connect(self.list.viewport().update)
        self.empty = QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.empty, "muted")
        self._lay_out(title)
        self.setFocusProxy(self.search)
        find = QAction(self)
        find.setShortcuts(QKeySequence.keyBindings(QKeySequence.StandardKey.Find))
        find.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.triggered.connect(self.search.setFocus)
        self.addAction(find)
        self.refresh()

    def _lay_out(self, title: QLabel) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(2 * STEP, 3 * STEP, 2 * STEP, 3 * STEP)
        header.setSpacing(2 * STEP)
        header.addWidget(self.back)
        header.addWidget(title, 1)
        header.addWidget(self.new)
        line = QFrame()
        set_role(line, "line")
        field = QHBoxLayout()
        field.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 2 * STEP)
        field.addWidget(self.search)
        self.undo_bar = QFrame()
        self.undo_text = QLabel()
        self.undo = QPushButton(self.tr("Undo"))
        key = QKeySequence(QKeySequence.StandardKey.Undo)
        self.undo_key = QLabel(key.toString(QKeySequence.SequenceFormat.NativeText))
        set_role(self.undo_key, "key")
        self.undo.clicked.connect(self.undo_deletion)
        undo = QHBoxLayout(self.undo_bar)
        undo.setContentsMargins(3 * STEP, STEP, 3 * STEP, 2 * STEP)
        undo.addWidget(self.undo_text, 1)
        undo.addWidget(self.undo)
        undo.addWidget(self.undo_key, 0, Qt.AlignmentFlag.AlignVCenter)
        self.undo_bar.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(header)
        column.addWidget(line)
        column.addLayout(field)
        column.addWidget(self.list, 1)
        column.addWidget(self.empty, 1)
        column.addWidget(self.undo_bar)

    # ---- showing

    def refresh(self) -> None:
        """Read the rows again; the selection and the place in the list stay.

        While a title is being written that waits: the field in the row would be gone.
        """
        if self.list.is_edited:
            self._outdated = True
            return
        self._outdated = False
        self._typing.stop()
        current = self.model.row(self.list.currentIndex())
        position = self.list.verticalScrollBar().value()
        self.model.thumbnails.scale = self.devicePixelRatioF()
        self.model.load(self.search.text().strip())
        if current is not None and (index := self.model.index_of(current.id)).isValid():
            self.list.setCurrentIndex(index)
        self.list.verticalScrollBar().setValue(position)
        some = self.model.rowCount() > 0
        self.list.setVisible(some)
        self.empty.setVisible(not some)
        if self.model.query:
            self.empty.setText(self.tr("Nothing found for “{0}”.").format(self.model.query))
        else:
            self.empty.setText(self.tr("Nothing here yet. Ask about a picture, and it will be."))

    def find(self, query: str) -> None:
        """Show what this search finds."""
        self.search.setText(query)
        self._search()

    def _refresh_outdated(self) -> None:
        if self._outdated:
            self.refresh()

    def _search(self) -> None:
        self.refresh()
        if not self.model.query:
            return
        count, more = self.model.rowCount(), self.model.canFetchMore(QModelIndex())
        found = self.tr("More than {0} found.") if more else self.tr("{0} found.")
        self._announce(found.format(count) if count else self.empty.text())

    def _announce(self, text: str) -> None:
        self.announcement = text
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    # ---- what the user does

    def _begin(self) -> None:
        self.new_requested.emit()
        self.back_requested.emit()

    def _open(self, index: QModelIndex) -> None:
        row = self.model.row(index)
        if row is not None:
            self._open_row(row)

    def _open_row(self, row: Row) -> None:
        if isinstance(row, ConversationRow):
            self.conversation_chosen.emit(row.id)
        else:
            self.snip_chosen.emit(row.id)

    def _rename(self, row: Row) -> None:
        index = self.model.index_of(row.id)
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.list.edit(index)

    def _show_menu(self, point: QPoint) -> None:
        index = self.list.indexAt(point)
        if not index.isValid():
            index = self.list.currentIndex()
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.menu(index).popup(self.list.viewport().mapToGlobal(point))

    def _show_menu_of(self, index: QModelIndex) -> None:
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)
        self.menu(index).popup(self.list.viewport().mapToGlobal(self.list.menu_place(index)))

    def menu(self, index: QModelIndex) -> QMenu:
        """What can be done with a row, wherever it is by then: the list may have been read again."""
        row = self.model.row(index)
        assert row is not None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if isinstance(row, ConversationRow):
            _add(menu, self.tr("Open"), partial(self._open_row, row), Qt.Key.Key_Return)
            _add(menu, self.tr("Rename"), partial(self._rename, row), Qt.Key.Key_F2)
            menu.addSeparator()
            for words, form in (
                (self.tr("Export as Markdown…"), "markdown"),
                (self.tr("Export as JSON…"), "json"),
            ):
                menu.addAction(words, partial(self.export_requested.emit, row.id, form))
            menu.addSeparator()
            _add(menu, self.tr("Delete"), partial(self._delete, row), Qt.Key.Key_Delete)
        else:
            _add(menu, self.tr("Ask about it"), partial(self._open_row, row), Qt.Key.Key_Return)
        return menu

    def delete_current(self) -> None:
        """The conversation goes from the list at once, and from the disk when the time to undo it is over."""
        row = self.model.row(self.list.currentIndex())
        if isinstance(row, ConversationRow):
            self._delete(row)

    def _delete(self, row: ConversationRow) -> None:
        if row.id in self.model.hidden:
            return
        place = max(0, self.model.index_of(row.id).row())
        self._undoable.append(row.id)
        self.model.hidden.add(row.id)
        self.deleted.emit([row.id])
        with keyboard_stays(self, lambda _: self.search):
            self.refresh()
        if self.model.rowCount():
            self.list.setCurrentIndex(self.model.index(min(place, self.model.rowCount() - 1)))
        count = len(self._undoable)
        one = self.tr("1 conversation deleted.")
        self.undo_text.setText(one if count == 1 else self.tr("{0} conversations deleted.").format(count))
        self.undo_bar.show()
        self._announce(self.undo_text.text())
        self._grace.start()

    def undo_deletion(self) -> None:
        """Show again what was just deleted."""
        rows = self._end_grace()
        self.model.hidden.difference_update(rows)
        self.refresh()
        if rows and (index := self.model.index_of(rows[0])).isValid():
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)
            self.list.setCurrentIndex(index)

    def finish(self) -> None:
        """The page goes: what was deleted is deleted now."""
        self._delete_for_good()
        self._pictures.close()

    def _end_grace(self) -> list[int]:
        self._grace.stop()
        with keyboard_stays(self, lambda _: self.search):
            self.undo_bar.hide()
        rows, self._undoable = self._undoable, []
        return rows

    def _delete_for_good(self) -> None:
        rows = self._end_grace()
        if rows:
            # They stay hidden until they are gone.
            def done(_: object, error: YomitoriError | None) -> None:
                if error is not None:
                    log.warning("conversations could not be deleted: %s", error)
                if not isValid(self):
                    return
                self.model.hidden.difference_update(rows)
                if error is not None:
                    self.problem.emit(error)
                self.refresh()

            self._bridge.run_in_order(partial(self._history.conversations.delete, rows), done)

    # ---- keys

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is not self.search
            or not isinstance(event, QKeyEvent)
            or event.type() != QEvent.Type.KeyPress
        ):
            return super().eventFilter(watched, event)
        if event.matches(QKeySequence.StandardKey.Undo) and self._undoable:
            # The key that the bar shows: the field would take back what was typed.
            self.undo_deletion()
            return True
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.refresh()
            if self.model.rowCount():
                self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)
                self.list.setCurrentIndex(self.model.index(0))
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
        elif event.key() == Qt.Key.Key_Escape:
            self.back_requested.emit()
        elif event.matches(QKeySequence.StandardKey.Undo) and self._undoable:
            self.undo_deletion()
        else:
            super().keyPressEvent(event)
