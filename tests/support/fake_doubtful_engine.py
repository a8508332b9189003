"""The fake engine with a checkpoint, unsure of what it reads: it has other readings to offer."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from core.engines import Loaded, LoadOptions
from core.types import Alternative, Box, Direction, RgbImage, TextBlock, TextLine
from tests.support.fake_engine import FAKE
from tests.support.fake_manga_engine import FAKE_MANGA, TEXT, WAIT_FOR, FakeMangaEngine

CRASHES = "YOMITORI_FAKE_DOUBTFUL_CRASHES"
"""Environment: when loading is through, the process ends."""
OTHERS = ("まんか", "まん力")


class FakeDoubtfulEngine(FakeMangaEngine):
    """Reads ``TEXT`` in every picture, or else ``OTHERS``."""

    def load(self, options: LoadOptions) -> Loaded:
        if os.environ.get(CRASHES):
            while not Path(os.environ[WAIT_FOR]).exists():
                time.sleep(0.01)
            os._exit(3)
        return super().load(options)

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if op == "recognize_many":
            return (yield from super().run(op, params, images, cancelled))
        (image,) = images
        yield from super().run(op, params, images, cancelled)
        box = Box(0, 0, image.width, image.height)
        others = tuple(Alternative(text, "beam", (0.6, 0.6, 0.2)) for text in OTHERS)
        line = TextLine(TEXT, box, (0.9, 0.9, 0.3))
        return {"blocks": [TextBlock(box, Direction.VERTICAL, (line,), others).to_json()]}


FAKE_DOUBTFUL = dataclasses.replace(
    FAKE_MANGA, target="tests.support.fake_doubtful_engine:FakeDoubtfulEngine"
)
DOUBTFUL_AND_BUILT_IN = (FAKE_DOUBTFUL, FAKE)
