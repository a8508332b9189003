"""Revisions beside one another: updates, rolling back, removing, checking, cleaning up."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import (
    AlreadyDownloading,
    HubError,
    HubUnreachable,
    ModelMissing,
    NoEarlierRevision,
    ProcessDied,
)
from core.models.layout import RepoCache
from core.models.lock import try_lock
from core.models.records import ModelRecord
from tests.core.models.parts import REPO, STALL, Shelf, tree, write_checkpoint
from tests.support.stub_hub import StubHub

WEIGHTS = "model.safetensors"


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Three revisions; the vocabulary and most texts are the same in all."""
    return [write_checkpoint(tmp_path / f"v{seed}", 300_000, seed) for seed in range(3)]


@pytest.fixture
def served(hub: StubHub, folders: list[Path]) -> StubHub:
    hub.add_repo(REPO, folders[0], "refs/pr/4")
    return hub


def loaded(shelf: Shelf) -> str:
    checkpoint = shelf.library.lookup("ocr", "tiny")
    return checkpoint.commit if checkpoint else ""


# ---- updates


def test_an_update_is_found_fetched_beside_and_switched_to(
    served: StubHub, shelf: Shelf, folders: list[Path]
) -> None:
    first = shelf.library.download("tiny").result(STALL).commit
    assert not shelf.library.check_update("tiny").result(STALL).changed
    second = served.add_commit(REPO, folders[1], "refs/pr/4")
    # the hub has a newer one; only what differs has to be fetched
    update = shelf.library.check_update("tiny").result(STALL)
    assert (update.current, update.latest, update.changed) == (first, second, True)
    assert update.size < 301_000
    # a plain download stays with what is in use
    assert shelf.library.download("tiny").result(STALL).commit == first
    served.forget()
    done = shelf.library.update("tiny", on_progress=shelf.on_progress).result(STALL)
    assert (done.commit, loaded(shelf)) == (second, second)
    assert "vocab.txt" not in served.sent
    entry = shelf.library.model("tiny")
    assert {revision.commit for revision in entry.revisions} == {first, second}
    assert entry.earlier == first
    # and what is loaded now needs no hub
    assert [revision.commit for revision in entry.revisions if revision.current] == [second]


def test_an_update_that_is_killed_changes_nothing(served: StubHub, shelf: Shelf, folders: list[Path]) -> None:
    first = shelf.library.download("tiny").result(STALL).commit
    served.add_commit(REPO, folders[1], "refs/pr/4")
    served.slow(200_000, WEIGHTS)
    shelf.kill_at(lambda piece: piece.phase == "download" and piece.file == WEIGHTS)
    with pytest.raises(ProcessDied):
        shelf.library.update("tiny", on_progress=shelf.on_progress).result(STALL)
    assert loaded(shelf) == first
    assert shelf.library.model("tiny").state == "ready"
    assert RepoCache(shelf.root, REPO).resolve("refs/pr/4") == first


def test_rolling_back_goes_to_the_one_before(served: StubHub, shelf: Shelf, folders: list[Path]) -> None:
    with pytest.raises(NoEarlierRevision, match="no earlier revision of A tiny model"):
        shelf.library.roll_back("tiny")
    commits = [shelf.library.download("tiny").result(STALL).commit]
    for folder in folders[1:]:
        served.add_commit(REPO, folder, "refs/pr/4")
        commits.append(shelf.library.update("tiny").result(STALL).commit)
    assert loaded(shelf) == commits[2]
    # back, further back, and round
    assert shelf.library.roll_back("tiny") == commits[1] == loaded(shelf)
    assert shelf.library.roll_back("tiny") == commits[0] == loaded(shelf)
    assert shelf.library.roll_back("tiny") == commits[2] == loaded(shelf)
    # one that is gone is passed over
    shelf.library.remove("tiny", commits[1]).result(STALL)
    assert shelf.library.roll_back("tiny") == commits[0]


def test_the_revision_in_use_stays_when_the_hub_is_gone(served: StubHub, shelf: Shelf) -> None:
    commit = shelf.library.download("tiny").result(STALL).commit
    served.fail(times=None)
    assert loaded(shelf) == commit
    with pytest.raises(HubUnreachable):
        shelf.library.check_update("tiny").result(STALL)
    assert all(check.ok for check in shelf.library.verify("tiny").result(STALL))


# ---- removing


def test_removing_a_revision_keeps_what_the_other_needs(
    served: StubHub, shelf: Shelf, folders: list[Path]
) -> None:
    first = shelf.library.download("tiny").result(STALL).commit
    served.add_commit(REPO, folders[1], "refs/pr/4")
    second = shelf.library.update("tiny").result(STALL).commit
    before = shelf.library.model("tiny").disk_bytes
    freed = shelf.library.remove("tiny", first).result(STALL)
    assert 300_000 < freed < 301_000
    assert shelf.library.model("tiny").disk_bytes <= before - freed
    assert [revision.commit for revision in shelf.library.model("tiny").revisions] == [second]
    assert all(check.ok for check in shelf.library.verify("tiny").result(STALL))
    assert loaded(shelf) == second


def test_removing_the_revision_in_use_falls_back_to_the_one_before(
    served: StubHub, shelf: Shelf, folders: list[Path]
) -> None:
    first = shelf.library.download("tiny").result(STALL).commit
    served.add_commit(REPO, folders[1], "refs/pr/4")
    second = shelf.library.update("tiny").result(STALL).commit
    shelf.library.remove("tiny", second).result(STALL)
    assert loaded(shelf) == first
    assert RepoCache(shelf.root, REPO).resolve("refs/pr/4") is None


def test_removing_a_model_leaves_nothing_but_other_models(
    served: StubHub, shelf: Shelf, folders: list[Path]
) -> None:
    served.add_repo("someone/else", folders[1], licence="mit")
    shelf.library.download("someone/else").result(STALL)
    others = [name for name in tree(shelf.root) if not name.startswith(".locks")]
    shelf.library.download("tiny").result(STALL)
    size = shelf.library.model("tiny").disk_bytes
    assert shelf.library.remove("tiny").result(STALL) >= size - 200
    assert [name for name in tree(shelf.root) if not name.startswith(".locks")] == others
    assert shelf.library.model("tiny").state == "missing"
    assert shelf.library.lookup("ocr", "someone/else") is not None
    shelf.wait_for_event("changed")


def test_removing_works_where_a_link_leads_nowhere(served: StubHub, shelf: Shelf) -> None:
    commit = shelf.library.download("tiny").result(STALL).commit
    (RepoCache(shelf.root, REPO).snapshot(commit) / WEIGHTS).resolve().unlink()
    assert loaded(shelf) == ""
    shelf.library.remove("tiny", commit).result(STALL)
    assert not RepoCache(shelf.root, REPO).folder.exists()


def test_removing_follows_no_link_out_of_the_cache(served: StubHub, shelf: Shelf, tmp_path: Path) -> None:
    commit = shelf.library.download("tiny").result(STALL).commit
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    snapshot = RepoCache(shelf.root, REPO).snapshot(commit)
    (snapshot / "elsewhere").symlink_to(precious / "file")
    (snapshot / "folder").symlink_to(precious, target_is_directory=True)
    shelf.library.remove("tiny").result(STALL)
    assert (precious / "file").read_text() == "mine"


def test_a_model_that_is_being_changed_is_not_removed(served: StubHub, shelf: Shelf) -> None:
    shelf.library.download("tiny").result(STALL)
    lock = try_lock(RepoCache(shelf.root, REPO).lock)
    assert lock is not None
    with lock, pytest.raises(AlreadyDownloading):
        shelf.library.remove("tiny").result(STALL)
    assert loaded(shelf)


def test_what_repositories_share_goes_with_its_last_user(shelf: Shelf, tmp_path: Path) -> None:
    """The hub's library keeps some contents once for all repositories and links to them."""
    name, content = "e" * 64, b"x" * 5000
    store = shelf.root / "blobs"
    (store / "ee").mkdir(parents=True)
    (store / ".huggingface-shared-blobs").write_text("1\n")
    (store / "ee" / name).write_bytes(content)
    repos = (REPO, "someone/else")
    users = []
    for repo in repos:
        cache = RepoCache(shelf.root, repo)
        cache.blobs.mkdir(parents=True)
        folder = write_checkpoint(cache.snapshot("a" * 40), 1000)
        blob = cache.blobs / ("f" * 64)
        blob.symlink_to(f"../../blobs/ee/{name}")
        (folder / "extra.safetensors").symlink_to(f"../../blobs/{blob.name}")
        users.append(blob.relative_to(shelf.root).as_posix())
    (store / "ee" / f"{name}.refs").write_text("".join(f"{user}\n" for user in users))
    first = shelf.library.remove(REPO, "a" * 40).result(STALL)
    assert first < 5000
    assert (store / "ee" / name).exists()
    second = shelf.library.remove("someone/else", "a" * 40).result(STALL)
    assert second == first + 5000
    assert not (store / "ee" / name).exists()


# ---- checking


def test_a_file_that_is_missing_is_told(served: StubHub, shelf: Shelf) -> None:
    commit = shelf.library.download("tiny").result(STALL).commit
    (RepoCache(shelf.root, REPO).snapshot(commit) / "tokenizer_config.json").unlink()
    checks = {check.name: check for check in shelf.library.verify("tiny").result(STALL)}
    assert (checks["tokenizer_config.json"].ok, checks["tokenizer_config.json"].detail) == (
        False,
        "is missing",
    )
    assert sum(not check.ok for check in checks.values()) == 1


def test_a_link_to_another_content_is_told(served: StubHub, shelf: Shelf) -> None:
    commit = shelf.library.download("tiny").result(STALL).commit
    snapshot = RepoCache(shelf.root, REPO).snapshot(commit)
    target = (snapshot / "vocab.txt").readlink()
    (snapshot / "special_tokens_map.json").unlink()
    (snapshot / "special_tokens_map.json").symlink_to(target)
    checks = {check.name: check for check in shelf.library.verify("tiny").result(STALL)}
    assert checks["special_tokens_map.json"].detail == "is not the file that was downloaded"


def test_nothing_to_check_is_said(shelf: Shelf) -> None:
    with pytest.raises(ModelMissing):
        shelf.library.verify("tiny").result(STALL)


# ---- cleaning up


def test_what_other_programs_left_is_found_and_removed_once_it_is_old(served: StubHub, shelf: Shelf) -> None:
    cache = RepoCache(shelf.root, REPO)
    cache.blobs.mkdir(parents=True)
    old, new = cache.blobs / f"{'0' * 64}.1a2b3c4d.incomplete", cache.blobs / f"{'1' * 64}.incomplete"
    for path in (old, new):
        path.write_bytes(b"x" * 1000)
    hours = time.time() - 7200
    os.utime(old, (hours, hours))
    assert shelf.library.model("tiny").partial_bytes == 2000
    assert shelf.library.partials() == {REPO: 2000}
    # what was written to a moment ago may still be in use
    assert shelf.library.discard_partial("tiny") == 1000
    assert (old.exists(), new.exists()) == (False, True)


def test_the_last_use_is_kept_and_told(served: StubHub, shelf: Shelf) -> None:
    shelf.library.download("tiny").result(STALL)
    checkpoint = shelf.library.lookup("ocr", "tiny")
    assert checkpoint is not None
    assert shelf.library.model("tiny").revisions[0].last_used == ""
    shelf.library.touch(checkpoint)
    used = shelf.library.model("tiny").revisions[0].last_used
    assert datetime.now(UTC) - datetime.fromisoformat(used) < timedelta(minutes=5)
    # a second use within the hour writes nothing; a later one does
    path = shelf.paths.data / "models.json"
    stamp = path.stat().st_mtime_ns
    shelf.library.touch(checkpoint)
    assert path.stat().st_mtime_ns == stamp

    def long_ago(record: ModelRecord) -> None:
        record.used[checkpoint.commit] = "2020-01-01T00:00:00+00:00"

    shelf.library.records.update(REPO, long_ago)
    shelf.library.touch(checkpoint)
    assert shelf.library.model("tiny").revisions[0].last_used >= used


def test_a_failure_is_told_to_listeners(hub: StubHub, shelf: Shelf) -> None:
    with pytest.raises(HubError):
        shelf.library.download("tiny").result(STALL)
    event = shelf.wait_for_event("failed")
    assert event.repo == REPO
    assert isinstance(event.error, HubError)
