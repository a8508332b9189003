"""From nothing to a text: Yomitori's model process against the manga-ocr package in a fresh interpreter.

``python -m benchmarks.cold_start``: the same bubble, the same weights, on the CPU, the two in turns. Cold is
from the start of the process to the text of the first bubble; warm is the reading of further ones. With tiny
weights the import of the libraries is what counts, with weights of the true size (random, written to a
temporary folder) the reading, too. Also prints the private memory of the model process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import true_size
from benchmarks.report import Report
from core.engines import LoadOptions, find_engine
from core.images import to_png
from core.process import ModelProcess
from core.types import RgbImage
from tests.support.local_library import TINY_MANGA_OCR
from tests.support.manga_crops import Crop, load_crops

RUNS, READS = 5, 5
LATER_LIMIT_S = 0.5

Measure = Callable[[Report, str, Path, Path, int], None]
"""Given the weights' name and folder, the picture, and how many runs."""

PACKAGE = """
import json, sys, time
from manga_ocr import MangaOcr
reader = MangaOcr(sys.argv[1], force_cpu=True)
text = reader(sys.argv[2])
print(json.dumps({"text": text}), flush=True)
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    reader(sys.argv[2])
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
"""


@dataclass
class Times:
    """Seconds of several runs, and the private memory of the process in MB (10^6 bytes)."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    text: str = ""


def measure_package(checkpoint: Path, picture: Path, times: Times) -> None:
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", PACKAGE, str(checkpoint), str(picture), str(READS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    times.text = json.loads(process.stdout.readline())["text"]
    times.cold.append(time.perf_counter() - start)
    times.warm += [json.loads(process.stdout.readline())["seconds"] for _ in range(READS)]
    process.wait()


def measure_ours(checkpoint: Path, picture: Path, times: Times) -> None:
    with Image.open(picture) as opened:
        rgb = opened.convert("RGB")
    image = RgbImage(*rgb.size, rgb.tobytes())
    start = time.perf_counter()
    process = ModelProcess()
    try:
        process.load(find_engine("manga-ocr", "ocr"), LoadOptions("cpu", checkpoint=str(checkpoint)))
        _await(process, "loaded")
        blocks = _read(process, 0, image)["result"]["blocks"]
        times.cold.append(time.perf_counter() - start)
        times.text = "".join(line["text"] for block in blocks for line in block["lines"])
        times.memory.append(process.private_memory() / 1e6)
        times.warm += [float(_read(process, 1 + k, image)["seconds"]) for k in range(READS)]
    finally:
        process.end()


def _read(process: ModelProcess, job: int, image: RgbImage) -> dict[str, Any]:
    process.run(job, "recognize", {"retry_doubtful": False}, (image,))
    return _await(process, "done")


def _await(process: ModelProcess, kind: str) -> dict[str, Any]:
    while True:
        header = process.receive()
        if header["kind"] == "error":
            raise SystemExit(f"{kind}: {header['error']}")
        if header["kind"] == kind:
            return header


def measure(report: Report, name: str, checkpoint: Path, picture: Path, runs: int) -> None:
    print(f"{name}: {checkpoint.name}, {picture.name}, {runs} runs in turns (medians)")
    package, ours = Times(), Times()
    for _ in range(runs):
        measure_package(checkpoint, picture, package)
        measure_ours(checkpoint, picture, ours)
    report.row("cold, manga-ocr package", statistics.median(package.cold), "s")
    report.row("cold, Yomitori", statistics.median(ours.cold), "s")
    later = statistics.median(b - a for a, b in zip(package.cold, ours.cold, strict=True))
    report.row("cold, Yomitori later by", later, "s", LATER_LIMIT_S)
    report.row("warm, manga-ocr package", statistics.median(package.warm), "s")
    report.row("warm, Yomitori (with the built-in engine's reading)", statistics.median(ours.warm), "s")
    report.row("private memory of the model process", statistics.median(ours.memory), "MB")
    report.row("texts that differ", float(package.text != ours.text), "", 0)


def bubble() -> Crop:
    """One that the tiny model can read."""
    return next(crop for crop in load_crops("plain") if crop.image.width > 60)


def compare(measure: Measure, description: str | None) -> int:
    """The command line of a comparison with tiny weights and with those of the true size; its exit status."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--picture", type=Path, help="instead of a bubble that the tiny model can read")
    parser.add_argument("--only", choices=("tiny", "true"), help="measure with those weights alone")
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        picture = options.picture or Path(folder) / "bubble.png"
        if options.picture is None:
            picture.write_bytes(to_png(bubble().image))
        if options.only != "true":
            measure(report, "Tiny weights", TINY_MANGA_OCR, picture, options.runs)
        if options.only != "tiny":
            checkpoint = Path(folder) / "true-size"
            true_size.write(checkpoint)
            measure(report, "True size", checkpoint, picture, options.runs)
    return bool(report.failed)


if __name__ == "__main__":
    sys.exit(compare(measure, __doc__))
