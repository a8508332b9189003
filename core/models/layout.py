"""The hub's cache layout, and what makes a checkpoint, read with nothing but the file system.

::

    <root>/models--owner--name/
        blobs/<sha256 or git id>          contents, named by what is in them
        snapshots/<commit>/<file>         links to blobs (copies where links cannot be made)
        refs/<branch or reference>        the commit it was last seen at

Source: the guide "Understand caching" of huggingface_hub. Other programs read and write the same folders.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.models.renamed import conversion_of
from core.models.unchanged import while_unchanged
from core.vision.family import is_about_pictures, is_original_format, is_other, is_ours, needs_code

PARTIAL_SUFFIX = ".yomitori.incomplete"
"""Ours can be continued. Like every ``*.incomplete``, no program takes it for a blob."""
WEIGHTS = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
BIN_WEIGHTS = "pytorch_model.bin"
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json")
_TEMPLATE_PLACES = ("chat_template.json", "tokenizer_config.json", "processor_config.json")
_STALE_SECONDS = 3600.0
_HEADER_LIMIT = 100_000_000
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]*", re.ASCII)


def is_commit(revision: str) -> bool:
    """Whether ``revision`` names one commit, whose files can never change."""
    return _COMMIT.fullmatch(revision) is not None


def is_repo_id(text: str) -> bool:
    """Whether ``text`` looks like ``owner/name``. Such a name cannot lead out of the cache's folder."""
    return _REPO.fullmatch(text) is not None and "--" not in text and ".." not in text


def is_revision(text: str) -> bool:
    """Whether ``text`` can be a branch, reference or commit, and a path below ``refs``."""
    return _REVISION.fullmatch(text) is not None and ".." not in text


@dataclass(frozen=True, slots=True)
class Partial:
    """A file that was not received whole. ``stale``: nobody has written to it for an hour."""

    path: Path
    size: int
    ours: bool
    stale: bool


class RepoCache:
    """One repository in a cache folder. Nothing is created by looking."""

    def __init__(self, root: Path, repo: str) -> None:
        self.root = root
        self.repo = repo
        self.folder = root / ("models--" + repo.replace("/", "--"))
        self.blobs = self.folder / "blobs"
        self.snapshots = self.folder / "snapshots"
        self.refs = self.folder / "refs"
        self.locks = root / ".locks" / self.folder.name
        self.lock = self.locks / "yomitori.lock"

    def snapshot(self, commit: str) -> Path:
        return self.snapshots / commit

    def partial(self, oid: str) -> Path:
        """Where the content of that name is received."""
        return self.blobs / f"{oid}{PARTIAL_SUFFIX}"

    def resolve(self, revision: str) -> str | None:
        """The commit that ``revision`` meant when it was last asked for; None when its files are not here."""
        commit = revision
        if not is_commit(revision):
            try:
                commit = (self.refs / revision).read_text("utf-8").strip()
            except OSError:
                return None
        return commit if is_commit(commit) and self.snapshot(commit).is_dir() else None

    def commits(self) -> list[str]:
        """Every commit of which there are files, those written last first."""
        with contextlib.suppress(OSError):
            found = [path for path in self.snapshots.iterdir() if is_commit(path.name) and path.is_dir()]
            return [path.name for path in sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)]
        return []

    def is_complete(self, commit: str, role: str = "ocr") -> bool:
        """Whether its snapshot can be loaded (weights as a ``.bin`` count: they can be converted)."""
        return checkpoint_problem(self.snapshot(commit), role) is None

    def files(self, commit: str) -> dict[str, Path]:
        """The files of a snapshot by name (with ``/`` below folders), dangling links included."""
        top = self.snapshot(commit)
        return {path.relative_to(top).as_posix(): path for path in _walk(top)}

    def size(self, commit: str) -> int:
        """Bytes of its files on the disk; what other commits share is counted, too."""
        return sum(_size(path) for path in {os.path.realpath(path) for path in self.files(commit).values()})

    def disk_size(self) -> int:
        """Bytes of everything in the repository, shared contents counted once."""
        return sum(_size(path) for path in {os.path.realpath(path) for path in _walk(self.folder)})

    def partials(self) -> list[Partial]:
        """What was begun and not finished, by us or by another program."""
        found = []
        with contextlib.suppress(OSError):
            for path in sorted(self.blobs.glob("*.incomplete")):
                with contextlib.suppress(OSError):
                    stat = path.stat()
                    stale = time.time() - stat.st_mtime > _STALE_SECONDS
                    found.append(Partial(path, stat.st_size, path.name.endswith(PARTIAL_SUFFIX), stale))
        return found


def name_of(folder: Path) -> str:
    """What people call the model in a folder: in the hub's cache layout its id, else the folder's name."""
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.removeprefix("models--").replace("--", "/")
    return folder.name or str(folder)


def repos_in(root: Path) -> list[str]:
    """The hub ids of every model in a cache folder."""
    found = []
    with contextlib.suppress(OSError):
        for folder in sorted(root.glob("models--*--*")):
            repo = folder.name.removeprefix("models--").replace("--", "/", 1)
            if is_repo_id(repo) and folder.is_dir():
                found.append(repo)
    return found


def _walk(top: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(top):
        for name in names:
            yield Path(folder, name)


def _size(path: str | Path) -> int:
    with contextlib.suppress(OSError):
        return Path(path).stat().st_size
    return 0


def checkpoint_problem(folder: Path, role: str = "ocr") -> str | None:
    """Why ``folder`` holds no checkpoint that can be loaded, as the end of a sentence; None when it does.

    Only the files' names, sizes and headers are read.
    """
    if not folder.is_dir():
        return "there is no such folder"
    config = _read_json(folder / "config.json")
    if not isinstance(config, dict):
        return _absent(folder, "config.json")
    problem = _vision_problem(folder, config) if role == "vision" else _ocr_problem(folder, config)
    return problem or _weights_problem(folder)


def is_vision(folder: Path) -> bool:
    """Whether a folder's ``config.json`` is of a model for pictures, also one that cannot be asked here."""
    return is_about_pictures(_read_json(folder / "config.json"))


def is_other_vision(folder: Path) -> bool:
    """Whether it answers questions about pictures and is not of the LLaVA family."""
    return is_other(_read_json(folder / "config.json"))


def _ocr_problem(folder: Path, config: dict[str, Any]) -> str | None:
    if config.get("model_type") != "vision-encoder-decoder":
        return f"it is a {config.get('model_type', 'model')} and not in MangaOCR's format"
    if not isinstance(_read_json(folder / "preprocessor_config.json"), dict):
        return _absent(folder, "preprocessor_config.json")
    if not (folder / "vocab.txt").is_file():
        return _absent(folder, "vocab.txt")
    return None


def _vision_problem(folder: Path, config: dict[str, Any]) -> str | None:
    if is_original_format(config):
        name = str(config.get("_name_or_path", ""))
        found = conversion_of(name_of(folder)) or conversion_of(name)
        instead = found.new if found else "a conversion, such as those of llava-hf"
        return f"it is in LLaVA's original format, take {instead} instead"
    kind = config.get("model_type", "unknown")
    if needs_code(config):
        return f"it is of the type {kind}, which needs code of its own, and nobody's code is run here"
    if not is_about_pictures(config):
        return f"it is of the type {kind}, which cannot be asked about pictures"
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        return _absent(folder, "tokenizer.json")
    processor = _read_json(folder / "processor_config.json")
    # Newer checkpoints say there how pictures are prepared, older ones in a file of its own.
    told = isinstance(processor, dict) and "image_processor" in processor
    if not told and not isinstance(_read_json(folder / "preprocessor_config.json"), dict):
        return _absent(folder, "preprocessor_config.json")
    if not has_chat_template(folder):
        return "it has no chat template, so it cannot be asked"
    if not is_ours(config) and not is_other(config):
        return f"it is of the type {kind}, which cannot be asked about pictures"
    return None


def has_chat_template(folder: Path) -> bool:
    """Whether a checkpoint says how a conversation is written for it, in any of the places for that."""
    if (folder / "chat_template.jinja").is_file():
        return True
    files = (_read_json(folder / name) for name in _TEMPLATE_PLACES)
    return any(isinstance(file, dict) and bool(file.get("chat_template")) for file in files)


def _absent(folder: Path, name: str) -> str:
    return f"{name} is damaged" if (folder / name).is_file() else f"{name} is missing"


@while_unchanged
def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _weights_problem(folder: Path) -> str | None:
    names = weight_files(folder)
    if not names:
        return f"{WEIGHTS} is missing"
    for name in names:
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if name.endswith(".safetensors") and not is_whole_safetensors(path):
            return f"{name} is not complete"
        if not _size(path):
            return f"{name} is empty"
    return None


def weight_files(folder: Path) -> list[str]:
    """The names of the weights: safetensors (every part) before a ``.bin``; they need not be there."""
    if (folder / WEIGHTS).is_file():
        return [WEIGHTS]
    index = _read_json(folder / WEIGHTS_INDEX)
    if isinstance(index, dict) and isinstance(index.get("weight_map"), dict):
        return sorted({str(name) for name in index["weight_map"].values()})
    return [BIN_WEIGHTS] if (folder / BIN_WEIGHTS).is_file() else []


def needs_conversion(folder: Path) -> bool:
    """Whether the only weights are a ``.bin``, which is not loaded as it is."""
    return weight_files(folder) == [BIN_WEIGHTS]


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """``tensors`` maps each name to its ``dtype``, ``shape`` and ``data_offsets``; ``length`` is the bytes
    before the first of them."""

    tensors: dict[str, Any]
    length: int


def safetensors_header(path: Path) -> SafetensorsHeader | None:
    """The header of a safetensors file, None when it has none.

    Source: the format's description: 8 bytes with the length (little endian), JSON, then the tensors.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _HEADER_LIMIT:
                return None
            header = json.loads(file.read(length))
    except (OSError, ValueError):
        return None
    if not isinstance(header, dict):
        return None
    header.pop("__metadata__", None)
    return SafetensorsHeader(header, 8 + length)


@while_unchanged
def is_whole_safetensors(path: Path) -> bool:
    """Whether the file is as long as its header says."""
    header = safetensors_header(path)
    if header is None:
        return False
    try:
        ends = [int(entry["data_offsets"][1]) for entry in header.tensors.values()]
    except (KeyError, IndexError, TypeError, ValueError):
        return False
    return _size(path) == header.length + max(ends, default=0)
