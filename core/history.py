"""What was snipped: picture, text and state of every snip, in one SQLite file of the user's own.

A row with its picture is committed before recognition begins, so that nothing is lost if all else fails.
Search runs over an ordinary table of character bigrams: unlike an FTS5 index it is covered by SQLite's
``secure_delete``, so that what is deleted is gone from the file (docs/decisions/003-history.md).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from core import search
from core.errors import (
    Cancelled,
    DiskFull,
    HistoryDamaged,
    Interrupted,
    StorageError,
    YomitoriError,
    from_json,
)
from core.paths import ensure_private_folder
from core.types import OcrResult

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1

_IMAGES = """
CREATE TABLE images (id INTEGER PRIMARY KEY AUTOINCREMENT, pad BLOB NOT NULL, png BLOB NOT NULL)
"""
"""``pad`` fills the part of a row that lies among other rows, so that the picture is on pages of its own,
which SQLite zeroes when they are freed and never copies. An id is never used twice, even after a deletion."""

_PAD = 4096
"""As large as a page (SQLite's default, which the file is created with)."""

_TEXT_TABLES = {
    "snips": """
        id INTEGER PRIMARY KEY,
        created REAL NOT NULL,
        state TEXT NOT NULL,
        source TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        text TEXT NOT NULL DEFAULT '',
        edited INTEGER NOT NULL DEFAULT 0,
        folded TEXT NOT NULL DEFAULT '',
        engine TEXT NOT NULL DEFAULT '',
        device TEXT NOT NULL DEFAULT '',
        seconds REAL NOT NULL DEFAULT 0,
        error TEXT""",
    "results": "id INTEGER PRIMARY KEY, json TEXT NOT NULL",
    "grams": "gram TEXT NOT NULL, snip INTEGER NOT NULL, PRIMARY KEY (gram, snip)",
}

_COLUMNS = "id, created, state, source, width, height, text, edited, engine, device, seconds, error"

_DELETE_AT_ONCE = 16 * 2**20
"""Bytes of pictures that one transaction deletes: bounds the log file, so that a nearly full disk can be
cleared, and the time that other threads wait."""

_RAREST_OF = 2000
"""A gram is counted up to here when the rarest of a query is looked for."""


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


class History:
    """The store. Every method may be called from any thread; each takes a few milliseconds at most, except
    ``delete``, ``clear`` and ``prune``.

    Reading has a connection of its own, so that it goes on beside a deletion and sees the rows as they were
    before it. Writing waits for the deletion.

    ``notice`` is there for the user to hear when a damaged file, or another program's, was moved aside, else
    None.

    Raises:
        DiskFull: from every method that writes; nothing of that call was kept.
        HistoryDamaged: the file proved damaged while in use: it is moved aside and a new one is open.
        StorageError: the folder or file cannot be used, was written by a newer version, or is closed.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        # Whoever needs both locks takes _writing first.
        self._writing = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._reading = threading.RLock()
        self._reader: sqlite3.Connection | None = None
        self._last_id = 0
        self.notice: HistoryDamaged | None = None
        ensure_private_folder(path.parent)
        with self._writing, self._reading:
            try:
                self._open()
            except sqlite3.Error as error:
                self._close_quietly()
                if not _is_damage(error):
                    raise self._translated(error) from error
                self._start_anew(error)

    # --- writing -----------------------------------------------------------------------------------------

    def add_pending(self, image: bytes, width: int, height: int, source: str) -> int:
        """Keep a picture (PNG or WebP bytes, ``width`` x ``height`` pixels) that is about to be read.

        ``source`` says where it came from (``snip``, ``clipboard``, a file's name). Returns the row's id.
        """
        with self._write() as db:
            row = db.execute("INSERT INTO images (pad, png) VALUES (zeroblob(?), ?)", (_PAD, image)).lastrowid
            assert row is not None
            db.execute(
                "INSERT INTO snips (id, created, state, source, width, height) VALUES (?, ?, ?, ?, ?, ?)",
                (row, self._clock(), State.PENDING, source, width, height),
            )
            self._last_id = row
        return row

    def finish(self, row: int, result: OcrResult) -> bool:
        """The reading arrived. False when the row was deleted meanwhile."""
        with self._write() as db:
            found = db.execute(
                "UPDATE snips SET state = ?, engine = ?, device = ?, seconds = ?, error = NULL WHERE id = ?",
                (State.DONE, result.engine, result.device, result.seconds, row),
            ).rowcount
            if found:
                self._set_text(db, row, result.text, edited=False)
                packed = json.dumps(result.to_json(), ensure_ascii=False, separators=(",", ":"))
                db.execute("INSERT OR REPLACE INTO results (id, json) VALUES (?, ?)", (row, packed))
        return bool(found)

    def fail(self, row: int, error: YomitoriError) -> bool:
        """The reading failed; an earlier text stays. False when the row was deleted meanwhile."""
        with self._write() as db:
            return self._set_failed(db, row, error)

    def cancel(self, row: int) -> bool:
        """The user stopped the reading: back to ``done`` if the row was read before, else it can be retried.

        False when the row was deleted meanwhile.
        """
        with self._write() as db:
            read_before = db.execute("SELECT 1 FROM results WHERE id = ?", (row,)).fetchone()
            if not read_before:
                return self._set_failed(db, row, Cancelled())
            update = "UPDATE snips SET state = ?, error = NULL WHERE id = ?"
            return bool(db.execute(update, (State.DONE, row)).rowcount)

    def retry(self, row: int) -> bool:
        """The row is about to be read again. False when it was deleted meanwhile."""
        with self._write() as db:
            update = "UPDATE snips SET state = ?, error = NULL WHERE id = ?"
            return bool(db.execute(update, (State.PENDING, row)).rowcount)

    def update_text(self, row: int, text: str) -> bool:
        """The user's own version of the text. False when the row was deleted meanwhile."""
        with self._write() as db:
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
        _remove_grams(db, row, before - after)
        db.executemany("INSERT INTO grams (gram, snip) VALUES (?, ?)", [(g, row) for g in after - before])
        return True

    def _set_failed(self, db: sqlite3.Connection, row: int, error: YomitoriError) -> bool:
        update = "UPDATE snips SET state = ?, error = ? WHERE id = ?"
        return bool(db.execute(update, (State.FAILED, _pack_error(error), row)).rowcount)

    # --- reading -----------------------------------------------------------------------------------------

    def get(self, row: int) -> HistoryRow | None:
        with self._read() as db:
            found = db.execute(f"SELECT {_COLUMNS} FROM snips WHERE id = ?", (row,)).fetchone()
        return _row(found) if found else None

    def image(self, row: int) -> bytes | None:
        """The picture as it was given to ``add_pending``; None when the row was deleted."""
        with self._read() as db:
            found = db.execute("SELECT png FROM images WHERE id = ?", (row,)).fetchone()
        return bytes(found[0]) if found else None

    def result(self, row: int) -> OcrResult | None:
        """All that the engine read; None before the first reading."""
        with self._read() as db:
            found = db.execute("SELECT json FROM results WHERE id = ?", (row,)).fetchone()
        return OcrResult.from_json(json.loads(found[0])) if found else None

    def list(self, query: str = "", limit: int = 100, before_id: int | None = None) -> list[HistoryRow]:
        """Up to ``limit`` rows, newest first, whose text contains every word of ``query``.

        ``before_id`` is the last id of the page before.
        """
        words = search.query_words(query)
        before = 2**63 - 1 if before_id is None else before_id
        with self._read() as db:
            if not words:
                found = db.execute(
                    f"SELECT {_COLUMNS} FROM snips WHERE id < ? ORDER BY id DESC LIMIT ?", (before, limit)
                ).fetchall()
            else:
                filters = " AND ".join(["instr(s.folded, ?) > 0"] * len(words))
                found = db.execute(
                    f"SELECT {_COLUMNS} FROM grams g JOIN snips s ON s.id = g.snip "
                    f"WHERE g.gram = ? AND g.snip < ? AND {filters} ORDER BY g.snip DESC LIMIT ?",
                    (_rarest_gram(db, words), before, *words, limit),
                ).fetchall()
        return [_row(values) for values in found]

    def count(self) -> int:
        with self._read() as db:
            return int(db.execute("SELECT count(*) FROM snips").fetchone()[0])

    def size_bytes(self) -> int:
        """What the rows take in the file, in bytes."""
        with self._read() as db, _transaction(db, "DEFERRED"):
            return _used_bytes(db)

    # --- deleting ----------------------------------------------------------------------------------------

    def delete(self, rows: Iterable[int]) -> int:
        """Delete these rows for good, in the log file too. Returns how many there were.

        Many pictures go in several transactions; other writers get their turn in between.
        """
        deleted = 0
        waiting = list(dict.fromkeys(rows))
        while waiting:
            with self._write() as db:
                chunk = _first_of_size(db, waiting, _DELETE_AT_ONCE)
                waiting = waiting[len(chunk) :]
                for row in chunk:
                    deleted += _delete_row(db, row)
            self._give_back_pages()
        if deleted:
            self._scrub()
        return deleted

    def clear(self) -> int:
        """Delete every row for good, also those being read. Returns how many there were.

        The files are removed and made anew: at once for any size, and on a full disk too.
        """
        with self._writing, self._reading:
            deleted = self.count()
            self._close_quietly()
            try:
                for suffix in ("-wal", "-shm", ""):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)
                self._open()
            except OSError as error:
                raise StorageError(path=self._path, reason=error.strerror or str(error)) from error
            except sqlite3.Error as error:
                self._close_quietly()
                raise self._translated(error) from error
        return deleted

    def prune(self, keep_days: int, keep_mb: int) -> int:
        """Delete what is older than ``keep_days``, then the oldest beyond ``keep_mb`` (2**20 bytes each).

        0 sets no limit. Rows that are being read stay. Returns how many were deleted.
        """
        deleted = 0
        if keep_days > 0:
            limit = self._clock() - keep_days * 86400
            deleted += self.delete(self._settled("AND created < ? ORDER BY id", limit))
        while keep_mb > 0 and (excess := self.size_bytes() - keep_mb * 2**20) > 0:
            settled = self._settled("ORDER BY id LIMIT 1000")
            with self._read() as db:
                oldest = _first_of_size(db, settled, excess)
            if not oldest:
                break
            deleted += self.delete(oldest)
        return deleted

    def _settled(self, where: str, *params: Any) -> Sequence[int]:
        with self._read() as db:
            query = f"SELECT id FROM snips WHERE state <> 'pending' {where}"
            return [row for (row,) in db.execute(query, params)]

    def _scrub(self) -> None:
        """Write the text tables anew.

        ``secure_delete`` zeroes what is deleted where it is, but when SQLite moves rows between pages it
        leaves their old bytes behind in the gaps. Dropped tables are zeroed as a whole.
        """
        try:
            with self._write() as db:
                for table in _TEXT_TABLES:
                    _create(db, f"new_{table}")
                    db.execute(f"INSERT INTO new_{table} SELECT * FROM {table} ORDER BY 1, 2")
                    db.execute(f"DROP TABLE {table}")
                    db.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
            self._give_back_pages()
        except DiskFull:
            log.warning(
                "the disk is full: pieces of deleted text stay in %s until the next deletion", self._path
            )

    def _give_back_pages(self) -> None:
        """Shrink the file, and empty the log, where deleted pages would stay readable."""
        with self._exclusive() as db:
            # execute() would stop after the first page: sqlite3 takes each for a row without columns.
            db.executescript("PRAGMA incremental_vacuum")
            # The long part goes on beside readers; the log can be cut only while nobody reads.
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            with self._reading:
                busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            log.warning("another program reads %s: what was deleted stays in its log for now", self._path)

    def close(self) -> None:
        """Write everything into the one file and close it. A second call does nothing."""
        with self._writing, self._reading:
            if self._writer is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._close_quietly()

    # --- the file ----------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Raises sqlite3.Error, and StorageError for a file of a newer version."""
        _make_private(self._path)
        self._writer = db = _connect(self._path)
        with _transaction(db, "DEFERRED"):
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version > SCHEMA_VERSION:
            self._close_quietly()
            raise StorageError(path=self._path, reason="it was written by a newer version of Yomitori")
        if tables if version == 0 else not tables.issuperset(("images", *_TEXT_TABLES)):
            raise _foreign()
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON").fetchall()
        with _transaction(db):
            if version == 0:
                # One transaction: a kill in here leaves version 0 and no table, which starts over.
                db.execute(_IMAGES)
                for table in _TEXT_TABLES:
                    _create(db, table)
                # A file that takes the place of another counts on: a reading that ends late must not land
                # on another picture.
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('images', ?)", (self._last_id,))
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            # Only one front end reads pictures at a time, so these were left by a run that ended early.
            db.execute(
                "UPDATE snips SET state = ?, error = ? WHERE state = ?",
                (State.FAILED, _pack_error(Interrupted()), State.PENDING),
            )
        last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'images'").fetchone()
        self._last_id = last[0] if last else 0
        self._reader = _connect(self._path)
        self._reader.execute("PRAGMA query_only = ON")
        self._reader.execute("SELECT count(folded) FROM snips").fetchone()

    def _start_anew(self, error: sqlite3.Error) -> None:
        """Move the damaged files aside and open an empty one. The caller holds both locks."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        aside = self._path.with_name(f"{self._path.name}.broken-{stamp}")
        number = 1
        while aside.exists():
            number += 1
            aside = self._path.with_name(f"{self._path.name}.broken-{stamp}-{number}")
        log.warning("history is damaged (%s), moved to %s", error, aside)
        try:
            for suffix in ("-wal", "-shm", ""):
                part = Path(f"{self._path}{suffix}")
                if part.exists():
                    part.replace(f"{aside}{suffix}")
            self._open()
        except OSError as problem:
            raise StorageError(path=self._path, reason=problem.strerror or str(problem)) from problem
        except sqlite3.Error as problem:
            self._close_quietly()
            raise self._translated(problem) from problem
        self.notice = HistoryDamaged(aside=aside)

    def _close_quietly(self) -> None:
        # The writer last: whoever closes last tidies the log up.
        connections = (self._reader, self._writer)
        self._reader = self._writer = None
        for db in connections:
            if db is not None:
                with contextlib.suppress(sqlite3.Error):
                    db.close()

    @contextlib.contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """The connection for reading, for this thread alone; SQLite's errors come out as ours.

        Keep it short: the end of a deletion waits for it. Never write inside: the locks have an order.
        """
        with self._reading:
            db = self._opened(self._reader)
            try:
                yield db
                return
            except sqlite3.Error as error:
                problem = error
        # Without the lock: moving the file aside takes the other one first.
        raise self._recovered(problem, db) from problem

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[sqlite3.Connection]:
        """The connection for writing, in the same way."""
        with self._writing:
            db = self._opened(self._writer)
            try:
                yield db
            except sqlite3.Error as error:
                raise self._recovered(error, db) from error

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._exclusive() as db, _transaction(db):
            yield db

    def _opened(self, db: sqlite3.Connection | None) -> sqlite3.Connection:
        if db is None:
            raise StorageError(path=self._path, reason="it is closed")
        return db

    def _recovered(self, error: sqlite3.Error, db: sqlite3.Connection) -> StorageError:
        """What to raise for an ``error`` of ``db``; damaged files are moved aside before."""
        if not _is_damage(error):
            return self._translated(error)
        with self._writing, self._reading:
            # Another thread may have met the same damage first, or closed the history.
            if db in (self._writer, self._reader):
                self._close_quietly()
                self._start_anew(error)
            return HistoryDamaged(**self.notice.params) if self.notice else self._translated(error)

    def _translated(self, error: sqlite3.Error) -> StorageError:
        code = _primary_code(error)
        if code == sqlite3.SQLITE_FULL:
            return DiskFull(path=self._path)
        if _is_damage(error):
            return StorageError(path=self._path, reason="it is damaged")
        return StorageError(path=self._path, reason=str(error))


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA temp_store = MEMORY")
    return db


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # A full disk has rolled back already.
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def _create(db: sqlite3.Connection, name: str) -> None:
    table = name.removeprefix("new_")
    options = " WITHOUT ROWID" if table == "grams" else ""
    db.execute(f"CREATE TABLE {name} ({_TEXT_TABLES[table]}){options}")


def _primary_code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _is_damage(error: sqlite3.Error) -> bool:
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _foreign() -> sqlite3.Error:
    """A sound file of another program: of no more use to us than a damaged one."""
    error = sqlite3.DatabaseError("the file is another program's")
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


def _make_private(path: Path) -> None:
    """Create ``path`` readable by the user alone; SQLite gives its log files the same rights.

    Raises:
        StorageError: it cannot be created or opened.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if os.name == "posix":
            path.chmod(0o600)
    except OSError as error:
        raise StorageError(path=path, reason=error.strerror or str(error)) from error


def _pack_error(error: YomitoriError) -> str:
    return json.dumps(error.to_json(), ensure_ascii=False)


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


def _rarest_gram(db: sqlite3.Connection, words: Iterable[str]) -> str:
    """The gram of ``words`` that the fewest rows have: the walk over those rows is the search."""
    counted: dict[str, int] = {}
    for gram in sorted({gram for word in words for gram in search.word_grams(word)}):
        count = "SELECT count(*) FROM (SELECT 1 FROM grams WHERE gram = ? LIMIT ?)"
        counted[gram] = db.execute(count, (gram, _RAREST_OF)).fetchone()[0]
        if counted[gram] == 0:
            break
    return min(counted, key=counted.__getitem__)


def _remove_grams(db: sqlite3.Connection, row: int, grams: Iterable[str]) -> None:
    db.executemany("DELETE FROM grams WHERE gram = ? AND snip = ?", [(gram, row) for gram in grams])


def _delete_row(db: sqlite3.Connection, row: int) -> int:
    found = db.execute("SELECT folded FROM snips WHERE id = ?", (row,)).fetchone()
    if found is None:
        return 0
    _remove_grams(db, row, search.grams(found[0]))
    db.execute("DELETE FROM images WHERE id = ?", (row,))
    db.execute("DELETE FROM results WHERE id = ?", (row,))
    return db.execute("DELETE FROM snips WHERE id = ?", (row,)).rowcount


def _first_of_size(db: sqlite3.Connection, rows: Sequence[int], size: int) -> Sequence[int]:
    """The first of ``rows`` whose pictures come to ``size`` bytes together, at least one."""
    total = 0
    for taken, row in enumerate(rows, start=1):
        found = db.execute("SELECT length(png) FROM images WHERE id = ?", (row,)).fetchone()
        total += found[0] if found else 0
        if total >= size:
            return rows[:taken]
    return rows


def _used_bytes(db: sqlite3.Connection) -> int:
    pages, free, size = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
