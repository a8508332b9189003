"""The one SQLite file behind the history: connections, locks, transactions, damage, and traces of deletions.

Knows no snip and no conversation; those are core/history.py and core/conversations.py.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from core import history_schema
from core.aside import free_name
from core.errors import DiskFull, HistoryDamaged, StorageError
from core.paths import ensure_private_folder

log = logging.getLogger(__name__)

DELETE_AT_ONCE = 16 * 2**20
"""Bytes of pictures that one transaction deletes: bounds the log file, so that a nearly full disk can be
cleared, and the time that other threads wait."""


class HistoryFile:
    """Every method may be called from any thread.

    Reading has a connection of its own, so that it goes on beside a deletion and sees the rows as they were
    before it. Writing waits for the deletion.

    ``notice`` is there for the user to hear when a damaged file, or another program's, was moved aside, else
    None. ``mend`` is called in the transaction that opens a file, to settle what an earlier run left.

    Raises:
        DiskFull: from whatever writes; nothing of that transaction was kept.
        HistoryDamaged: the file proved damaged while in use: it is moved aside and a new one is open.
        StorageError: the folder or file cannot be used, was written by a newer version, or is closed.
    """

    def __init__(self, path: Path | None, mend: Callable[[sqlite3.Connection], None]) -> None:
        """Without a ``path`` all is kept in memory alone, and is gone once it is closed."""
        self._in_memory = path is None
        self._path = path or Path("memory")
        self._mend = mend
        # Whoever needs both locks takes _writing first.
        self._writing = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        # In memory there is one connection for both.
        self._reading = self._writing if self._in_memory else threading.RLock()
        self._reader: sqlite3.Connection | None = None
        self._last_id = 0
        self.notice: HistoryDamaged | None = None
        if path is not None:
            ensure_private_folder(path.parent)
        with self._writing, self._reading:
            try:
                self._open()
            except sqlite3.Error as error:
                self._close_quietly()
                if not _is_damage(error):
                    raise self._translated(error) from error
                self._start_anew(error)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
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
    def read_at_one_moment(self) -> Iterator[sqlite3.Connection]:
        """The same, where several queries must see the same rows."""
        with self.read() as db, _transaction(db, "DEFERRED"):
            yield db

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The connection for writing, for this thread alone, in a transaction."""
        with self._exclusive() as db, _transaction(db):
            yield db

    def take_id(self, db: sqlite3.Connection) -> int:
        """An id that nothing in the file had before, in the caller's ``write``."""
        self._last_id = history_schema.take_id(db)
        return self._last_id

    def add_image(self, db: sqlite3.Connection, image: bytes) -> int:
        """Keep a picture, in the caller's ``write``. Returns its id, which nothing in the file had before."""
        insert = "INSERT INTO images (pad, png) VALUES (zeroblob(?), ?)"
        row = db.execute(insert, (history_schema.PAD, image)).lastrowid
        assert row is not None
        self._last_id = row
        return row

    def size_bytes(self) -> int:
        """What all rows take in the file, in bytes."""
        with self.read_at_one_moment() as db:
            pages, free, size = (
                db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def scrub(self, tables: Iterable[str]) -> None:
        """Write these text tables anew, after rows of them were deleted.

        ``secure_delete`` zeroes what is deleted where it is, but when SQLite moves rows between pages it
        leaves their old bytes behind in the gaps. Dropped tables are zeroed as a whole.
        """
        try:
            with self.write() as db:
                for table in tables:
                    history_schema.write_anew(db, table)
            self.give_back_pages()
        except DiskFull:
            log.warning(
                "the disk is full: pieces of deleted text stay in %s until the next deletion", self._path
            )

    def give_back_pages(self) -> None:
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

    def replace(self) -> None:
        """Remove the files and make an empty one: at once for any size, and on a full disk too."""
        with self._writing, self._reading:
            self._opened(self._writer)
            self._close_quietly()
            try:
                if not self._in_memory:
                    for suffix in ("-wal", "-shm", ""):
                        Path(f"{self._path}{suffix}").unlink(missing_ok=True)
                self._open()
            except OSError as error:
                raise StorageError(path=self._path, reason=error.strerror or str(error)) from error
            except sqlite3.Error as error:
                self._close_quietly()
                raise self._translated(error) from error

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Nobody else reads or writes."""
        with self._writing, self._reading:
            yield

    def close(self) -> None:
        """Write everything into the one file and close it. A second call does nothing."""
        with self._writing, self._reading:
            if self._writer is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._close_quietly()

    def _open(self) -> None:
        """Raises sqlite3.Error, and StorageError for a file of a newer version."""
        if not self._in_memory:
            _make_private(self._path)
        self._writer = db = _connect(":memory:" if self._in_memory else self._path)
        with _transaction(db, "DEFERRED"):
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version > history_schema.VERSION:
            self._close_quietly()
            raise StorageError(path=self._path, reason="it was written by a newer version of Yomitori")
        if not history_schema.is_ours(version, tables):
            raise _foreign()
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON").fetchall()
        with _transaction(db):
            # One transaction: a kill in here leaves the file as it was, and the next start does it all.
            # A file that takes the place of another counts on: a reading that ends late must not land on
            # another picture.
            history_schema.bring_up_to_date(db, version, self._last_id)
            self._mend(db)
        self._last_id = history_schema.last_id(db)
        if self._in_memory:
            self._reader = db
            return
        self._reader = _connect(self._path)
        self._reader.execute("PRAGMA query_only = ON")
        self._reader.execute("SELECT count(folded) FROM snips").fetchone()
        self._reader.execute("SELECT count(folded) FROM passages").fetchone()

    def _start_anew(self, error: sqlite3.Error) -> None:
        """Move the damaged files aside and open an empty one. The caller holds both locks."""
        aside = free_name(self._path)
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
    def _exclusive(self) -> Iterator[sqlite3.Connection]:
        """The connection for writing, in the same way as ``read``."""
        with self._writing:
            db = self._opened(self._writer)
            try:
                yield db
            except sqlite3.Error as error:
                raise self._recovered(error, db) from error

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


def packed(value: Any) -> str:
    """``value`` as JSON in the form in which it is kept."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _connect(path: Path | str) -> sqlite3.Connection:
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
