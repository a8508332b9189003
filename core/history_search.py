"""Search in the history file: an ordinary table of character bigrams gives candidates, the text decides.

Unlike an FTS5 index such a table is covered by SQLite's ``secure_delete`` (docs/decisions/003-history.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core import search

_RAREST_OF = 2000
"""A gram is counted up to here when the rarest of a query is looked for."""


@dataclass(frozen=True, slots=True)
class GramTable:
    """Which rows have a gram. ``owner`` is the column with the row's id."""

    name: str
    owner: str

    def add(self, db: sqlite3.Connection, owner: int, grams: Iterable[str]) -> None:
        db.executemany(
            f"INSERT OR IGNORE INTO {self.name} (gram, {self.owner}) VALUES (?, ?)",
            [(gram, owner) for gram in grams],
        )

    def remove(self, db: sqlite3.Connection, owner: int, grams: Iterable[str]) -> None:
        db.executemany(
            f"DELETE FROM {self.name} WHERE gram = ? AND {self.owner} = ?", [(gram, owner) for gram in grams]
        )

    def rarest(self, db: sqlite3.Connection, words: Iterable[str]) -> tuple[str, bool]:
        """The gram of ``words`` that the fewest rows have, and whether even that one is common."""
        counted: dict[str, int] = {}
        for gram in sorted({gram for word in words for gram in search.word_grams(word)}):
            count = f"SELECT count(*) FROM (SELECT 1 FROM {self.name} WHERE gram = ? LIMIT ?)"
            counted[gram] = db.execute(count, (gram, _RAREST_OF)).fetchone()[0]
            if counted[gram] == 0:
                break
        rarest = min(counted, key=counted.__getitem__)
        return rarest, counted[rarest] == _RAREST_OF


@dataclass(frozen=True, slots=True)
class Searched:
    """Rows that are found by their text and listed by time.

    ``columns`` are SQL expressions over the row ``r``. ``time`` is a column with an index. ``holds`` is the
    SQL condition that the row ``r`` contains the folded word ``?``.
    """

    table: str
    columns: str
    time: str
    grams: GramTable
    holds: str

    def newest(
        self, db: sqlite3.Connection, query: str, limit: int, before: tuple[float, int] | None
    ) -> Sequence[tuple[Any, ...]]:
        """Up to ``limit`` rows with every word of ``query``, newest first, and by id where times are alike.

        ``before`` is time and id of a row: only what comes after it in this order is looked at.
        """
        words = search.query_words(query)
        params: list[Any] = []
        tables, conditions = f"{self.table} r", [self.holds] * len(words)
        if words:
            gram, is_common = self.grams.rarest(db, words)
            params = [gram, *words]
            if is_common:
                # Walking back in time soon finds enough, without collecting and sorting all that have it.
                among = f"(SELECT 1 FROM {self.grams.name} WHERE gram = ? AND {self.grams.owner} = r.id)"
                conditions.insert(0, f"EXISTS {among}")
            else:
                tables = f"{self.grams.name} g CROSS JOIN {tables} ON r.id = g.{self.grams.owner}"
                conditions.insert(0, "g.gram = ?")
        if before is not None:
            conditions.append(f"(r.{self.time}, r.id) < (?, ?)")
            params += before
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        # The columns are worked out for the page alone, not for every candidate.
        page = f"SELECT r.id, r.{self.time} AS time FROM {tables} {where} ORDER BY 2 DESC, 1 DESC LIMIT ?"
        return db.execute(
            f"SELECT {self.columns} FROM ({page}) p CROSS JOIN {self.table} r ON r.id = p.id "
            "ORDER BY p.time DESC, p.id DESC",
            (*params, limit),
        ).fetchall()
