"""What an engine is, and the ordered registry of those there are.

An engine runs in the model process only. ``__init__`` is cheap; ``load`` imports libraries and reads
weights. A new engine is one file and one line in ``ENGINES``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from core.errors import UnknownEngine
from core.types import RgbImage


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a host asks of an engine when it loads: the device as the user named it, and CPU threads
    (0: as many as there are physical cores)."""

    device: str = "auto"
    threads: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an engine got: the device in use, and a line of detail for people."""

    device: str
    detail: str = ""


class ModelEngine(Protocol):
    """One loaded model. Called from one thread, one job at a time."""

    def load(self, options: LoadOptions) -> Loaded:
        """Import libraries and read weights. Any exception becomes ``LoadFailed``."""
        ...

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        image: RgbImage | None,
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        """Do one job: yield pieces (JSON objects) as they come, return the result (a JSON object).

        ``cancelled()`` is asked as often as the engine can stop; then it raises ``errors.Cancelled``.
        A ``YomitoriError`` reaches the user as it is, any other exception as ``ReadFailed``.
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """A registered engine. ``target`` is ``module:class``, imported in the model process only.

    ``memory`` is what it needs in bytes of RAM, measured.
    """

    name: str
    role: str
    title: str
    target: str
    memory: int

    def create(self) -> ModelEngine:
        module, name = self.target.split(":")
        engine: ModelEngine = getattr(importlib.import_module(module), name)()
        return engine


ENGINES: tuple[EngineSpec, ...] = (
    EngineSpec("ppocr", "ocr", "built-in", "core.ocr.ppocr:PpOcrEngine", 200 * 1024 * 1024),
)


def find_engine(name: str, role: str, engines: tuple[EngineSpec, ...] = ENGINES) -> EngineSpec:
    """The engine of that name, or the first of the role for ``auto``.

    Raises:
        UnknownEngine: none of that name has the role.
    """
    candidates = [spec for spec in engines if spec.role == role]
    for spec in candidates:
        if name in ("auto", spec.name):
            return spec
    raise UnknownEngine(name=name, known=", ".join(["auto", *(spec.name for spec in candidates)]))


def title_of(name: str, engines: tuple[EngineSpec, ...] = ENGINES) -> str:
    """What people call the engine of that name; the name itself for one that is not known (any more)."""
    return next((spec.title for spec in engines if spec.name == name), name)
