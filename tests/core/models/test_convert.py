"""Weights that are a ``.bin``: read once, as numbers, and loaded from safetensors ever after."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from core.engine import Engine
from core.errors import ModelMissing, ModelUnusable, ProcessDied
from core.models.entries import Progress
from core.models.layout import RepoCache, is_whole_safetensors
from core.settings import SettingsStore
from core.types import RgbImage
from tests.core.models.parts import REPO, STALL, Shelf, children, tree, write_checkpoint
from tests.support.fake_manga_engine import BOTH
from tests.support.local_library import TINY_MANGA_OCR
from tests.support.old_layout import read_noise, write_old_layouts
from tests.support.stub_hub import StubHub

COPY = "model.safetensors (converted)"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model in the old layout, and other ``.bin`` files beside it. Not to be changed."""
    return write_old_layouts(TINY_MANGA_OCR, tmp_path_factory.mktemp("old"))


@pytest.fixture
def mine(tmp_path: Path, old: Path) -> Path:
    """A copy, in a folder of the user's own."""
    return Path(shutil.copytree(old, tmp_path / "mine"))


def test_a_folder_of_the_users_own_is_converted_and_reads_the_same(shelf: Shelf, mine: Path) -> None:
    # given a folder with a .bin, which is said to need a conversion
    before = {name: (mine / name).read_bytes() for name in tree(mine)}
    found = shelf.library.lookup("ocr", str(mine))
    assert found is not None
    assert found.needs_conversion
    # when it is converted
    ready = shelf.library.convert("ocr", str(mine), shelf.on_progress).result(STALL)
    # then it is loaded from a folder of ours, and the user's is as it was
    assert ready.converted
    assert shelf.paths.data in ready.folder.parents
    assert {name: (mine / name).read_bytes() for name in tree(mine)} == before
    assert is_whole_safetensors(ready.folder / "model.safetensors")
    assert not (ready.folder / "pytorch_model.bin").exists()
    assert shelf.library.lookup("ocr", str(mine)) == ready
    assert shelf.pieces[-1].phase == "convert"
    assert shelf.pieces[-1].done_bytes == shelf.pieces[-1].total_bytes > 0
    steps = [piece.done_bytes for piece in shelf.pieces]
    assert steps == sorted(steps)
    assert steps[0] == 0
    # and it reads as it does in the old layout and in today's, with the same four beams
    was, now, today = read_noise(mine, ready.folder, TINY_MANGA_OCR)
    assert now == was == today
    assert now["search"]["num_beams"] == 4
    assert json.loads((ready.folder / "generation_config.json").read_text())["num_beams"] == 4


def test_a_snip_that_waits_for_the_conversion_hears_of_it_and_is_read(
    shelf: Shelf, settings: SettingsStore, mine: Path
) -> None:
    settings.set("models.ocr_model", str(mine))
    told: list[dict[str, Any]] = []
    engine = Engine(settings, engines=BOTH, library=shelf.library)
    try:
        result = engine.recognize(RgbImage(1, 1, bytes(3)), told.append).result(STALL)
    finally:
        engine.close()
    assert result.engine == "manga-ocr"
    steps = [Progress.from_json(piece["conversion"]) for piece in told if "conversion" in piece]
    assert {step.phase for step in steps} == {"convert"}
    assert steps[0].done_bytes == 0
    assert steps[-1].done_bytes == steps[-1].total_bytes


def test_another_bin_in_its_place_is_converted_anew(shelf: Shelf, mine: Path, old: Path) -> None:
    first = shelf.library.convert("ocr", str(mine)).result(STALL)
    shutil.copy(old.parent / "old.bin", mine / "pytorch_model.bin")
    found = shelf.library.lookup("ocr", str(mine))
    assert found is not None
    assert found.needs_conversion
    # a file as torch wrote it before it wrote zip files is read as well
    second = shelf.library.convert("ocr", str(mine)).result(STALL)
    assert second.folder != first.folder
    weights = [(made.folder / "model.safetensors").read_bytes() for made in (first, second)]
    assert weights[0] == weights[1]


def test_a_download_of_a_bin_is_converted_and_that_is_said(hub: StubHub, shelf: Shelf, old: Path) -> None:
    commit = hub.add_repo(REPO, old)
    plan = shelf.library.plan_download("tiny").result(STALL)
    assert plan.will_convert
    assert plan.disk_bytes > 1.9 * plan.total_bytes - 50_000
    done = shelf.library.download("tiny", on_progress=shelf.on_progress).result(STALL)
    assert done.converted
    assert "convert" in {piece.phase for piece in shelf.pieces}
    checkpoint = shelf.library.lookup("ocr", "tiny")
    assert checkpoint is not None
    assert checkpoint.converted
    revision = shelf.library.model("tiny").revisions[0]
    assert (revision.converted, revision.needs_conversion, revision.complete) == (True, False, True)
    # the .bin stays in the cache, where other programs find it
    assert "pytorch_model.bin" in RepoCache(shelf.root, REPO).files(commit)
    assert not any("converted" in name for name in tree(shelf.root))
    # the copy is checked as well; when it is damaged it goes, to be made again
    assert [check.name for check in shelf.library.verify("tiny").result(STALL) if check.ok][-1] == COPY
    weights = checkpoint.folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert [check.name for check in shelf.library.verify("tiny").result(STALL) if not check.ok] == [COPY]
    assert not checkpoint.folder.exists()
    assert shelf.library.convert("ocr", "tiny").result(STALL).folder == checkpoint.folder
    # removing the model takes the copy, too
    freed = shelf.library.remove("tiny").result(STALL)
    assert freed > 1.9 * (old / "pytorch_model.bin").stat().st_size
    assert not checkpoint.folder.exists()


def test_a_bin_that_another_program_downloaded_is_left_where_it_is(shelf: Shelf, old: Path) -> None:
    cache = RepoCache(shelf.root, "someone/else")
    commit = "a" * 40
    shutil.copytree(old, cache.snapshot(commit))
    before = tree(cache.folder)
    found = shelf.library.lookup("ocr", "someone/else")
    assert found is not None
    assert found.needs_conversion
    done = shelf.library.convert("ocr", "someone/else").result(STALL)
    assert (done.commit, done.converted) == (commit, True)
    assert shelf.library.lookup("ocr", "someone/else") == done
    assert shelf.wait_for_event("ready").repo == "someone/else"
    assert tree(cache.folder) == before


def test_a_bin_that_is_no_list_of_numbers_is_refused(shelf: Shelf, tmp_path: Path, old: Path) -> None:
    # given files that are damaged, and one that runs a program when it is opened carelessly
    contents = {
        "program": (old.parent / "program.bin").read_bytes(),
        "rubbish": b"\x80\x02rubbish",
        "cut": (old / "pytorch_model.bin").read_bytes()[:50_000],
    }
    for name, content in contents.items():
        shutil.copytree(old, tmp_path / name)
        (tmp_path / name / "pytorch_model.bin").write_bytes(content)
    # when they are converted
    jobs = {name: shelf.library.convert("ocr", str(tmp_path / name)) for name in contents}
    # then each is refused with the reason, and nothing ran
    reasons = {}
    for name, job in jobs.items():
        with pytest.raises(ModelUnusable, match=r"pytorch_model\.bin") as caught:
            job.result(STALL)
        reasons[name] = caught.value.message
    assert "could be a program" in reasons["program"]
    assert "damaged" in reasons["cut"]
    assert not (old.parent / "it-ran").exists()
    store = shelf.library.converted
    assert not any(store.of_folder(tmp_path / name).exists() for name in contents)


def test_an_empty_bin_is_said_at_once(shelf: Shelf, mine: Path) -> None:
    (mine / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelUnusable, match=r"pytorch_model\.bin is empty"):
        shelf.library.lookup("ocr", str(mine))


def test_a_conversion_that_is_ended_leaves_nothing_that_loads(
    shelf: Shelf, mine: Path, tmp_path: Path
) -> None:
    # given a process of its own, which takes a while to import torch, that is killed meanwhile
    before = {process.pid for process in children()}
    other = Shelf(tmp_path / "home")
    job = other.library.convert("ocr", str(mine), other.on_progress)
    left = other.library.converted.root
    deadline = time.monotonic() + STALL
    while not any(path.is_dir() for path in left.rglob(".*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for process in children():
        if process.pid not in before:
            process.kill()
    with pytest.raises(ProcessDied):
        job.result(STALL)
    found = other.library.lookup("ocr", str(mine))
    assert found is not None
    assert found.needs_conversion
    other.library.close()
    # what it left is in nobody's way: the next one cleans up and works
    assert list(left.rglob("*.json")) or list(left.rglob(".*"))
    shutil.copytree(left, shelf.library.converted.root, dirs_exist_ok=True)
    ready = shelf.library.convert("ocr", str(mine)).result(STALL)
    name = ready.folder.name
    assert [path for path in ready.folder.parent.glob(f".{name}.*") if path.is_dir()] == []


def test_safetensors_need_no_conversion(shelf: Shelf, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "whole", 1000)
    ready = shelf.library.convert("ocr", str(folder)).result(STALL)
    assert (ready.folder, ready.converted) == (folder, False)
    with pytest.raises(ModelMissing):
        shelf.library.convert("ocr", "tiny").result(STALL)
