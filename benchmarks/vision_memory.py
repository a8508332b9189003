"""Memory of the model processes that answer questions, against what a load is judged by.

``python -m benchmarks.vision_memory [--sizes medium ...] [--kinds llava ...] [--precisions fp32 ...]``:
checkpoints with random weights in a model process as the tray has it, on the CPU: while it loads, once it has
loaded, during a first question about a picture, through a conversation as long as is reckoned with, and after
the cache was given back. Then the process that talks to a server, about a picture of the largest size.

Counted are pages that belong to the process alone (Private_Clean + Private_Dirty + swap), sampled all the
time. ``written`` are those without the clean ones, which are pages of mapped files: the system can take them
back when it needs to. So they do not count while weights are read and converted; weights that are taken as
they are lie in the mapped file for good, and do count at work. Linux only.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import Report
from core.chat import GenerationOptions
from core.engines import LLAVA, REMOTE, LoadOptions, find_engine
from core.images import MAX_PIXELS
from core.models.estimate import weight_bytes
from core.process import ModelProcess
from core.types import RgbImage
from core.vision.estimate import CONVERSATION, shape_of, working_bytes
from tests.support import random_vision
from tests.support.chat_server import ChatServer
from tests.support.random_vision import Size

SIZES = {
    "small": random_vision.SMALL,
    "medium": random_vision.MEDIUM,
    # About the language model and the tower of LLaVA-OneVision 0.5B, with keys for all heads.
    "large": Size(1024, 24, 16, 4864, 64000, 1024, 24, 336, 14),
}
KINDS = ("llava", "llava_next", "llava_onevision")
PRECISIONS = ("fp32", "bf16", "int8", "int4")
TOKENS = 32
"""Of each answer."""
_SAMPLE_S = 0.02
MB = 1e6


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that a process has for itself: all, and without clean pages of mapped files."""

    all: int = 0
    written: int = 0


def held_by(pid: int) -> Held:
    parts = dict.fromkeys(("Private_Clean", "Private_Dirty", "Swap"), 0)
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return Held()
    for line in lines:
        name, _, rest = line.partition(":")
        if name in parts:
            parts[name] = int(rest.split()[0]) * 1024
    return Held(sum(parts.values()), parts["Private_Dirty"] + parts["Swap"])


class Measured:
    """A model process and the most that it has had since ``peak`` was asked last."""

    def __init__(self) -> None:
        self._process = ModelProcess()
        self._jobs = 0
        self._most = Held()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def load(self, engine: str, **options: Any) -> None:
        self._process.load(find_engine(engine, "vision"), LoadOptions(**options))
        self._await("loaded")

    def run(self, op: str, params: dict[str, Any], images: Sequence[RgbImage] = ()) -> dict[str, Any]:
        self._jobs += 1
        self._process.run(self._jobs, op, params, images)
        result: dict[str, Any] = self._await("done")["result"]
        return result

    @property
    def now(self) -> Held:
        return held_by(self._process.pid)

    def peak(self) -> Held:
        with self._lock:
            most, self._most = self._most, Held()
        return most

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._process.end()

    def _await(self, kind: str) -> dict[str, Any]:
        while (header := self._process.receive())["kind"] != kind:
            if header["kind"] == "error":
                raise RuntimeError(str(header["error"]))
        return header

    def _sample(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            found = self.now
            with self._lock:
                self._most = Held(max(found.all, self._most.all), max(found.written, self._most.written))


@contextmanager
def measured() -> Iterator[Measured]:
    process = Measured()
    try:
        yield process
    finally:
        process.end()


def picture(size: Size) -> RgbImage:
    """One that becomes as many tiles as there can be."""
    side = 2 * size.tile
    return RgbImage(side, side, random.Random(1).randbytes(side * side * 3))


def measure_checkpoint(report: Report, folder: Path, name: str, precision: str, size: Size) -> None:
    weights, working = weight_bytes(folder, precision), working_bytes(folder, precision)
    beside = find_engine(LLAVA, "vision").memory
    shape = shape_of(folder)
    assert shape is not None
    reckoned = min(shape.context, shape.image_tokens + CONVERSATION)
    with measured() as process:
        process.load(LLAVA, threads=0, precision=precision, checkpoint=str(folder))
        loading, loaded = process.peak(), process.now
        asker = _Asker(process, picture(size))
        asker.ask("What is in this picture?")
        asking = process.peak()
        asker.converse(reckoned)
        talking, full = process.peak(), process.now
        process.run("forget", {})
        forgotten = process.now
    most = max(loading.written, asking.all, talking.all)
    print(f"{name} {precision}")
    report.row("most at any time", most / MB, "MB", (weights + working + beside) / MB)
    report.note(
        f"reckoned: weights {weights / MB:.0f}, working {working / MB:.0f}, libraries {beside / MB:.0f} MB; "
        f"libraries measured: loaded less weights {(loaded.all - weights) / MB:.0f}, "
        f"most less weights and working {(most - weights - working) / MB:.0f} MB"
    )
    stages = {
        "loading": loading,
        "loaded": loaded,
        "picture": asking,
        f"{reckoned} tokens": talking,
        "after it": full,
        "cache given back": forgotten,
    }
    report.note(
        "all (written): "
        + ", ".join(f"{at} {one.all / MB:.0f} ({one.written / MB:.0f})" for at, one in stages.items())
        + " MB"
    )


class _Asker:
    """One conversation about one picture."""

    def __init__(self, process: Measured, image: RgbImage) -> None:
        self._process = process
        self._image = image

    def ask(self, text: str) -> dict[str, Any]:
        options = GenerationOptions(temperature=0.0, max_tokens=TOKENS).to_json()
        messages = [{"role": "user", "text": text, "images": 1}]
        return self._process.run("ask", {"messages": messages, "options": options}, (self._image,))

    def converse(self, tokens: int) -> None:
        """A question of so many tokens that ``tokens`` are held after its answer."""
        words = random_vision.WORDS + " "
        one = self.ask(words)["usage"]["prompt"]
        each = max(1, self.ask(words * 2)["usage"]["prompt"] - one)
        times = 1 + max(0, (tokens - TOKENS - 1 - one) // each)
        held = self.ask(words * times)["usage"]
        assert held["prompt"] + TOKENS > 0.85 * tokens, f"{held} is too short for {tokens}"


def measure_server(report: Report) -> None:
    side = int(MAX_PIXELS**0.5)
    image = RgbImage(side, side, random.Random(1).randbytes(side * 3) * side)
    params = {
        "messages": [{"role": "user", "text": "What is this?", "images": 1}],
        "options": GenerationOptions().to_json(),
    }
    with ChatServer() as server, measured() as process:
        server.answer(["word "] * 2000)
        process.load(REMOTE)
        loading, loaded = process.peak(), process.now
        params["server"] = {"base_url": server.base_url, "model": "tiny", "key": "", "loopback": True}
        small = RgbImage(1000, 1400, random.Random(2).randbytes(1000 * 1400 * 3))
        process.run("ask", params, (small,))
        asking = process.peak()
        process.run("ask", params, (image,))
        largest = process.peak()
    print("a server")
    limit = find_engine(REMOTE, "vision").memory / MB
    report.row("loading", max(loading.all, loaded.all) / MB, "MB", limit)
    report.row("a page of 1000 x 1400", asking.all / MB, "MB", limit)
    # For a moment, and larger than anything with fewer details: it is not kept free for that.
    report.row(f"noise of {side} x {side}", largest.all / MB, "MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=["small", "medium"])
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--precisions", nargs="*", choices=PRECISIONS, default=PRECISIONS)
    options = parser.parse_args()
    report = Report()
    for size in options.sizes:
        for kind in options.kinds:
            with tempfile.TemporaryDirectory() as folder:
                checkpoint = random_vision.write(Path(folder) / kind, kind, SIZES[size])
                # Else pages of the file that are still to be written there would count as the process's own.
                os.sync()
                for precision in options.precisions:
                    measure_checkpoint(report, checkpoint, f"{kind} {size}", precision, SIZES[size])
    measure_server(report)
    return bool(report.failed)


if __name__ == "__main__":
    sys.exit(main())
