"""A fake engine with a checkpoint: slow or impossible to load when told so, then like the fake engine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from core.engines import EngineSpec, Loaded, LoadOptions
from core.errors import Cancelled, ModelUnusable, OutOfMemory
from core.ocr.many import one_by_one
from core.types import Box, Direction, RgbImage, TextBlock, TextLine
from tests.support.fake_engine import FAKE

WAIT_FOR = "YOMITORI_FAKE_MANGA_WAIT"
"""Environment: loading goes on until this file is there."""
FAILS = "YOMITORI_FAKE_MANGA_FAILS"
"""Environment: ``raise``, ``unusable`` or ``memory``, what loading does."""
TEXT = "まんが"


class FakeMangaEngine:
    """Reads ``TEXT`` in every picture."""

    def load(self, options: LoadOptions) -> Loaded:
        wait = os.environ.get(WAIT_FOR)
        while wait and not Path(wait).exists():
            time.sleep(0.01)
        how = os.environ.get(FAILS)
        if how == "raise":
            raise RuntimeError("no weights")
        if how == "unusable":
            raise ModelUnusable(model="manga", reason="a file is missing")
        if how == "memory":
            raise OutOfMemory(device=options.device)
        return Loaded(options.device, precision="fp32")

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if op == "recognize_many":
            return (yield from one_by_one(self.run, "MangaOCR", params, images, cancelled))
        (image,) = images
        box = Box(0, 0, image.width, image.height)

        def blocks(text: str) -> dict[str, Any]:
            line = TextLine(text, box, (0.9,) * len(text))
            return {"blocks": [TextBlock(box, Direction.VERTICAL, (line,)).to_json()]}

        if params.get("quick"):
            yield {"provisional": blocks("はやい")}
        if cancelled():
            raise Cancelled
        return blocks(TEXT)


FAKE_MANGA = EngineSpec(
    "manga-ocr",
    "ocr",
    "MangaOCR",
    "tests.support.fake_manga_engine:FakeMangaEngine",
    10_000_000,
    has_checkpoint=True,
)
BOTH = (FAKE_MANGA, FAKE)
