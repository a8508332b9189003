"""Loads and unloads for a long time and watches what stays: ``python -m benchmarks.soak [CYCLES]``.

Each cycle presses the tray's hotkey, snips a bubble, reads it with MangaOCR (the tiny model of the tests) in
a new model process and unloads. Private memory, open files, sockets and child processes of the tray must not
grow.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.cold_start import bubble
from benchmarks.memory import private_mb
from benchmarks.report import Report
from benchmarks.stage import HOTKEY, Probe, Stage
from core.images import to_png
from tests.support.local_library import TINY_MANGA_OCR

CYCLES = 100
WARM_UP = 5
GROWTH_LIMIT_MB = 10
_HELPER_IDLE_S = 25
"""After that the built-in engine, which helps out while MangaOCR is loading, is gone, too."""


def main() -> int:
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else CYCLES
    report = Report()
    crop = bubble()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "bubble.png"
        picture.write_bytes(to_png(crop.image))
        with Stage(picture) as stage:
            settings = stage.home / "config" / "settings.json"
            settings.parent.mkdir(parents=True)
            settings.write_text(
                json.dumps(
                    {
                        "models": {"idle_unload": 0, "ocr_model": str(TINY_MANGA_OCR)},
                        "card": {"card_seconds": 1},
                    }
                )
            )
            probe = Probe(stage.server, stage.home)
            tray = psutil.Process(probe.pid)
            wrong = sum(_cycle(stage, probe) != crop.text for _ in range(WARM_UP))
            before = _look(tray)
            for cycle in range(cycles):
                wrong += _cycle(stage, probe) != crop.text
                if cycle % 10 == 9:
                    memory, files, sockets = _look(tray)
                    report.note(f"{cycle + 1:4} cycles: {memory:.1f} MB, {files} files, {sockets} sockets")
            time.sleep(_HELPER_IDLE_S)
            after = _look(tray)
            print(f"{cycles} cycles of load, read, unload in the tray")
            report.row("growth of private memory", after[0] - before[0], "MB", GROWTH_LIMIT_MB)
            report.row("more open files", after[1] - before[1], "", 0)
            report.row("more sockets", after[2] - before[2], "", 0)
            report.row("model processes left", len(tray.children(recursive=True)), "", 0)
            report.note(f"{wrong} of {WARM_UP + cycles} readings differed from the truth")
            probe.end()
    return 1 if report.failed else 0


def _cycle(stage: Stage, probe: Probe) -> str:
    """One snip until the model's process is gone; the text that was read."""
    stage.pointer.key(*HOTKEY)
    probe.wait("painted")
    time.sleep(0.2)
    stage.pointer.drag(*stage.region)
    text = str(probe.wait("finished")["text"])
    probe.wait("state", role="ocr", state="unloaded")
    return text


def _look(tray: psutil.Process) -> tuple[float, int, int]:
    """Private memory in MB, open files and sockets of the tray."""
    return private_mb(tray.pid), tray.num_fds(), len(tray.net_connections("all"))


if __name__ == "__main__":
    sys.exit(main())
