"""The real tray, started as a user starts it, and the programs around it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType

import psutil

from core.errors import InstanceError
from core.instance import Instance
from core.paths import Paths
from tests.support.display_server import wait_until

ROOT = Path(__file__).resolve().parents[2]


class TrayApp:
    """``with TrayApp(env, home) as app:`` runs ``main.py``; it is ended at the latest with the block.

    Args:
        env: the whole environment, with the display in it.
        home: becomes YOMITORI_HOME.
        arguments: of ``main.py``.
    """

    def __init__(self, env: Mapping[str, str], home: Path, arguments: tuple[str, ...] = ()) -> None:
        self.paths = Paths.below(home)
        self._env = {**env, "YOMITORI_HOME": str(home)}
        self._arguments = arguments
        self._errors = home.with_suffix(".stderr")

    def __enter__(self) -> TrayApp:
        home = self.paths.config.parent
        home.mkdir(parents=True, exist_ok=True)
        with self._errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "main.py"), *self._arguments], env=self._env, stderr=errors
            )
        wait_until(f"the tray to answer; it said: {self.stderr()}", self._answers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        if error is not None:
            print(f"---- the tray's log\n{self.log()}\n---- and stderr\n{self.stderr()}")
        else:
            assert self.stderr() == "", f"the tray wrote to stderr: {self.stderr()}"
            for words in ("Not caught", "Traceback", "Destroyed while", "flush() called", "QObject:"):
                assert words not in self.log(), f"{words!r} in the log: {self.log()}"

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the tray ended: {self.stderr()}"
        try:
            return bool(Instance(self.paths.runtime).call("ping")["ok"])
        except InstanceError:
            return False

    def stderr(self) -> str:
        return self._errors.read_text() if self._errors.exists() else ""

    def log(self) -> str:
        return self.paths.log_file.read_text() if self.paths.log_file.exists() else ""

    def command(self, *arguments: str) -> None:
        """Run ``yomitori ARGUMENTS`` beside it."""
        subprocess.run(
            [sys.executable, str(ROOT / "main.py"), *arguments], env=self._env, check=True, timeout=60
        )

    def rows(self) -> list[tuple[str, str, int, int]]:
        """State, text, width and height of every snip in the history, newest first, without opening it
        as a second Yomitori would."""
        if not self.paths.history_file.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.paths.history_file}?mode=ro", uri=True)) as db:
            return db.execute("SELECT state, text, width, height FROM snips ORDER BY id DESC").fetchall()

    def wait_for_log(self, words: str) -> None:
        wait_until(f"{words!r} in the log", lambda: words in self.log())

    def children(self) -> list[psutil.Process]:
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in found if child.status() != psutil.STATUS_ZOMBIE]

    def quit(self) -> None:
        self.command("quit")
        self.process.wait(15)


class Viewer:
    """Another program that shows a picture at native pixels."""

    def __init__(self, env: Mapping[str, str], picture: Path, x: int, y: int, typing: bool = False) -> None:
        self._command = [sys.executable, "-P", str(ROOT / "tests" / "support" / "viewer.py")]
        self._command += [str(picture), str(x), str(y), *(["typing"] if typing else [])]
        self._env = {k: v for k, v in env.items() if not k.startswith("QT_SCALE")}

    def __enter__(self) -> Viewer:
        self.process = subprocess.Popen(
            self._command, env=self._env, stdout=subprocess.PIPE, bufsize=0, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"shown\n"
        os.set_blocking(self.process.stdout.fileno(), False)
        self._said = ""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def said(self) -> str:
        """Everything it printed so far."""
        assert self.process.stdout is not None
        self._said += (self.process.stdout.read() or b"").decode()
        return self._said
