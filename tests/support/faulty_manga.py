"""MangaOCR on a device that fails on purpose, with the exceptions torch really raises.

Registered under MangaOCR's own name. It runs the real engine on the CPU, also when it was asked for
``cuda:0``, which it reports as the device in use; the weights are then placed by a device map, as on a card.
``YOMITORI_FAULTS`` (read in the model process) says what goes wrong there: faults apart by commas, each
``WHERE=WHAT``; ``@PATH`` for what is in that file at the time.

WHERE: ``load``; ``job3``, the third picture that this engine is given; ``jobs``, every picture;
``batch2``, whenever more than 2 crops go through the network together.
WHAT: ``oom`` (out of VRAM), ``cuda`` (an illegal access), ``refused`` (no such device),
all on devices other than the CPU only; ``ram`` (torch cannot allocate), ``memory`` (MemoryError),
on the CPU only.

The operation ``model``: the pictures go through the network as they are, ``params["batch"]`` together; each
read is ``[text, likelihoods, other texts]``, ``passes`` are how many went through the encoder at a time.
``params["encoding"]``: as if a picture had taken so many seconds there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.engines import EngineSpec, LoadOptions
from core.errors import DeviceFailed
from core.ocr.manga_ocr import MangaOcrEngine
from core.types import RgbImage

VARIABLE = "YOMITORI_FAULTS"

FAULTY_MANGA = EngineSpec(
    "manga-ocr",
    "ocr",
    "MangaOCR",
    "tests.support.faulty_manga:FaultyMangaOcrEngine",
    10_000_000,
    devices=("cuda", "mps", "cpu"),
    has_checkpoint=True,
)


class FaultyMangaOcrEngine(MangaOcrEngine):
    def __init__(self) -> None:
        super().__init__()
        self._jobs = 0

    def _open(self, options: LoadOptions) -> Any:
        # Made here because its base imports torch, which only the model process does.
        from core.ocr.manga_model import MangaModel

        engine = self

        class FaultyModel(MangaModel):
            def _place_on(self, device: str) -> str:
                if "load" in _faults("refused", device):
                    raise DeviceFailed(device=device, reason="PyTorch here finds no CUDA device")
                # To torch this is the CPU, to the engine a device that is not.
                return "cpu" if device == "cpu" else "cpu:0"

            def _from_pretrained(self, folder: Path) -> Any:
                _fail(["load"], self.device)
                return super()._from_pretrained(folder)

            def read_batch(self, pictures: Sequence[Any], *rest: Any) -> Any:
                _fail([f"job{engine._jobs}", "jobs"], self.device)
                _fail([f"batch{size}" for size in range(len(pictures))], self.device)
                return super().read_batch(pictures, *rest)

        return FaultyModel(options)

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if op == "model":
            return self._through_the_model(params, images, cancelled)
        self._jobs += 1
        return (yield from super().run(op, params, images, cancelled))

    def _through_the_model(
        self, params: Mapping[str, Any], images: tuple[RgbImage, ...], cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        from tests.support.manga_crops import pillow

        assert self._model is not None
        pictures, size, reads = [pillow(image) for image in images], params["batch"], []
        passes: list[int] = []
        hook = self._model._network.encoder.register_forward_pre_hook(
            lambda _, positional, named: passes.append(len(named["pixel_values"])), with_kwargs=True
        )
        self._model._encoding = params.get("encoding", self._model._encoding)
        for start in range(0, len(pictures), size):
            reads += self._model.read_batch(pictures[start : start + size], cancelled, False)
        hook.remove()
        return {
            "reads": [[read.text, list(read.likelihoods), list(read.others)] for read in reads],
            "passes": passes,
        }


def _faults(what: str, device: str) -> list[str]:
    """Where a fault of that kind is asked for on the device."""
    if (device == "cpu") != (what in ("ram", "memory")):
        return []
    told = os.environ.get(VARIABLE, "")
    if told.startswith("@"):
        told = Path(told[1:]).read_text("utf-8")
    asked = re.findall(r"(\w+)=(\w+)", told)
    return [where for where, kind in asked if kind == what]


def _fail(places: Sequence[str], device: str) -> None:
    """Raise what torch would, where one of the places is to fail."""
    import torch

    errors: dict[str, Exception] = {
        "oom": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        "cuda": torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        "ram": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes."),
        "memory": MemoryError(),
    }
    for what, error in errors.items():
        if set(places) & set(_faults(what, device)):
            raise error
