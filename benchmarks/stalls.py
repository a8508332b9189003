"""How long the GUI thread is ever deaf: the longest gap of a 5 ms timer through load and read, compared
with the same timer in an idle control process beside it.

``python -m benchmarks.stalls``
"""

from __future__ import annotations

import statistics
import sys
import time

from benchmarks.report import Report
from benchmarks.stage import HOTKEY, ROOT, Probe, Stage

RUNS, SNIPS = 5, 3
LIMIT_MS = 100


def measure(report: Report) -> None:
    print("Longest gap of a 5 ms timer (ms), cold engine, three snips")
    busy, idle = [], []
    with Stage(ROOT / "tests" / "data" / "vertical.png") as stage:
        for _ in range(RUNS):
            control = Probe(stage.server, stage.home, "idle")
            probe = Probe(stage.server, stage.home)
            for _ in range(SNIPS):
                stage.pointer.key(*HOTKEY)
                probe.wait("painted")
                stage.pointer.drag(*stage.region)
                probe.wait("finished")
                time.sleep(0.5)
            busy.append(probe.end()["ms"])
            idle.append(control.end()["ms"])
    beyond = [max(0.0, b - i) for b, i in zip(busy, idle, strict=True)]
    report.row("tray, median of runs", statistics.median(busy), "ms")
    report.row("idle control, median of runs", statistics.median(idle), "ms")
    report.row("beyond the control, median of runs", statistics.median(beyond), "ms", LIMIT_MS)


if __name__ == "__main__":
    REPORT = Report()
    measure(REPORT)
    sys.exit(bool(REPORT.failed))
