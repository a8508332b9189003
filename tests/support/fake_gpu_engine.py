"""The fake engine on a fake graphics card: it fails as cards fail, when it is told to."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from typing import Any

from core.devices import Device
from core.engines import EngineSpec, Loaded, LoadOptions
from core.errors import DeviceFailed, Offloaded, OutOfMemory
from core.types import RgbImage
from tests.support.fake_engine import FakeEngine

HOW = "YOMITORI_FAKE_CARD"
"""Environment: ``oom``, ``fails`` or ``short`` (it works, with something to say), what loading onto a card
does."""


class FakeGpuEngine(FakeEngine):
    """Jobs: ``where`` tells the device; ``oom`` and ``fault`` fail on a card, ``oom_everywhere`` on all."""

    def load(self, options: LoadOptions) -> Loaded:
        self.device = options.device
        if self.device != "cpu" and os.environ.get(HOW) == "oom":
            raise OutOfMemory(device=self.device)
        if self.device != "cpu" and os.environ.get(HOW) == "fails":
            raise DeviceFailed(device=self.device, reason="the driver is too old")
        short = self.device != "cpu" and os.environ.get(HOW) == "short"
        notice = Offloaded(device=self.device, model="fake", count=1, total=4).to_json() if short else None
        return Loaded(self.device, precision="fp16" if self.device != "cpu" else "fp32", notice=notice)

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if op == "oom_everywhere" or (op == "oom" and self.device != "cpu"):
            raise OutOfMemory(device=self.device)
        if op == "fault" and self.device != "cpu":
            raise DeviceFailed(device=self.device, reason="an illegal memory access")
        if op in ("where", "oom", "fault"):
            return {"device": self.device, "pid": os.getpid()}
        return (yield from super().run(op, params, images, cancelled))


FAKE_GPU = EngineSpec(
    "ppocr", "ocr", "fake", "tests.support.fake_gpu_engine:FakeGpuEngine", 10_000_000, devices=("cuda", "cpu")
)
CPU = Device("cpu", "CPU, 2 cores", 16_000_000_000, 8_000_000_000)
CARD = Device("cuda:0", "A card", 8_000_000_000, 6_000_000_000)
