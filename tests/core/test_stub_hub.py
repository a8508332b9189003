"""The hub that the tests download from is checked with the real client, and by plain HTTP where that hides.

``huggingface_hub`` runs in a child: nothing else may import it.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.environment import child_environment
from tests.support.stub_hub import StubHub

REPO = "someone/tiny-ocr"
TOKEN = "hf_test_token"
WEIGHTS = "model.safetensors"
SIZE = 600_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "files", seed=1)


@pytest.fixture
def hub() -> Iterator[StubHub]:
    threads = threading.active_count()
    with StubHub() as hub:
        yield hub
    assert threading.active_count() == threads


def make_folder(folder: Path, seed: int) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "vision-encoder-decoder", "seed": seed}))
    (folder / "vocab.txt").write_text("\n".join(f"word {n} {seed}" for n in range(2000)))
    (folder / "sub" / "読む.json").write_text("{}")
    (folder / WEIGHTS).write_bytes(random.Random(seed).randbytes(SIZE))
    return folder


def start_with_hub(hub: StubHub, tmp_path: Path, code: str, **environ: str) -> subprocess.Popen[str]:
    """Run ``code`` in a child that has ``huggingface_hub`` imported as ``hf``; it prints JSON."""
    base = {k: v for k, v in os.environ.items() if not k.lower().startswith(("hf_", "http"))}
    env = child_environment(base) | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", f"import json, huggingface_hub as hf\napi = hf.HfApi()\n{code}"],
        env=env | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def with_hub(hub: StubHub, tmp_path: Path, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Start it and wait for its end."""
    child = start_with_hub(hub, tmp_path, code, **environ)
    try:
        out, err = child.communicate(timeout=120)
    finally:
        child.kill()
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def download(hub: StubHub, tmp_path: Path, revision: str = "main", **environ: str) -> Path:
    code = f"print(json.dumps(hf.snapshot_download({REPO!r}, revision={revision!r})))"
    return Path(answer(with_hub(hub, tmp_path, code, **environ)))


def same_files(left: Path, right: Path) -> bool:
    names = sorted(p.relative_to(right) for p in right.rglob("*") if p.is_file())
    return names == sorted(p.relative_to(left) for p in left.rglob("*") if p.is_file()) and all(
        (left / name).read_bytes() == (right / name).read_bytes() for name in names
    )


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request without following redirects; raises what http.client raises when it breaks off."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        reply = connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def wait_for(condition: Callable[[], bool]) -> None:
    """A stall guard of a minute."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def cdn_url(hub: StubHub, commit: str) -> str:
    return f"{hub.cdn_url}/{REPO}/{commit}/{WEIGHTS}"


# ---- with the real client


def test_a_snapshot_arrives_whole_in_the_cache_layout(hub: StubHub, folder: Path, tmp_path: Path) -> None:
    # given a repository of small files, one in a folder and one with a Japanese name, and one LFS file
    commit = hub.add_repo(REPO, folder)
    # when the real client downloads it
    snapshot = download(hub, tmp_path)
    # then every file is there, under the commit, with blobs named by the hashes the hub announced
    assert snapshot.name == commit
    assert same_files(snapshot, folder)
    sha256 = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    assert (snapshot / WEIGHTS).resolve().name == sha256
    content = (folder / "config.json").read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    assert (snapshot / "config.json").resolve().name == blob
    assert hub.sent[WEIGHTS] == SIZE
    # and the weights came from the other origin, the rest through a relative redirect
    assert {r.file for r in hub.asked(origin="cdn")} == {WEIGHTS}
    assert any(r.path.startswith("/api/resolve-cache/") for r in hub.asked(origin="hub"))


def test_the_token_goes_to_the_hub_and_not_to_the_cdn(hub: StubHub, folder: Path, tmp_path: Path) -> None:
    hub.add_repo(REPO, folder, gated=True)
    hub.granted.add(TOKEN)
    assert same_files(download(hub, tmp_path, HF_TOKEN=TOKEN), folder)
    assert {r.headers.get("authorization") for r in hub.asked(origin="hub")} == {f"Bearer {TOKEN}"}
    assert [r.headers.get("authorization") for r in hub.asked(origin="cdn")] == [None]


@pytest.mark.parametrize("revision", ["main", "refs/pr/4", "commit"])
def test_each_revision_has_its_own_files(hub: StubHub, folder: Path, tmp_path: Path, revision: str) -> None:
    # given three states of one repository
    first = hub.add_repo(REPO, folder)
    newer = make_folder(tmp_path / "newer", seed=2)
    pull = make_folder(tmp_path / "pull", seed=3)
    commits = {
        "commit": first,
        "main": hub.add_commit(REPO, newer),
        "refs/pr/4": hub.add_commit(REPO, pull, "refs/pr/4"),
    }
    assert len(set(commits.values())) == 3
    # when one is asked for
    snapshot = download(hub, tmp_path, first if revision == "commit" else revision)
    # then its files come, and the cache knows the name
    assert snapshot.name == commits[revision]
    assert same_files(snapshot, {"commit": folder, "main": newer, "refs/pr/4": pull}[revision])
    if revision != "commit":
        assert (snapshot.parents[1] / "refs" / revision).read_text() == commits[revision]


def test_the_api_tells_files_hashes_licence_and_refs(hub: StubHub, folder: Path, tmp_path: Path) -> None:
    commit = hub.add_repo(REPO, folder, licence="cc-by-nc-4.0")
    pull = hub.add_commit(REPO, folder, "refs/pr/4")
    code = f"""
info = api.model_info({REPO!r}, revision="refs/pr/4", files_metadata=True)
tree = list(api.list_repo_tree({REPO!r}, recursive=True))
flat = list(api.list_repo_tree({REPO!r}))
some = api.get_paths_info({REPO!r}, ["{WEIGHTS}", "none"])
refs = api.list_repo_refs({REPO!r}, include_pull_requests=True)
print(json.dumps(dict(
    sha=info.sha, licence=info.card_data.license, gated=info.gated,
    files={{s.rfilename: [s.size, s.blob_id, s.lfs and s.lfs.sha256] for s in info.siblings}},
    tree={{f.path: [f.size, f.blob_id, f.lfs and f.lfs.sha256] for f in tree if hasattr(f, "blob_id")}},
    flat=sorted(f.path for f in flat), some=[f.path for f in some],
    refs=[(r.ref, r.target_commit) for r in [*refs.branches, *refs.pull_requests]],
)))
"""
    told = answer(with_hub(hub, tmp_path, code))
    assert (told["sha"], told["licence"], told["gated"]) == (pull, "cc-by-nc-4.0", False)
    assert told["files"] == told["tree"]
    assert set(told["files"]) == {"config.json", "vocab.txt", "sub/読む.json", WEIGHTS}
    size, _, sha256 = told["files"][WEIGHTS]
    assert (size, sha256) == (SIZE, hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest())
    assert told["flat"] == ["config.json", WEIGHTS, "sub", "vocab.txt"]
    assert told["some"] == [WEIGHTS]
    assert told["refs"] == [["refs/heads/main", commit], ["refs/pr/4", pull]]


@pytest.mark.parametrize(
    ("request_code", "error"),
    [
        ("api.model_info('nobody/nothing')", "RepositoryNotFoundError"),
        ("api.model_info('nobody/nothing', token='hf_x')", "RepositoryNotFoundError"),
        (f"api.model_info({REPO!r}, revision='gone')", "RevisionNotFoundError"),
        (f"hf.hf_hub_download({REPO!r}, 'gone.txt')", "RemoteEntryNotFoundError"),
        ("hf.hf_hub_download('someone/gated', 'config.json')", "GatedRepoError"),
        ("hf.hf_hub_download('someone/gated', 'config.json', token='hf_x')", "GatedRepoError"),
        ("api.model_info('someone/private')", "RepositoryNotFoundError"),
    ],
)
def test_what_is_refused_is_refused_as_the_hub_does(
    hub: StubHub, folder: Path, tmp_path: Path, request_code: str, error: str
) -> None:
    hub.add_repo(REPO, folder)
    hub.add_repo("someone/gated", folder, gated=True)
    hub.add_repo("someone/private", folder, private=True)
    code = f"""
try:
    {request_code}
    print(json.dumps("no error"))
except Exception as error:
    cause = error
    while cause is not None and type(cause).__name__ != {error!r}:
        cause = cause.__cause__
    print(json.dumps(type(cause or error).__name__))
"""
    assert answer(with_hub(hub, tmp_path, code)) == error


@pytest.mark.parametrize("reset", [False, True])
def test_the_client_goes_on_after_an_orderly_end_but_not_after_a_reset(
    hub: StubHub, folder: Path, tmp_path: Path, reset: bool
) -> None:
    # given a connection that ends at 60 % of the weights, once
    hub.add_repo(REPO, folder)
    hub.drop(after=0.6, file=WEIGHTS, reset=reset)
    # (the client writes and resumes in pieces of 10 MB; smaller ones for a smaller file)
    code = f"hf.constants.DOWNLOAD_CHUNK_SIZE = 10_000\nprint(json.dumps(hf.snapshot_download({REPO!r})))"
    # when the real client downloads
    done = with_hub(hub, tmp_path, code)
    # then it asks for the rest within the process, and gives up where the connection was reset
    ranges = [r.headers.get("range") for r in hub.asked(origin="cdn")]
    if reset:
        assert done.returncode != 0
        assert ranges == [None]
    else:
        assert same_files(Path(answer(done)), folder)
        assert ranges == [None, f"bytes={int(SIZE * 0.6)}-"]
        assert hub.sent[WEIGHTS] == SIZE
        assert [r.status for r in hub.asked(origin="cdn")] == [200, 206]


def test_the_client_of_today_starts_anew_in_a_new_process(hub: StubHub, folder: Path, tmp_path: Path) -> None:
    """Why Yomitori has a transfer of its own: what a dead process had received is of no use."""
    # given a first process that is killed at 60 %
    hub.add_repo(REPO, folder)
    hub.stall(after=0.6, file=WEIGHTS)
    child = start_with_hub(hub, tmp_path, f"hf.snapshot_download({REPO!r})")
    wait_for(lambda: hub.sent[WEIGHTS] >= SIZE * 0.6)
    child.kill()
    child.communicate()
    hub.forget()
    # when a second one downloads
    assert same_files(download(hub, tmp_path), folder)
    # then all bytes come again
    assert hub.sent[WEIGHTS] == SIZE


def test_a_server_error_and_a_wait_are_survived(hub: StubHub, folder: Path, tmp_path: Path) -> None:
    hub.add_repo(REPO, folder)
    hub.ask_to_wait(1, where="body", file=WEIGHTS)
    started = time.monotonic()
    assert same_files(download(hub, tmp_path), folder)
    assert time.monotonic() - started >= 1
    assert [r.status for r in hub.asked(origin="cdn")] == [429, 200]


def test_it_is_a_proxy_too(hub: StubHub, folder: Path, tmp_path: Path) -> None:
    hub.add_repo(REPO, folder)
    environ = {"HF_ENDPOINT": "http://hub.invalid", "HTTP_PROXY": hub.url, "http_proxy": hub.url}
    assert same_files(download(hub, tmp_path, **environ), folder)
    assert {r.proxied for r in hub.asked(origin="hub")} == {True}
    assert {r.headers["host"] for r in hub.asked(origin="hub")} == {"hub.invalid"}


# ---- by plain HTTP


@pytest.mark.parametrize(
    ("headers", "status", "first", "end"),
    [
        ({}, 200, 0, SIZE),
        ({"Range": "bytes=1000-"}, 206, 1000, SIZE),
        ({"Range": "bytes=1000-1999"}, 206, 1000, 2000),
        ({"Range": "bytes=-500"}, 206, SIZE - 500, SIZE),
        ({"Range": f"bytes=5-{SIZE * 2}"}, 206, 5, SIZE),
        ({"Range": f"bytes={SIZE}-"}, 416, 0, 0),
        ({"Range": "bytes=1000-", "If_Range": '"another"'}, 200, 0, SIZE),
        ({"Range": "bytes=1000-", "If_Range": "same"}, 206, 1000, SIZE),
    ],
)
def test_ranges_are_answered_by_the_book(
    hub: StubHub, folder: Path, headers: dict[str, str], status: int, first: int, end: int
) -> None:
    url = cdn_url(hub, hub.add_repo(REPO, folder))
    if headers.get("If_Range") == "same":
        headers = headers | {"If_Range": get(url, "HEAD")[1]["etag"]}
    got, told, body = get(url, **headers)
    assert got == status
    assert body == (folder / WEIGHTS).read_bytes()[first:end]
    if status == 206:
        assert told["content-range"] == f"bytes {first}-{end - 1}/{SIZE}"
    if status == 416:
        assert told["content-range"] == f"bytes */{SIZE}"


def test_the_etag_of_the_cdn_is_not_the_hash_that_the_hub_announces(hub: StubHub, folder: Path) -> None:
    commit = hub.add_repo(REPO, folder)
    status, told, body = get(f"{hub.url}/{REPO}/resolve/main/{WEIGHTS}", "HEAD")
    sha256 = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    assert (status, body) == (302, b"")
    assert told["x-repo-commit"] == commit
    assert told["x-linked-etag"] == f'"{sha256}"'
    assert told["x-linked-size"] == str(SIZE)
    assert told["location"].startswith(hub.cdn_url)
    assert not [name for name in told if "xet" in name]
    assert get(told["location"], "HEAD")[1]["etag"] != f'"{sha256}"'


def test_text_comes_packed_when_the_client_takes_it(hub: StubHub, folder: Path) -> None:
    commit = hub.add_repo(REPO, folder)
    url = f"{hub.url}/api/resolve-cache/models/{REPO}/{commit}/vocab.txt"
    assert get(url)[2] == (folder / "vocab.txt").read_bytes()
    _, told, body = get(url, Accept_Encoding="gzip")
    assert told["content-encoding"] == "gzip"
    assert "content-length" not in told
    assert len(body) < len((folder / "vocab.txt").read_bytes()) / 2


def test_faults_happen_as_often_as_asked_and_are_healed(hub: StubHub, folder: Path) -> None:
    url = cdn_url(hub, hub.add_repo(REPO, folder))
    whole = (folder / WEIGHTS).read_bytes()
    # a broken connection, twice; then it works
    hub.drop(after=0.25, times=2)
    for _ in range(2):
        with pytest.raises(http.client.IncompleteRead) as broken:
            get(url)
        assert broken.value.partial == whole[: SIZE // 4]
    assert get(url)[2] == whole
    # wrong bytes of the right length, the same wherever a range begins
    hub.corrupt()
    wrong = get(url)[2]
    assert len(wrong) == SIZE
    assert wrong != whole
    assert get(url, Range="bytes=1500-")[2] == wrong[1500:] != whole[1500:]
    hub.heal()
    assert get(url)[2] == whole
    # no ranges
    hub.no_ranges()
    status, told, body = get(url, Range="bytes=1000-")
    assert (status, told["accept-ranges"], body == whole) == (200, "none", True)
    hub.heal()
    # refusals, for one file or for all
    hub.answer(503, file="*.txt")
    assert get(url)[0] == 200
    hub.ask_to_wait(7)
    status, told, _ = get(url)
    assert (status, told["retry-after"]) == (429, "7")
    hub.unauthorised(times=1)
    assert get(url)[0] == 401
    hub.fail(times=1)
    assert get(f"{hub.url}/api/models/{REPO}")[0] == 500
    hub.gate(times=1)
    assert get(f"{hub.url}/{REPO}/resolve/main/{WEIGHTS}")[1]["x-error-code"] == "GatedRepo"
    hub.lose(WEIGHTS, times=1)
    assert get(f"{hub.url}/{REPO}/resolve/main/{WEIGHTS}")[0] == 404
    assert get(f"{hub.url}/{REPO}/resolve/main/{WEIGHTS}")[0] == 302


def test_a_slow_hub_keeps_to_its_rate(hub: StubHub, folder: Path) -> None:
    url = cdn_url(hub, hub.add_repo(REPO, folder))
    hub.slow(SIZE * 2)
    started = time.monotonic()
    assert len(get(url)[2]) == SIZE
    # No faster than asked for; how much slower is the machine's business.
    assert time.monotonic() - started >= 0.45


def test_a_stalled_connection_does_not_keep_it_from_closing(folder: Path) -> None:
    # given a client that waits for bytes that do not come
    threads = threading.active_count()
    hub = StubHub()
    with hub:
        url = cdn_url(hub, hub.add_repo(REPO, folder))
        hub.stall(after=0.5)
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        connection.request("GET", parts.path)
        reply = connection.getresponse()
        assert len(reply.read(SIZE // 2)) == SIZE // 2
        # when the hub closes
    # then the client is told, and no thread is left
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        reply.read()
    connection.close()
    assert threading.active_count() == threads


def test_nothing_is_printed(hub: StubHub, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    url = cdn_url(hub, hub.add_repo(REPO, folder))
    get(url)
    get(f"{hub.url}/nothing/here")
    assert capfd.readouterr() == ("", "")
