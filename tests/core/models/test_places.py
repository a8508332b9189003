"""Where models lie, and what is said when they cannot lie there."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import (
    DiskFull,
    FixedFolderFull,
    FixedFolderLocked,
    FixedFolderUnusable,
    ModelsFolderLocked,
    ModelsFolderUnusable,
    NotEnoughDisk,
    StorageError,
)
from core.models.folder import advice_for
from core.models.places import ensure_models_root, hub_default, models_place, models_root
from core.settings import Settings, SettingsStore
from tests.core.models.parts import write_checkpoint
from tests.support.ordinary_user import run_as_ordinary_user


def root(tmp_path: Path, role: str = "ocr", file: str = "", flag: str = "", **environ: str) -> str:
    """The models folder for what is set, without the part that is the test's own."""
    store = SettingsStore(tmp_path / "settings.json", environ={})
    if file:
        store.set("models.dir", file)
    store = SettingsStore(
        tmp_path / "settings.json", environ=environ, flags={"models.dir": flag} if flag else {}
    )
    return str(models_root(store, role, environ))


def test_each_name_gives_way_to_those_before_it(tmp_path: Path) -> None:
    environ = {
        "YOMITORI_MODELS_DIR": "/ours",
        "MANGAOCR_MODEL_PATH": "/manga",
        "TRANSFORMERS_CACHE": "/vision",
        "HF_HUB_CACHE": "/hub-cache",
        "HF_HOME": "/hf",
        "XDG_CACHE_HOME": "/xdg",
    }
    assert root(tmp_path, file="/file", flag="/flag", **environ) == "/flag"
    assert root(tmp_path, file="/file", **environ) == "/ours"
    del environ["YOMITORI_MODELS_DIR"]
    assert root(tmp_path, file="/file", **environ) == "/manga"
    assert root(tmp_path, "vision", file="/file", **environ) == "/vision"
    del environ["MANGAOCR_MODEL_PATH"]
    assert root(tmp_path, file="/file", **environ) == "/hub-cache"
    assert root(tmp_path, "vision", file="/file", **environ) == "/vision"
    del environ["HF_HUB_CACHE"]
    assert root(tmp_path, file="/file", **environ) == "/hf/hub"
    del environ["HF_HOME"]
    assert root(tmp_path, file="/file", **environ) == "/file"


def test_without_any_it_is_the_cache_that_others_use(tmp_path: Path) -> None:
    assert root(tmp_path, XDG_CACHE_HOME="/xdg") == "/xdg/huggingface/hub"
    assert hub_default({}) == Path.home() / ".cache" / "huggingface" / "hub"
    assert models_root(Settings(), "ocr", {}) == hub_default({})


def test_it_is_where_the_hubs_own_library_looks(tmp_path: Path) -> None:
    import subprocess
    import sys

    for environ in ({}, {"HF_HOME": "~/x"}, {"HF_HUB_CACHE": "/y"}, {"XDG_CACHE_HOME": "/z"}):
        program = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
        run = subprocess.run(
            [sys.executable, "-c", program],
            env={"HOME": str(Path.home()), **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        assert models_root(Settings(), "ocr", environ) == Path(run.stdout.strip()), environ


def test_a_checkpoint_is_no_cache(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "checkpoint", 100)
    assert root(tmp_path, MANGAOCR_MODEL_PATH=str(folder), HF_HOME="/hf") == "/hf/hub"


def test_names_of_folders_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/reader")
    monkeypatch.setenv("DISK", "/mnt/disk")
    assert root(tmp_path, file="~/models") == "/home/reader/models"
    assert root(tmp_path, HF_HOME="$DISK/hf") == "/mnt/disk/hf/hub"


def test_what_fixes_the_folder_is_told(tmp_path: Path) -> None:
    names = ("YOMITORI_MODELS_DIR", "MANGAOCR_MODEL_PATH", "HF_HUB_CACHE", "HF_HOME")
    environ = dict.fromkeys(names, str(tmp_path / "x"))

    def source(flag: str = "") -> str:
        flags = {"models.dir": flag} if flag else {}
        store = SettingsStore(tmp_path / "settings.json", environ=environ, flags=flags)
        return models_place(store, "ocr", environ)[1]

    assert source(flag="/flag") == "--models-dir"
    for name in names:
        assert source() == name
        del environ[name]
    assert source() == ""


# ---- writing there


def test_the_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert ensure_models_root(folder) == folder
    assert list(folder.iterdir()) == []


def test_a_file_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ModelsFolderUnusable, match="file"):
            ensure_models_root(path)


def test_a_folder_that_is_closed_is_named_with_the_command_that_opens_it() -> None:
    code = """
locked.chmod(0o500)
for folder in (locked, locked / "deeper" / "still"):
    try:
        ensure_models_root(folder)
    except ModelsFolderLocked as error:
        print(str(folder) in error.message, f'sudo chown -R "$USER" "{locked}"' in error.advice)
"""
    imports = "from core.models.folder import ensure_models_root\nfrom core.errors import ModelsFolderLocked"
    run = run_as_ordinary_user(imports, code)
    assert run.stdout.split() == ["True"] * 4, run.stderr


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelsFolderUnusable(path="/models/x", reason="it is a file"), FixedFolderUnusable),
        (ModelsFolderLocked(path="/models", command="chown"), FixedFolderLocked),
        (NotEnoughDisk(path="/models", free="1 MB", need="2 MB"), FixedFolderFull),
        (DiskFull(path="/models"), DiskFull),
        # the copy of converted weights lies elsewhere
        (NotEnoughDisk(path="/data/converted", free="1 MB", need="2 MB"), NotEnoughDisk),
    ],
)
def test_advice_about_a_folder_that_is_fixed_names_what_fixes_it(
    error: StorageError, told: type[StorageError]
) -> None:
    with pytest.raises(StorageError) as caught, advice_for(Path("/models"), "HF_HOME"):
        raise error
    assert type(caught.value) is told
    assert caught.value.message == error.message
    if told is not type(error):
        assert caught.value.advice.partition("HF_HOME sets this folder")[1]
        assert "--models-dir" in caught.value.advice
        assert "Settings" not in caught.value.advice
    # and where the user's settings decide, they are named
    with pytest.raises(StorageError) as caught, advice_for(Path("/models"), ""):
        raise error
    assert caught.value is error


def test_a_closed_folder_is_a_storage_error() -> None:
    error = ModelsFolderLocked(path="/models", command="sudo chown")
    assert isinstance(error, ModelsFolderUnusable)
    assert error.exit_code == 5
