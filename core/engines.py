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
    """What a host asks of an engine when it loads.

    ``device`` is one that exists here (``cpu``, ``cuda:0``, ``mps``), ``threads`` of the CPU 0 for as many as
    there are physical cores, ``precision`` one of ``auto``, ``fp32``, ``bf16``, ``fp16`` and for ``vision``
    ``int8`` and ``int4``, ``checkpoint`` the folder with the weights for engines that have some.
    """

    device: str = "cpu"
    threads: int = 0
    precision: str = "auto"
    checkpoint: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an engine got: the device and the precision in use, and a line of detail for people.

    ``notice``: an error as ``to_json`` gives it, of what had to be done to have the model on that device.
    """

    device: str
    detail: str = ""
    precision: str = ""
    notice: dict[str, Any] | None = None


class ModelEngine(Protocol):
    """One loaded model. Called from one thread, one job at a time."""

    def load(self, options: LoadOptions) -> Loaded:
        """Import libraries and read weights.

        Raises:
            DeviceFailed, OutOfMemory: not on that device; the host may try another.
            Exception: anything else becomes ``LoadFailed``.
        """
        ...

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
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

    ``memory`` is what it needs in bytes of RAM, measured; with a checkpoint, what it needs beside
    the weights. ``devices`` are the kinds of device it can run on. One that ``forgets`` keeps something
    between jobs only to be faster, and gives it back by the operation ``forget``. ``languages`` are those it
    reads, by their codes.
    """

    name: str
    role: str
    title: str
    target: str
    memory: int
    devices: tuple[str, ...] = ("cpu",)
    has_checkpoint: bool = False
    forgets: bool = False
    languages: tuple[str, ...] = ("ja",)

    def create(self) -> ModelEngine:
        module, name = self.target.split(":")
        engine: ModelEngine = getattr(importlib.import_module(module), name)()
        return engine


BUILT_IN = "ppocr"
"""The engine that needs no download, and reads where another cannot yet or cannot at all."""
LLAVA = "llava"
"""The engine that answers questions about pictures on this computer."""
REMOTE = "remote"
"""The one that has a server answer them."""

ENGINES: tuple[EngineSpec, ...] = (
    EngineSpec(
        "manga-ocr",
        "ocr",
        "MangaOCR",
        "core.ocr.manga_ocr:MangaOcrEngine",
        600 * 1024 * 1024,
        devices=("cuda", "mps", "cpu"),
        has_checkpoint=True,
    ),
    EngineSpec(BUILT_IN, "ocr", "built-in", "core.ocr.ppocr:PpOcrEngine", 200 * 1024 * 1024),
    EngineSpec(
        LLAVA,
        "vision",
        "LLaVA",
        "core.vision.llava:LlavaEngine",
        # Measured on the CPU: 260 to 450 MB (``python -m benchmarks.vision_memory``).
        500 * 1024 * 1024,
        devices=("cuda", "mps", "cpu"),
        has_checkpoint=True,
        forgets=True,
    ),
    # Measured: 48 MB with a page of 1000 x 1400.
    EngineSpec(REMOTE, "vision", "server", "core.vision.remote:RemoteEngine", 100 * 1024 * 1024),
)


def find_engine(name: str, role: str, engines: tuple[EngineSpec, ...] = ENGINES) -> EngineSpec:
    """The engine of that name.

    Raises:
        UnknownEngine: none of that name has the role.
    """
    candidates = [spec for spec in engines if spec.role == role]
    for spec in candidates:
        if name == spec.name:
            return spec
    raise UnknownEngine(name=name, known=", ".join(["auto", *(spec.name for spec in candidates)]))


def loading_engine(role: str, engines: tuple[EngineSpec, ...] = ENGINES) -> EngineSpec | None:
    """The engine that reads with weights of that role; None when there is none."""
    return next((spec for spec in engines if spec.role == role and spec.has_checkpoint), None)


def title_of(name: str, engines: tuple[EngineSpec, ...] = ENGINES) -> str:
    """What people call the engine of that name; the name itself for one that is not known (any more)."""
    return next((spec.title for spec in engines if spec.name == name), name)
