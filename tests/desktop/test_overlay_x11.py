"""The overlay and the card on a real X server with a window manager: places, pixels and the focus."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from tests.support.display_server import wait_until
from tests.support.environment import child_environment
from tests.support.xserver import XServer

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "tests" / "support" / "overlay_probe.py"
STALL = 30.0

pytestmark = pytest.mark.x11


class Program:
    """A running probe: ``do`` sends a command, ``wait`` gets the next event of a kind."""

    def __init__(self, server: XServer, role: str, scale: str = "1") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PROBE), role],
            env=child_environment(server.environment({"QT_SCALE_FACTOR": scale})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._events: Queue[dict[str, Any]] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def wait(self, kind: str) -> dict[str, Any]:
        while True:
            event = self._events.get(timeout=STALL)
            if event["event"] == kind:
                return event

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture(params=["1", "2"], ids=["scale 1", "scale 2"])
def desktop(request: pytest.FixtureRequest) -> Iterator[tuple[XServer, Program, Program]]:
    """Two screens, a program with a focused text field, and ours."""
    with XServer() as server:
        field = Program(server, "field")
        snip = Program(server, "snip", request.param)
        try:
            snip.wait("ready")
            found = server.xdotool("search", "--sync", "--onlyvisible", "--name", "^field$")
            wait_until("the field's focus", lambda: server.xdotool("getwindowfocus") in found.split())
            yield server, field, snip
        finally:
            snip.close()
            field.close()


def typed(server: XServer, field: Program, letter: str) -> str:
    server.xdotool("key", letter)
    return str(field.wait("text")["text"])


def drag(server: XServer, start: tuple[int, int], end: tuple[int, int]) -> None:
    server.xdotool("mousemove", *start, "mousedown", 1)
    server.xdotool("mousemove", start[0] + 20, start[1] + 20, "mousemove", *end, "mouseup", 1)


def test_keys_reach_the_overlay_without_a_click_and_the_focus_goes_back(
    desktop: tuple[XServer, Program, Program],
) -> None:
    server, field, snip = desktop
    assert typed(server, field, "a") == "a"

    snip.do("open")
    snip.wait("painted")
    server.xdotool("key", "Escape")

    assert snip.wait("cancelled")["reason"] == ""
    assert typed(server, field, "b") == "ab"


def test_drags_are_exact_on_both_screens_and_the_card_takes_no_focus(
    desktop: tuple[XServer, Program, Program],
) -> None:
    server, field, snip = desktop

    snip.do("open")
    snip.wait("painted")
    drag(server, (1000, 400), (1163, 603))
    chosen = snip.wait("selected")
    assert (chosen["screen"], chosen["rect"]) == ("M0", [1000, 400, 164, 204])
    snip.wait("card")
    assert typed(server, field, "c") == "c"

    snip.do("open")
    snip.wait("painted")
    drag(server, (2163, 603), (2000, 400))
    chosen = snip.wait("selected")
    assert (chosen["screen"], chosen["rect"]) == ("M1", [80, 400, 164, 204])


def test_the_keyboard_alone_selects_and_the_card_gives_the_focus_back(
    desktop: tuple[XServer, Program, Program],
) -> None:
    server, field, snip = desktop
    server.xdotool("mousemove", 500, 300)

    snip.do("open")
    snip.wait("painted")
    server.xdotool("key", "Right", "space", *["shift+Right"] * 4, *["shift+Down"] * 3, "Return")
    assert snip.wait("selected")["rect"] == [501, 300, 41, 31]
    snip.wait("card")

    before = server.xdotool("getwindowfocus")
    snip.do("focus")
    wait_until("the card's focus", lambda: server.xdotool("getwindowfocus") != before)
    server.xdotool("key", "Tab", "Return")
    assert snip.wait("copy")["text"] == "今日は"

    server.xdotool("key", "Escape")
    snip.wait("closed")
    assert typed(server, field, "d") == "d"


def test_the_keyboard_goes_through_the_readings(desktop: tuple[XServer, Program, Program]) -> None:
    server, field, snip = desktop
    # Given a card with two other readings
    snip.do("open")
    snip.wait("painted")
    drag(server, (1000, 400), (1163, 603))
    snip.wait("card")
    snip.do("readings")
    assert typed(server, field, "e") == "e"

    # When its hotkey gives it the keyboard
    before = server.xdotool("getwindowfocus")
    snip.do("focus")
    wait_until("the card's focus", lambda: server.xdotool("getwindowfocus") != before)
    server.xdotool("key", "Right", "Right", "Up", "space", "space")

    # Then arrows step both ways, and Space presses the button that has the focus
    assert [snip.wait("chosen")["text"] for _ in range(5)] == [
        "今日ば",
        "今目は",
        "今日ば",
        "今目は",
        "今日は",
    ]
    server.xdotool("key", "Escape")
    snip.wait("closed")
    assert typed(server, field, "f") == "ef"
