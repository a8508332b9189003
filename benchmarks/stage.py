"""The scene of the desktop benchmarks: an X server, a window manager, a picture to read, the tray."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import xcffib
import xcffib.xfixes
import xcffib.xproto
import xcffib.xtest

from tests.support.xserver import XServer

ROOT = Path(__file__).resolve().parents[1]
_STALL = 60.0


class Probe:
    """A ``tray_probe`` process and the events it prints."""

    def __init__(self, server: XServer, home: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tray_probe", *arguments],
            cwd=ROOT,
            # The models of whoever measures must not change what is measured.
            env=server.environment({"YOMITORI_HOME": str(home), "HF_HOME": str(home / "hub")}),
            stdout=subprocess.PIPE,
            text=True,
        )
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.pid = int(self.wait("shown")["pid"])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))

    def wait(self, event: str, **facts: Any) -> dict[str, Any]:
        """The next event of that name (and with those facts); others are dropped."""
        end = time.monotonic() + _STALL
        while True:
            found = self._events.get(timeout=max(0.01, end - time.monotonic()))
            if found["event"] == event and all(found.get(k) == v for k, v in facts.items()):
                return found

    def end(self) -> dict[str, Any]:
        """Quit it; its ``gap`` event."""
        self._process.terminate()
        gap = self.wait("gap")
        self._process.wait(_STALL)
        self._reader.join(_STALL)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return gap


class Pointer:
    """Keys and mouse through XTest, and the moment the clipboard changes hands through XFixes."""

    def __init__(self, display: str) -> None:
        self._connection = xcffib.connect(display=display)
        self._root = self._connection.setup.roots[0].root
        self._xtest = self._connection(xcffib.xtest.key)
        self._xfixes = self._connection(xcffib.xfixes.key)
        self._xfixes.QueryVersion(5, 0).reply()
        name = b"CLIPBOARD"
        self._clipboard = self._connection.core.InternAtom(False, len(name), name).reply().atom
        self._xfixes.SelectSelectionInput(
            self._root, self._clipboard, xcffib.xfixes.SelectionEventMask.SetSelectionOwner
        )
        first = self._connection.setup.min_keycode
        count = self._connection.setup.max_keycode - first + 1
        mapping = self._connection.core.GetKeyboardMapping(first, count).reply()
        step = mapping.keysyms_per_keycode
        self._keycodes = {mapping.keysyms[i * step]: first + i for i in range(count)}
        self._connection.flush()

    def _fake(self, kind: int, detail: int, x: int = 0, y: int = 0) -> None:
        self._xtest.FakeInput(kind, detail, 0, self._root, x, y, 0)

    def key(self, *keysyms: int) -> float:
        """Press all, release all; the moment at which the last was pressed."""
        codes = [self._keycodes[sym] for sym in keysyms]
        for code in codes[:-1]:
            self._fake(2, code)
        self._connection.core.GetInputFocus().reply()
        at = time.perf_counter()
        self._fake(2, codes[-1])
        self._connection.core.GetInputFocus().reply()
        for code in reversed(codes):
            self._fake(3, code)
        self._connection.core.GetInputFocus().reply()
        return at

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> float:
        """Press at ``start``, move, release at ``end``; the moment of the release."""
        self._fake(6, 0, *start)
        self._fake(4, 1)
        for step in range(1, 6):
            x = start[0] + (end[0] - start[0]) * step // 5
            y = start[1] + (end[1] - start[1]) * step // 5
            self._fake(6, 0, x, y)
            self._connection.core.GetInputFocus().reply()
            time.sleep(0.02)
        at = time.perf_counter()
        self._fake(5, 1)
        self._connection.core.GetInputFocus().reply()
        return at

    def owner_changed(self) -> float:
        """Wait until the clipboard has a new owner; the moment at which it was seen."""
        while True:
            event = self._connection.wait_for_event()
            if isinstance(event, xcffib.xfixes.SelectionNotifyEvent):
                return time.perf_counter()

    def forget(self) -> None:
        """Drop the events that are waiting."""
        while self._connection.poll_for_event() is not None:
            pass

    def close(self) -> None:
        self._connection.disconnect()


class Stage:
    """``with Stage() as stage``: two screens, a window manager, a bubble shown by another program."""

    PLACE = (300, 200)

    def __init__(self, picture: Path) -> None:
        self.picture = picture

    def __enter__(self) -> Stage:
        from PIL import Image

        self._folder = tempfile.TemporaryDirectory(prefix="yomitori-bench-")
        self.home = Path(self._folder.name) / "home"
        self.server = XServer()
        self.server.__enter__()
        self.server.spawn(["trayer", "--edge", "bottom", "--align", "right", "--width", "20"])
        viewer = ROOT / "tests" / "support" / "viewer.py"
        x, y = self.PLACE
        self.server.spawn([sys.executable, "-P", str(viewer), str(self.picture), str(x), str(y)])
        time.sleep(1.5)
        with Image.open(self.picture) as image:
            self.region = ((x + 2, y + 2), (x + image.width - 2, y + image.height - 2))
        self.pointer = Pointer(self.server.display)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pointer.close()
        self.server.close()
        self._folder.cleanup()


CONTROL, ALT, LETTER_S = 0xFFE3, 0xFFE9, 0x0073
HOTKEY = (CONTROL, ALT, LETTER_S)
