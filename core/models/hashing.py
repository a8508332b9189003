"""The hub's names for contents: sha256 for large files, git's blob id (a sha1) for small ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 4 * 1024 * 1024
_NAME = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LARGE = (".safetensors", ".bin", ".pt", ".pth", ".onnx", ".msgpack", ".h5", ".gguf")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file and its content: ``size`` in bytes, and ``oid``, its name."""

    name: str
    size: int
    oid: str


def is_oid(name: str) -> bool:
    """Whether ``name`` is a content's name, as blobs in the cache are called."""
    return _NAME.fullmatch(name) is not None


class Digest:
    """The name of a content of known size, from its bytes in order.

    ``oid`` is the name expected; its length says which of the two it is.
    """

    def __init__(self, oid: str, size: int) -> None:
        self.oid = oid
        # Git is not a defence here: what it names is small text, fetched over the hub's own connection.
        self._hash = hashlib.sha256() if len(oid) == 64 else hashlib.sha1(usedforsecurity=False)
        if len(oid) == 40:
            self._hash.update(b"blob %d\0" % size)

    def update(self, data: bytes | memoryview) -> None:
        self._hash.update(data)

    @property
    def matches(self) -> bool:
        return self._hash.hexdigest() == self.oid


def pieces(path: Path) -> Generator[bytes, None, None]:
    """The bytes of a file in chunks."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def sha256_of(path: Path, reached: Callable[[int], None]) -> str:
    """``reached`` hears of how many bytes there were so far, after each chunk."""
    naming, done = hashlib.sha256(), 0
    for data in pieces(path):
        naming.update(data)
        done += len(data)
        reached(done)
    return naming.hexdigest()


def is_large(name: str) -> bool:
    """Whether hubs keep a file of that name by its sha256 rather than by git's id."""
    return name.endswith(_LARGE)


class Naming:
    """The names of a content whose name is not known yet."""

    def __init__(self, size: int) -> None:
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        self._git.update(data)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def git(self) -> str:
        return self._git.hexdigest()
