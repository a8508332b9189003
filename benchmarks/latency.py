"""How long the user waits: hotkey to overlay, release to clipboard.

``python -m benchmarks.latency``: real X server, real key presses and drags (XTest), five runs of ten snips.
"""

from __future__ import annotations

import sys
import time

from benchmarks.report import Report, median_of_runs
from benchmarks.stage import HOTKEY, ROOT, Probe, Stage

RUNS, SNIPS = 5, 10
OVERLAY_LIMIT_MS, CLIPBOARD_LIMIT_MS = 150, 300


def measure(report: Report) -> None:
    print("Latency (ms), two screens of 1920x1080 and 1280x1024, warm built-in engine")
    overlay: list[list[float]] = []
    clipboard: list[list[float]] = []
    with Stage(ROOT / "tests" / "data" / "vertical.png") as stage:
        for _ in range(RUNS):
            probe = Probe(stage.server, stage.home)
            _snip(stage, probe)  # warm: the engine loads, fonts are read
            pairs = [_snip(stage, probe) for _ in range(SNIPS)]
            overlay.append([first for first, _ in pairs])
            clipboard.append([second for _, second in pairs])
            probe.end()
    report.row("hotkey to overlay's first paint, p50", median_of_runs(overlay, 0.5), "ms", OVERLAY_LIMIT_MS)
    report.row("hotkey to overlay's first paint, p95", median_of_runs(overlay, 0.95), "ms")
    report.row(
        "release to clipboard's new owner, p50", median_of_runs(clipboard, 0.5), "ms", CLIPBOARD_LIMIT_MS
    )
    report.row("release to clipboard's new owner, p95", median_of_runs(clipboard, 0.95), "ms")


def _snip(stage: Stage, probe: Probe) -> tuple[float, float]:
    stage.pointer.forget()
    pressed = stage.pointer.key(*HOTKEY)
    painted = probe.wait("painted")["at"]
    time.sleep(0.2)
    released = stage.pointer.drag(*stage.region)
    owned = stage.pointer.owner_changed()
    probe.wait("finished")
    time.sleep(0.4)
    return (painted - pressed) * 1000, (owned - released) * 1000


if __name__ == "__main__":
    REPORT = Report()
    measure(REPORT)
    sys.exit(bool(REPORT.failed))
