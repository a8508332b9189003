"""What the tray keeps: private memory (Private_Dirty + swap) before and after a snip and an unload.

``python -m benchmarks.memory``: one warm-up snip is discarded; the figure "after" is taken 30 s after the
model was unloaded.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import psutil

from benchmarks.report import Report
from benchmarks.stage import HOTKEY, ROOT, Probe, Stage

RUNS = 5
SETTLE_S = 30
GROWTH_LIMIT_MB, TOTAL_LIMIT_MB = 20, 90


def private_mb(pid: int) -> float:
    """Private_Dirty + Swap of a process in MB (10^6 bytes)."""
    total = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Dirty:", "Swap:")):
            total += int(line.split()[1]) * 1024
    return total / 1e6


def measure(report: Report) -> None:
    print("Private memory of the tray (MB), model process gone")
    before, after, processes = [], [], []
    with Stage(ROOT / "tests" / "data" / "vertical.png") as stage:
        settings = stage.home / "config" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"models": {"idle_unload": 2}, "card": {"card_seconds": 1}}))
        for _ in range(RUNS):
            probe = Probe(stage.server, stage.home)
            _snip(stage, probe)
            probe.wait("state", role="ocr", state="unloaded")
            time.sleep(SETTLE_S)
            before.append(private_mb(probe.pid))
            _snip(stage, probe)
            probe.wait("state", role="ocr", state="unloaded")
            time.sleep(SETTLE_S)
            after.append(private_mb(probe.pid))
            processes.append(len(psutil.Process(probe.pid).children(recursive=True)))
            probe.end()
    report.row("before", statistics.median(before), "MB")
    report.row("30 s after unload", statistics.median(after), "MB", TOTAL_LIMIT_MB)
    growth = [a - b for a, b in zip(after, before, strict=True)]
    report.row("growth", statistics.median(growth), "MB", GROWTH_LIMIT_MB)
    report.row("model processes left", max(processes), "", 0)


def _snip(stage: Stage, probe: Probe) -> None:
    stage.pointer.key(*HOTKEY)
    probe.wait("painted")
    time.sleep(0.2)
    stage.pointer.drag(*stage.region)
    probe.wait("finished")


if __name__ == "__main__":
    REPORT = Report()
    measure(REPORT)
    sys.exit(bool(REPORT.failed))
