"""Loads MangaOCR, reads and unloads, a few times, and prints what is left after each, as JSON rows.

A process of its own, since what a test run itself holds in memory comes and goes.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import psutil

from core.engine import Engine
from core.engines import find_engine
from core.events import HostState, State
from core.settings import SettingsStore
from tests.support.local_library import LocalLibrary
from tests.support.manga_crops import load_crops


def main(folder: Path, cycles: int) -> None:
    settings = SettingsStore(folder / "settings.json", environ={})
    engine = Engine(settings, engines=(find_engine("manga-ocr", "ocr"),), library=LocalLibrary())
    unloaded = threading.Event()

    def listen(state: HostState) -> None:
        if state.role == "ocr" and state.state is State.UNLOADED:
            unloaded.set()

    engine.subscribe(listen)
    me = psutil.Process()
    crop = load_crops("plain")[0]
    for _ in range(cycles):
        unloaded.clear()
        assert engine.recognize(crop.image).result(120).text
        engine.unload()
        assert unloaded.wait(60)
        row = {
            "private": me.memory_full_info().uss,
            "files": me.num_fds(),
            "sockets": len(me.net_connections("all")),
            "processes": len(me.children(recursive=True)),
        }
        print(json.dumps(row), flush=True)
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
