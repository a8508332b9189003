"""Loads and unloads for a long time and watches what stays: ``python -m benchmarks.soak [CYCLES]``.

Each cycle loads the built-in engine in a new process, reads a bubble and unloads. Private memory, open files
and child processes of this process must not grow.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from pathlib import Path

import psutil

from benchmarks.memory import private_mb
from benchmarks.report import Report
from core.engine import Engine
from core.events import HostState, State
from core.images import load_image
from core.settings import SettingsStore

ROOT = Path(__file__).resolve().parents[1]
CYCLES = 100
WARM_UP = 5
GROWTH_LIMIT_MB = 10


def main() -> int:
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else CYCLES
    picture = load_image(ROOT / "tests" / "data" / "vertical.png")
    truth = json.loads((ROOT / "tests" / "data" / "bubbles.json").read_text())["vertical"]["text"]
    report = Report()
    me = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(SettingsStore(Path(folder) / "settings.json", environ={}), Path(folder))
        unloaded = threading.Event()

        def listen(state: HostState) -> None:
            if state.state == State.UNLOADED:
                unloaded.set()

        engine.subscribe(listen)
        memory, files, wrong = 0.0, 0, 0
        for cycle in range(WARM_UP + cycles):
            unloaded.clear()
            text = engine.recognize(picture).result(120).text
            wrong += text != truth.replace("\n", "")
            engine.unload()
            if not unloaded.wait(30):
                report.failed.append("unload")
                break
            if cycle == WARM_UP - 1:
                memory, files = private_mb(me.pid), me.num_fds()
        print(f"{cycles} cycles of load, read, unload")
        report.row("growth of private memory", private_mb(me.pid) - memory, "MB", GROWTH_LIMIT_MB)
        report.row("more open files", me.num_fds() - files, "", 0)
        report.row("model processes left", len(me.children(recursive=True)), "", 0)
        report.note(f"{wrong} of {WARM_UP + cycles} readings differed from the truth")
        engine.close()
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
