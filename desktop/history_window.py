"""The history: every snip with its picture, found by any part of its text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QImage, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.errors import HistoryDamaged, StorageError, YomitoriError
from core.history import History, HistoryRow, State
from desktop.history_detail import HistoryDetail
from desktop.history_model import HistoryModel
from desktop.history_pictures import Pictures
from desktop.history_rows import HistoryList
from desktop.theme import STEP, Theme, japanese_font, set_role
from desktop.worker import Bridge


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

    def __init__(self, history: History, theme: Theme, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("History"))
        self._history = history
        self._snip_key = ""
        self._shown: int | None = None
        self._next = 0
        self._bridge = bridge
        self._deletions = 0
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

        def done(_: object, error: YomitoriError | None) -> None:
            self._deletions -= 1
            if error is not None:
                self.problem.emit(error)
            self._after_deletion()
            if not self._deletions and self.isHidden():
                self.close()

        self._deletions += 1
        self._bridge.run_in_order(work, done)

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
        if self._deletions:
            # What becomes of them has to be told; thumbnails need not be finished.
            event.ignore()
            self.hide()
            return
        self._pictures.close()
        super().closeEvent(event)
