"""The manga-ocr package and our own model, each in a process of its own, since both import torch.

``MangaPackage`` answers with what the package itself does to a text, ``OurModel`` with what
``core.ocr.manga_model`` reads; ``manga_ocr_reads`` reads with the package.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image

from tests.support.environment import ROOT, child_environment

_SERVE = """
import json, sys

def serve(answer):
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
"""

_PACKAGE = (
    _SERVE
    + """
from manga_ocr.ocr import post_process
serve(lambda asked: {"text": post_process(asked["text"])})
"""
)

_OURS = (
    _SERVE
    + """
import base64
from PIL import Image
from core.engines import LoadOptions
from core.ocr.manga_model import MangaModel
# One thread: what is compared must not depend on how busy the machine is.
model = MangaModel(LoadOptions(checkpoint=sys.argv[1], threads=1))

def picture(value):
    width, height, data = value
    return Image.frombytes("RGB", (width, height), base64.b64decode(data))

def answer(asked):
    pictures = [picture(p) for p in asked["pictures"]]
    size = asked["batch"]
    reads = []
    for start in range(0, len(pictures), size):
        batch = pictures[start : start + size]
        reads += model.read_batch(batch, lambda: False, asked["allow_repeats"])
    return {"reads": [[r.text, list(r.likelihoods), list(r.others)] for r in reads]}

serve(answer)
"""
)


class _Child:
    """A process that answers each line of JSON with one."""

    def __init__(self, code: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            env=child_environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(question), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the process ended with {self._process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait(30)


def _packed(picture: Image.Image) -> list[Any]:
    rgb = picture.convert("RGB")
    return [*rgb.size, base64.b64encode(rgb.tobytes()).decode("ascii")]


class MangaPackage(_Child):
    """What the manga-ocr package makes of a text that its model has read."""

    def __init__(self) -> None:
        super().__init__(_PACKAGE)

    def __enter__(self) -> MangaPackage:
        return self

    def post_process(self, text: str) -> str:
        return str(self.ask(text=text)["text"])


class OurModel(_Child):
    """What ``MangaModel`` says on the CPU: text, likelihoods, other texts."""

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(_OURS, str(checkpoint))

    def __enter__(self) -> OurModel:
        return self

    def read(
        self, pictures: Sequence[Image.Image], batch: int = 1, allow_repeats: bool = False
    ) -> list[tuple[str, list[float], list[str]]]:
        packed = [_packed(picture) for picture in pictures]
        answer = self.ask(pictures=packed, batch=batch, allow_repeats=allow_repeats)
        return [(text, likelihoods, others) for text, likelihoods, others in answer["reads"]]
