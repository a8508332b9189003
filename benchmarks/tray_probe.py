"""The real desktop with probes in it: prints when things happen, as JSON rows with a monotonic clock.

Runs the same ``Desktop`` as ``main.py``. ``time.perf_counter`` is CLOCK_MONOTONIC on Linux, so other
processes may compare their own readings with these.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.ticker import Ticker
from core.instance import Instance
from core.paths import Paths
from core.settings import SettingsStore
from desktop.app import APP_ID, Desktop
from desktop.display import display_problem


def say(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, "at": time.perf_counter(), **facts}), flush=True)


def main() -> int:
    """``tray_probe.py [idle] [ticks]``: idle shows nothing but a timer, the control process."""
    idle = "idle" in sys.argv
    problem = display_problem(os.environ)
    if problem is not None:
        raise problem
    QApplication.setDesktopFileName(APP_ID)
    app = QApplication(["yomitori-probe"])
    app.setQuitOnLastWindowClosed(False)
    ticker = Ticker()
    desktop = None
    if not idle:
        paths = Paths.for_user()
        instance = Instance(paths.runtime)
        assert instance.acquire()
        desktop = Desktop(app, SettingsStore(paths.settings_file), paths, instance)
        desktop.overlay.painted.connect(lambda: say("painted"))
        desktop.overlay.selected.connect(lambda *_: say("selected"))
        desktop.controller.finished.connect(
            lambda result, error: say("finished", text=result.text if result else "", error=str(error))
        )
        desktop.bridge.state_changed.connect(lambda state: say("state", role=state.role, state=state.state))
        desktop.hotkeys.changed.connect(lambda: say("hotkeys", keys=desktop.hotkeys.keys))
        desktop.start(False)
    signal.signal(signal.SIGTERM, lambda *_: app.quit())
    wake = QTimer()  # lets Python see the signal
    wake.timeout.connect(lambda: None)
    wake.start(200)

    def shown() -> None:
        say("shown", pid=os.getpid())
        ticker.start()

    QTimer.singleShot(1000, shown)
    app.exec()
    say("gap", ms=ticker.longest)
    if desktop is not None:
        desktop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
