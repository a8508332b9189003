"""Downloads: real child processes, a real server, and what goes wrong between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import (
    AlreadyDownloading,
    Cancelled,
    DownloadDamaged,
    HubAddressWrong,
    HubBusy,
    HubNotFound,
    HubOffline,
    HubRefused,
    HubUnreachable,
    LicenceNotAccepted,
    ModelsFolderUnusable,
    ModelUnknown,
    NotEnoughDisk,
    ProcessDied,
    YomitoriError,
)
from core.models.catalogue import KnownFile, KnownRevision
from core.models.layout import RepoCache
from core.models.lock import try_lock
from tests.core.models.parts import (
    REPO,
    STALL,
    Shelf,
    children,
    known,
    write_checkpoint,
    write_safetensors,
    write_texts,
)
from tests.core.models.small_disk import FREE, LARGEST, ROOM, SMALL_DISK
from tests.support.environment import child_environment
from tests.support.stub_hub import StubHub

WEIGHTS = "model.safetensors"
SIZE = 4_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "source", SIZE)


@pytest.fixture
def served(hub: StubHub, source: Path) -> StubHub:
    """The hub with the tiny model at its safetensors revision."""
    hub.add_repo(REPO, source, "refs/pr/4")
    return hub


def partial_size(shelf: Shelf) -> int:
    return sum(partial.size for partial in RepoCache(shelf.root, REPO).partials())


# ---- what a download does


def test_a_download_is_planned_made_and_loads_without_asking_again(served: StubHub, shelf: Shelf) -> None:
    # given a plan that tells what is to come
    plan = shelf.library.plan_download("tiny").result(STALL)
    assert SIZE < plan.total_bytes < SIZE + 1000
    assert (plan.have_bytes, plan.disk_bytes) == (0, plan.total_bytes)
    assert plan.free_disk > plan.total_bytes
    assert (plan.licence, plan.licence_open) == ("apache-2.0", True)
    assert shelf.library.lookup("ocr", "tiny") is None
    assert shelf.library.model("tiny").state == "missing"
    # when it is downloaded
    done = shelf.library.download("tiny", on_progress=shelf.on_progress).result(STALL)
    # then every byte came once, and only of files that loading needs
    assert done.received_bytes == done.total_bytes == plan.total_bytes == served.total_sent
    assert {"README.md", "flax_model.msgpack"}.isdisjoint(served.sent)
    assert not done.converted
    # and it is there, pinned, without another question to the hub
    served.forget()
    checkpoint = shelf.library.lookup("ocr", "tiny")
    assert checkpoint is not None
    assert checkpoint.commit == plan.commit
    assert (checkpoint.folder / WEIGHTS).stat().st_size > SIZE
    entry = shelf.library.model("tiny")
    assert entry.state == "ready"
    assert entry.current is not None
    assert (entry.current.commit, entry.partial_bytes) == (plan.commit, 0)
    assert served.requests == []
    shelf.wait_for_event("ready")


def test_progress_tells_bytes_rate_and_time_left(served: StubHub, shelf: Shelf) -> None:
    served.slow(4_000_000, WEIGHTS)
    done = shelf.library.download("tiny", on_progress=shelf.on_progress).result(STALL)
    steps = [piece for piece in shelf.pieces if piece.phase == "download"]
    amounts = [piece.done_bytes for piece in steps]
    assert amounts == sorted(amounts)
    assert amounts[-1] == done.total_bytes
    assert all(piece.total_bytes == done.total_bytes for piece in steps)
    middle = next(piece for piece in steps if 0.3 < piece.done_bytes / piece.total_bytes < 0.9)
    assert middle.file == WEIGHTS
    # The stub sends 4 MB a second; what is told is a mean over the last seconds.
    assert 400_000 < middle.rate < 40_000_000
    assert middle.seconds_left is not None
    assert middle.seconds_left > 0
    shelf.wait_for_event("ready")


def test_the_hubs_own_library_finds_what_was_downloaded(served: StubHub, shelf: Shelf) -> None:
    commit = shelf.library.download("tiny").result(STALL).commit
    program = f"""
from huggingface_hub import scan_cache_dir, snapshot_download
print(snapshot_download({REPO!r}, revision="refs/pr/4", cache_dir={str(shelf.root)!r}))
cache = scan_cache_dir({str(shelf.root)!r})
print(len(cache.repos), len(cache.warnings), next(iter(cache.repos)).refs.keys() == {{"refs/pr/4"}})
"""
    environment = child_environment(os.environ | {"HF_HUB_OFFLINE": "1"})
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    path, facts = run.stdout.splitlines()
    assert Path(path) == RepoCache(shelf.root, REPO).snapshot(commit)
    assert facts == "1 0 True"


def test_what_another_program_downloaded_counts_and_is_not_fetched_again(
    served: StubHub, shelf: Shelf
) -> None:
    # given a cache that the hub's own library filled
    program = f"""
from huggingface_hub import snapshot_download
snapshot_download({REPO!r}, revision="refs/pr/4", cache_dir={str(shelf.root)!r})
"""
    subprocess.run([sys.executable, "-c", program], env=child_environment(os.environ), check=True)
    served.forget()
    # then the model is there, and a download only checks it
    checkpoint = shelf.library.lookup("ocr", "tiny")
    assert checkpoint is not None
    done = shelf.library.download("tiny").result(STALL)
    assert (done.received_bytes, served.total_sent) == (0, 0)
    # and the first use pins its commit
    shelf.library.touch(checkpoint)
    record = shelf.library.records.model(REPO)
    assert record is not None
    assert record.commit == checkpoint.commit


def test_a_hub_id_with_a_revision_can_be_downloaded(hub: StubHub, shelf: Shelf, source: Path) -> None:
    other = "someone/else"
    hub.add_repo(other, source, licence="mit")
    assert shelf.library.download(f"{other}@main").result(STALL).revision == "main"
    checkpoint = shelf.library.lookup("ocr", other)
    assert checkpoint is not None
    assert [entry.repo for entry in shelf.library.models("ocr")] == [REPO, other]
    assert shelf.library.lookup("ocr", f"{other}@main") == checkpoint
    assert shelf.library.lookup("ocr", f"{other}@v2") is None


@pytest.mark.parametrize("name", ["nothing", "a/b/c", "../../etc", "owner/..", "a--b/c", "o/n@../../x", ""])
def test_a_name_that_is_none_is_said_at_once(shelf: Shelf, name: str) -> None:
    with pytest.raises(ModelUnknown):
        shelf.library.download(name)


def test_weights_in_several_parts_come_whole(hub: StubHub, shelf: Shelf, tmp_path: Path) -> None:
    source = write_texts(tmp_path / "parts")
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for seed, name in enumerate(names):
        write_safetensors(source / name, 100_000, seed)
    (source / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict(zip("ab", names, strict=True))})
    )
    (source / "pytorch_model.bin").write_bytes(b"not needed")
    hub.add_repo(REPO, source, "refs/pr/4")
    # given a connection that breaks off in the second part
    hub.drop(after=0.0, file=names[1], times=None)
    with pytest.raises(HubUnreachable):
        shelf.library.download("tiny").result(STALL)
    assert shelf.library.lookup("ocr", "tiny") is None
    hub.heal()
    hub.forget()
    # then the first part is not fetched again
    done = shelf.library.download("tiny").result(STALL)
    assert set(hub.sent) & {*names, "pytorch_model.bin"} == {names[1]}
    assert done.total_bytes > 200_000
    assert shelf.library.lookup("ocr", "tiny") is not None


# ---- resuming


def test_a_process_killed_at_sixty_percent_leaves_something_to_go_on_with(
    served: StubHub, shelf: Shelf
) -> None:
    # given a download whose process is killed at 60 %
    served.slow(4_000_000, WEIGHTS, times=1)
    shelf.kill_at(lambda piece: piece.done_bytes >= 0.6 * piece.total_bytes)
    with pytest.raises(ProcessDied, match="SIGKILL"):
        shelf.library.download("tiny", on_progress=shelf.on_progress).result(STALL)
    at = shelf.pieces[-1]
    # then what was received is kept, nothing loads, and the plan says what is left
    kept = partial_size(shelf)
    assert kept >= at.done_bytes - 1000 >= 0.59 * at.total_bytes
    assert shelf.library.lookup("ocr", "tiny") is None
    assert shelf.library.model("tiny").state == "partial"
    plan = shelf.library.plan_download("tiny").result(STALL)
    assert plan.have_bytes >= kept
    # when it is started again
    served.forget()
    done = shelf.library.download("tiny").result(STALL)
    # then at most 45 % of the bytes travel, and 95 % of what was there is kept
    assert served.total_sent <= 0.45 * done.total_bytes
    assert served.total_sent <= done.total_bytes - 0.95 * kept
    assert done.received_bytes == served.total_sent
    assert shelf.library.lookup("ocr", "tiny") is not None
    assert shelf.library.model("tiny").partial_bytes == 0


def test_a_paused_download_goes_on_where_it_stopped(served: StubHub, shelf: Shelf) -> None:
    served.slow(1_500_000, WEIGHTS, times=1)
    job = shelf.library.download("tiny", on_progress=shelf.on_progress)
    shelf.wait_for(lambda piece: piece.done_bytes >= 0.3 * piece.total_bytes)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    kept = partial_size(shelf)
    assert kept > 0.25 * SIZE
    served.forget()
    done = shelf.library.download("tiny").result(STALL)
    assert served.total_sent <= done.total_bytes - 0.95 * kept


def test_a_cancelled_download_can_be_forgotten(served: StubHub, shelf: Shelf) -> None:
    served.slow(1_500_000, WEIGHTS, times=1)
    job = shelf.library.download("tiny", on_progress=shelf.on_progress)
    shelf.wait_for(lambda piece: piece.done_bytes >= 0.3 * piece.total_bytes)
    # while it runs, nothing is taken away under it
    with pytest.raises(AlreadyDownloading):
        shelf.library.discard_partial("tiny")
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert shelf.library.discard_partial("tiny") > 0.25 * SIZE
    assert shelf.library.model("tiny").state == "missing"
    assert shelf.library.discard_partial("tiny") == 0


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_breaks_is_taken_up_again(served: StubHub, shelf: Shelf, reset: bool) -> None:
    served.drop(after=0.3, file=WEIGHTS, times=3, reset=reset)
    done = shelf.library.download("tiny").result(STALL)
    assert shelf.library.lookup("ocr", "tiny") is not None
    # A reset may swallow what was on its way; an orderly end does not.
    assert served.sent[WEIGHTS] <= (1.2 if reset else 1.0) * done.total_bytes


def test_a_network_that_stays_away_is_said_and_costs_nothing(served: StubHub, shelf: Shelf) -> None:
    served.drop(after=0.5, file=WEIGHTS, times=1)
    served.drop(after=0.0, file=WEIGHTS, times=None)
    with pytest.raises(HubUnreachable, match="broke off") as caught:
        shelf.library.download("tiny").result(STALL)
    assert caught.value.retryable
    assert partial_size(shelf) >= 0.49 * SIZE
    served.heal()
    served.forget()
    shelf.library.download("tiny").result(STALL)
    assert served.sent[WEIGHTS] <= 0.55 * SIZE


def test_a_server_that_falls_silent_is_asked_again(own_hub: StubHub, tmp_path: Path, source: Path) -> None:
    own_hub.add_repo(REPO, source, "refs/pr/4")
    own_hub.stall(after=0.4, file=WEIGHTS)
    retry = {"first_delay": 0.02, "read": 0.5}
    with Shelf(tmp_path / "home", retry=retry) as shelf:
        done = shelf.library.download("tiny").result(STALL)
    assert done.received_bytes == own_hub.total_sent


def test_a_server_without_ranges_begins_anew_and_ends(served: StubHub, shelf: Shelf) -> None:
    served.no_ranges(WEIGHTS)
    served.drop(after=0.5, file=WEIGHTS, times=1)
    done = shelf.library.download("tiny").result(STALL)
    assert served.sent[WEIGHTS] >= 1.45 * SIZE
    assert done.total_bytes > SIZE
    # one that also breaks off each time is given up, not asked for ever
    shelf.library.remove("tiny").result(STALL)
    served.drop(after=0.5, file=WEIGHTS, times=None)
    with pytest.raises(HubUnreachable):
        shelf.library.download("tiny").result(STALL)


def test_a_hub_that_cannot_be_reached_is_said(fresh: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubUnreachable, match=r"127\.0\.0\.1:9"):
        fresh.library.download("tiny").result(STALL)


# ---- damage


def test_damaged_bytes_are_fetched_once_more(served: StubHub, shelf: Shelf) -> None:
    served.corrupt(WEIGHTS, times=1)
    shelf.library.download("tiny").result(STALL)
    assert served.sent[WEIGHTS] >= 2 * SIZE
    checks = shelf.library.verify("tiny").result(STALL)
    assert all(check.ok and not check.detail for check in checks)


def test_bytes_that_stay_damaged_are_thrown_away(served: StubHub, shelf: Shelf) -> None:
    served.corrupt(WEIGHTS)
    with pytest.raises(DownloadDamaged, match=WEIGHTS):
        shelf.library.download("tiny").result(STALL)
    assert served.sent[WEIGHTS] <= 2.01 * SIZE
    assert partial_size(shelf) == 0
    assert shelf.library.lookup("ocr", "tiny") is None
    cache = RepoCache(shelf.root, REPO)
    assert not cache.snapshots.exists()


def test_a_small_file_is_checked_too(served: StubHub, shelf: Shelf) -> None:
    served.corrupt("vocab.txt")
    with pytest.raises(DownloadDamaged, match=r"vocab\.txt"):
        shelf.library.download("tiny").result(STALL)
    assert shelf.library.lookup("ocr", "tiny") is None


def test_a_partial_that_was_damaged_on_the_disk_is_found_out(served: StubHub, shelf: Shelf) -> None:
    # given a partial file with the wrong bytes in it, as after a loss of power
    served.drop(after=0.5, file=WEIGHTS, times=None)
    served.answer(503, file=WEIGHTS, where="body", times=None)
    with pytest.raises(YomitoriError):
        shelf.library.download("tiny").result(STALL)
    served.heal()
    begun = list(RepoCache(shelf.root, REPO).blobs.glob("*.incomplete"))
    assert begun
    for path in begun:
        path.write_bytes(b"\0" * (SIZE // 2))
    # then the download ends with the right ones
    shelf.library.download("tiny").result(STALL)
    assert all(check.ok for check in shelf.library.verify("tiny").result(STALL))


def test_a_second_download_repairs_what_was_damaged_later(served: StubHub, shelf: Shelf) -> None:
    commit = shelf.library.download("tiny").result(STALL).commit
    weights = RepoCache(shelf.root, REPO).snapshot(commit) / WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.resolve().write_bytes(content)
    checks = {check.name: check for check in shelf.library.verify("tiny").result(STALL)}
    assert (checks[WEIGHTS].ok, checks[WEIGHTS].detail) == (False, "is damaged")
    assert checks["config.json"].ok
    served.forget()
    shelf.library.download("tiny").result(STALL)
    assert list(served.sent) == [WEIGHTS]
    assert all(check.ok for check in shelf.library.verify("tiny").result(STALL))


def test_a_commit_whose_files_are_not_those_that_are_known_is_refused(
    hub: StubHub, tmp_path: Path, source: Path
) -> None:
    commit = hub.add_repo(REPO, source)
    pinned = KnownRevision(commit, (KnownFile(WEIGHTS, None, "0" * 64),))
    with Shelf(tmp_path / "home", catalogue=(known(fallback=pinned),)) as shelf:
        with pytest.raises(DownloadDamaged, match=WEIGHTS):
            shelf.library.download("tiny").result(STALL)
        assert hub.total_sent == 0


# ---- what the hub says


def test_the_fallback_is_taken_when_the_first_revision_is_gone(
    hub: StubHub, shelf: Shelf, source: Path
) -> None:
    commit = hub.add_repo(REPO, source, "main")
    done = shelf.library.download("tiny").result(STALL)
    assert (done.revision, done.commit) == ("main", commit)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_passes(served: StubHub, shelf: Shelf, status: int) -> None:
    served.fail(times=2, where="body", file=WEIGHTS, status=status)
    served.fail(times=1, where="api", status=status)
    assert shelf.library.download("tiny").result(STALL).received_bytes > SIZE


def test_a_server_error_that_stays_is_said(served: StubHub, shelf: Shelf) -> None:
    served.fail(times=None, where="body", file=WEIGHTS, status=503)
    with pytest.raises(HubUnreachable, match="503"):
        shelf.library.download("tiny").result(STALL)


def test_retry_after_is_honoured(served: StubHub, shelf: Shelf) -> None:
    served.ask_to_wait(1, where="body", file=WEIGHTS)
    job = shelf.library.download("tiny", on_progress=shelf.on_progress)
    job.result(STALL)
    times = served.asked(origin="cdn", file=WEIGHTS)
    assert [request.status for request in times] == [429, 200]
    # Waiting a second means several signs of life; without it there is none.
    assert sum(piece.phase == "wait" for piece in shelf.pieces) >= 3


@pytest.mark.parametrize("where", ["api", "body"])
def test_a_long_wait_is_left_to_the_user(served: StubHub, shelf: Shelf, where: str) -> None:
    served.ask_to_wait(3600, where=where, times=None)
    with pytest.raises(HubBusy) as caught:
        shelf.library.download("tiny").result(STALL)
    assert caught.value.retryable


@pytest.mark.parametrize("where", ["api", "resolve"])
def test_a_refusal_is_said_with_what_to_do(served: StubHub, shelf: Shelf, where: str) -> None:
    served.unauthorised(where=where)
    with pytest.raises(HubRefused) as caught:
        shelf.library.download("tiny").result(STALL)
    assert "HF_TOKEN" in caught.value.advice
    assert served.total_sent == 0


def test_a_gated_model_needs_its_conditions_accepted(
    hub: StubHub, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_repo(REPO, source, "refs/pr/4", gated=True)
    with Shelf(tmp_path / "home") as shelf, pytest.raises(HubRefused, match=REPO):
        shelf.library.download("tiny").result(STALL)
    hub.granted.add("hf_secret")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with Shelf(tmp_path / "home") as shelf:
        assert shelf.library.download("tiny").result(STALL).total_bytes > SIZE


def test_the_process_ends_with_the_last_job(served: StubHub, tmp_path: Path) -> None:
    before = children()
    with Shelf(tmp_path / "home", idle_seconds=0.0) as shelf:
        jobs = [shelf.library.plan_download("tiny"), shelf.library.download("tiny")]
        for job in jobs:
            job.result(STALL)
        deadline = time.monotonic() + STALL
        while set(children()) - set(before):
            assert time.monotonic() < deadline, "a process stays although nothing is to be done"
            time.sleep(0.01)


def test_the_token_goes_to_the_hub_alone(
    served: StubHub, fresh: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    served.drop(after=0.5, file=WEIGHTS)
    fresh.library.download("tiny").result(STALL)
    tokens = {
        origin: {request.headers.get("authorization") for request in served.asked(origin=origin)}
        for origin in ("hub", "cdn")
    }
    assert tokens == {"hub": {"Bearer hf_secret"}, "cdn": {None}}


def test_the_hub_is_asked_for_the_model_and_told_nothing_else(served: StubHub, shelf: Shelf) -> None:
    shelf.library.download("tiny").result(STALL)
    assert all(REPO in request.path for request in served.requests)
    told = {request.headers["user-agent"] for request in served.requests}
    assert all("yomitori/" in agent and "torch" not in agent for agent in told), told


def test_a_model_that_is_not_there_is_said(hub: StubHub, shelf: Shelf) -> None:
    with pytest.raises(HubNotFound, match=REPO):
        shelf.library.download("tiny").result(STALL)
    with pytest.raises(HubNotFound, match="no/such"):
        shelf.library.plan_download("no/such").result(STALL)


def test_a_repository_without_weights_is_said(hub: StubHub, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("{}")
    hub.add_repo("no/weights", tmp_path / "empty", licence="mit")
    with pytest.raises(HubNotFound, match="weights of no/weights"):
        shelf.library.download("no/weights").result(STALL)


def test_something_that_is_no_hub_is_said(served: StubHub, shelf: Shelf) -> None:
    served.answer(200, where="api")
    with pytest.raises(HubUnreachable, match="not what a model hub answers"):
        shelf.library.download("tiny").result(STALL)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_downloads_can_be_turned_off(
    served: StubHub, fresh: Shelf, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(HubOffline, match=variable):
        fresh.library.download("tiny").result(STALL)
    assert served.requests == []


def test_a_proxy_is_used(served: StubHub, fresh: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", served.url)
    monkeypatch.setenv("NO_PROXY", "")
    fresh.library.download("tiny").result(STALL)
    assert all(request.proxied for request in served.requests)
    assert {request.origin for request in served.requests} == {"hub", "cdn"}


# ---- licences


def closed(repo: str = REPO) -> tuple[object, ...]:
    return (known(repo, licence="cc-by-nc-4.0", licence_open=False),)


def test_a_licence_that_is_not_open_is_accepted_before_anything_is_asked(
    served: StubHub, tmp_path: Path
) -> None:
    with Shelf(tmp_path / "home", catalogue=closed()) as shelf:
        with pytest.raises(LicenceNotAccepted, match=r"cc-by-nc-4\.0"):
            shelf.library.download("tiny").result(STALL)
        assert served.requests == []
        assert not shelf.library.plan_download("tiny").result(STALL).licence_accepted
        shelf.library.download("tiny", accept_licence=True).result(STALL)
        accepted = shelf.library.records.accepted(REPO)
        assert accepted is not None
        assert (accepted.licence, accepted.when[:2]) == ("cc-by-nc-4.0", "20")
        assert shelf.library.plan_download("tiny").result(STALL).licence_accepted
        # accepted once is accepted
        shelf.library.remove("tiny").result(STALL)
        shelf.library.download("tiny").result(STALL)


@pytest.mark.parametrize(("licence", "shown"), [("llama3", "llama3"), ("", "not stated")])
def test_the_licence_of_another_model_is_the_one_on_its_page(
    hub: StubHub, shelf: Shelf, source: Path, licence: str, shown: str
) -> None:
    other = "someone/else"
    hub.add_repo(other, source, licence=licence)
    with pytest.raises(LicenceNotAccepted, match=shown):
        shelf.library.download(other).result(STALL)
    assert hub.total_sent == 0
    shelf.library.download(other, accept_licence=True).result(STALL)
    accepted = shelf.library.records.accepted(other)
    assert accepted is not None
    assert accepted.licence == shown


# ---- the address


@pytest.mark.parametrize("address", ["notaurl", "ftp://hub", "http://", "http://hub:port", "http://[hub"])
def test_an_address_that_is_none_is_said_and_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with Shelf(tmp_path / "home") as shelf:
        with pytest.raises(HubAddressWrong) as caught:
            shelf.library.plan_download("tiny").result(STALL)
        assert caught.value.message == f"HF_ENDPOINT is no address of a hub: {address}."
        assert not shelf.root.exists()


# ---- the disk


def test_too_little_disk_is_said_before_it_begins(
    served: StubHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FREE, "2000000")
    with Shelf(tmp_path / "home", hub_spec=SMALL_DISK) as shelf:
        with pytest.raises(NotEnoughDisk, match=r"2 MB of free space, 4 MB are needed") as caught:
            shelf.library.download("tiny").result(STALL)
        assert served.total_sent == 0
    # and the advice is not about a setting that the environment fixes
    assert "YOMITORI_MODELS_DIR sets this folder" in caught.value.advice
    assert "--models-dir" in caught.value.advice


@pytest.mark.parametrize(("variable", "error"), [(ROOM, NotEnoughDisk), (LARGEST, ModelsFolderUnusable)])
def test_a_disk_that_fills_up_keeps_what_was_received(
    served: StubHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    error: type[YomitoriError],
) -> None:
    monkeypatch.setenv(variable, str(SIZE // 2))
    with Shelf(tmp_path / "home", hub_spec=SMALL_DISK) as shelf:
        with pytest.raises(error, match=str(shelf.root)):
            shelf.library.download("tiny").result(STALL)
        assert partial_size(shelf) >= 0.45 * SIZE
    monkeypatch.delenv(variable)
    served.forget()
    with Shelf(tmp_path / "home") as shelf:
        shelf.library.download("tiny").result(STALL)
    assert served.sent[WEIGHTS] <= 0.55 * SIZE


def test_where_links_cannot_be_made_the_files_themselves_are_there(
    served: StubHub, fresh: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DISABLE_SYMLINKS", "1")
    commit = fresh.library.download("tiny").result(STALL).commit
    cache = RepoCache(fresh.root, REPO)
    assert list(cache.blobs.iterdir()) == []
    assert not any(path.is_symlink() for path in cache.files(commit).values())
    assert fresh.library.lookup("ocr", "tiny") is not None
    # their sums are known from the download, and a second one fetches nothing
    assert all(check.ok and not check.detail for check in fresh.library.verify("tiny").result(STALL))
    served.forget()
    assert fresh.library.download("tiny").result(STALL).received_bytes == 0
    assert served.total_sent == 0


# ---- several at once


def test_two_libraries_do_not_download_the_same_at_once(
    own_hub: StubHub, tmp_path: Path, source: Path
) -> None:
    own_hub.add_repo(REPO, source, "refs/pr/4")
    own_hub.stall(after=0.3, file=WEIGHTS)
    with Shelf(tmp_path / "home", retry={"read": STALL}) as one:
        first = one.library.download("tiny", on_progress=one.on_progress)
        one.wait_for(lambda piece: piece.file == WEIGHTS)
        with Shelf(tmp_path / "home") as other, pytest.raises(AlreadyDownloading, match="A tiny model"):
            other.library.download("tiny").result(STALL)
        first.cancel()
        with pytest.raises(Cancelled):
            first.result(STALL)
        with Shelf(tmp_path / "home") as other:
            other.library.download("tiny").result(STALL)
            assert other.library.lookup("ocr", "tiny") == one.library.lookup("ocr", "tiny") is not None


def test_a_content_that_another_program_fetches_is_waited_for(served: StubHub, shelf: Shelf) -> None:
    cache = RepoCache(shelf.root, REPO)
    oid = next(f.etag for c in served.repo(REPO).commits.values() for f in c.values() if f.name == WEIGHTS)
    lock = try_lock(cache.locks / f"{oid}.lock")
    assert lock is not None
    job = shelf.library.download("tiny", on_progress=shelf.on_progress)
    shelf.wait_for(lambda piece: piece.phase == "wait" and piece.file == WEIGHTS)
    assert not job.done()
    lock.close()
    assert job.result(STALL).total_bytes > SIZE


def test_closing_ends_a_download_and_keeps_what_was_received(served: StubHub, tmp_path: Path) -> None:
    served.slow(1_500_000, WEIGHTS, times=1)
    with Shelf(tmp_path / "home") as shelf:
        job = shelf.library.download("tiny", on_progress=shelf.on_progress)
        shelf.wait_for(lambda piece: piece.done_bytes > 0.2 * SIZE)
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert partial_size(shelf) > 0.15 * SIZE
    with pytest.raises(Cancelled):
        shelf.library.download("tiny").result(STALL)
