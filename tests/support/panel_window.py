"""The side panel of a real tray, as its user has it."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing

from tests.support.display_server import wait_until
from tests.support.snipping import clipboard, set_clipboard
from tests.support.tray_app import TrayApp
from tests.support.xserver import XServer

_PARTS = 60
"""More than the window has parts that take the keyboard."""


class PanelWindow:
    """Its windows, its keys, and what Ctrl+C copies."""

    def __init__(self, server: XServer, app: TrayApp) -> None:
        self._server = server
        self._app = app

    def windows(self) -> list[str]:
        done = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "^Ask – Yomitori"],
            env=self._server.environment(), capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        return done.stdout.split()

    def wait_for_keyboard(self) -> None:
        wait_until("the panel", lambda: bool(self.windows()))

        def active() -> bool:
            return self._server.xdotool("getactivewindow").strip() in self.windows()

        wait_until("the panel to have the keyboard", active)

    def ask(self, question: str) -> str:
        """Type it, and wait until its answer has ended; the answer as it is kept."""
        before = len(self.turns())
        self._server.xdotool("type", "--delay", 5, question)
        self._server.xdotool("key", "Return")
        wait_until(f"{question!r} to be kept", lambda: len(self.turns()) == before + 2)
        wait_until("the answer to end", lambda: self.turns()[-1][0] != "streaming")
        return self.turns()[-1][1]

    def turns(self) -> list[tuple[str, str]]:
        """State and text of every turn in the history, oldest first."""
        with closing(sqlite3.connect(f"file:{self._app.paths.history_file}?mode=ro", uri=True)) as db:
            return db.execute("SELECT state, text FROM turns ORDER BY id").fetchall()

    def copied_from_widget(self, wanted: str) -> str:
        """What select-all and copy give in the part of the window, walking backwards from where the keyboard
        is, that shows ``wanted``."""
        seen: list[str] = []
        for _ in range(_PARTS):
            self._server.xdotool("key", "shift+Tab")
            set_clipboard(self._server, "nothing")
            self._server.xdotool("key", "ctrl+a", "ctrl+c")
            time.sleep(0.1)
            seen.append(clipboard(self._server).strip())
            if seen[-1] == wanted:
                return wanted
        raise AssertionError(f"{wanted!r} is in none of the texts: {seen}")
