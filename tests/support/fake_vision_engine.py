"""A registered engine for questions about pictures that does on purpose what real ones do by accident.

The question says what: ``stream 1000`` (that many words, ``stream 1000 every 0.01`` with pauses), ``hang``,
``crash``, ``raise``, ``oom`` (out of memory on any device but the CPU, after a word), ``told`` as the last
line (what was given to answer it, as JSON); anything else is answered by ``<question> [<pictures>]``. What it
was asked to prepare is counted by ``prepared``.

Each word is a token, with its own likelihood of one half and all others it is asked for of a quarter.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any

from core.chat import Finish, Token, Usage
from core.engines import LLAVA, EngineSpec, Loaded, LoadOptions
from core.errors import Cancelled, OutOfMemory
from core.types import RgbImage
from core.vision.telling import Telling

FAKE_VISION = EngineSpec(
    LLAVA,
    "vision",
    "fake",
    "tests.support.fake_vision_engine:FakeVisionEngine",
    10_000_000,
    devices=("cuda", "cpu"),
    has_checkpoint=True,
)


class FakeVisionEngine:
    def __init__(self) -> None:
        self._device = ""
        self._prepared: list[str] = []

    def load(self, options: LoadOptions) -> Loaded:
        self._device = options.device
        return Loaded(options.device, "fake-llava", "fp32")

    def run(
        self,
        op: str,
        params: Mapping[str, Any],
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        question = params["messages"][-1]["text"]
        if op == "prepare":
            yield {"phase": "reading", "done": 0, "total": 1}
            while question == "long" and not cancelled():
                time.sleep(0.01)
            if cancelled():
                raise Cancelled
            self._prepared.append(question)
            return {"tokens": 1}
        yield {"phase": "encoding"}
        yield {"phase": "answering"}
        words = self._words(question, images)
        if question.rpartition("\n")[2] == "told":
            sizes = [[image.width, image.height] for image in images]
            words = [json.dumps({**params, "pictures": sizes})]
        options = params["options"]
        telling = Telling(options.get("stop", ()))
        said = 0
        pause = re.search(r"every ([\d.]+)", question)
        for number, word in enumerate(words):
            if cancelled():
                raise Cancelled
            said += 1
            if piece := telling.add(word, _tokens(word, options.get("top_logprobs"))):
                yield piece
            if telling.stopped:
                break
            if pause:
                time.sleep(float(pause[1]))
            if question == "oom" and self._device != "cpu":
                raise OutOfMemory(device=self._device)
            if question == "crash" and number == 1:
                os._exit(9)
            if question == "raise":
                raise ValueError("the fake engine failed on purpose")
            while question == "hang":
                time.sleep(3600)
        if piece := telling.end():
            yield piece
        return {
            "text": telling.text,
            "finish": Finish.STOP.value,
            "confidence": 0.5,
            "first_seconds": 0.01,
            "usage": Usage(prompt=10, answer=said).to_json(),
        }

    def _words(self, question: str, images: tuple[RgbImage, ...]) -> list[str]:
        if found := re.match(r"stream (\d+)", question):
            return [f"word{number} " for number in range(int(found[1]))]
        if question == "prepared":
            return [", ".join(self._prepared)]
        return [f"{word} " for word in question.split(" ")] + [f"[{len(images)}]"]


def _tokens(word: str, top: int | None) -> list[dict[str, Any]]:
    if top is None:
        return []
    data, half = word.encode(), math.log(0.5)
    others = tuple(Token(f"other{number}".encode(), 2 * half) for number in range(top - 1))
    likeliest = (Token(data, half), *others) if top else ()
    return [Token(data, half, likeliest).to_json()]
