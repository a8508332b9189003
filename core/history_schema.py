"""The tables of the history file, and how a file of an earlier version gets them.

Ids of snips, conversations, their pictures and turns all come from one counter and are never used twice,
even after a deletion: news that arrives late must not land on something else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

VERSION = 2
"""1 had snips only; 2 added conversations."""

PAD = 4096
"""As large as a page (SQLite's default, which the file is created with)."""

_IMAGES = """
CREATE TABLE images (id INTEGER PRIMARY KEY AUTOINCREMENT, pad BLOB NOT NULL, png BLOB NOT NULL)
"""
"""``pad`` fills the part of a row that lies among other rows, so that the picture is on pages of its own,
which SQLite zeroes when they are freed and never copies. ``png`` holds PNG or WebP bytes."""


@dataclass(frozen=True, slots=True)
class _Table:
    """``index`` names the columns of the table's one index. It must not hold text."""

    columns: str
    options: str = ""
    index: str = ""


SNIP_TABLES: Mapping[str, _Table] = {
    "snips": _Table(
        """
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
        index="created",
    ),
    "results": _Table("id INTEGER PRIMARY KEY, json TEXT NOT NULL"),
    "grams": _Table("gram TEXT NOT NULL, snip INTEGER NOT NULL, PRIMARY KEY (gram, snip)", "WITHOUT ROWID"),
}

CONVERSATION_TABLES: Mapping[str, _Table] = {
    "conversations": _Table(
        """
        id INTEGER PRIMARY KEY,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        title TEXT NOT NULL DEFAULT '',
        options TEXT NOT NULL""",
        index="updated",
    ),
    "pictures": _Table(
        """
        id INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL,
        created REAL NOT NULL,
        source TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        snip INTEGER,
        text TEXT NOT NULL DEFAULT '',
        edited INTEGER NOT NULL DEFAULT 0,
        result TEXT""",
        index="conversation",
    ),
    "turns": _Table(
        """
        id INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL,
        created REAL NOT NULL,
        role TEXT NOT NULL,
        state TEXT NOT NULL,
        pictures TEXT NOT NULL DEFAULT '[]',
        replaces INTEGER,
        text TEXT NOT NULL DEFAULT '',
        answer TEXT,
        error TEXT""",
        index="conversation",
    ),
    # What search looks through: the folded title, recognised text or turn that has the same id.
    "passages": _Table(
        "id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, folded TEXT NOT NULL", index="conversation"
    ),
    "conversation_grams": _Table(
        "gram TEXT NOT NULL, conversation INTEGER NOT NULL, PRIMARY KEY (gram, conversation)", "WITHOUT ROWID"
    ),
}

_TABLES = {**SNIP_TABLES, **CONVERSATION_TABLES}


def is_ours(version: int, tables: set[str]) -> bool:
    """Whether a file of ``version`` with these ``tables`` was written by us (or is still empty)."""
    if version == 0:
        return not tables
    needed = {"images", *SNIP_TABLES} if version == 1 else {"images", *_TABLES}
    return needed <= tables


def bring_up_to_date(db: sqlite3.Connection, version: int, last_id: int) -> None:
    """Make the tables that a file of ``version`` lacks, in the caller's transaction.

    Ids of a new file (version 0) begin after ``last_id``.
    """
    if version == 0:
        db.execute(_IMAGES)
        for name in SNIP_TABLES:
            _create(db, name, name)
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('images', ?)", (last_id,))
    if version < 2:
        for name in CONVERSATION_TABLES:
            _create(db, name, name)
        for name in _TABLES:
            _create_index(db, name)
        db.execute("PRAGMA user_version = 2")


def write_anew(db: sqlite3.Connection, name: str) -> None:
    """Copy the rows of a table into a new one of the same name, in the caller's transaction."""
    _create(db, name, f"new_{name}")
    db.execute(f"INSERT INTO new_{name} SELECT * FROM {name} ORDER BY 1, 2")
    db.execute(f"DROP TABLE {name}")
    db.execute(f"ALTER TABLE new_{name} RENAME TO {name}")
    _create_index(db, name)


def last_id(db: sqlite3.Connection) -> int:
    found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'images'").fetchone()
    return int(found[0]) if found else 0


def take_id(db: sqlite3.Connection) -> int:
    """An id for a row that has no picture, in the caller's transaction."""
    db.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'images'")
    return last_id(db)


def _create(db: sqlite3.Connection, name: str, as_name: str) -> None:
    table = _TABLES[name]
    db.execute(f"CREATE TABLE {as_name} ({table.columns}) {table.options}")


def _create_index(db: sqlite3.Connection, name: str) -> None:
    if index := _TABLES[name].index:
        db.execute(f"CREATE INDEX {name}_index ON {name} ({index})")
