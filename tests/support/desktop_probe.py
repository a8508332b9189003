"""A real Qt program around our desktop backends, steered by a test through standard input.

Each line in is a JSON object with ``do`` and its arguments, each line out one with ``event``. Run it with
``Probe`` from a test, on whatever display server ``env`` names.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.environment import child_environment

_STALL = 30.0


class Probe:
    """``with Probe(env) as probe:`` starts the program; it is ended at the latest when the block ends."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__))],
            env=child_environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._buffer = b""
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Probe:
        self.wait("ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def do(self, command: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **arguments}).encode() + b"\n")

    def wait(self, event: str, seconds: float = _STALL) -> dict[str, Any]:
        """The next event of that kind; those before it are kept in ``events``."""
        end = time.monotonic() + seconds
        while True:
            found = self._next(end)
            if found is None:
                raise AssertionError(f"no {event!r} came; came: {self.events}")
            if found["event"] == event:
                return found
            self.events.append(found)

    def settle(self) -> list[dict[str, Any]]:
        """Every event until the program has handled all that was sent to it before."""
        self.do("echo")
        self.wait("echo")
        events, self.events = self.events, []
        return events

    def quit(self) -> int:
        """End it the regular way; its exit status."""
        self.do("quit")
        return self._process.wait(_STALL)

    def _next(self, end: float) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, end - time.monotonic())):
                    return None
                piece = os.read(self._process.stdout.fileno(), 65536)
                if not piece:
                    return None
                self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        found: dict[str, Any] = json.loads(line)
        return found


def _tell(event: str, **values: Any) -> None:
    print(json.dumps({"event": event, **values}, ensure_ascii=False), flush=True)


def _main() -> int:
    from PySide6.QtCore import QObject, QRect, QSocketNotifier, QTimer
    from PySide6.QtWidgets import QApplication

    from core.errors import YomitoriError
    from desktop import capture, clipboard, hotkeys
    from desktop.capture.screens import describe_screens
    from desktop.clipboard.qt import QtClipboard
    from desktop.clipboard.x11_selection import SelectionReader

    app = QApplication(sys.argv)
    app.setQuitOnLastWindowClosed(False)

    def error_text(error: YomitoriError | None) -> str:
        return f"{type(error).__name__}: {error.message}" if error else ""

    class Driver(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.keys: hotkeys.HotkeyBackend | None = None
            self.board: clipboard.ClipboardBackend | None = None
            self.notifier = QSocketNotifier(0, QSocketNotifier.Type.Read, self)
            self.notifier.activated.connect(self.read)

        def read(self) -> None:
            data = os.read(0, 65536)
            if not data:
                app.quit()
            for line in data.splitlines():
                command = json.loads(line)
                try:
                    getattr(self, command.pop("do"))(**command)
                except YomitoriError as error:
                    _tell("error", text=error_text(error))

        def echo(self) -> None:
            # Twice through the loop, so that what is queued now has been handled.
            QTimer.singleShot(0, lambda: QTimer.singleShot(0, lambda: _tell("echo")))

        def bind(self, backend: str, bindings: dict[str, str]) -> None:
            if self.keys is None:
                self.keys = hotkeys.choose(backend)
                self.keys.activated.connect(lambda action: _tell("activated", action=action))
                self.keys.bound.connect(lambda action, key: _tell("bound", action=action, key=key))
                self.keys.failed.connect(
                    lambda action, error: _tell("failed", action=action, text=error_text(error))
                )
            self.keys.bind(bindings, {action: action.title() for action in bindings})

        def unbind(self) -> None:
            if self.keys is not None:
                self.keys.close()

        def screens(self) -> None:
            for screen in describe_screens(app):
                rects = [list(r.getRect()) for r in (screen.geometry, screen.native)]
                _tell("screen", name=screen.name, geometry=rects[0], native=rects[1], scale=screen.scale)
            _tell("screens")

        def grab(self, backend: str, points: dict[str, list[list[int]]]) -> None:
            """The colours at points, by screen name, in native pixels of the screen."""
            for shot in capture.choose(backend).grab(describe_screens(app)):
                colors = [shot.image.pixelColor(x, y).name() for x, y in points.get(shot.screen.name, [])]
                size = [shot.image.width(), shot.image.height()]
                _tell("shot", name=shot.screen.name, size=size, colors=colors,
                      native=list(QRect(shot.screen.native).getRect()))  # fmt: skip
            _tell("grabbed", numpy="numpy" in sys.modules)

        def patient_clipboard(self, settle_ms: int) -> None:
            """Leave other programs more time before the clipboard is checked, however busy the machine."""
            reader = SelectionReader()
            self.board = QtClipboard(app.clipboard(), settle_ms, reader.read)

        def copy(self, backend: str, text: str) -> None:
            self.board = self.board or clipboard.choose(backend)
            self.board.copy(text, lambda error: _tell("copied", text=error_text(error)))

        def picture(self, backend: str) -> None:
            self.board = self.board or clipboard.choose(backend)
            image = self.board.image()
            _tell(
                "picture",
                holds=self.board.holds_image(),
                size=[image.width(), image.height()] if image else None,
                color=image.pixelColor(0, 0).name() if image else None,
            )

        def chosen(self, kind: str) -> None:
            registry = {"hotkeys": hotkeys, "capture": capture, "clipboard": clipboard}[kind]
            _tell("chosen", name=registry.choose("auto").name)

        def quit(self) -> None:
            if self.keys is not None:
                self.keys.close()
            if self.board is not None:
                self.board.hand_over()
            app.quit()

    driver = Driver()
    _tell("ready")
    status = app.exec()
    del driver
    return status


if __name__ == "__main__":
    sys.exit(_main())
