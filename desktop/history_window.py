"""The history: every snip with its picture, found by any part of its text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QImage, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.errors import HistoryDamaged, StorageError, YomitoriError
from core.history import History, HistoryRow, State
from desktop.ask import ask
from desktop.history_detail import HistoryDetail
from desktop.history_model import HistoryModel
from desktop.history_pictures import Pictures
from desktop.history_rows import HistoryList
from desktop.keyboard import keyboard_stays, press_button, presses
from desktop.theme import STEP, Theme, japanese_font, set_kind, set_role
from desktop.window_size import resize_on_screen
from desktop.worker import Bridge

_GRACE_MS = 8_000
"""So long a deletion can be taken back."""
_COUNTED = 50
"""Of more conversations that a search finds it is only said that there are more."""


class HistoryWindow(QWidget):
    """Search, look at, copy, read again and delete what was snipped.

    Closing frees the window.
    """

    copy_requested = Signal(str)
    copy_image_requested = Signal(bytes)
    """The picture as PNG or WebP."""
    reread_requested = Signal(int)
    """The id of the row to be read again."""
    ask_requested = Signal(int)
    """The id of the row whose picture the user wants to ask about."""
    conversations_requested = Signal(str)
    """The user wants to see which conversations this search finds."""
    problem = Signal(object)
    """A ``StorageError``."""

    def __init__(self, history: History, theme: Theme, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("History"))
        self._history = history
        self._snip_key = ""
        self._shown: int | None = None
        self._elsewhere = ""
        self._bridge = bridge
        self._deletions = 0
        self._undoable: list[int] = []
        self._grace = QTimer(self, singleShot=True, interval=_GRACE_MS)
        self._grace.timeout.connect(self._delete_for_good)
        self._pictures = Pictures(history, bridge)
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
        self.detail = HistoryDetail()
        self.detail.copy.clicked.connect(lambda: self._do("copy", self._shown))
        self.detail.copy_image.clicked.connect(lambda: self._do("copy_image", self._shown))
        self.detail.ask.clicked.connect(self._ask_about_shown)
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
        self.stack.addWidget(self._make_nothing())

        bar = QHBoxLayout()
        bar.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 0)
        bar.setSpacing(2 * STEP)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.clear_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * STEP)
        layout.addLayout(bar)
        layout.addWidget(self._make_others())
        layout.addWidget(self.stack, 1)
        layout.addWidget(self._make_undo())

        self.problem.connect(self._leave_damaged, Qt.ConnectionType.QueuedConnection)
        self._add_find_key()
        resize_on_screen(self, 880, 560)
        self.refresh()

    def _make_others(self) -> QFrame:
        """What the search finds elsewhere."""
        self.others = QFrame()
        self.others_text = QLabel()
        set_role(self.others_text, "muted")
        self.others_show = QPushButton(self.tr("Show in the panel"))
        set_kind(self.others_show, "ghost")
        self.others_show.clicked.connect(self._show_conversations)
        row = QHBoxLayout(self.others)
        row.setContentsMargins(3 * STEP, 0, 3 * STEP, 0)
        row.setSpacing(2 * STEP)
        row.addWidget(self.others_text)
        row.addWidget(self.others_show)
        row.addStretch(1)
        self.others.hide()
        return self.others

    def _make_nothing(self) -> QWidget:
        """What stands in the place of the list while it is empty."""
        self._nothing = QWidget()
        self.found_show = QPushButton(self.tr("Show in the panel"))
        self.found_show.clicked.connect(self._show_conversations)
        column = QVBoxLayout(self._nothing)
        column.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 3 * STEP)
        column.setSpacing(3 * STEP)
        column.addStretch(1)
        column.addWidget(self.empty)
        column.addWidget(self.found_show, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        return self._nothing

    def _show_conversations(self) -> None:
        self.conversations_requested.emit(self.model.query)

    def _make_undo(self) -> QFrame:
        self.undo_bar = QFrame()
        self.undo_text = QLabel()
        self.undo = QPushButton(self.tr("Undo"))
        key = QKeySequence(QKeySequence.StandardKey.Undo)
        self.undo_key = QLabel(key.toString(QKeySequence.SequenceFormat.NativeText))
        set_role(self.undo_key, "key")
        self.undo.clicked.connect(self.undo_deletion)
        row = QHBoxLayout(self.undo_bar)
        row.setContentsMargins(3 * STEP, 0, 3 * STEP, 2 * STEP)
        row.setSpacing(3 * STEP)
        row.addWidget(self.undo_text)
        row.addWidget(self.undo)
        row.addWidget(self.undo_key, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        self.undo_bar.hide()
        return self.undo_bar

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
        self.model.thumbnails.scale = self.devicePixelRatioF()
        self.model.load(self.search.text().strip())
        selection = self.list.selectionModel()
        for row in selected:
            index = self.model.index_of(row)
            if index.isValid():
                selection.select(index, selection.SelectionFlag.Select)
        if current is not None and (index := self.model.index_of(current.id)).isValid():
            selection.setCurrentIndex(index, selection.SelectionFlag.NoUpdate)
        self.list.verticalScrollBar().setValue(position)
        self._show_others()
        self._show_empty()
        self._show_detail()

    def _show_others(self) -> None:
        """How many conversations the search finds: the list has snips alone."""
        found = 0
        if self.model.query:
            try:
                found = len(self._history.conversations.list(self.model.query, _COUNTED + 1))
            except StorageError as error:
                self.problem.emit(error)
        text = self.tr("{0} conversations match.").format(found)
        if found == 1:
            text = self.tr("1 conversation matches.")
        elif found > _COUNTED:
            text = self.tr("More than {0} conversations match.").format(_COUNTED)
        self.others_text.setText(text)
        for button in (self.others_show, self.found_show):
            button.setAccessibleDescription(text)
        # Without a snip they are all that was found: they stand where the list would be.
        some = self.model.rowCount() > 0
        with keyboard_stays(self, lambda _: self.search):
            self.others.setVisible(found > 0 and some)
            self.found_show.setVisible(found > 0 and not some)
        self._elsewhere = text if found else ""

    def _leave_damaged(self, error: YomitoriError) -> None:
        """The rows shown are in the file that was moved aside."""
        if isinstance(error, HistoryDamaged):
            self.refresh()

    def delete_selected(self) -> None:
        """Delete the selected rows."""
        self._delete(self._selected())

    def _delete(self, rows: list[int]) -> None:
        """The rows go from the list at once, and from the disk when the time to undo it is over."""
        if not rows:
            return
        place = min(self.model.index_of(row).row() for row in rows)
        self._undoable += rows
        self.model.hidden.update(rows)
        self.refresh()
        if self.model.rowCount():
            # The row that comes next is selected, so that the Delete key goes on.
            self.list.go_to(min(place, self.model.rowCount() - 1))
        count = len(self._undoable)
        one = self.tr("1 snip deleted.")
        self.undo_text.setText(one if count == 1 else self.tr("{0} snips deleted.").format(count))
        self.undo_bar.show()
        self._grace.start()

    def undo_deletion(self) -> None:
        """Show again what was just deleted."""
        rows = self._end_grace()
        self.model.hidden.difference_update(rows)
        self.refresh()
        places = [self.model.index_of(row).row() for row in rows]
        if any(place >= 0 for place in places):
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)
            self.list.go_to(min(place for place in places if place >= 0))

    def _delete_for_good(self) -> None:
        rows = self._end_grace()
        if rows:
            # They stay hidden until they are gone.
            self._in_background(lambda: self._history.delete(rows), rows)

    def _end_grace(self) -> list[int]:
        """The rows that could be taken back until now."""
        self._grace.stop()
        with keyboard_stays(self, lambda _: self.list):
            self.undo_bar.hide()
        rows, self._undoable = self._undoable, []
        return rows

    def _ask_to_clear(self) -> None:
        question = self.tr("Delete the whole history with all its pictures?")

        def clear() -> None:
            rows = self._end_grace()
            self._in_background(self._history.clear, rows)

        ask(self, question, self.tr("This cannot be undone."), self.tr("Delete all"), clear)

    def _in_background(self, work: Callable[[], object], rows: Sequence[int] = ()) -> None:
        """Deleting many pictures takes longer than a frame."""

        def done(_: object, error: YomitoriError | None) -> None:
            self._deletions -= 1
            self.model.hidden.difference_update(rows)
            if error is not None:
                self.problem.emit(error)
            self.refresh()
            if not self._deletions and self.isHidden():
                self.close()

        self._deletions += 1
        self._bridge.run_in_order(work, done)

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
        if watched is self.search and event.type() == QEvent.Type.KeyPress:
            pressed = cast(QKeyEvent, event)
            if pressed.key() == Qt.Key.Key_Down:
                self._enter_list()
                return True
            if pressed.matches(QKeySequence.StandardKey.Undo) and self._undoable:
                # The key that the bar shows: the field would take back what was typed.
                self.undo_deletion()
                return True
        return super().eventFilter(watched, event)

    def _show_empty(self) -> None:
        if self.model.rowCount():
            self.stack.setCurrentWidget(self._splitter)
        else:
            if self._elsewhere:
                none = self.tr("No snip matches “{0}”.").format(self.model.query)
                text = f"{none}\n{self._elsewhere}"
            elif self.model.query:
                text = self.tr("Nothing found for “{0}”.").format(self.model.query)
            elif self._snip_key:
                text = self.tr("Nothing here yet. Press {0} and drag over some text.").format(self._snip_key)
            else:
                text = self.tr("Nothing here yet. Choose Snip in the tray and drag over some text.")
            self.empty.setText(text)
            self.stack.setCurrentWidget(self._nothing)
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
            self._pictures.ask(row.id, partial(self._image_arrived, row.id), first=True)
        self.detail.show_row(row, self.model.words(row), self.model.facts(row))

    def _image_arrived(self, row: int, picture: QImage, error: YomitoriError | None) -> None:
        if error is not None:
            self.problem.emit(error)
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
        menu.addAction(self.tr("Ask about it"), lambda: self.ask_requested.emit(row.id))
        menu.addSeparator()
        selected = self._selected()
        if row.id in selected and len(selected) > 1:
            menu.addAction(self.tr("Delete {0} snips").format(len(selected)), self.delete_selected)
        else:
            menu.addAction(self.tr("Delete"), lambda: self._delete([row.id]))
        return menu

    def _ask_about_shown(self) -> None:
        if self._shown is not None:
            self.ask_requested.emit(self._shown)

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
        # (The window cannot be made narrower than what lies side by side, so that has to end before.)
        needed = self.list.minimumWidth() + self.detail.minimumSizeHint().width() + 12 * STEP
        wide = self.width() >= max(680, needed)
        self._splitter.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.search.text():
                self.search.clear()
            else:
                self.close()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo_deletion()
        elif not (presses(event) and press_button(self)):
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._delete_for_good()
        if self._deletions:
            # What becomes of them has to be told; thumbnails need not be finished.
            event.ignore()
            self.hide()
            return
        self._pictures.close()
        super().closeEvent(event)
