"""Readings of many at a time: ``python -m benchmarks.batching``.

The same pictures on the same weights, by one client after another and by 16 clients at a time, in turns. Each
client waits for its text before it asks for the next. Prints pictures a second, how they compare, and how
long a client waits. With tiny weights what surrounds the network counts, with weights of the true size
(random, written to a temporary folder) the network.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import true_size
from benchmarks.report import Report, median_of_runs, percentile
from core.engine import Engine
from core.settings import SettingsStore
from core.types import RgbImage
from tests.support.local_library import TINY_MANGA_OCR, LocalLibrary
from tests.support.manga_crops import load_crops

CLIENTS, RUNS, LIMIT = 16, 3, 2.0
TINY_EACH, TRUE_EACH = 4, 1
"""Pictures that each client has read in one run."""


def read_all(engine: Engine, pictures: Sequence[RgbImage], clients: int) -> tuple[float, list[float]]:
    """Pictures a second, and for how many seconds each was waited for."""
    waits: list[float] = []

    def client(mine: Sequence[RgbImage]) -> None:
        for picture in mine:
            asked = time.perf_counter()
            engine.recognize(picture).result()
            waits.append(time.perf_counter() - asked)

    threads = [threading.Thread(target=client, args=(pictures[k::clients],)) for k in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(pictures) / (time.perf_counter() - start), waits


def measure(
    report: Report, name: str, checkpoint: Path, each: int, runs: int = RUNS, device: str = "auto"
) -> None:
    """``each``: pictures a client has read in one run."""
    crops = load_crops("plain")
    pictures = [crops[k % len(crops)].image for k in range(each * CLIENTS)]
    print(f"{name}: {len(pictures)} bubbles, {runs} runs in turns (medians)")
    alone: list[tuple[float, list[float]]] = []
    together: list[tuple[float, list[float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = SettingsStore(Path(folder) / "settings.json", environ={})
        settings.set("models.device", device)
        # Random weights are doubtful of all they read; looking again is not what is measured.
        settings.set("reading.retry_doubtful", False)
        engine = Engine(settings, library=LocalLibrary(checkpoint))
        try:
            read_all(engine, pictures[:CLIENTS], CLIENTS)
            for _ in range(runs):
                alone.append(read_all(engine, pictures, 1))
                together.append(read_all(engine, pictures, CLIENTS))
            print(f"  {engine.state().engine} on {engine.state().device}")
        finally:
            engine.close()
    ratio = statistics.median(b / a for (a, _), (b, _) in zip(alone, together, strict=True))
    waits_alone = [waits for _, waits in alone]
    waits = [waits for _, waits in together]
    report.row("one after another", statistics.median(rate for rate, _ in alone), "/s")
    report.row(f"{CLIENTS} clients", statistics.median(rate for rate, _ in together), "/s")
    report.row(f"time with {CLIENTS} clients, of one after another", 100 / ratio, "%", 100 / LIMIT)
    report.note(f"that is {ratio:.2f} times as many pictures a second")
    report.row("a client waits, one after another, median", median_of_runs(waits_alone, 0.5), "s")
    report.row(f"a client waits, {CLIENTS} clients, median", median_of_runs(waits, 0.5), "s")
    # No longer than in a queue without batches, in which everybody waits for all others.
    queue = CLIENTS * statistics.median(percentile(run, 0.95) for run in waits_alone)
    report.row(f"a client waits, {CLIENTS} clients, 95th percentile", median_of_runs(waits, 0.95), "s", queue)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", choices=("tiny", "true"), help="measure with those weights alone")
    options = parser.parse_args()
    report = Report()
    if options.only != "true":
        measure(report, "tiny weights", TINY_MANGA_OCR, TINY_EACH, options.runs, options.device)
    if options.only != "tiny":
        with tempfile.TemporaryDirectory() as folder:
            true_size.write(Path(folder))
            measure(report, "true size", Path(folder), TRUE_EACH, options.runs, options.device)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
