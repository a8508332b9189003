"""``yomitori models`` as a user runs it: processes, their output, their exit codes, a hub of our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.checkpoint_files import WEIGHTS, write_checkpoint
from tests.support.environment import ROOT, child_environment
from tests.support.ordinary_user import run_as_ordinary_user
from tests.support.stub_hub import StubHub, received

KNOWN = "kha-white/manga-ocr-base"
OTHER = "someone/other-ocr"
_PROGRAM = """
import signal, sys
# Python leaves SIGINT alone where whoever started the tests had it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
import main
sys.exit(main.main())
"""


@pytest.fixture
def hub() -> Iterator[StubHub]:
    with StubHub() as hub:
        yield hub


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "first", seed=1)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "second", seed=2)


def start(
    endpoint: str, *arguments: str, folder: Path | None = None, **environ: str
) -> subprocess.Popen[str]:
    env = child_environment(os.environ) | {"HF_ENDPOINT": endpoint, "NO_PROXY": "127.0.0.1"}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "models", *arguments],
        env=env | environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def models(
    hub: StubHub, *arguments: str, folder: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    return finish(start(hub.url, *arguments, folder=folder, **environ))


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def listed(hub: StubHub, **environ: str) -> dict[str, dict]:
    rows = [json.loads(row) for row in done(models(hub, "list", "--json", **environ)).splitlines()]
    return {row["repo"]: row for row in rows}


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    for _ in range(3000):
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def cache_folder() -> Path:
    return Path(os.environ["HF_HOME"]) / "hub"


def same_files(left: Path, right: Path) -> bool:
    return all((left / path.name).read_bytes() == path.read_bytes() for path in right.iterdir())


# ---- a model's life


def test_nothing_is_there_at_first(hub: StubHub) -> None:
    # when nothing was ever downloaded, and the hub is not even asked
    shown = done(models(hub, "list"))
    # then the catalogue says what there could be
    assert "manga-ocr: not downloaded, 444 MB, chosen in the settings" in shown
    assert "Reads Japanese text in manga" in shown
    assert "licence apache-2.0" in shown
    assert "1.1 GB of memory" in shown
    assert hub.requests == []
    assert not cache_folder().exists()


def test_a_model_from_its_download_to_its_removal(hub: StubHub, first: Path, second: Path) -> None:
    # given a hub that has it where the catalogue looks
    one = hub.add_repo(KNOWN, first, "refs/pr/4")
    total = sum(path.stat().st_size for path in first.iterdir())

    # when it is downloaded
    result = models(hub, "download", "manga-ocr")
    # then size, licence, folder and free disk are said before, and what there is now after
    assert done(result) == f"MangaOCR base is ready: revision {one[:8]}, 2.0 MB received.\n"
    before = result.stderr.split("%|")[0]
    assert re.search(r"size +2\.0 MB", before)
    assert re.search(r"licence +apache-2\.0", before)
    assert re.search(
        rf"folder +{re.escape(str(cache_folder()))}, [\d.]+ [GM]B free, [\d.]+ MB needed", before
    )
    # and the bar tells bytes, rate and time left
    assert re.search(r"\d+%\|.*B of .*B, .*B/s, .* left", result.stderr)

    # when it is listed, checked, and its folder asked for
    row = listed(hub)[KNOWN]
    assert (row["state"], row["chosen"], row["partial_bytes"]) == ("ready", True, 0)
    assert [(r["commit"], r["in_use"], r["size"]) for r in row["revisions"]] == [(one, True, total)]
    shown = done(models(hub, "list"))
    assert "manga-ocr: ready, chosen in the settings" in shown
    assert f"revision {one[:8]}, 2.0 MB, in use, not used yet" in shown
    checks = [json.loads(row) for row in done(models(hub, "verify", "--json")).splitlines()]
    assert {check["file"] for check in checks} == {path.name for path in first.iterdir()}
    assert {check["ok"] for check in checks} == {True}
    folder = Path(done(models(hub, "path")).strip())
    assert folder == cache_folder() / "models--kha-white--manga-ocr-base" / "snapshots" / one
    assert same_files(folder, first)

    # when there is nothing newer, nothing happens
    hub.forget()
    assert done(models(hub, "update", "manga-ocr")) == f"MangaOCR base is up to date: revision {one[:8]}.\n"
    assert hub.total_sent == 0

    # when there is something newer, it is told, then fetched beside the old one and switched to
    two = hub.add_commit(KNOWN, second, "refs/pr/4")
    told = models(hub, "update", "manga-ocr", "--check")
    assert f"revision {two[:8]} is the newest, revision {one[:8]} is here" in done(told)
    assert "2.0 MB to download" in told.stderr
    assert hub.total_sent == 0
    assert f"is ready: revision {two[:8]}" in done(models(hub, "update", "manga-ocr"))
    assert same_files(Path(done(models(hub, "path", "manga-ocr")).strip()), second)
    assert same_files(folder, first)

    # when the old one is wanted back, nothing is fetched
    hub.forget()
    back = f"MangaOCR base: revision {one[:8]} is current again.\n"
    assert done(models(hub, "rollback", "manga-ocr")) == back
    assert Path(done(models(hub, "path")).strip()) == folder
    assert hub.requests == []

    # when one revision goes, the other stays; then everything goes
    freed = done(models(hub, "remove", "manga-ocr", "--revision", two[:10]))
    assert freed == f"Revision {two[:8]} of MangaOCR base was removed, 2.0 MB are free again.\n"
    assert same_files(folder, first)
    removed = models(hub, "remove", KNOWN)
    assert done(removed) == "MangaOCR base was removed, 2.0 MB are free again.\n"
    # and that the chosen model is gone is said
    assert "It was the chosen model. The built-in engine reads now." in removed.stderr
    assert not list(cache_folder().glob("models--*/blobs/*"))
    gone = models(hub, "path")
    assert (gone.returncode, gone.stdout) == (4, "")
    assert "manga-ocr is not on this computer yet" in gone.stderr


def test_any_hub_id_and_revision_can_be_added(hub: StubHub, first: Path, second: Path) -> None:
    hub.add_repo(OTHER, first)
    pull = hub.add_commit(OTHER, second, "refs/pr/7")
    result = models(hub, "download", OTHER, "--revision", "refs/pr/7")
    assert f"is ready: revision {pull[:8]}" in done(result)
    assert f"--models-ocr-model {OTHER}" in result.stderr
    row = listed(hub)[OTHER]
    assert (row["name"], row["state"], row["chosen"]) == (OTHER, "ready", False)
    assert same_files(Path(done(models(hub, "path", OTHER)).strip()), second)
    assert listed(hub, YOMITORI_MODELS_OCR_MODEL=OTHER)[OTHER]["chosen"]


def test_the_folder_can_be_another_one(hub: StubHub, first: Path, tmp_path: Path) -> None:
    hub.add_repo(KNOWN, first, "refs/pr/4")
    elsewhere = str(tmp_path / "elsewhere")
    done(models(hub, "download", "manga-ocr", "--models-dir", elsewhere))
    assert done(models(hub, "path", "--models-dir", elsewhere)).startswith(elsewhere)


def test_what_other_programs_have_fetched_is_shown(hub: StubHub, first: Path) -> None:
    # given a cache where other programs have put two models in this format
    commit = "c" * 40
    fetched = cache_folder() / "models--another--ocr" / "snapshots" / commit
    shutil.copytree(first, fetched)
    # one of them as manga-ocr's own package leaves it
    older = cache_folder() / "models--kha-white--manga-ocr-base" / "snapshots" / commit
    shutil.copytree(first, older)
    (older / WEIGHTS).rename(older / "pytorch_model.bin")
    # then they are there without a download, and it is said what will become of the older one
    shown = done(models(hub, "list"))
    assert "another/ocr: ready" in shown
    assert "manga-ocr: ready" in shown
    assert "to be converted to safetensors" in shown
    result = models(hub, "path")
    assert Path(done(result).strip()) == older
    assert "a copy in safetensors is made before it is loaded" in result.stderr
    assert hub.requests == []


def test_what_is_not_here_cannot_be_updated_and_no_hub_is_asked(hub: StubHub, first: Path) -> None:
    hub.add_repo(KNOWN, first, "refs/pr/4")
    for arguments in (("manga-ocr",), ("manga-ocr", "--check")):
        result = models(hub, "update", *arguments)
        assert (result.returncode, result.stdout) == (4, "")
        assert "manga-ocr is not on this computer yet" in result.stderr
    assert hub.requests == []


def test_every_model_that_is_here_is_updated(hub: StubHub, first: Path, second: Path, tmp_path: Path) -> None:
    # given two models from the hub, of which one has something newer, and an import
    hub.add_repo(KNOWN, first, "refs/pr/4")
    hub.add_repo(OTHER, first)
    done(models(hub, "download", "manga-ocr"))
    done(models(hub, "download", OTHER))
    done(models(hub, "import", str(write_checkpoint(tmp_path / "mine", seed=3))))
    new = hub.add_commit(OTHER, second)
    hub.forget()
    # when all are asked about, then the import is left out, and nothing is fetched
    told = models(hub, "update", "--check")
    assert "MangaOCR base is up to date" in done(told)
    assert f"{OTHER}: revision {new[:8]} is the newest" in told.stdout
    assert "local/mine was imported: there is no hub to ask." in told.stderr
    assert hub.total_sent == 0
    assert not any("mine" in request.path for request in hub.requests)
    # when one is gone from the hub, then the other one is updated all the same
    hub.remove_repo(KNOWN)
    result = models(hub, "update")
    assert result.returncode == 9
    assert f"{OTHER} is ready: revision {new[:8]}" in result.stdout
    assert "yomitori: manga-ocr: " in result.stderr
    # and some can be named
    assert f"{OTHER} is up to date" in done(models(hub, "update", OTHER, OTHER))


# ---- in use, and chosen


def test_in_use_is_said_of_what_reads_alone(hub: StubHub, first: Path, second: Path, tmp_path: Path) -> None:
    # given a model with two revisions that is not the chosen one, and an import that is
    hub.add_repo(KNOWN, first, "refs/pr/4")
    done(models(hub, "download", "manga-ocr"))
    two = hub.add_commit(KNOWN, second, "refs/pr/4")
    done(models(hub, "update", "manga-ocr"))
    done(models(hub, "import", str(write_checkpoint(tmp_path / "mine", seed=3))))
    chosen = {"YOMITORI_MODELS_OCR_MODEL": "local/mine"}
    # then only the import is in use, and the other one says which revision it would take
    shown = done(models(hub, "list", **chosen))
    assert shown.count("in use") == 1
    assert re.search(
        r"^local/mine: ready, chosen.*\n.*\n  revision \w+, 2\.0 MB, in use", shown, re.MULTILINE
    )
    assert f"revision {two[:8]}, 2.0 MB, current, " in shown
    rows = listed(hub, **chosen)
    assert [(r["current"], r["in_use"]) for r in rows["local/mine"]["revisions"]] == [(True, True)]
    assert {(r["commit"] == two, r["current"], r["in_use"]) for r in rows[KNOWN]["revisions"]} == {
        (True, True, False),
        (False, False, False),
    }
    # and with the built-in engine none is
    assert "in use" not in done(models(hub, "list", YOMITORI_READING_ENGINE="ppocr", **chosen))


def test_a_chosen_import_that_is_removed_gives_way_to_the_first_of_the_catalogue(
    hub: StubHub, first: Path, tmp_path: Path
) -> None:
    # given an import that is chosen, and MangaOCR
    hub.add_repo(KNOWN, first, "refs/pr/4")
    commit = re.findall(r"revision (\w+)", done(models(hub, "download", "manga-ocr")))[0]
    done(models(hub, "import", str(write_checkpoint(tmp_path / "mine", seed=3))))
    hub.forget()
    chosen = {"YOMITORI_MODELS_OCR_MODEL": "local/mine"}
    # when it is removed, then it is said that it was the chosen one, and what reads now
    result = models(hub, "remove", "local/mine", **chosen)
    assert "local/mine was removed" in done(result)
    assert "It was the chosen model. MangaOCR base takes its place." in result.stderr
    # and the list shows both
    shown = done(models(hub, "list", **chosen))
    assert "manga-ocr: ready, takes the place of local/mine\n" in shown
    assert f"revision {commit}, 2.0 MB, in use" in shown
    assert "local/mine: not on this computer any more, it was imported, chosen in the settings" in shown
    # and the folder is that of what reads, which is said, but not when the import itself is asked for
    result = models(hub, "path", **chosen)
    assert "models--kha-white--manga-ocr-base" in done(result)
    assert "local/mine was imported, and is not on this computer any more." in result.stderr
    assert models(hub, "path", "local/mine", **chosen).returncode == 4
    # when that goes, too, nothing takes its place
    result = models(hub, "remove", "manga-ocr", **chosen)
    assert "It took the place of local/mine. The built-in engine reads now." in result.stderr
    result = models(hub, "path", **chosen)
    assert result.returncode == 4
    assert "download" not in result.stderr
    assert hub.requests == []


# ---- a folder of one's own


@pytest.mark.parametrize("way", ["here", "above", "home"])
def test_a_folder_may_be_named_from_where_one_stands(hub: StubHub, first: Path, way: str) -> None:
    # given a user who stands beside the folder, below it, or in whose home it lies
    name = {"here": "./first", "above": "../../first", "home": "~/first"}[way]
    stand = first.parent / "deeper" / "still" if way == "above" else first.parent
    stand.mkdir(parents=True, exist_ok=True)
    there: dict[str, Any] = {"folder": stand, "HOME": str(first.parent), "USERPROFILE": str(first.parent)}
    # when it is asked for, as the model or as a setting, then it is that folder
    assert done(models(hub, "path", name, **there)) == f"{first}\n"
    assert done(models(hub, "path", "--models-ocr-model", name, **there)) == f"{first}\n"
    # and its files are looked at, though nobody knows their sums
    assert done(models(hub, "verify", name, **there)).startswith(
        f"ok  {first}  folder: its files are complete"
    )
    assert hub.requests == []


def test_a_folder_with_something_missing_is_said(hub: StubHub, first: Path) -> None:
    (first / "vocab.txt").unlink()
    result = models(hub, "verify", "./first", folder=first.parent)
    assert (result.returncode, result.stdout) == (4, f"NO  {first}  folder: vocab.txt is missing\n")
    assert "download" not in result.stderr
    assert "first: cannot be used: vocab.txt is missing" in done(
        models(hub, "list", YOMITORI_MODELS_OCR_MODEL=str(first))
    )


@pytest.mark.parametrize("variable", ["MANGAOCR_MODEL_PATH", "YOMITORI_MODELS_OCR_MODEL"])
def test_a_folder_that_is_chosen_is_listed(hub: StubHub, first: Path, variable: str) -> None:
    # given a folder that is chosen as the model
    chosen = {variable: str(first)}
    size = sum(path.stat().st_size for path in first.iterdir())
    # then it is a row of the list, and the only one that is chosen
    shown = done(models(hub, "list", **chosen))
    assert f"{first}: ready, chosen in the settings\n  a folder of your own, 2.0 MB" in shown
    assert shown.count("chosen in the settings") == 1
    rows = listed(hub, **chosen)
    assert [row["folder"] for row in rows.values() if row["chosen"]] == [str(first)]
    own = rows[""]
    assert (own["name"], own["state"], own["disk_bytes"]) == (str(first), "ready", size)
    assert own.keys() == rows[KNOWN].keys()
    # and it is checked with the rest
    assert done(models(hub, "verify", **chosen)).startswith(f"ok  {first}  folder: ")
    # and without the choice it is none
    assert "" not in listed(hub)


# ---- a download that is stopped


def test_what_a_killed_download_had_received_is_kept(hub: StubHub, tmp_path: Path) -> None:
    # given a download of which 60 % have come
    size = 3_000_000
    hub.add_repo(KNOWN, write_checkpoint(tmp_path / "big", size=size), "refs/pr/4")
    hub.slow(size / 2, file=WEIGHTS)
    process = start(hub.url, "download", "manga-ocr")
    wait_until(lambda: received(cache_folder()) >= 0.6 * size, process)
    # when it is killed with its model process, the one that receives
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    assert len(family) >= 2
    for member in family:
        member.kill()
    psutil.wait_procs(family, timeout=30)
    process.communicate()
    # then nothing half is there that would load
    row = listed(hub)[KNOWN]
    assert row["state"] == "partial"
    assert row["partial_bytes"] >= 0.6 * size
    assert "manga-ocr: partly downloaded" in done(models(hub, "list"))
    assert models(hub, "path").returncode == 4
    # and the second run fetches only what is missing
    hub.heal()
    hub.forget()
    done(models(hub, "download", "manga-ocr"))
    assert hub.total_sent <= 0.45 * size
    assert same_files(Path(done(models(hub, "path")).strip()), tmp_path / "big")
    assert "NO" not in done(models(hub, "verify"))


@pytest.mark.skipif(os.name != "posix", reason="a terminal's signal as POSIX has it")
def test_ctrl_c_pauses_and_says_so(hub: StubHub, tmp_path: Path) -> None:
    # given a download under way
    size = 3_000_000
    hub.add_repo(KNOWN, write_checkpoint(tmp_path / "big", size=size), "refs/pr/4")
    hub.slow(size / 2, file=WEIGHTS)
    process = start(hub.url, "download", "manga-ocr")
    wait_until(lambda: received(cache_folder()) >= 0.4 * size, process)
    children = psutil.Process(process.pid).children(recursive=True)
    # when Ctrl+C reaches every process of the terminal
    os.killpg(process.pid, signal.SIGINT)
    result = finish(process)
    # then it says where it stands, and no process is left
    assert result.returncode == 130
    assert re.search(r"Paused at \d\d % \(.* of 3\.0 MB\)\. The same command goes on", result.stderr)
    assert result.stdout == ""
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() for child in children)
    # and the same command goes on
    hub.heal()
    hub.forget()
    done(models(hub, "download", "manga-ocr"))
    assert hub.total_sent <= 0.65 * size


@pytest.mark.skipif(os.name != "posix", reason="a terminal's signal as POSIX has it")
def test_a_download_that_is_given_up_is_cleaned_up(hub: StubHub, tmp_path: Path) -> None:
    hub.add_repo(KNOWN, write_checkpoint(tmp_path / "big"), "refs/pr/4")
    hub.stall(after=0.5, file=WEIGHTS)
    process = start(hub.url, "download", "manga-ocr")
    wait_until(lambda: received(cache_folder()) >= 1_000_000, process)
    os.kill(process.pid, signal.SIGINT)
    assert finish(process).returncode == 130
    assert done(models(hub, "clean")) == "1.0 MB are free again.\n"
    assert listed(hub)[KNOWN]["state"] == "missing"
    assert done(models(hub, "clean")) == "There is nothing to clean up.\n"


@pytest.mark.skipif(os.name != "posix", reason="a terminal's signal as POSIX has it")
def test_what_is_being_downloaded_is_neither_removed_nor_cleaned_up(hub: StubHub, tmp_path: Path) -> None:
    # given a download under way
    hub.add_repo(KNOWN, write_checkpoint(tmp_path / "big"), "refs/pr/4")
    hub.stall(after=0.5, file=WEIGHTS)
    process = start(hub.url, "download", "manga-ocr")
    wait_until(lambda: received(cache_folder()) >= 1_000_000, process)
    # then it stays, and the code says that it is busy, not that a download failed
    result = models(hub, "clean")
    assert done(result) == "There is nothing else to clean up.\n"
    assert "is being downloaded" in result.stderr
    (cache_folder() / "models--kha-white--manga-ocr-base" / "snapshots" / ("c" * 40)).mkdir(parents=True)
    result = models(hub, "remove", "manga-ocr")
    assert result.returncode == 8
    assert "is being downloaded" in result.stderr
    os.kill(process.pid, signal.SIGINT)
    assert finish(process).returncode == 130


def test_a_broken_connection_a_busy_and_a_failing_hub_are_survived(hub: StubHub, first: Path) -> None:
    hub.add_repo(KNOWN, first, "refs/pr/4")
    hub.drop(after=0.5, file=WEIGHTS)
    hub.ask_to_wait(1, where="api")
    hub.fail(where="resolve")
    done(models(hub, "download", "manga-ocr"))
    assert same_files(Path(done(models(hub, "path")).strip()), first)
    assert hub.sent[WEIGHTS] <= 1.05 * (first / WEIGHTS).stat().st_size


def test_a_damaged_file_is_found_and_mended(hub: StubHub, first: Path) -> None:
    # given a model whose weights have a wrong byte since
    hub.add_repo(KNOWN, first, "refs/pr/4")
    done(models(hub, "download", "manga-ocr"))
    weights = Path(done(models(hub, "path")).strip()) / WEIGHTS
    with weights.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"wrong")
    # then it is found, and a download mends it
    result = models(hub, "verify", "manga-ocr")
    assert result.returncode == 4
    assert re.search(rf"^NO  manga-ocr  {WEIGHTS}: ", result.stdout, re.MULTILINE)
    assert "ok  manga-ocr  config.json" in result.stdout
    assert "models download manga-ocr" in result.stderr
    done(models(hub, "download", "manga-ocr"))
    assert weights.read_bytes() == (first / WEIGHTS).read_bytes()


# ---- licences


def test_a_licence_that_is_not_open_is_accepted_first(hub: StubHub, first: Path, second: Path) -> None:
    # given a model under a licence of its own kind
    hub.add_repo(OTHER, first, licence="cc-by-nc-4.0")
    # when it is asked for without a word about the licence
    result = models(hub, "download", OTHER)
    # then it is shown, and nothing is fetched
    assert result.returncode == 4
    assert "licence  cc-by-nc-4.0, which is not an open-source licence" in result.stderr
    assert "has to be accepted first" in result.stderr
    assert "--accept-license" in result.stderr
    assert hub.total_sent == 0
    # when it is accepted, it comes, and the licence is not asked for again
    done(models(hub, "download", OTHER, "--accept-license"))
    hub.add_commit(OTHER, second)
    done(models(hub, "update", OTHER))
    # until it changes
    hub.add_repo(OTHER, second, licence="other")
    result = models(hub, "update", OTHER)
    assert result.returncode == 4
    assert "has to be accepted first" in result.stderr


# ---- without a network


def test_an_import_needs_no_network_and_neither_does_the_rest(
    hub: StubHub, first: Path, tmp_path: Path
) -> None:
    # given a zip of the folder, and every way to the hub closed
    archive = shutil.make_archive(str(tmp_path / "manga-ocr"), "zip", first)
    offline = {"HF_ENDPOINT": "http://192.0.2.1:9", "HF_HUB_OFFLINE": "1"}
    # when it is imported
    result = models(hub, "import", archive, "manga-ocr", **offline)
    # then it is a model like any other
    assert re.fullmatch(r"MangaOCR base is ready: revision [0-9a-f]{8}, 2\.0 MB\.\n", done(result))
    row = listed(hub, **offline)[KNOWN]
    assert (row["state"], [r["imported"] for r in row["revisions"]]) == ("ready", [True])
    assert same_files(Path(done(models(hub, "path", **offline)).strip()), first)
    assert "NO" not in done(models(hub, "verify", **offline))
    assert "imported" in done(models(hub, "list", **offline))
    done(models(hub, "remove", "manga-ocr", **offline))
    assert hub.requests == []


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "words"),
    [
        (("download", "nonsense"), {}, 4, "There is no model called nonsense"),
        (("path",), {}, 4, "manga-ocr is not on this computer yet"),
        (("verify", "manga-ocr"), {}, 4, "manga-ocr is not on this computer yet"),
        (("update", "manga-ocr"), {}, 4, "manga-ocr is not on this computer yet"),
        (("remove", "manga-ocr"), {}, 4, "manga-ocr is not on this computer: there is nothing to remove"),
        (("remove", "manga-ocr", "--revision", "abc"), {}, 2, "these are here: none"),
        (("rollback", "manga-ocr"), {}, 4, "There is no earlier revision of MangaOCR base"),
        (("rollback", "local/gone"), {}, 4, "There is no earlier revision of local/gone"),
        (("import", "/nowhere/model.zip"), {}, 3, "cannot be opened: there is no such file or folder"),
        (("import", str(ROOT / "docs")), {}, 3, "holds no model"),
        (("download", "no/such-model"), {}, 9, "has no no/such-model"),
        (("download", "manga-ocr", "--revision", "gone"), {}, 9, "in the revision gone"),
        (("download", "manga-ocr"), {"HF_HUB_OFFLINE": "1"}, 9, "HF_HUB_OFFLINE is set"),
        (("download", "manga-ocr", "--models-dir", str(ROOT / "README.md")), {}, 5, "it is a file"),
        (("download", "manga-ocr"), {"HF_HOME": str(ROOT / "README.md")}, 5, "HF_HOME sets this folder"),
        (
            ("download", "manga-ocr"),
            {"HF_ENDPOINT": "notaurl"},
            9,
            "HF_ENDPOINT is no address of a hub",
        ),
        (("download", "local/gone"), {}, 4, "was imported; no hub knows it"),
        (("update", "local/gone", "--check"), {}, 4, "was imported; no hub knows it"),
        (("path", "local/gone"), {}, 4, "local/gone was imported, and is not on this computer any more"),
        ((), {}, 2, "ACTION"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(
    hub: StubHub, first: Path, arguments: tuple[str, ...], environ: dict[str, str], code: int, words: str
) -> None:
    hub.add_repo(KNOWN, first, "refs/pr/4")
    result = models(hub, *arguments, **environ)
    assert (result.returncode, result.stdout) == (code, ""), result.stderr
    assert words in result.stderr
    # and nobody is sent to download what cannot be
    assert "models download local/" not in result.stderr
    assert ("models download" in result.stderr) == ("is not on this computer yet" in result.stderr)


def test_what_is_gated_needs_a_token(hub: StubHub, first: Path) -> None:
    hub.add_repo(OTHER, first, gated=True)
    hub.granted.add("hf_good")
    result = models(hub, "download", OTHER)
    assert result.returncode == 9
    assert "without permission" in result.stderr
    assert "HF_TOKEN" in result.stderr
    done(models(hub, "download", OTHER, HF_TOKEN="hf_good"))
    assert {r.headers.get("authorization") for r in hub.asked(origin="cdn")} == {None}


def test_a_hub_that_cannot_be_reached_is_named(hub: StubHub) -> None:
    # given a port where nobody listens any more
    with StubHub() as closed:
        pass
    result = models(hub, "download", "manga-ocr", HF_ENDPOINT=closed.url)
    assert result.returncode == 9
    assert f"{closed.url.removeprefix('http://')} could not be reached" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_a_folder_without_rights_is_named_with_the_way_out() -> None:
    result = run_as_ordinary_user(
        "import sys; from service.cli import FrontEnd, main",
        """
locked.chmod(0o500)
codes = [
    main(["models", action, *model, "--models-dir", str(locked)], FrontEnd(None, None))
    for action, *model in (["list"], ["clean"], ["path"], ["download", "manga-ocr"])
]
sys.exit(codes != [0, 0, 4, 5])
""",
    )
    assert result.returncode == 0, result.stderr
    assert "manga-ocr: not downloaded" in result.stdout
    assert "/locked: you may not write there" in result.stderr
    assert "chown" in result.stderr
    assert "Traceback" not in result.stderr


# ---- models that answer questions


TINY_LLAVA = ROOT / "tests" / "models" / "tiny-llava"
SMALL = "llava-hf/llava-onevision-qwen2-0.5b-ov-hf"


def test_the_model_that_answers_is_marked_when_the_choice_is_automatic(hub: StubHub) -> None:
    # given nothing, nothing answers
    assert [row["automatic"] for row in listed(hub).values() if row["automatic"]] == []
    # when a model is imported, then it is found out what it is for, and it is the one that is taken
    result = models(hub, "import", str(TINY_LLAVA), SMALL)
    done(result)
    assert "To ask it" not in result.stderr
    rows = listed(hub)
    assert (rows[SMALL]["automatic"], rows[SMALL]["chosen"]) == (True, False)
    assert [revision["in_use"] for revision in rows[SMALL]["revisions"]] == [True]
    shown = done(models(hub, "list"))
    assert "llava-onevision-0.5b: ready, chosen automatically" in shown
    # when it is named, it is chosen; when a server answers, nothing here is in use
    row = listed(hub, YOMITORI_VISION_MODEL="llava-onevision-0.5b")[SMALL]
    assert (row["automatic"], row["chosen"], row["revisions"][0]["in_use"]) == (False, True, True)
    row = listed(hub, YOMITORI_VISION_BACKEND="remote")[SMALL]
    assert (row["automatic"], row["revisions"][0]["in_use"]) == (False, False)
    # and another one is told how to choose it
    result = models(hub, "import", str(TINY_LLAVA), "llava-1.5-7b", YOMITORI_VISION_MODEL=SMALL)
    done(result)
    assert "To ask it, choose it in Settings, or give --vision-model llava-1.5-7b" in result.stderr


def test_a_folder_is_imported_as_what_it_is(hub: StubHub) -> None:
    done(models(hub, "import", str(TINY_LLAVA)))
    assert [row["role"] for row in listed(hub).values() if row["repo"].startswith("local/")] == ["vision"]


def test_memory_is_told_in_the_precision_for_asking(hub: StubHub) -> None:
    def needs(**environ: str) -> tuple[int, int]:
        rows = listed(hub, **environ)
        return rows[KNOWN]["memory_bytes"], rows[SMALL]["memory_bytes"]

    reading, asking = needs()
    less = needs(YOMITORI_MODELS_PRECISION="bf16")
    assert less[0] < reading
    assert less[1] == asking == 5_106_000_000
    assert needs(YOMITORI_VISION_PRECISION="bf16") == (reading, 2_848_000_000)


def test_a_folder_for_asking_has_a_row_and_is_checked(hub: StubHub) -> None:
    chosen = {"YOMITORI_VISION_MODEL": str(TINY_LLAVA)}
    rows = [json.loads(row) for row in done(models(hub, "list", "--json", **chosen)).splitlines()]
    (row,) = [row for row in rows if row["name"] == str(TINY_LLAVA)]
    assert (row["role"], row["state"], row["chosen"]) == ("vision", "ready", True)
    assert f"ok  {TINY_LLAVA}" in done(models(hub, "verify", **chosen))
    assert f"ok  {TINY_LLAVA}" in done(models(hub, "verify", str(TINY_LLAVA)))


def test_an_old_id_is_downloaded_as_its_conversion_with_a_word_why(hub: StubHub) -> None:
    hub.add_repo(SMALL, TINY_LLAVA)
    result = models(hub, "download", "lmms-lab/llava-onevision-qwen2-0.5b-ov")
    assert "LLaVA-OneVision 0.5B is ready" in done(result)
    assert f"Its conversion {SMALL} is taken instead." in result.stderr
    # and when it is the one in the settings, its conversion is the chosen one
    old = "lmms-lab/llava-onevision-qwen2-0.5b-ov"
    assert listed(hub, YOMITORI_VISION_MODEL=old)[SMALL]["chosen"]
