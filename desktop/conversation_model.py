"""Kept conversations as a list shows them, and snips beside them when something is searched for."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPixmap

from core.conversation_types import ConversationRow, TurnState
from core.errors import StorageError, YomitoriError
from core.history import History, HistoryRow
from core.plain_words import plain_line
from core.search import fold, query_words
from desktop.history_model import when_text
from desktop.history_pictures import Pictures, Thumbnails

log = logging.getLogger(__name__)

PAGE = 60
THUMBNAIL = QSize(48, 48)
"""At most so large, in logical pixels."""
PICTURE = Qt.ItemDataRole.DecorationRole
Row = ConversationRow | HistoryRow
Index = QModelIndex | QPersistentModelIndex


class ConversationModel(QAbstractListModel):
    """Read page by page; pictures on demand, small."""

    problem = Signal(object)
    """A ``StorageError``."""

    def __init__(self, history: History, pictures: Pictures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self.thumbnails = Thumbnails(pictures, THUMBNAIL, self._on_thumbnail)
        self._rows: list[Row] = []
        self._last: Row | None = None
        self._complete = False
        self._passages: dict[int, str] = {}
        self.query = ""
        self.hidden: set[int] = set()
        """Conversations that are not shown although they are there."""

    def load(self, query: str) -> None:
        """Show what matches, as much as was shown before if the query is the same."""
        wanted = max(PAGE, len(self._rows)) if query == self.query else PAGE
        self.beginResetModel()
        self.query = query
        self._passages.clear()
        self._rows, self._last, self._complete = [], None, False
        self._rows = self._page(wanted)
        self.endResetModel()

    def _page(self, limit: int) -> list[Row]:
        """The next rows that are shown."""
        found: list[Row]
        try:
            if self.query:
                found = list(self._history.find_all(self.query, limit, self._last))
            else:
                before = self._last if isinstance(self._last, ConversationRow) else None
                found = list(self._history.conversations.list("", limit, before))
        except StorageError as error:
            self.problem.emit(error)
            found = []
        self._complete = len(found) < limit
        self._last = found[-1] if found else self._last
        return [row for row in found if row.id not in self.hidden]

    def row(self, index: Index) -> Row | None:
        return self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None

    def index_of(self, row: int) -> QModelIndex:
        for position, kept in enumerate(self._rows):
            if kept.id == row:
                return self.index(position)
        return QModelIndex()

    def thumbnail(self, row: Row) -> QPixmap | None:
        """The first picture of a row; None until it has been decoded, and where there is none."""
        picture = _picture_of(row)
        return None if picture is None else self.thumbnails.get(picture)

    def _on_thumbnail(self, picture: int, error: YomitoriError | None) -> None:
        if error is not None:
            log.info("a thumbnail could not be read: %s", error)
        for position, row in enumerate(self._rows):
            if _picture_of(row) == picture:
                self.dataChanged.emit(self.index(position), self.index(position), [PICTURE])

    # ---- what Qt asks

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and not self._complete and self._last is not None

    def fetchMore(self, parent: Index) -> None:
        more = self._page(PAGE)
        if more:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(more) - 1)
            self._rows += more
            self.endInsertRows()

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if isinstance(self.row(index), ConversationRow):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index)
        if row is None:
            return None
        if role == Qt.ItemDataRole.EditRole:
            return row.title if isinstance(row, ConversationRow) else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return self.title(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.title(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (self.title(row), self.passage(row), self.facts(row))))
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.row(index)
        if not isinstance(row, ConversationRow) or str(value) == row.title:
            return False
        try:
            self._history.conversations.rename(row.id, str(value).strip())
            kept = self._history.conversations.get(row.id)
        except StorageError as error:
            self.problem.emit(error)
            return False
        if kept is not None:
            # In its place: all else stays as it is, the keyboard's row too.
            self._rows[index.row()] = replace(row, title=kept.title)
            self.dataChanged.emit(self.index(index.row()), self.index(index.row()))
        return kept is not None

    # ---- words

    def title(self, row: Row) -> str:
        """What a row is called."""
        if isinstance(row, ConversationRow):
            return plain_line(row.title) or self.tr("Without a question yet")
        return " ".join(row.text.split()) or self.tr("Snip")

    def passage(self, row: Row) -> str:
        """Where the searched words lie that the title does not show; empty if it shows them all."""
        if not isinstance(row, ConversationRow) or not self.query:
            return ""
        if row.id not in self._passages:
            self._passages[row.id] = self._read_passage(row)
        return self._passages[row.id]

    def _read_passage(self, row: ConversationRow) -> str:
        title = fold(self.title(row))
        missing = [word for word in query_words(self.query) if word not in title]
        try:
            return self._history.conversations.passage(row.id, " ".join(missing))
        except StorageError as error:
            # Asked while painting: the row does without.
            log.warning("a passage could not be read: %s", error)
            return ""

    def facts(self, row: Row) -> str:
        """When it was, and how much there is."""
        if isinstance(row, HistoryRow):
            return " · ".join((when_text(row.created, QLocale()), self.tr("Snip")))
        parts = [when_text(row.updated, QLocale())]
        questions = row.questions
        if questions:
            one = self.tr("1 question")
            parts.append(one if questions == 1 else self.tr("{0} questions").format(questions))
        if row.pictures > 1:
            parts.append(self.tr("{0} pictures").format(row.pictures))
        if row.state is TurnState.STREAMING:
            parts.append(self.tr("being answered"))
        elif row.state is TurnState.INTERRUPTED:
            parts.append(self.tr("interrupted"))
        elif row.state is TurnState.FAILED:
            parts.append(self.tr("failed"))
        return " · ".join(parts)


def _picture_of(row: Row) -> int | None:
    return row.picture if isinstance(row, ConversationRow) else row.id
