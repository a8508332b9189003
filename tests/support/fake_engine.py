"""A registered engine that does on purpose what real ones do by accident.

It runs in a real model process, through the same host, frames and contract as every engine.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from core.engines import EngineSpec, Loaded, LoadOptions
from core.errors import Cancelled, ImageDamaged
from core.frames import encode
from core.ocr.many import one_by_one
from core.types import Box, Direction, RgbImage, TextBlock, TextLine


class FakeEngine:
    """What it does is named by the job's ``op``, for loading by ``YOMITORI_FAKE_LOAD``."""

    def __init__(self) -> None:
        # What it was told to remember, and how it will take it to be told to forget.
        self._kept = ""
        self._forgets = ""

    def load(self, options: LoadOptions) -> Loaded:
        how = os.environ.get("YOMITORI_FAKE_LOAD", "")
        if how == "raise":
            raise RuntimeError("no weights")
        if how == "crash":
            os._exit(3)
        if how == "hang":
            time.sleep(3600)
        print("the fake engine says hello on stdout")
        return Loaded(device="cpu", detail="fake")

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if op == "stream":
            for index in range(params["count"]):
                if cancelled():
                    raise Cancelled
                yield {"index": index}
                time.sleep(params.get("pause", 0.0))
            return {"count": params["count"], "pid": os.getpid()}
        if op == "keep":
            self._kept, self._forgets = params["what"], params.get("forgets", "")
            return {"pid": os.getpid()}
        if op == "kept":
            return {"kept": self._kept, "pid": os.getpid()}
        if op == "forget":
            self._kept = ""
            op = self._forgets
            if not op:
                return {}
        if op == "deaf":
            yield {"started": True}
            time.sleep(params["seconds"])
            return {}
        if op == "ended_late":
            yield {"started": True}
            while not cancelled():
                time.sleep(0.01)
            yield {"page": 0, "lines_done": 1, "lines": 1}
            yield {"page": 0, "ended": {"text": "late"}, "seconds": 0.1}
            raise Cancelled
        if op == "hang":
            yield {"started": True}
            time.sleep(3600)
        if op == "spin":
            yield {"started": True}
            while True:
                sum(range(1000))
        if op == "crash":
            yield {"started": True}
            os._exit(9)
        if op == "crash_mid_frame":
            os.write(int(sys.argv[2]), struct.pack("!i", 1000) + b"only a part")
            os._exit(9)
        if op == "nonsense":
            os.write(int(sys.argv[2]), struct.pack("!i", 8) + b"rubbish!")
            time.sleep(3600)
        if op in ("done_without_result", "error_without_error"):
            frame = encode({"kind": op.split("_")[0], "id": params["job"]})
            os.write(int(sys.argv[2]), struct.pack("!i", len(frame)) + frame)
            time.sleep(3600)
        if op == "connect":
            try:
                socket.create_connection((params["host"], 9), timeout=5).close()
            except OSError as error:
                return {"error": f"{type(error).__name__}: {error}"}
            return {"error": ""}
        if op == "raise":
            raise ValueError("the fake engine failed on purpose")
        if op == "raise_ours":
            raise ImageDamaged(name="the fake picture")
        if op == "recognize_many":
            return (yield from one_by_one(self.run, "fake", params, images, cancelled))
        (image,) = images
        yield {"lines_done": 0, "lines": 1}
        while image.data[:3] == b"\x00\x00\x01" and not cancelled():
            time.sleep(0.01)  # a marked picture is read until it is cancelled
        if cancelled():
            raise Cancelled
        box = Box(0, 0, image.width, image.height)
        text = f"{image.width}x{image.height}"
        line = TextLine(text, box, (0.9,) * len(text))
        return {"blocks": [TextBlock(box, Direction.HORIZONTAL, (line,)).to_json()]}


FAKE = EngineSpec("ppocr", "ocr", "fake", "tests.support.fake_engine:FakeEngine", 10_000_000)
"""Registered under the built-in engine's name, so that every setting chooses it."""
FORGETFUL = replace(FAKE, memory=1_000_000, forgets=True)
"""The same, of which it is known that it remembers something to be faster. It needs less than its process
takes in any case: with compiled code at hand that is a little less than 10 MB."""
