"""The history: what is kept, found, deleted, and what survives kills, full disks and damage."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core import search
from core.errors import (
    Cancelled,
    DiskFull,
    HistoryDamaged,
    Interrupted,
    ProcessDied,
    ReadFailed,
    StorageError,
)
from core.history import History, State
from core.types import Box, Direction, OcrResult, TextBlock, TextLine
from tests.support.environment import child_environment
from tests.support.history import Clock, damage_pages, files, in_threads, moved_aside

PNG = b"\x89PNG picture"


def result(text: str) -> OcrResult:
    line = TextLine(text, Box(0, 0, 20, 200), (0.5,) * len(text))
    block = TextBlock(Box(0, 0, 20, 200), Direction.VERTICAL, (line,))
    return OcrResult(text, (block,), "fake", "cpu", 0.25)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.sqlite3"


@pytest.fixture
def history(path: Path, clock: Clock) -> Iterator[History]:
    store = History(path, clock)
    yield store
    store.close()


def add(history: History, text: str, image: bytes = PNG) -> int:
    row = history.add_pending(image, 10, 20, "snip")
    history.finish(row, result(text))
    return row


# --- states ----------------------------------------------------------------------------------------------


def test_the_picture_is_kept_before_anything_is_read(history: History, path: Path, clock: Clock) -> None:
    # When a picture is about to be read
    row = history.add_pending(PNG, 10, 20, "snip")
    # Then another connection sees row and picture, committed
    other = sqlite3.connect(path)
    assert other.execute("SELECT state FROM snips").fetchall() == [("pending",)]
    assert other.execute("SELECT png FROM images").fetchall() == [(PNG,)]
    other.close()
    # And the row tells what is known of it
    kept = history.get(row)
    assert kept is not None
    assert (kept.state, kept.width, kept.height, kept.source) == (State.PENDING, 10, 20, "snip")
    assert kept.created == clock.now
    assert history.image(row) == PNG
    assert history.result(row) is None


def test_a_finished_row_holds_all_that_was_read(history: History) -> None:
    row = add(history, "学校")
    kept = history.get(row)
    assert kept is not None
    assert (kept.state, kept.text, kept.engine, kept.device, kept.seconds) == (
        State.DONE,
        "学校",
        "fake",
        "cpu",
        0.25,
    )
    assert kept.error is None
    assert not kept.edited
    assert history.result(row) == result("学校")


def test_a_failed_row_keeps_its_error_for_translation_and_can_be_retried(history: History) -> None:
    row = history.add_pending(PNG, 1, 1, "snip")
    history.fail(row, ReadFailed(engine="fake", reason="no luck"))
    failed = history.get(row)
    assert failed is not None
    assert failed.state is State.FAILED
    assert isinstance(failed.error, ReadFailed)
    assert failed.error.params == {"engine": "fake", "reason": "no luck"}
    # When it is tried again and read
    assert history.retry(row)
    pending = history.get(row)
    assert pending is not None
    assert (pending.state, pending.error) == (State.PENDING, None)
    history.finish(row, result("よめた"))
    assert [r.text for r in history.list("よめた")] == ["よめた"]


def test_a_second_reading_that_fails_or_is_stopped_loses_no_text(history: History) -> None:
    row = add(history, "学校")
    history.retry(row)
    history.fail(row, ProcessDied(reason="signal 9"))
    assert [(r.text, r.state) for r in history.list("学校")] == [("学校", State.FAILED)]
    history.retry(row)
    history.cancel(row)
    assert [(r.text, r.state) for r in history.list("学校")] == [("学校", State.DONE)]


def test_a_first_reading_that_is_stopped_can_be_retried(history: History) -> None:
    row = history.add_pending(PNG, 1, 1, "snip")
    history.cancel(row)
    stopped = history.get(row)
    assert stopped is not None
    assert stopped.state is State.FAILED
    assert isinstance(stopped.error, Cancelled)


def test_rows_left_by_a_run_that_ended_early_are_failed_and_can_be_retried(path: Path) -> None:
    # Given a store that was never closed while a picture was read
    first = History(path)
    row = first.add_pending(PNG, 1, 1, "snip")
    # When the next run opens it
    second = History(path)
    left = second.get(row)
    # Then the row says so
    assert left is not None
    assert left.state is State.FAILED
    assert isinstance(left.error, Interrupted)
    assert left.error.retryable
    second.close()
    first.close()


def test_the_users_own_text_is_kept_and_found_in_place_of_what_was_read(history: History) -> None:
    row = add(history, "学枚")
    history.update_text(row, "学校")
    kept = history.get(row)
    assert kept is not None
    assert (kept.text, kept.edited) == ("学校", True)
    assert [r.id for r in history.list("校")] == [row]
    assert history.list("枚") == []
    assert history.result(row) == result("学枚")


def test_news_about_a_deleted_row_changes_nothing(history: History) -> None:
    row = history.add_pending(PNG, 1, 1, "snip")
    history.delete([row])
    assert not history.finish(row, result("x"))
    assert not history.fail(row, Cancelled())
    assert not history.cancel(row)
    assert not history.retry(row)
    assert not history.update_text(row, "x")
    assert history.list() == []
    # And its id is not given to the next picture, where late news would land
    following = history.add_pending(PNG, 1, 1, "snip")
    assert following > row
    history.clear()
    assert history.add_pending(PNG, 1, 1, "snip") > following


def test_rows_come_newest_first_page_by_page(history: History) -> None:
    rows = [add(history, f"{number}番") for number in range(25)]
    seen: list[int] = []
    before = None
    while page := history.list("番", limit=10, before_id=before):
        seen += [row.id for row in page]
        before = page[-1].id
    assert seen == rows[::-1]
    assert [row.id for row in history.list(limit=3)] == rows[:-4:-1]
    assert history.count() == 25


# --- search ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["学", "学校", "学校に", "きません", "学校 今日", "　今日　"])
def test_short_and_long_queries_find_japanese(history: History, query: str) -> None:
    row = add(history, "今日は学校に行きませんでした")
    add(history, "どこへ行くの？")
    assert [r.id for r in history.list(query)] == [row]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("Straße", "STRASSE"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("カ\u3099", "ガ"),
        ("え…", "え..."),
        ("学\n校", "学校"),
        ("㍿ヨミトリ", "株式会社"),
    ],
)
def test_forms_of_the_same_character_are_alike(history: History, text: str, query: str) -> None:
    row = add(history, text)
    assert [r.id for r in history.list(query)] == [row]
    spans = search.find_spans(text, query)
    assert spans
    assert all(0 <= start < end <= len(text) for start, end in spans)


@pytest.mark.parametrize(
    ("text", "query"), [("カギ", "かぎ"), ("学校", "校学"), ("学、校", "学校"), ("a b", "ab")]
)
def test_what_only_looks_alike_is_not_found(history: History, text: str, query: str) -> None:
    add(history, text)
    assert history.list(query) == []
    assert search.find_spans(text, query) == []


JAPANESE = st.text("学校今日はがガかカｶﾞ゛ーっ。、！!aAａZß1１…  \n", min_size=1, max_size=12)


@given(text=st.one_of(JAPANESE, st.text(st.characters(exclude_categories=["Cs"]), max_size=30)))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert search.fold(search.fold(text)) == search.fold(text)


@given(text=JAPANESE, query=JAPANESE)
def test_a_span_is_marked_exactly_where_the_text_matches(text: str, query: str) -> None:
    spans = search.find_spans(text, query)
    words = search.query_words(query)
    found = any(word in search.fold(text) for word in words)
    assert bool(spans) == found
    assert spans == sorted(spans)


@hypothesis_settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(JAPANESE, min_size=1, max_size=8), query=JAPANESE, data=st.data())
def test_a_search_finds_what_contains_the_query_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], query: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("history")
    history = History(folder / "history.sqlite3")
    try:
        for text in texts:
            add(history, text)
        # Any part of a text that is in the history, and any other query
        whole = search.fold(data.draw(st.sampled_from(texts)))
        start = data.draw(st.integers(0, len(whole)))
        part = whole[start : data.draw(st.integers(start, len(whole)))]
        for wanted in (part, query):
            words = search.query_words(wanted)
            expected = [text for text in reversed(texts) if all(w in search.fold(text) for w in words)]
            assert [row.text for row in history.list(wanted)] == expected
        assert whole in [search.fold(row.text) for row in history.list(part)]
    finally:
        history.close()
        shutil.rmtree(folder)


# --- deleting --------------------------------------------------------------------------------------------


def test_what_is_deleted_is_gone_from_the_files(history: History, path: Path) -> None:
    # Given many rows with marks of their own in text and picture, some long, some edited
    dice = random.Random(7)
    rows = {}
    for number in range(300):
        mark = f"<{number:04d}>"
        picture = f"[{number:04d}]".encode() * dice.choice([5, 60, 700, 3000])
        row = add(history, mark + "学校" * dice.randrange(200) + mark, picture)
        if dice.random() < 0.3:
            history.update_text(row, mark + "今日" * dice.randrange(200) + mark)
        rows[row] = number
    # When most are deleted, one by one and many at once
    gone = dice.sample(list(rows), 250)
    for row in gone[:15]:
        history.delete([row])
    history.delete(gone[15:])
    # Then nothing of them is in any file, and the others are whole
    raw = files(path.parent)
    for row, number in rows.items():
        assert (f"<{number:04d}>".encode() in raw) == (row not in gone)
        assert (f"[{number:04d}]".encode() in raw) == (row not in gone)
    assert history.count() == 50
    assert len(history.list(limit=100)) == 50


def test_the_file_shrinks_when_rows_are_deleted(history: History, path: Path) -> None:
    for number in range(20):
        add(history, str(number), os.urandom(100_000))
    full = path.stat().st_size + Path(f"{path}-wal").stat().st_size
    assert history.size_bytes() > 2_000_000
    assert history.clear() == 20
    assert history.count() == 0
    assert path.stat().st_size + Path(f"{path}-wal").stat().st_size < full / 20


def test_the_file_shrinks_when_some_rows_are_deleted(history: History, path: Path) -> None:
    rows = [add(history, str(number), os.urandom(100_000)) for number in range(20)]
    assert history.delete(rows[:15]) == 15
    assert path.stat().st_size < 800_000
    assert Path(f"{path}-wal").stat().st_size == 0


def test_old_rows_are_pruned_by_age(history: History, clock: Clock) -> None:
    old = add(history, "古い")
    clock.now += 20 * 86400
    new = add(history, "新しい")
    clock.now += 15 * 86400
    assert history.prune(0, 0) == 0
    assert history.prune(30, 0) == 1
    assert [row.id for row in history.list()] == [new]
    assert history.image(old) is None


def test_what_is_being_read_can_be_spared(history: History) -> None:
    reading, read = history.add_pending(PNG, 1, 1, "snip"), add(history, "学校")
    assert history.delete_settled([reading, read, 99]) == 1
    assert [row.id for row in history.list()] == [reading]


def test_the_oldest_rows_are_pruned_by_size_and_those_being_read_stay(history: History) -> None:
    reading = history.add_pending(os.urandom(200_000), 1, 1, "snip")
    rows = [add(history, str(number), os.urandom(200_000)) for number in range(20)]
    assert history.prune(0, 1) > 0
    assert history.size_bytes() <= 2**20
    left = [row.id for row in history.list()]
    assert left[-1] == reading
    assert left[:-1] == rows[::-1][: len(left) - 1]
    assert len(left) >= 4


# --- the files -------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_only_the_user_can_read_the_files(path: Path) -> None:
    old = os.umask(0o000)
    try:
        history = History(path)
        add(history, "秘密")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {
        "history.sqlite3": 0o600,
        "history.sqlite3-wal": 0o600,
        "history.sqlite3-shm": 0o600,
    }
    history.close()
    # A file that was opened to others is closed to them again
    path.chmod(0o644)
    History(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"this is no database" * 300, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_damaged_file_is_moved_aside_and_said(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    history = History(path)
    # The damaged file is kept, its name is told, and the new history works
    (aside,) = path.parent.glob("history.sqlite3.broken-*")
    assert aside.read_bytes() == content
    assert history.notice is not None
    assert aside.name in history.notice.message
    row = add(history, "学校")
    assert [r.id for r in history.list("学校")] == [row]
    history.close()


@pytest.mark.parametrize(
    ("mark", "call"),
    [
        (PNG, lambda history, row: history.image(row)),
        (b'"blocks"', lambda history, row: history.finish(row, result("x"))),
        (b'"blocks"', lambda history, row: history.delete([row])),
    ],
    ids=["reading", "writing", "deleting"],
)
def test_damage_found_while_in_use_is_said_and_moved_aside(
    path: Path, mark: bytes, call: Callable[[History, int], object]
) -> None:
    # Given a history whose pictures or results were damaged behind its back
    history = History(path)
    rows = [add(history, f"学校{number}", PNG + os.urandom(20_000)) for number in range(10)]
    history.close()
    damage_pages(path, mark)
    history = History(path)
    assert history.notice is None
    assert [row.id for row in history.list("学校")] == rows[::-1]
    # When they are needed
    with pytest.raises(HistoryDamaged) as caught:
        call(history, rows[0])
    # Then the user hears that the file was moved, and where to
    (aside,) = moved_aside(path)
    assert aside.name in caught.value.message
    assert "a new one was started" in caught.value.message
    assert history.notice is not None
    assert history.notice.message == caught.value.message
    # And goes on with a new one, in which late news of an old picture lands nowhere
    assert history.count() == 0
    assert not history.update_text(rows[-1], "x")
    row = add(history, "新しい")
    assert row > rows[-1]
    assert [r.id for r in history.list("新しい")] == [row]
    history.close()


def test_damage_that_many_threads_find_at_once_is_moved_aside_once(path: Path) -> None:
    # Given a damaged history
    history = History(path)
    rows = [add(history, "学校", PNG + os.urandom(20_000)) for _ in range(8)]
    history.close()
    damage_pages(path, PNG)
    history = History(path)
    # When readers and a deletion run into the damage together
    together = threading.Barrier(len(rows))
    said: list[BaseException] = []

    def work(row: int) -> None:
        together.wait()
        try:
            if row == rows[0]:
                history.delete([row])
            else:
                history.image(row)
        except BaseException as error:
            said.append(error)

    in_threads(work, rows)
    # Then whoever was told was told the same, and one file was moved
    assert {type(error) for error in said} == {HistoryDamaged}
    assert history.notice is not None
    assert {str(error) for error in said} == {history.notice.message}
    assert len(moved_aside(path)) == 1
    assert history.count() == 0
    history.close()


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("table", ["images", "recipes"])
def test_a_file_of_another_program_is_moved_aside_as_it_is(path: Path, table: str, version: int) -> None:
    # Given a sound SQLite file that is not ours, under our name
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute(f"CREATE TABLE {table} (name TEXT)")
    other.execute(f"INSERT INTO {table} VALUES ('theirs')")
    other.execute(f"PRAGMA user_version = {version}")
    other.commit()
    other.close()
    before = path.read_bytes()
    # When the history is opened
    history = History(path)
    # Then their file is kept unchanged, and the history works
    (aside,) = moved_aside(path)
    assert aside.read_bytes() == before
    assert history.notice is not None
    assert aside.name in history.notice.message
    row = add(history, "学校")
    assert [r.id for r in history.list("学校")] == [row]
    history.close()
    # And the next start finds its own file
    history = History(path)
    assert history.notice is None
    assert history.count() == 1
    history.close()


VERSION_1 = """
CREATE TABLE images (id INTEGER PRIMARY KEY AUTOINCREMENT, pad BLOB NOT NULL, png BLOB NOT NULL);
CREATE TABLE snips (
    id INTEGER PRIMARY KEY, created REAL NOT NULL, state TEXT NOT NULL, source TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, text TEXT NOT NULL DEFAULT '',
    edited INTEGER NOT NULL DEFAULT 0, folded TEXT NOT NULL DEFAULT '', engine TEXT NOT NULL DEFAULT '',
    device TEXT NOT NULL DEFAULT '', seconds REAL NOT NULL DEFAULT 0, error TEXT);
CREATE TABLE results (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE grams (gram TEXT NOT NULL, snip INTEGER NOT NULL, PRIMARY KEY (gram, snip)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def write_version_1(path: Path) -> list[int]:
    """A file as the version before conversations wrote it, with three snips, the last one never read."""
    path.parent.mkdir()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.executescript(VERSION_1)
    # An id of a row that was deleted since is not given away again
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('images', 7)")
    rows = []
    for number, text in enumerate(["学校", "今日は学校に行く", ""]):
        insert = "INSERT INTO images (pad, png) VALUES (zeroblob(4096), ?)"
        row = db.execute(insert, (PNG + str(number).encode() * 9000,)).lastrowid
        assert row is not None
        rows.append(row)
        db.execute(
            "INSERT INTO snips (id, created, state, source, width, height, text, folded, engine, device) "
            "VALUES (?, ?, ?, 'snip', 10, 20, ?, ?, 'fake', 'cpu')",
            (row, 1e9 + number, "done" if text else "pending", text, search.fold(text)),
        )
        if text:
            packed = json.dumps(result(text).to_json(), ensure_ascii=False)
            db.execute("INSERT INTO results VALUES (?, ?)", (row, packed))
            db.executemany("INSERT INTO grams VALUES (?, ?)", [(g, row) for g in search.grams(text)])
    db.close()
    return rows


def check_version_1_snips(history: History, rows: list[int]) -> None:
    assert history.notice is None
    assert [(row.id, row.text, row.state) for row in history.list()] == [
        (rows[2], "", State.FAILED),
        (rows[1], "今日は学校に行く", State.DONE),
        (rows[0], "学校", State.DONE),
    ]
    assert (
        [row.id for row in history.list("学校")]
        == [row.id for row in history.find_all("学校")]
        == rows[1::-1]
    )
    assert [history.image(row) for row in rows] == [PNG + str(n).encode() * 9000 for n in range(3)]
    assert history.result(rows[0]) == result("学校")


def version(path: Path) -> int:
    db = sqlite3.connect(path)
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    return found


def test_a_file_of_version_1_is_brought_up_to_date(path: Path) -> None:
    rows = write_version_1(path)
    assert rows == [8, 9, 10]
    history = History(path)
    check_version_1_snips(history, rows)
    # And takes conversations, with ids of their own
    talk = history.conversations.create()
    assert talk > rows[-1]
    assert history.conversations.add_question(talk, "学校？")
    assert [row.id for row in history.find_all("学校")] == [talk, *rows[1::-1]]
    assert history.delete([rows[0]]) == 1
    assert history.conversations.delete([talk]) == 1
    history.close()
    assert version(path) == 2
    History(path).close()
    assert version(path) == 2


def test_old_and_new_files_have_the_same_tables(path: Path) -> None:
    def schema(file: Path) -> list[tuple[str, str, str]]:
        db = sqlite3.connect(file)
        found = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        db.close()
        return sorted((kind, name, "".join(sql.split())) for kind, name, sql in found)

    write_version_1(path)
    History(path).close()
    fresh = path.with_name("fresh.sqlite3")
    History(fresh).close()
    assert schema(path) == schema(fresh)
    # And still the same after a deletion has written them anew
    history = History(fresh)
    history.delete([add(history, "学校")])
    history.conversations.delete([history.conversations.create()])
    history.close()
    assert [(kind, name) for kind, name, _ in schema(path)] == [
        (kind, name) for kind, name, _ in schema(fresh)
    ]


DIES_AT = """
import os, signal, sqlite3, sys
from pathlib import Path
from core.history import History
left = int(sys.argv[2])
connect = sqlite3.connect
def statement(sql):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def dying(*args, **kwargs):
    db = connect(*args, **kwargs)
    db.set_trace_callback(statement)
    return db
sqlite3.connect = dying
History(Path(sys.argv[1]))
print("opened")
os._exit(0)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_a_kill_at_any_statement_of_bringing_it_up_to_date_loses_nothing(tmp_path: Path) -> None:
    seen = []
    for statement in range(1, 100, 3):
        # When the program is killed before that statement of the first opening
        path = tmp_path / str(statement) / "history.sqlite3"
        rows = write_version_1(path)
        command = [sys.executable, "-c", DIES_AT, str(path), str(statement)]
        done = subprocess.run(command, capture_output=True, text=True, env=_env())
        # Then the file is whole, of one version or the other, and the next start has it all
        seen.append(version(path))
        history = History(path)
        check_version_1_snips(history, rows)
        history.close()
        assert version(path) == 2
        if done.stdout == "opened\n":
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout == "opened\n"
    assert seen.count(1) > 5
    assert seen == sorted(seen)


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    History(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="newer version"):
        History(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["history.sqlite3"]


def test_a_closed_history_says_so(path: Path) -> None:
    history = History(path)
    history.close()
    history.close()
    with pytest.raises(StorageError, match="closed"):
        history.count()


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="cannot be used"):
        History(tmp_path / "data" / "history.sqlite3")


@pytest.mark.skipif(os.name != "posix", reason="uses mount or file size limits")
def test_a_full_disk_is_said_and_what_is_there_stays(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount a small disk")
    try:
        # Given a disk that a few pictures fill
        history = History(folder / "data" / "history.sqlite3")
        kept = []
        with pytest.raises(DiskFull) as caught:  # noqa: PT012 - which one of them fails is up to the disk
            for number in range(30):
                kept.append(add(history, f"学校{number}", os.urandom(300_000)))
        assert "disk is full" in caught.value.message
        # Then all that was kept can be read, and clearing makes room again
        assert len(kept) >= 2
        assert [row.id for row in history.list("学校")] == kept[::-1]
        assert history.clear() >= len(kept)
        add(history, "今日", os.urandom(100_000))
        assert [row.text for row in history.list()] == ["今日"]
        history.close()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


LIMITED = """
import resource, sys
from pathlib import Path
from core.errors import StorageError
from core.history import History
history = History(Path(sys.argv[1]))
row = history.add_pending(b"x" * 1000, 1, 1, "snip")
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    history.add_pending(b"x" * 1_000_000, 1, 1, "snip")
except StorageError as error:
    print("refused", [r.id for r in history.list()] == [row])
"""


@pytest.mark.skipif(os.name != "posix", reason="uses file size limits")
def test_a_write_that_the_system_refuses_is_said_and_loses_nothing(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True, env=_env()
    )
    assert done.stdout == "refused True\n"


WRITER = """
import os, sys
from pathlib import Path
from core.history import History
from core.types import OcrResult
history = History(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    row = history.add_pending(f"picture {number} ".encode() * 2000, 1, 1, "snip")
    history.finish(row, OcrResult(f"学校 {number}", (), "fake", "cpu", 0.1))
    # In one piece, however Python buffers its output.
    print(f"{row} {number}\\n", end="", flush=True)
    if number % 5 == 0:
        history.update_text(row - 1, f"今日 {number - 1}")
    if number % 7 == 0:
        history.delete([row])
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_a_kill_at_any_moment_leaves_every_finished_row_whole(path: Path) -> None:
    dice = random.Random(3)
    finished: dict[int, int] = {}
    for run in range(6):
        # When a writer is killed at a random moment
        start = run * 1000
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(start)],
            stdout=subprocess.PIPE,
            text=True,
            env=_env(),
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        time.sleep(dice.random() * 0.3)
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().splitlines()
        writer.stdout.close()
        writer.wait()
        finished |= {int(row): int(number) for row, number in (line.split() for line in lines)}
        # Then the file is sound, and every row that was reported is whole
        history = History(path)
        assert history.notice is None
        kept = {row.id: row for row in history.list(limit=100_000)}
        for row, number in finished.items():
            if number % 7 == 0 and row not in kept:
                continue
            assert kept[row].state is State.DONE
            assert kept[row].text in (f"学校 {number}", f"今日 {number}")
            assert history.image(row) == f"picture {number} ".encode() * 2000
        assert {row.id for row in history.list("学校", limit=100_000)} == {
            row.id for row in kept.values() if row.text.startswith("学校")
        }
        history.close()
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()
    assert len(finished) > 6


def test_many_threads_may_use_it_at_once(history: History) -> None:
    problems: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(15):
                row = add(history, f"学校 {name} {number}")
                assert [r.id for r in history.list(f"学校 {name} {number}")].count(row) == 1
                if number % 3 == 0:
                    history.delete([row])
        except BaseException as problem:
            problems.append(problem)

    in_threads(work, range(4))
    assert problems == []
    assert history.count() == 4 * 10


def test_reading_does_not_wait_for_writing(path: Path) -> None:
    # Given a row, and a writer that stands still in the middle of its transaction
    inside, go_on = threading.Event(), threading.Event()
    stand_still = False

    def clock() -> float:
        if stand_still:
            inside.set()
            assert go_on.wait(60)
        return 1.0

    history = History(path, clock)
    row = add(history, "学校")
    stand_still = True
    writer = threading.Thread(target=history.add_pending, args=(PNG, 1, 1, "snip"))
    writer.start()
    assert inside.wait(60)
    # When another thread reads
    seen: list[object] = []

    def read() -> None:
        seen.append([r.id for r in history.list()])
        seen.append([r.id for r in history.list("学校")])
        seen.append(history.image(row))
        seen.append(history.result(row))
        seen.append(history.get(row) is not None)
        seen.append(history.count())
        history.size_bytes()

    reader = threading.Thread(target=read)
    reader.start()
    reader.join(30)
    waited = reader.is_alive()
    go_on.set()
    writer.join()
    reader.join()
    # Then it was not kept waiting, and saw what was there before
    assert not waited
    assert seen == [[row], [row], PNG, result("学校"), True, 1]
    assert history.count() == 2
    history.close()


def test_reading_goes_on_beside_deletions_which_still_leave_nothing(path: Path) -> None:
    # Given threads that read without a pause
    history = History(path)
    marks = {add(history, f"<{n:04d}>学校", f"[{n:04d}]".encode() * 900): n for n in range(60)}
    done = threading.Event()
    problems: list[BaseException] = []
    rounds = [0, 0, 0]

    def read(name: int) -> None:
        dice = random.Random(name)
        try:
            while not done.is_set():
                rounds[name] += 1
                rows = history.list("学校")
                assert [row.id for row in rows] == sorted((row.id for row in rows), reverse=True)
                row = dice.choice(list(marks))
                assert history.image(row) in (None, f"[{marks[row]:04d}]".encode() * 900)
                kept = history.get(row)
                assert kept is None or kept.text == f"<{marks[row]:04d}>学校"
                assert history.size_bytes() > 0
        except BaseException as problem:
            problems.append(problem)

    readers = [threading.Thread(target=read, args=(name,)) for name in range(len(rounds))]
    for reader in readers:
        reader.start()
    # When rows are deleted one after another, and then many at once
    gone = list(marks)[:50]
    for row in gone[:20]:
        assert history.delete([row]) == 1
    assert history.delete(gone[20:]) == 30
    # Then nothing of them is in any file, though nobody has stopped reading
    raw = files(path.parent)
    log_size = Path(f"{path}-wal").stat().st_size
    # And clearing, with the same readers, empties it all
    assert history.clear() == 10
    assert history.list() == []
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert all(rounds)
    assert log_size == 0
    for row, number in marks.items():
        assert (f"<{number:04d}>".encode() in raw) == (row not in gone)
        assert (f"[{number:04d}]".encode() in raw) == (row not in gone)
    history.close()
    assert b"[0059]" not in files(path.parent)
    assert [file.name for file in path.parent.iterdir()] == ["history.sqlite3"]


def _env() -> dict[str, str]:
    return child_environment(os.environ)
