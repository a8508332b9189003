"""The HTTP service beside the engine alone: ``python -m benchmarks.service``.

A ``yomitori serve`` with the tiny MangaOCR answers ``POST /ocr`` for bubbles, over a connection that stays
open; the same bubbles are read by an engine of this process, in turns. Then 16 clients ask at once, against
one after another. ``--threads N`` has each model compute with so many threads instead of as many as there are
cores, ``--true`` adds the 16 clients with weights of MangaOCR's true size (random), ``--memory N`` asks N
times more and prints what the front process has kept of it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks import true_size
from benchmarks.report import Report, median_of_runs
from core.engine import Engine
from core.images import to_png
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from core.types import RgbImage
from tests.support.http_service import TINY_MANGA_OCR, Serving, serving
from tests.support.manga_crops import load_crops

CLIENTS, RUNS, PAIRS = 16, 3, 240
TINY_EACH, TRUE_EACH = 4, 4
"""Bubbles that each client has read in one run."""
OVERHEAD_MS, RATIO, GROWTH_MB = 5.0, 2.0, 20.0
_BOUNDARY = "bubble-of-the-benchmark"


class Client:
    """One connection to the service."""

    def __init__(self, server: Serving) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)

    def read(self, form: bytes) -> str:
        """What ``POST /ocr`` answers to a form of ``form_of``."""
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        self._connection.request("POST", "/ocr", form, headers)
        response = self._connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        text: str = json.loads(body)["text"]
        return text

    def close(self) -> None:
        self._connection.close()


def form_of(image: RgbImage) -> bytes:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bubble.png"\r\n\r\n'
    return head.encode() + to_png(image) + f"\r\n--{_BOUNDARY}--\r\n".encode()


def overhead(report: Report, server: Serving, engine: Engine, pictures: Sequence[RgbImage]) -> None:
    """Milliseconds of a request beyond those of ``Engine.recognize``, each bubble against itself."""
    client = Client(server)
    forms = [form_of(picture) for picture in pictures]
    # Loading takes longer than the service keeps a silent connection.
    engine.recognize(pictures[0]).result()
    client.read(forms[0])
    beyond = []
    for number, (picture, form) in enumerate(zip(pictures, forms, strict=True)):
        taken = {}
        order = ("http", "engine") if number % 2 else ("engine", "http")
        for way in order:
            start = time.perf_counter()
            text = client.read(form) if way == "http" else engine.recognize(picture).result().text
            taken[way] = time.perf_counter() - start
            assert text is not None
        beyond.append(1000 * (taken["http"] - taken["engine"]))
    client.close()
    print(f"POST /ocr beside Engine.recognize, {len(pictures)} bubbles, tiny MangaOCR")
    report.row("beyond the engine's time, median", statistics.median(beyond), "ms", OVERHEAD_MS)


def throughput(report: Report, server: Serving, pictures: Sequence[RgbImage]) -> None:
    forms = [form_of(picture) for picture in pictures]
    rates: dict[int, list[float]] = {1: [], CLIENTS: []}
    waits: dict[int, list[list[float]]] = {1: [], CLIENTS: []}
    for run in range(RUNS):
        for clients in (1, CLIENTS) if run % 2 else (CLIENTS, 1):
            seconds, waited = _ask_all(server, forms, clients)
            rates[clients].append(len(forms) / seconds)
            waits[clients].append(waited)
    ratio = statistics.median(rates[CLIENTS]) / statistics.median(rates[1])
    print(f"{CLIENTS} clients at once against one after another, {len(forms)} bubbles, {RUNS} runs")
    report.row("time for all, of what it takes one after another", 100 / ratio, "%", 100 / RATIO)
    # No longer than in a queue without batches, in which everybody waits for all others.
    queue = CLIENTS * median_of_runs(waits[1], 0.95)
    report.row("a client waits, 95 of 100", median_of_runs(waits[CLIENTS], 0.95), "s", queue)
    report.note(
        f"{statistics.median(rates[1]):.1f} a second one after another, {ratio:.2f} times that at once"
    )


def _ask_all(server: Serving, forms: Sequence[bytes], clients: int) -> tuple[float, list[float]]:
    waits: list[float] = []

    def ask(mine: Sequence[bytes]) -> None:
        client = Client(server)
        for form in mine:
            start = time.perf_counter()
            client.read(form)
            waits.append(time.perf_counter() - start)
        client.close()

    threads = [threading.Thread(target=ask, args=(forms[k::clients],)) for k in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(waits) == len(forms)
    return time.perf_counter() - start, waits


def memory(report: Report, server: Serving, form: bytes, count: int) -> None:
    """Private memory of the front process, before and after ``count`` requests."""
    process = psutil.Process(server.process.pid)
    client = Client(server)
    for _ in range(100):
        client.read(form)
    before = process.memory_full_info().uss
    for _ in range(count):
        client.read(form)
    client.close()
    print(f"{count} more requests")
    grown = (process.memory_full_info().uss - before) / 1e6
    report.row("private memory that the front process has kept", grown, "MB", GROWTH_MB)
    report.note(f"{before / 1e6:.0f} MB before")


def clients_of_true_size(
    report: Report, folder: Path, crops: Sequence[RgbImage], environ: dict[str, str]
) -> None:
    true_size.write(folder / "weights")
    environ = environ | {"MANGAOCR_MODEL_PATH": str(folder / "weights")}
    with serving(folder / "server", environ=environ) as server:
        client = Client(server)
        client.read(form_of(crops[0]))
        client.close()
        print("weights of the true size")
        throughput(report, server, [crops[k % len(crops)] for k in range(CLIENTS * TRUE_EACH)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=0, metavar="N")
    parser.add_argument("--true", action="store_true")
    parser.add_argument("--memory", type=int, default=0, metavar="N")
    options = parser.parse_args()
    crops = [crop.image for crop in load_crops("plain")]
    report = Report()
    environ = {
        "MANGAOCR_MODEL_PATH": str(TINY_MANGA_OCR),
        "YOMITORI_MODELS_DEVICE": "cpu",
        "YOMITORI_MODELS_THREADS": str(options.threads),
        # Random weights are doubtful of all they read; looking again is not what is measured.
        "YOMITORI_READING_RETRY_DOUBTFUL": "false",
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = SettingsStore(folder / "settings.json", environ=environ)
        library = ModelLibrary(store, Paths.below(folder / "engine"), environ=environ)
        engine = Engine(store, library=library)
        try:
            with serving(folder / "server", environ=environ) as server:
                pictures = [crops[k % len(crops)] for k in range(PAIRS)]
                overhead(report, server, engine, pictures)
                throughput(report, server, [crops[k % len(crops)] for k in range(CLIENTS * TINY_EACH)])
                if options.memory:
                    memory(report, server, form_of(crops[0]), options.memory)
        finally:
            engine.close()
            library.close()
        if options.true:
            clients_of_true_size(report, folder / "true", crops, environ)
    return bool(report.failed)


if __name__ == "__main__":
    sys.exit(main())
