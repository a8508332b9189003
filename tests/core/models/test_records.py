"""What is remembered of models, whoever writes it, and whatever happens to the file."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.models.lock import locked, try_lock
from core.models.records import FileRecord, ModelRecord, Records
from tests.support.environment import ROOT

REPO = "a/b"


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "data" / "models.json")


def test_what_is_kept_is_read_by_another(records: Records, tmp_path: Path) -> None:
    def change(record: ModelRecord) -> None:
        record.use("1")
        record.files["1"] = {"config.json": FileRecord(5, "abc")}
        record.used["1"] = "2026-01-01T00:00:00+00:00"

    records.update(REPO, change)
    records.accept(REPO, "cc-by-nc-4.0")
    again = Records(tmp_path / "data" / "models.json")
    record = again.model(REPO)
    assert record is not None
    assert (record.commit, record.files["1"]["config.json"].size) == ("1", 5)
    accepted = again.accepted(REPO)
    assert accepted is not None
    assert accepted.licence == "cc-by-nc-4.0"
    # the date of an acceptance is that of the first
    again.accept(REPO, "cc-by-nc-4.0")
    assert again.accepted(REPO) == accepted
    again.forget(REPO)
    assert again.model(REPO) is None
    assert again.accepted(REPO) == accepted


def test_the_revisions_before_the_one_in_use() -> None:
    record = ModelRecord()
    for commit in ("1", "2", "2", "3", "1"):
        record.use(commit)
    assert (record.commit, record.previous) == ("1", ["2", "3"])
    record.forget("3")
    assert (record.commit, record.previous) == ("1", ["2"])
    record.forget("1")
    assert (record.commit, record.previous) == ("2", [])


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"models": 5}', '{"licences": {}, "models": {"a": 5}}'])
def test_a_damaged_file_is_moved_aside(records: Records, tmp_path: Path, text: str) -> None:
    path = tmp_path / "data" / "models.json"
    path.parent.mkdir()
    path.write_text(text)
    assert records.models() == {}
    records.update(REPO, lambda record: record.use("1"))
    assert records.model(REPO) is not None
    assert [aside.read_text() for aside in path.parent.glob("models.json.broken-*")] == [text]


def test_what_a_newer_version_wrote_is_read_as_far_as_it_goes(records: Records, tmp_path: Path) -> None:
    records.update(REPO, lambda record: record.use("1"))
    path = tmp_path / "data" / "models.json"
    tree = json.loads(path.read_text())
    tree["models"][REPO]["from_the_future"] = True
    path.write_text(json.dumps(tree))
    record = records.model(REPO)
    assert record is not None
    assert record.commit == "1"


def test_a_folder_that_cannot_be_written_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    records = Records(tmp_path / "file" / "models.json")
    records.update(REPO, lambda record: record.use("1"))
    assert records.models() == {}
    assert "was not written" in caplog.text


def test_writers_in_several_processes_lose_nothing(records: Records, tmp_path: Path) -> None:
    path = tmp_path / "data" / "models.json"
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from core.models.records import Records
records = Records(Path({str(path)!r}))
for number in range(20):
    records.update(f"theirs/{{number}}", lambda record: record.use("1"))
"""
    other = subprocess.Popen([sys.executable, "-c", program])

    def write(owner: str) -> None:
        for number in range(20):
            records.update(f"{owner}/{number}", lambda record: record.use("1"))

    threads = [threading.Thread(target=write, args=(owner,)) for owner in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other.wait(60) == 0
    assert len(records.models()) == 60


def test_a_lock_is_dropped_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    program = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from core.models.lock import try_lock
lock = try_lock(Path({str(path)!r}))
print("held", flush=True)
time.sleep(600)
"""
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    with other, other.stdout:
        assert other.stdout.readline() == "held\n"
        assert try_lock(path) is None
        with locked(path, limit=0.05) as held:
            assert not held
        other.kill()
    with locked(path, limit=10.0) as held:
        assert held
        assert try_lock(path) is None
