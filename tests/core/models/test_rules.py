"""What a front end imports for models, and that loading asks nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.models.parts import REPO, STALL, Shelf, write_checkpoint
from tests.support.environment import child_environment
from tests.support.imports import CHILD_ONLY, imported_by
from tests.support.stub_hub import StubHub


@pytest.mark.parametrize("code", ["import core.models.library"])
def test_a_front_end_imports_neither_the_hubs_client_nor_torch(code: str) -> None:
    loaded = imported_by(code)
    assert loaded & {*CHILD_ONLY, "httpx2", "safetensors", "filelock", "PySide6"} == set()


def test_the_process_that_downloads_imports_no_more_than_it_needs() -> None:
    assert imported_by("import core.models.hub_engine") & {*CHILD_ONLY, "pydantic", "httpx2"} == set()
    loaded = imported_by("import core.models.hub_client")
    assert "huggingface_hub" in loaded
    assert loaded & {"torch", "transformers", "numpy", "pydantic"} == set()


def test_after_a_download_nothing_is_asked_of_any_network(hub: StubHub, shelf: Shelf, tmp_path: Path) -> None:
    """Another process, in which every socket is refused, finds what is to be loaded."""
    hub.add_repo(REPO, write_checkpoint(tmp_path / "source", 1000), "refs/pr/4")
    commit = shelf.library.download("tiny").result(STALL).commit
    program = f"""
import sys
from pathlib import Path

def refuse(event, arguments):
    if event.startswith("socket."):
        raise PermissionError(event)

sys.addaudithook(refuse)
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from tests.core.models.parts import known

home = Path({str(shelf.home)!r})
environ = {{"YOMITORI_MODELS_DIR": {str(shelf.root)!r}}}
settings = SettingsStore(home / "config" / "settings.json", environ=environ)
library = ModelLibrary(settings, Paths.below(home), catalogue=(known(),), environ={{}})
print(library.lookup("ocr", "tiny").folder)
print(library.model("tiny").state)
library.close()
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=child_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [
        str(shelf.root / f"models--{REPO.replace('/', '--')}/snapshots/{commit}"),
        "ready",
    ]
