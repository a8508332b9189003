"""Models for computers without a network: from folders and zip files, good and bad."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from core.errors import FileUnreadable, ImportFailed, ModelUnknown, NotEnoughDisk, ProcessDied
from core.models.catalogue import KnownFile, KnownRevision
from core.models.hashing import Naming
from core.models.layout import RepoCache
from tests.core.models.parts import REPO, STALL, Shelf, known, tree, write_checkpoint, write_texts
from tests.core.models.small_disk import FREE, SMALL_DISK
from tests.support.stub_hub import StubHub

WEIGHTS = "model.safetensors"
COMMIT = "c" * 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "manga-ocr-base", 300_000)


def pack(folder: Path, target: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in tree(folder):
            archive.write(folder / name, prefix + name)
    return target


def hub_cache(
    source: Path, root: Path, repo: str = REPO, commit: str = COMMIT, links: bool = True
) -> RepoCache:
    """A cache as the hub's library leaves it."""
    cache = RepoCache(root, repo)
    cache.blobs.mkdir(parents=True)
    cache.snapshot(commit).mkdir(parents=True)
    for path in source.iterdir():
        naming = Naming(path.stat().st_size)
        naming.update(path.read_bytes())
        blob = cache.blobs / (naming.sha256 if path.name == WEIGHTS else naming.git)
        shutil.copy(path, blob)
        target = cache.snapshot(commit) / path.name
        target.symlink_to(os.path.relpath(blob, target.parent))
    (cache.refs / "refs" / "pr").mkdir(parents=True)
    (cache.refs / "refs" / "pr" / "4").write_text(commit)
    return cache


def nothing_left(shelf: Shelf) -> bool:
    return [name for name in tree(shelf.root) if not name.endswith(".lock")] == []


# ---- what is taken


@pytest.mark.parametrize("packed", [False, True])
def test_a_checkpoint_counts_as_present(shelf: Shelf, source: Path, tmp_path: Path, packed: bool) -> None:
    path = pack(source, tmp_path / "model.zip", "some/folder/") if packed else source
    done = shelf.library.import_from(path, "tiny", shelf.on_progress).result(STALL)
    assert done.repo == REPO
    assert {piece.phase for piece in shelf.pieces} == {"import"}
    checkpoint = shelf.library.lookup("ocr", "tiny")
    assert checkpoint is not None
    assert checkpoint.commit == done.commit
    assert (checkpoint.folder / WEIGHTS).read_bytes() == (source / WEIGHTS).read_bytes()
    # only what loading needs was taken
    assert "README.md" not in tree(checkpoint.folder)
    assert shelf.library.model("tiny").revisions[0].imported
    assert all(check.ok and not check.detail for check in shelf.library.verify("tiny").result(STALL))
    # the same content has the same commit, whoever imports it
    assert shelf.library.import_from(source, "tiny").result(STALL).commit == done.commit


def test_what_was_imported_is_not_fetched_by_a_later_download(
    hub: StubHub, shelf: Shelf, source: Path
) -> None:
    shelf.library.import_from(source, "tiny").result(STALL)
    commit = hub.add_repo(REPO, source, "refs/pr/4")
    done = shelf.library.download("tiny").result(STALL)
    assert (done.commit, done.received_bytes, hub.total_sent) == (commit, 0, 0)


@pytest.mark.parametrize("how", ["repository", "cache", "zip of links", "zip of files"])
def test_a_hub_cache_of_another_computer_keeps_its_commit(
    shelf: Shelf, source: Path, tmp_path: Path, how: str
) -> None:
    cache = hub_cache(source, tmp_path / "other")
    paths = {"repository": cache.folder, "cache": cache.root}
    if how == "zip of files":
        paths[how] = pack(cache.folder, tmp_path / f"{cache.folder.name}.zip")
    if how == "zip of links":
        paths[how] = tmp_path / "any.zip"
        with zipfile.ZipFile(paths[how], "w") as archive:
            for name in tree(cache.root):
                path = cache.root / name
                if path.is_symlink():
                    info = zipfile.ZipInfo(name)
                    info.create_system = 3
                    info.external_attr = (stat.S_IFLNK | 0o777) << 16
                    archive.writestr(info, str(path.readlink()))
                else:
                    archive.write(path, name)
    done = shelf.library.import_from(paths[how]).result(STALL)
    assert (done.repo, done.commit) == (REPO, COMMIT)
    ours = RepoCache(shelf.root, REPO)
    assert ours.resolve("refs/pr/4") == COMMIT
    assert not shelf.library.model("tiny").revisions[0].imported
    assert shelf.library.lookup("ocr", "tiny") is not None
    assert all(check.ok and not check.detail for check in shelf.library.verify("tiny").result(STALL))


def test_a_checkpoint_that_the_catalogue_knows_is_recognised(tmp_path: Path, source: Path) -> None:
    sums = []
    for name in ("config.json", WEIGHTS):
        naming = Naming((source / name).stat().st_size)
        naming.update((source / name).read_bytes())
        sums.append(KnownFile(name, None, naming.sha256))
    with Shelf(tmp_path / "home", catalogue=(known(fallback=KnownRevision(COMMIT, tuple(sums))),)) as shelf:
        done = shelf.library.import_from(source).result(STALL)
        assert (done.repo, done.commit) == (REPO, COMMIT)
        assert not shelf.library.model("tiny").revisions[0].imported


def test_a_checkpoint_without_a_name_gets_one(shelf: Shelf, source: Path) -> None:
    done = shelf.library.import_from(source).result(STALL)
    assert done.repo == "local/manga-ocr-base"
    assert shelf.library.lookup("ocr", done.repo) is not None
    assert [entry.repo for entry in shelf.library.models()] == [REPO, done.repo]


def test_of_several_revisions_the_one_that_is_known_is_taken(
    shelf: Shelf, source: Path, tmp_path: Path
) -> None:
    other = write_checkpoint(tmp_path / "v2", 100_000, seed=2)
    cache = hub_cache(source, tmp_path / "other")
    shutil.copytree(other, cache.snapshot("d" * 40))
    assert shelf.library.import_from(cache.folder, "tiny").result(STALL).commit == COMMIT


# ---- what is refused


def test_a_zip_that_points_out_of_its_folder_writes_nothing_there(
    shelf: Shelf, source: Path, tmp_path: Path
) -> None:
    """Names out of a zip are never used as paths (the weakness known as zip slip)."""
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in tree(source):
            archive.write(source / name, f"../../../{name}")
        archive.writestr("/etc/yomitori-evil.json", "{}")
        archive.writestr("../../../../../../tmp/yomitori-evil.json", "{}")
    outside = set(tree(tmp_path))
    done = shelf.library.import_from(path, "tiny").result(STALL)
    assert done.total_bytes > 300_000
    new = set(tree(tmp_path)) - outside
    assert all(name.startswith(("home/hub/", "home/log/", "home/data/")) for name in new), new
    assert not Path("/tmp/yomitori-evil.json").exists()


def test_a_zip_that_says_it_is_small_is_not_unpacked_beyond_that(
    shelf: Shelf, source: Path, tmp_path: Path
) -> None:
    # given a zip in whose directory a file is shorter than what comes out of it
    path = pack(source, tmp_path / "bomb.zip")
    raw = bytearray(path.read_bytes())
    size = (source / WEIGHTS).stat().st_size
    raw = raw.replace(struct.pack("<I", size), struct.pack("<I", 1000))
    path.write_bytes(raw)
    with pytest.raises(ImportFailed, match=r"bomb\.zip"):
        shelf.library.import_from(path, "tiny").result(STALL)
    assert nothing_left(shelf)


def test_more_than_the_disk_holds_is_refused_before_it_begins(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FREE, "100000")
    with Shelf(tmp_path / "home", hub_spec=SMALL_DISK) as shelf:
        with pytest.raises(NotEnoughDisk):
            shelf.library.import_from(source, "tiny").result(STALL)
        assert nothing_left(shelf)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / WEIGHTS).unlink(), "no weights"),
        (lambda folder: (folder / "vocab.txt").unlink(), "vocab.txt is missing"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "llava"}'), "it is a llava"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is damaged"),
        (lambda folder: os.truncate(folder / WEIGHTS, 1000), f"{WEIGHTS} is not complete"),
    ],
)
def test_a_folder_without_a_whole_model_is_refused(
    shelf: Shelf, source: Path, spoil: object, reason: str
) -> None:
    assert callable(spoil)
    spoil(source)
    with pytest.raises(ImportFailed, match=reason):
        shelf.library.import_from(source, "tiny").result(STALL)
    assert nothing_left(shelf)
    assert shelf.library.model("tiny").state == "missing"


def test_damage_that_the_cache_itself_gives_away_is_told(shelf: Shelf, source: Path, tmp_path: Path) -> None:
    cache = hub_cache(source, tmp_path / "other")
    weights = (cache.snapshot(COMMIT) / WEIGHTS).resolve()
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ImportFailed, match=f"{WEIGHTS} is damaged"):
        shelf.library.import_from(cache.folder).result(STALL)
    assert nothing_left(shelf)


def test_what_is_no_model_at_all_is_said(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("not a zip")
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("config.json", "{}" * 100)
    raw = bytearray(broken.read_bytes())
    raw[40:60] = b"\0" * 20
    broken.write_bytes(raw)
    reasons = {
        "text.zip": "neither a folder nor a zip file",
        "empty": "no config.json",
        "broken.zip": "no weights|cannot be read",
    }
    for name, reason in reasons.items():
        with pytest.raises(ImportFailed, match=reason):
            shelf.library.import_from(tmp_path / name, "tiny").result(STALL)
    with pytest.raises(FileUnreadable, match="no such file or folder"):
        shelf.library.import_from(tmp_path / "absent", "tiny").result(STALL)
    with pytest.raises(ModelUnknown):
        shelf.library.import_from(tmp_path / "empty", "not a name")


def test_two_models_at_once_need_a_name(shelf: Shelf, source: Path, tmp_path: Path) -> None:
    hub_cache(source, tmp_path / "other")
    hub_cache(source, tmp_path / "other", "someone/else", "d" * 40)
    with pytest.raises(ImportFailed, match="say which one"):
        shelf.library.import_from(tmp_path / "other").result(STALL)
    assert shelf.library.import_from(tmp_path / "other", "someone/else").result(STALL).commit == "d" * 40
    with pytest.raises(ImportFailed, match="not third/model"):
        shelf.library.import_from(tmp_path / "other", "third/model").result(STALL)


def test_an_import_that_is_killed_leaves_nothing_that_stays(
    shelf: Shelf, source: Path, tmp_path: Path
) -> None:
    big = write_texts(tmp_path / "big")
    with (big / "pytorch_model.bin").open("wb") as file:
        file.truncate(300_000_000)
    shelf.kill_at(lambda piece: piece.done_bytes > 1_000_000)
    with pytest.raises(ProcessDied):
        shelf.library.import_from(big, "tiny", shelf.on_progress).result(STALL)
    assert any("import-" in name and name.endswith(".bin") for name in tree(shelf.root))
    assert shelf.library.model("tiny").state == "missing"
    shelf.library.import_from(source, "tiny").result(STALL)
    assert not [name for name in tree(shelf.root) if "import-" in name and not name.endswith(".lock")]
