"""What was snipped and asked: every snip and conversation, in one SQLite file of the user's own.

A row with its picture is committed before recognition begins, so that nothing is lost if all else fails.
What is deleted is gone from the file (docs/decisions/003-history.md).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from core import conversations, search
from core.conversation_types import ConversationRow
from core.conversations import Conversations
from core.errors import Cancelled, HistoryDamaged, Interrupted, YomitoriError, from_json
from core.history_file import DELETE_AT_ONCE, HistoryFile, packed
from core.history_schema import PAD, SNIP_TABLES
from core.history_search import GramTable, Searched
from core.types import OcrResult

_COLUMNS = (
    "r.id, r.created, r.state, r.source, r.width, r.height, r.text, r.edited, r.engine, r.device, "
    "r.seconds, r.error"
)

_GRAMS = GramTable("grams", "snip")

_SEARCHED = Searched(
    table="snips", columns=_COLUMNS, time="created", grams=_GRAMS, holds="instr(r.folded, ?) > 0"
)

_PRUNE_AT_ONCE = 1000
"""So many rows are looked at and deleted before the size is looked at again."""


class State(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One snip without its picture. ``created`` is in seconds since 1970, UTC; sizes are in pixels.

    ``error`` tells why a failed row failed. ``text`` is what was read, or what the user made of it
    (``edited``); a failed row keeps the text of an earlier reading.
    """

    id: int
    created: float
    state: State
    source: str
    width: int
    height: int
    text: str
    edited: bool
    engine: str
    device: str
    seconds: float
    error: YomitoriError | None

    @property
    def place(self) -> tuple[float, int]:
        """Where it stands in a list by time."""
        return (self.created, self.id)


class History:
    """The store of snips, and with ``conversations`` that of conversations in the same file.

    Every method may be called from any thread; each takes a few milliseconds at most, except ``delete``,
    ``clear`` and ``prune``. Reading goes on beside a deletion and sees the rows as they were before it.
    Writing waits for the deletion. Ids of both kinds come from one counter: none is ever used twice.

    Raises:
        DiskFull: from every method that writes; nothing of that call was kept.
        HistoryDamaged: the file proved damaged while in use: it is moved aside and a new one is open.
        StorageError: the folder or file cannot be used, was written by a newer version, or is closed.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        """Without a ``path`` all is kept in memory alone, and is gone once it is closed."""
        self._file = HistoryFile(path, mend=_end_what_was_left)
        self._clock = clock
        self.conversations = Conversations(self._file, clock)

    @property
    def notice(self) -> HistoryDamaged | None:
        """For the user to hear when a damaged file, or another program's, was moved aside, else None."""
        return self._file.notice

    # --- writing -----------------------------------------------------------------------------------------

    def add_pending(self, image: bytes, width: int, height: int, source: str) -> int:
        """Keep a picture (PNG or WebP bytes, ``width`` x ``height`` pixels) that is about to be read.

        ``source`` says where it came from (``snip``, ``clipboard``, a file's name). Returns the row's id.
        """
        with self._file.write() as db:
            row = self._file.add_image(db, image)
            db.execute(
                "INSERT INTO snips (id, created, state, source, width, height) VALUES (?, ?, ?, ?, ?, ?)",
                (row, self._clock(), State.PENDING, source, width, height),
            )
        return row

    def finish(self, row: int, result: OcrResult) -> bool:
        """The reading arrived. False when the row was deleted meanwhile."""
        with self._file.write() as db:
            found = db.execute(
                "UPDATE snips SET state = ?, engine = ?, device = ?, seconds = ?, error = NULL WHERE id = ?",
                (State.DONE, result.engine, result.device, result.seconds, row),
            ).rowcount
            if found:
                self._set_text(db, row, result.text, edited=False)
                insert = "INSERT OR REPLACE INTO results (id, json) VALUES (?, ?)"
                db.execute(insert, (row, packed(result.to_json())))
        return bool(found)

    def fail(self, row: int, error: YomitoriError) -> bool:
        """The reading failed; an earlier text stays. False when the row was deleted meanwhile."""
        with self._file.write() as db:
            return self._set_failed(db, row, error)

    def cancel(self, row: int) -> bool:
        """The user stopped the reading: back to ``done`` if the row was read before, else it can be retried.

        False when the row was deleted meanwhile.
        """
        with self._file.write() as db:
            read_before = db.execute("SELECT 1 FROM results WHERE id = ?", (row,)).fetchone()
            if not read_before:
                return self._set_failed(db, row, Cancelled())
            update = "UPDATE snips SET state = ?, error = NULL WHERE id = ?"
            return bool(db.execute(update, (State.DONE, row)).rowcount)

    def retry(self, row: int) -> bool:
        """The row is about to be read again. False when it was deleted meanwhile."""
        with self._file.write() as db:
            update = "UPDATE snips SET state = ?, error = NULL WHERE id = ?"
            return bool(db.execute(update, (State.PENDING, row)).rowcount)

    def update_text(self, row: int, text: str) -> bool:
        """The user's own version of the text. False when the row was deleted meanwhile."""
        with self._file.write() as db:
            return self._set_text(db, row, text, edited=True)

    def _set_text(self, db: sqlite3.Connection, row: int, text: str, *, edited: bool) -> bool:
        old = db.execute("SELECT folded FROM snips WHERE id = ?", (row,)).fetchone()
        if old is None:
            return False
        folded = search.fold(text)
        db.execute(
            "UPDATE snips SET text = ?, edited = ?, folded = ? WHERE id = ?", (text, edited, folded, row)
        )
        before, after = search.grams(old[0]), search.grams(folded)
        _GRAMS.remove(db, row, before - after)
        _GRAMS.add(db, row, after - before)
        return True

    def _set_failed(self, db: sqlite3.Connection, row: int, error: YomitoriError) -> bool:
        update = "UPDATE snips SET state = ?, error = ? WHERE id = ?"
        return bool(db.execute(update, (State.FAILED, packed(error.to_json()), row)).rowcount)

    # --- reading -----------------------------------------------------------------------------------------

    def get(self, row: int) -> HistoryRow | None:
        with self._file.read() as db:
            found = db.execute(f"SELECT {_COLUMNS} FROM snips r WHERE r.id = ?", (row,)).fetchone()
        return _row(found) if found else None

    def image(self, row: int) -> bytes | None:
        """The picture as it was given to ``add_pending``; None when the row was deleted."""
        with self._file.read() as db:
            found = db.execute("SELECT png FROM images WHERE id = ?", (row,)).fetchone()
        return bytes(found[0]) if found else None

    def result(self, row: int) -> OcrResult | None:
        """All that the engine read; None before the first reading."""
        with self._file.read() as db:
            found = db.execute("SELECT json FROM results WHERE id = ?", (row,)).fetchone()
        return OcrResult.from_json(json.loads(found[0])) if found else None

    def find_all(
        self, query: str = "", limit: int = 100, before: HistoryRow | ConversationRow | None = None
    ) -> list[HistoryRow | ConversationRow]:
        """Up to ``limit`` snips and conversations together that contain every word of ``query``.

        Newest first: snips by ``created``, conversations by ``updated``. ``before`` is the last row of the
        page before.
        """
        place = before.place if before else None
        with self._file.read_at_one_moment() as db:
            rows: list[HistoryRow | ConversationRow] = [
                _row(values) for values in _SEARCHED.newest(db, query, limit, place)
            ]
            rows += conversations.newest(db, query, limit, place)
        return sorted(rows, key=lambda row: row.place, reverse=True)[:limit]

    def list(self, query: str = "", limit: int = 100, before_id: int | None = None) -> list[HistoryRow]:
        """Up to ``limit`` rows, newest first, whose text contains every word of ``query``.

        ``before_id`` is the last id of the page before.
        """
        words = search.query_words(query)
        before = 2**63 - 1 if before_id is None else before_id
        with self._file.read() as db:
            if not words:
                found = db.execute(
                    f"SELECT {_COLUMNS} FROM snips r WHERE r.id < ? ORDER BY r.id DESC LIMIT ?",
                    (before, limit),
                ).fetchall()
            else:
                filters = " AND ".join([_SEARCHED.holds] * len(words))
                gram, _ = _GRAMS.rarest(db, words)
                found = db.execute(
                    f"SELECT {_COLUMNS} FROM grams g JOIN snips r ON r.id = g.snip "
                    f"WHERE g.gram = ? AND g.snip < ? AND {filters} ORDER BY g.snip DESC LIMIT ?",
                    (gram, before, *words, limit),
                ).fetchall()
        return [_row(values) for values in found]

    def count(self) -> int:
        """How many snips there are."""
        with self._file.read() as db:
            return int(db.execute("SELECT count(*) FROM snips").fetchone()[0])

    def size_bytes(self) -> int:
        """What snips and conversations take in the file, in bytes."""
        return self._file.size_bytes()

    # --- deleting ----------------------------------------------------------------------------------------

    def delete(self, rows: Iterable[int]) -> int:
        """Delete these snips for good, in the log file too. Returns how many there were.

        Conversations about them stay: they have pictures of their own. Many pictures go in several
        transactions; other writers get their turn in between.
        """
        return self._delete(rows, also_pending=True)

    def delete_settled(self, rows: Iterable[int]) -> int:
        """Delete those of these snips that are not being read."""
        return self._delete(rows, also_pending=False)

    def _delete(self, rows: Iterable[int], *, also_pending: bool) -> int:
        deleted = 0
        waiting = deque(dict.fromkeys(rows))
        while waiting:
            with self._file.write() as db:
                room = DELETE_AT_ONCE
                while waiting and room > 0:
                    row = waiting.popleft()
                    if not also_pending and _is_pending(db, row):
                        continue
                    room -= _image_size(db, row)
                    deleted += _delete_row(db, row)
            self._file.give_back_pages()
        if deleted:
            self._file.scrub(SNIP_TABLES)
        return deleted

    def clear(self) -> int:
        """Delete every snip and conversation for good, also those at work. Returns how many there were.

        The files are removed and made anew: at once for any size, and on a full disk too.
        """
        with self._file.undisturbed():
            deleted = self.count() + self.conversations.count()
            self._file.replace()
        return deleted

    def prune(self, keep_days: int, keep_mb: int) -> int:
        """Delete what is older than ``keep_days``, then the oldest beyond ``keep_mb`` (2**20 bytes each).

        A conversation is as old as its last change. 0 sets no limit. Snips that are being read and
        conversations that are being answered stay. Returns how many of both were deleted.
        """
        deleted = 0
        if keep_days > 0:
            limit = self._clock() - keep_days * 86400
            with self._file.read() as db:
                old = _oldest_settled(db, before=limit)
            deleted += self._delete_old(old)
        while keep_mb > 0 and (excess := self.size_bytes() - keep_mb * 2**20) > 0:
            with self._file.read() as db:
                old = _oldest_settled(db, limit=_PRUNE_AT_ONCE)
            if not old:
                break
            deleted += self._delete_old(_first_of_size(old, excess))
        return deleted

    def _delete_old(self, rows: Sequence[_Settled]) -> int:
        """Delete those of ``rows`` that are still as they were: much may happen while many are deleted."""
        snips = (row.id for row in rows if not row.is_conversation)
        talks = {row.id: row.time for row in rows if row.is_conversation}
        return self.delete_settled(snips) + self.conversations.delete_unchanged(talks)

    def close(self) -> None:
        """Write everything into the one file and close it. A second call does nothing."""
        self._file.close()


class _Settled(NamedTuple):
    """What may be deleted for its age or size: when it changed last, its id and about how many bytes."""

    time: float
    id: int
    size: int
    is_conversation: bool


def _oldest_settled(db: sqlite3.Connection, before: float = inf, limit: int = -1) -> list[_Settled]:
    """Up to ``limit`` of both kinds (-1: all) that changed last earlier than ``before``, oldest first."""
    snips = db.execute(
        "SELECT created, id, "
        f"coalesce((SELECT length(png) + {PAD} FROM images WHERE id = s.id), 0) "
        "FROM snips s WHERE created < ? AND state <> ? ORDER BY created, id LIMIT ?",
        (before, State.PENDING, limit),
    )
    rows = [_Settled(changed, row, size, False) for changed, row, size in snips]
    talks = conversations.oldest_settled(db, before, limit)
    rows += [_Settled(changed, row, size, True) for changed, row, size in talks]
    return sorted(rows)[: limit if limit >= 0 else None]


def _first_of_size(rows: Sequence[_Settled], size: int) -> Sequence[_Settled]:
    """The first of ``rows`` that come to ``size`` bytes together, at least one."""
    total = 0
    for taken, row in enumerate(rows, start=1):
        total += row.size
        if total >= size:
            return rows[:taken]
    return rows


def _end_what_was_left(db: sqlite3.Connection) -> None:
    """Only one front end is at work at a time, so what is pending was left by a run that ended early."""
    db.execute(
        "UPDATE snips SET state = ?, error = ? WHERE state = ?",
        (State.FAILED, packed(Interrupted().to_json()), State.PENDING),
    )
    conversations.end_what_was_left(db)


def _row(values: tuple[Any, ...]) -> HistoryRow:
    row, created, state, source, width, height, text, edited, engine, device, seconds, error = values
    return HistoryRow(
        id=row,
        created=created,
        state=State(state),
        source=source,
        width=width,
        height=height,
        text=text,
        edited=bool(edited),
        engine=engine,
        device=device,
        seconds=seconds,
        error=from_json(json.loads(error)) if error else None,
    )


def _is_pending(db: sqlite3.Connection, row: int) -> bool:
    query = "SELECT 1 FROM snips WHERE id = ? AND state = ?"
    return db.execute(query, (row, State.PENDING)).fetchone() is not None


def _image_size(db: sqlite3.Connection, row: int) -> int:
    found = db.execute("SELECT length(png) FROM images WHERE id = ?", (row,)).fetchone()
    return found[0] if found else 0


def _delete_row(db: sqlite3.Connection, row: int) -> int:
    found = db.execute("SELECT folded FROM snips WHERE id = ?", (row,)).fetchone()
    if found is None:
        return 0
    _GRAMS.remove(db, row, search.grams(found[0]))
    db.execute("DELETE FROM images WHERE id = ?", (row,))
    db.execute("DELETE FROM results WHERE id = ?", (row,))
    return db.execute("DELETE FROM snips WHERE id = ?", (row,)).rowcount
