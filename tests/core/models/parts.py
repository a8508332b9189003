"""What the tests of models share: small checkpoints, and a library in a folder of its own."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from core.models.catalogue import KnownFile, KnownModel, KnownRevision
from core.models.entries import LibraryChanged, Progress
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore

STALL = 120.0
REPO = "yomitori-tests/manga"
QUICK = {"first_delay": 0.02, "longest_delay": 0.1, "connect": 5.0, "read": 2.0}
"""Retries without waiting."""

CONFIG = {
    "model_type": "vision-encoder-decoder",
    "encoder": {"model_type": "vit", "hidden_size": 8},
    "decoder": {"model_type": "bert", "hidden_size": 8},
}


def write_safetensors(path: Path, size: int, seed: int = 0) -> Path:
    """One tensor of ``size`` bytes of noise."""
    header = {
        "w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]},
        "__metadata__": {"format": "pt"},
    }
    text = json.dumps(header).encode()
    noise = random.Random(seed).randbytes(size)
    path.write_bytes(len(text).to_bytes(8, "little") + text + noise)
    return path


def write_texts(folder: Path, seed: int = 0) -> Path:
    """Everything but weights, and files that loading does not need."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"seed": seed}, indent=2))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 224}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    (folder / "special_tokens_map.json").write_text(json.dumps({"pad_token": "[PAD]"}))
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nあ\n")
    (folder / "README.md").write_text("# A model\n")
    return folder


def write_checkpoint(folder: Path, size: int = 200_000, seed: int = 0) -> Path:
    """A folder in MangaOCR's format; nothing is in its weights."""
    write_texts(folder, seed)
    write_safetensors(folder / "model.safetensors", size, seed)
    (folder / "flax_model.msgpack").write_bytes(b"not needed" * 100)
    return folder


def known(repo: str = REPO, name: str = "tiny", **changed: Any) -> KnownModel:
    """An entry of a catalogue for tests."""
    values: dict[str, Any] = {
        "name": name,
        "role": "ocr",
        "title": "A tiny model",
        "what_for": "Reads nothing.",
        "repo": repo,
        "revision": "refs/pr/4",
        "files": (KnownFile("config.json"), KnownFile("model.safetensors")),
        "download_size": 200_000,
        "parameters": 50_000,
        "licence": "apache-2.0",
        "licence_open": True,
        "licence_url": "https://example.org/licence",
        "memory": {"fp32": 1_000_000},
        "devices": ("cpu",),
        "fallback": KnownRevision("main"),
    }
    return KnownModel(**{**values, **changed})


class Shelf:
    """A library below one folder, with what it told."""

    def __init__(self, home: Path, **options: Any) -> None:
        self._others = children()
        self.home = home
        self.root = home / "hub"
        self.paths = Paths.below(home)
        self.events: list[LibraryChanged] = []
        self.pieces: list[Progress] = []
        self._moved = threading.Condition()
        self._kill_at: Callable[[Progress], bool] | None = None
        settings = SettingsStore(
            home / "config" / "settings.json", environ={"YOMITORI_MODELS_DIR": str(self.root)}
        )
        # Starting a process is most of the time of most tests, so the jobs of one share it.
        quick = {"retry": QUICK, "idle_seconds": 60.0}
        options = {"catalogue": (known(),), "environ": {}, **quick, **options}
        self.library = ModelLibrary(settings, self.paths, home / "log", **options)
        self.library.subscribe(self._on_event)

    def _on_event(self, event: LibraryChanged) -> None:
        with self._moved:
            self.events.append(event)
            self._moved.notify_all()

    def wait_for_event(self, kind: str) -> LibraryChanged:
        """The first event of that kind; it comes a moment after the job's result."""
        with self._moved:
            assert self._moved.wait_for(lambda: any(e.kind == kind for e in self.events), STALL), kind
            return next(event for event in self.events if event.kind == kind)

    def on_progress(self, progress: Progress) -> None:
        if self._kill_at is not None and self._kill_at(progress):
            self._kill_at = None
            # Progress is told in the thread of the host whose process it is.
            role = threading.current_thread().name.removeprefix("host-")
            process = self.library._hosts._running[role][0]._process
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
        with self._moved:
            self.pieces.append(progress)
            self._moved.notify_all()

    def kill_at(self, reached: Callable[[Progress], bool]) -> None:
        """Kill the process that is at work (SIGKILL) as soon as the progress has got there."""
        self._kill_at = reached

    def wait_for(self, reached: Callable[[Progress], bool]) -> Progress:
        """The first progress that has got there."""
        with self._moved:
            assert self._moved.wait_for(lambda: any(map(reached, self.pieces)), STALL), self.pieces[-3:]
            return next(piece for piece in self.pieces if reached(piece))

    def clear(self) -> None:
        """Forget what was told so far, and remove every model and record."""
        self._kill_at = None
        with self._moved:
            self.events.clear()
            self.pieces.clear()
        for folder in (self.root, self.paths.data):
            shutil.rmtree(folder, ignore_errors=True)

    def log(self, role: str = "download") -> str:
        path = self.home / "log" / f"model-{role}.log"
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        self.library.close()
        left = [process for process in children() if process not in self._others]
        assert left == [], "a process outlived its library"

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


def tree(folder: Path) -> list[str]:
    """The files below a folder, for comparing."""
    return sorted(
        Path(top, name).relative_to(folder).as_posix() for top, _, names in os.walk(folder) for name in names
    )
