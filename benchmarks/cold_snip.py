"""A snip with no model in memory: the tray's hotkey against the manga-ocr package in a fresh interpreter.

``python -m benchmarks.cold_snip``: the same bubble, the same weights, on the CPU, the two in turns, real key
presses and drags (XTest). Ours counts from the hotkey to the text, dragging (0.3 s) included, in a tray that
has read nothing before; the package's from the start of an interpreter. Weights: tiny, and random ones of the
true size.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from benchmarks.cold_start import LATER_LIMIT_S, Times, compare, measure_package
from benchmarks.report import Report
from benchmarks.stage import HOTKEY, Probe, Stage


def measure(report: Report, name: str, checkpoint: Path, picture: Path, runs: int) -> None:
    print(f"{name}: {runs} runs in turns (medians)")
    package, ours, later = Times(), [], []
    with Stage(picture) as stage:
        settings = stage.home / "config" / "settings.json"
        settings.parent.mkdir(parents=True)
        # What random weights read is always doubtful; the package looks once, too.
        once = {"retry_doubtful": False}
        models = {"ocr_model": str(checkpoint), "device": "cpu"}
        settings.write_text(json.dumps({"models": models, "reading": once}))
        for _ in range(runs):
            measure_package(checkpoint, picture, package)
            ours.append(_snip(stage))
            later.append(ours[-1] - package.cold[-1])
    report.row("manga-ocr package: start of the interpreter to text", statistics.median(package.cold), "s")
    report.row("Yomitori: hotkey to text", statistics.median(ours), "s")
    report.row("Yomitori later by", statistics.median(later), "s", LATER_LIMIT_S)


def _snip(stage: Stage) -> float:
    probe = Probe(stage.server, stage.home)
    try:
        time.sleep(1)
        pressed = stage.pointer.key(*HOTKEY)
        probe.wait("painted")
        stage.pointer.drag(*stage.region)
        told = probe.wait("finished")
        if not told["text"]:
            raise SystemExit(f"nothing was read: {told['error']}")
        return float(told["at"]) - pressed
    finally:
        probe.end()


if __name__ == "__main__":
    sys.exit(compare(measure, __doc__))
