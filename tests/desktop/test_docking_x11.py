"""The docked panel on a real X server with a window manager: who gets which place, and the keyboard."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from tests.support.display_server import wait_until
from tests.support.environment import child_environment
from tests.support.xserver import XServer

PROBE = Path(__file__).resolve().parents[1] / "support" / "dock_probe.py"
STALL = 30.0

pytestmark = pytest.mark.x11

Rect = list[int]


class Program:
    """``with Program(server, …) as program:`` runs a probe until the block ends."""

    def __init__(self, server: XServer, *arguments: str, scale: str = "1") -> None:
        self._server = server
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PROBE), *arguments],
            env=child_environment(server.environment({"QT_SCALE_FACTOR": scale})),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._events: Queue[dict[str, Any]] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._events.put(json.loads(line))

    def __enter__(self) -> Program:
        self.wait("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def status(self) -> tuple[int, str]:
        """How it ended by itself, and what it complained of."""
        assert self._process.stderr is not None
        return self._process.wait(STALL), self._process.stderr.read()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def do(self, command: str, *arguments: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self._process.stdin.flush()

    def ask(self, command: str, *arguments: Any, answer: str) -> dict[str, Any]:
        self.do(command, *arguments)
        return self.wait(answer)

    def attach(self, screen: str, side: str, width: int, keep_free: bool = True) -> dict[str, Any]:
        return self.ask("attach", screen, side, width, keep_free, answer="attached")

    def wait(self, kind: str, seconds: float = STALL) -> dict[str, Any]:
        while True:
            event = self._events.get(timeout=seconds)
            if event["event"] == kind:
                return event


def shown_at(server: XServer, title: str) -> Rect | None:
    """The place of a window without a frame, in native pixels; None when there is no such window to see."""
    found = server.run("xdotool", "search", "--onlyvisible", "--name", f"^{title}$").split()
    if not found:
        return None
    told = server.run("xwininfo", "-id", found[0])
    values = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in told.splitlines())
    }
    names = ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height")
    return [int(values[name]) for name in names]


def place_of(server: XServer, title: str) -> Rect | None:
    try:
        return shown_at(server, title)
    except subprocess.CalledProcessError:
        return None


def expect(server: XServer, title: str, rect: Rect) -> None:
    seen: list[Rect | None] = []

    def there() -> bool:
        seen[:] = [place_of(server, title)]
        return seen[0] == rect

    try:
        wait_until(title, there, 10)
    except AssertionError:
        raise AssertionError(f"{title} stands at {seen[0]}, not at {rect}") from None


def struts(server: XServer) -> str:
    found = server.xdotool("search", "--name", "^panel$").split()[0]
    return server.run("xprop", "-id", found, "_NET_WM_STRUT_PARTIAL", "_NET_WM_STRUT")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def start(
    stack: ExitStack, screens: list[tuple[int, int]], origins: list[tuple[int, int]] | None = None
) -> XServer:
    return stack.enter_context(XServer(screens, origins))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("scale", ["1", "2"])
def test_a_maximised_window_makes_room_until_the_panel_is_detached(
    stack: ExitStack, scale: str, side: str
) -> None:
    # Given a maximised window of another program, and the panel at an edge
    server = start(stack, [(1920, 1080)])
    panel = stack.enter_context(Program(server, "panel", scale=scale))
    other = stack.enter_context(Program(server, "other"))
    other.do("maximise", 100, 100)
    expect(server, "other", [0, 0, 1920, 1080])
    wide = round(400 * float(scale))

    # When it is docked and shown, then it has the whole height, and the other one the rest
    assert panel.attach("M0", side, 400)["docked"] is True
    panel.do("show")
    expect(server, "panel", [0 if side == "left" else 1920 - wide, 0, wide, 1080])
    expect(server, "other", [wide if side == "left" else 0, 0, 1920 - wide, 1080])

    # When it is given another width, then so is the other one
    panel.attach("M0", side, 440)
    wider = round(440 * float(scale))
    expect(server, "other", [wider if side == "left" else 0, 0, 1920 - wider, 1080])

    # When it is hidden, or detached, then the other one has everything again
    panel.do("hide")
    expect(server, "other", [0, 0, 1920, 1080])
    panel.do("show")
    expect(server, "other", [wider if side == "left" else 0, 0, 1920 - wider, 1080])
    panel.do("detach")
    expect(server, "other", [0, 0, 1920, 1080])
    assert "not found" in struts(server)


def test_with_a_fractional_scale_it_is_right_to_the_pixel_that_rounding_takes(stack: ExitStack) -> None:
    server = start(stack, [(1920, 1080)])
    panel = stack.enter_context(Program(server, "panel", scale="1.5"))
    other = stack.enter_context(Program(server, "other"))
    other.do("maximise", 100, 100)
    panel.attach("M0", "right", 401)
    panel.do("show")
    # 601.5 native pixels: the strut takes what is begun, and the window does not reach beyond it
    expect(server, "other", [0, 0, 1920 - 602, 1080])
    place = shown_at(server, "panel")
    assert place is not None
    assert 1920 - 602 <= place[0] <= 1920 - 600
    assert 1919 <= place[0] + place[2] <= 1920
    assert place[1] == 0
    assert place[3] in (1079, 1080)


def test_the_panel_takes_the_keyboard_and_is_no_special_window(stack: ExitStack) -> None:
    server = start(stack, [(1280, 800)])
    panel = stack.enter_context(Program(server, "panel"))
    panel.attach("M0", "right", 400)
    panel.do("show")
    expect(server, "panel", [880, 0, 400, 800])
    panel.do("activate")
    found = server.xdotool("search", "--name", "^panel$").split()
    wait_until("the focus", lambda: server.xdotool("getwindowfocus") in found)
    server.xdotool("key", "a")
    assert panel.wait("text")["text"] == "a"
    about = server.run("xprop", "-id", found[0], "_NET_WM_WINDOW_TYPE", "_NET_WM_STATE", "_NET_WM_DESKTOP")
    assert "_NET_WM_WINDOW_TYPE_NORMAL" in about
    assert "SKIP_TASKBAR" not in about
    assert "4294967295" in about


def test_it_is_on_every_desktop_only_while_it_is_docked(stack: ExitStack) -> None:
    server = start(stack, [(1280, 800)])
    panel = stack.enter_context(Program(server, "panel"))
    panel.attach("M0", "right", 400)
    panel.do("show")
    expect(server, "panel", [880, 0, 400, 800])
    found = server.xdotool("search", "--name", "^panel$").split()[0]

    def desktop() -> str:
        return server.run("xprop", "-id", found, "_NET_WM_DESKTOP")

    wait_until("every desktop", lambda: "4294967295" in desktop())
    panel.do("hide")
    panel.do("show")
    expect(server, "panel", [880, 0, 400, 800])
    wait_until("every desktop", lambda: "4294967295" in desktop())
    panel.do("detach")
    wait_until("one desktop", lambda: desktop().strip().endswith("= 0"))


def test_a_killed_program_leaves_nothing_reserved(stack: ExitStack) -> None:
    server = start(stack, [(1280, 800)])
    other = stack.enter_context(Program(server, "other"))
    panel = stack.enter_context(Program(server, "panel"))
    panel.attach("M0", "left", 400)
    panel.do("show")
    other.do("maximise", 600, 100)
    expect(server, "other", [400, 0, 880, 800])
    panel.kill()
    expect(server, "other", [0, 0, 1280, 800])


def test_a_program_that_ends_the_regular_way_ends_quietly(stack: ExitStack) -> None:
    server = start(stack, [(1280, 800)])
    other = stack.enter_context(Program(server, "other"))
    panel = stack.enter_context(Program(server, "panel"))
    panel.attach("M0", "left", 400)
    panel.do("show")
    other.do("maximise", 600, 100)
    expect(server, "other", [400, 0, 880, 800])
    panel.do("end")
    assert panel.status() == (0, "")
    expect(server, "other", [0, 0, 1280, 800])


def test_minimised_it_reserves_nothing(stack: ExitStack) -> None:
    server = start(stack, [(1280, 800)])
    other = stack.enter_context(Program(server, "other"))
    panel = stack.enter_context(Program(server, "panel"))
    panel.attach("M0", "left", 400)
    panel.do("show")
    other.do("maximise", 600, 100)
    expect(server, "other", [400, 0, 880, 800])
    panel.do("minimise")
    expect(server, "other", [0, 0, 1280, 800])
    panel.do("normal")
    expect(server, "other", [400, 0, 880, 800])
    expect(server, "panel", [0, 0, 400, 800])


@pytest.mark.parametrize("scale", ["1", "2"])
def test_dragging_the_inner_edge_makes_both_follow(stack: ExitStack, scale: str) -> None:
    # Given the panel at the right, 400 wide, and a maximised window
    server = start(stack, [(1920, 1080)])
    panel = stack.enter_context(Program(server, "panel", scale=scale))
    other = stack.enter_context(Program(server, "other"))
    other.do("maximise", 100, 100)
    factor = int(scale)
    panel.attach("M0", "right", 400)
    panel.do("show")
    left = 1920 - 400 * factor
    expect(server, "other", [0, 0, left, 1080])
    # When its inner edge is dragged by 50 logical pixels
    y = 500
    server.xdotool("mousemove", left + 2, y, "mousedown", 1)
    server.xdotool("mousemove", left - 10, y, "mousemove", left + 2 - 50 * factor, y, "mouseup", 1)
    # Then the new width is told once it pauses, and the other window gives way
    width = panel.wait("width")["width"]
    assert width == 450
    expect(server, "panel", [left - 50 * factor, 0, 450 * factor, 1080])
    expect(server, "other", [0, 0, left - 50 * factor, 1080])
    # And it cannot be dragged beyond half of the screen, or below the least width
    left -= 50 * factor
    server.xdotool("mousemove", left + 2, y, "mousedown", 1)
    server.xdotool("mousemove", left + 20, y, "mousemove", 1910, y, "mouseup", 1)
    assert panel.wait("width")["width"] == 320
    expect(server, "other", [0, 0, 1920 - 320 * factor, 1080])


def test_on_two_monitors_only_outer_edges_are_kept_free(stack: ExitStack) -> None:
    # Given two monitors of different heights
    server = start(stack, [(1366, 768), (1280, 1024)], [(0, 57), (1366, 0)])
    panel = stack.enter_context(Program(server, "panel"))
    other = stack.enter_context(Program(server, "other"))
    other.do("maximise", 100, 200)
    expect(server, "other", [0, 57, 1366, 768])

    # When it stands at the left of the left one, then that one's windows make room
    assert panel.attach("M0", "left", 400)["docked"] is True
    panel.do("show")
    expect(server, "panel", [0, 57, 400, 768])
    expect(server, "other", [400, 57, 966, 768])
    assert "= 400, 0, 0, 0, 57, 824, 0, 0, 0, 0, 0, 0" in struts(server)

    # When it goes to the right of the right one, then the left one is whole again
    panel.attach("M1", "right", 400)
    expect(server, "panel", [2246, 0, 400, 1024])
    expect(server, "other", [0, 57, 1366, 768])
    assert "= 0, 400, 0, 0, 0, 0, 0, 1023, 0, 0, 0, 0" in struts(server)

    # When the edge lies between the monitors, then it says so, and is put there without reserving
    answer = panel.attach("M0", "right", 400)
    assert answer["docked"] is False
    assert "another screen lies beyond" in answer["problem"]
    expect(server, "other", [0, 57, 1366, 768])
    assert "not found" in struts(server)
    wait_until("the frame at the edge", lambda: in_frame(panel, 400) == [964, 57, 400, 768])


def in_frame(panel: Program, width: int) -> Rect | None:
    """The place of the panel's frame, with ``width`` for that of what it frames; None until it has one."""
    told = panel.ask("where", answer="where")
    inner, frame = told["rect"], told["frame"]
    if frame[1] >= inner[1] or inner[2] != width:
        return None
    sides = frame[2] - inner[2]
    return [frame[0], frame[1], frame[2] - sides, frame[3]]


def test_a_monitor_that_is_plugged_in_beyond_the_edge_ends_it(stack: ExitStack) -> None:
    # Given the panel at the right of the only monitor, whose picture ends before the root window does
    server = start(stack, [(1200, 1000), (1200, 1000)])
    server.run("xrandr", "--delmonitor", "M1")
    panel = stack.enter_context(Program(server, "panel"))
    assert panel.attach("M0", "right", 400)["docked"] is True
    panel.do("show")
    expect(server, "panel", [800, 0, 400, 1000])
    assert "= 0, 1600, 0, 0, 0, 0, 0, 999, 0, 0, 0, 0" in struts(server)
    # When another monitor appears there, then it becomes an ordinary window at the same place
    server.run("xrandr", "--setmonitor", "M1", "1200/300x1000/250+1200+0", "none")
    assert panel.wait("docked")["docked"] is False
    assert "not found" in struts(server)
    wait_until("the frame at the edge", lambda: in_frame(panel, 400) == [798, 0, 400, 1000])


def test_a_change_of_the_resolution_moves_it(stack: ExitStack) -> None:
    server = start(stack, [(1920, 1080)])
    server.run("xrandr", "--delmonitor", "M0")
    panel = stack.enter_context(Program(server, "panel"))
    other = stack.enter_context(Program(server, "other"))
    other.do("maximise", 100, 100)
    panel.attach("screen", "right", 400)
    panel.do("show")
    expect(server, "other", [0, 0, 1520, 1080])
    smaller = "100 1280 1281 1282 1300 1024 1025 1026 1040"
    server.run("xrandr", "--newmode", "smaller", *smaller.split())
    server.run("xrandr", "--addmode", "screen", "smaller")
    server.run("xrandr", "--output", "screen", "--mode", "smaller")
    expect(server, "panel", [880, 0, 400, 1024])
    expect(server, "other", [0, 0, 880, 1024])


def test_it_stands_beside_the_bars_of_others(stack: ExitStack) -> None:
    # Given bars at the left and at the top, and two monitors, where Qt knows nothing of them
    server = start(stack, [(1200, 900), (1200, 900)])
    stack.enter_context(Program(server, "bar", "left", "60"))
    stack.enter_context(Program(server, "bar", "top", "30"))
    panel = stack.enter_context(Program(server, "panel"))
    other = stack.enter_context(Program(server, "other"))
    other.do("maximise", 500, 100)
    expect(server, "other", [60, 30, 1140, 870])
    assert panel.ask("usable", "M0", answer="usable")["rect"] == [60, 30, 1140, 870]
    assert panel.ask("usable", "M1", answer="usable")["rect"] == [1200, 30, 1200, 870]
    # Then the panel is between them and the other window, also when it is asked again
    for width in (400, 440):
        panel.attach("M0", "left", width)
        panel.do("show")
        expect(server, "panel", [60, 30, width, 870])
        expect(server, "other", [60 + width, 30, 1140 - width, 870])


def test_without_the_wish_it_is_an_ordinary_window_at_the_edge(stack: ExitStack) -> None:
    server = start(stack, [(1280, 800)])
    panel = stack.enter_context(Program(server, "panel"))
    other = stack.enter_context(Program(server, "other"))
    other.do("maximise", 100, 100)
    answer = panel.attach("M0", "right", 400, False)
    assert (answer["docked"], answer["problem"]) == (False, "")
    panel.do("show")
    wait_until("the frame at the edge", lambda: in_frame(panel, 400) == [878, 0, 400, 800])
    assert place_of(server, "other") == [0, 0, 1280, 800]
    # When the user resizes it, after it has found its place, then its width is told
    for width in range(450, 640, 10):
        server.xdotool("search", "--name", "^panel$", "windowsize", width, 700)
        with suppress(Empty):
            assert panel.wait("width", 0.5)["width"] == width
            return
    pytest.fail("no width was told")


def test_without_a_window_manager_there_is_only_the_ordinary_window(stack: ExitStack) -> None:
    server = stack.enter_context(XServer([(800, 600)], window_manager=False))
    panel = stack.enter_context(Program(server, "panel"))
    assert panel.ask("choose", "auto", answer="chosen")["name"] == "plain"
    answer = panel.ask("choose", "x11", answer="chosen")
    assert "the window manager does not let windows keep a place free" in answer["text"]
