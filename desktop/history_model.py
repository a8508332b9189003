"""The rows of the history as the list shows them."""

from __future__ import annotations

import logging
from datetime import datetime
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

from core.errors import HistoryDamaged, StorageError, YomitoriError
from core.history import History, HistoryRow, State
from desktop.history_pictures import Pictures, Thumbnails
from desktop.texts import engine_title, error_hint, error_sentence

log = logging.getLogger(__name__)

PAGE = 100
THUMBNAIL = QSize(74, 84)
"""At most so large, in logical pixels."""
ROW = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


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


class HistoryModel(QAbstractListModel):
    """The rows that match ``query``, read from the store page by page; pictures on demand, small.

    Thumbnails are taken from ``pictures``, and only for rows that a view asks for.
    """

    problem = Signal(object)
    """A ``StorageError``."""

    def __init__(self, history: History, pictures: Pictures, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self.thumbnails = Thumbnails(pictures, THUMBNAIL, self._on_thumbnail)
        self._rows: list[HistoryRow] = []
        self._complete = False
        # The id of the last row that was read, shown or not.
        self._last: int | None = None
        self.query = ""
        self.hidden: set[int] = set()
        """Rows that are not shown although they are there."""

    def load(self, query: str) -> None:
        """Show the rows that match, as many as were shown before if the query is the same."""
        wanted = max(PAGE, len(self._rows)) if query == self.query else PAGE
        self.beginResetModel()
        self.query = query
        found = self._page(wanted, None)
        self._rows = [row for row in found if row.id not in self.hidden]
        self._last = found[-1].id if found else None
        self._complete = len(found) < wanted
        self.endResetModel()

    def row(self, index: Index) -> HistoryRow | None:
        return self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None

    def index_of(self, row: int) -> QModelIndex:
        for position, kept in enumerate(self._rows):
            if kept.id == row:
                return self.index(position)
        return QModelIndex()

    def _on_thumbnail(self, row: int, error: YomitoriError | None) -> None:
        if isinstance(error, HistoryDamaged):
            # Told once, and only here: by now there is a new history.
            self.problem.emit(error)
        elif error is not None:
            log.info("a thumbnail could not be read: %s", error)
        index = self.index_of(row)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def _page(self, limit: int, before: int | None) -> list[HistoryRow]:
        try:
            return self._history.list(self.query, limit, before)
        except StorageError as error:
            self.problem.emit(error)
            return []

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and not self._complete and self._last is not None

    def fetchMore(self, parent: Index) -> None:
        found = self._page(PAGE, self._last)
        self._complete = len(found) < PAGE
        self._last = found[-1].id if found else self._last
        more = [row for row in found if row.id not in self.hidden]
        if more:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(more) - 1)
            self._rows += more
            self.endInsertRows()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index)
        if row is None:
            return None
        if role == ROW:
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
