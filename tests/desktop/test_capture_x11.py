"""Capture on X11: known colours on real screens, at native pixels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect

from core.errors import CaptureFailed
from desktop.capture.base import ScreenInfo
from desktop.capture.x11 import X11Capture
from tests.support.desktop_probe import Probe
from tests.support.xserver import XServer

pytestmark = pytest.mark.x11

# A landscape screen lower than its neighbour, and a portrait one of odd size, at odd places.
SCREENS = [(1366, 768), (801, 1279)]
ORIGINS = [(0, 57), (1366, 0)]
RED, GREEN, BLUE = 0xFF0000, 0x00FF00, 0x0000FF


@pytest.fixture(scope="module")
def server() -> Iterator[XServer]:
    with XServer(SCREENS, ORIGINS) as running:
        running.rectangle(0, 57, 3, 3, RED)
        running.rectangle(1365, 57 + 767, 1, 1, GREEN)
        running.rectangle(1366, 0, 1, 1, BLUE)
        running.rectangle(1366 + 799, 1277, 2, 2, RED)
        yield running


@pytest.mark.parametrize("scale", ["1", "1.5", "2"])
def test_every_screen_in_native_pixels_at_any_scale(server: XServer, scale: str) -> None:
    """Given two screens and a scale, then each shot has its monitor's own size and pixels."""
    points = {
        "M0": [[0, 0], [2, 2], [3, 3], [1365, 767], [1364, 767]],
        "M1": [[0, 0], [1, 0], [798, 1278], [799, 1277], [800, 1278]],
    }
    with Probe(server.environment({"QT_SCALE_FACTOR": scale})) as probe:
        probe.do("grab", backend="x11", points=points)
        assert probe.wait("grabbed")["numpy"] is False
        shots = {event["name"]: event for event in probe.settle()}
        assert probe.quit() == 0
    assert {name: tuple(shot["size"]) for name, shot in shots.items()} == {
        "M0": SCREENS[0],
        "M1": SCREENS[1],
    }
    assert shots["M0"]["native"] == [0, 57, 1366, 768]
    assert shots["M1"]["native"] == [1366, 0, 801, 1279]
    black, red, green, blue = "#000000", "#ff0000", "#00ff00", "#0000ff"
    assert shots["M0"]["colors"] == [red, red, black, green, black]
    assert shots["M1"]["colors"] == [blue, black, black, red, red]


def test_qt_keeps_the_native_origin_and_divides_the_size(server: XServer) -> None:
    with Probe(server.environment({"QT_SCALE_FACTOR": "2"})) as probe:
        probe.do("screens")
        probe.wait("screens")
        first, second = probe.events
    assert (first["name"], first["geometry"], first["native"], first["scale"]) == (
        "M0",
        [0, 57, 683, 384],
        [0, 57, 1366, 768],
        2.0,
    )
    assert second["geometry"][:2] == [1366, 0]


def test_a_screen_plugged_in_since_start_is_captured() -> None:
    """Given a running program, when a monitor appears, then the next capture has it."""
    with XServer([(640, 480)], window_manager=False) as server, Probe(server.environment()) as probe:
        probe.do("grab", backend="x11", points={})
        probe.wait("grabbed")
        server.set_monitors([(320, 480), (320, 480)], [(0, 0), (320, 0)])
        server.rectangle(320, 0, 5, 5, RED)
        probe.events.clear()
        for _ in range(50):
            probe.do("screens")
            probe.wait("screens")
            names = [event["name"] for event in probe.events]
            probe.events.clear()
            if "M2" in names:
                break
        probe.do("grab", backend="x11", points={"M2": [[0, 0]]})
        probe.wait("grabbed")
        shots = {event["name"]: event for event in probe.events if event["event"] == "shot"}
    assert shots["M2"]["size"] == [320, 480]
    assert shots["M2"]["colors"] == ["#ff0000"]


def test_a_screen_that_is_gone_is_a_failure_with_a_reason(server: XServer, qapp: object) -> None:
    gone = QRect(5000, 0, 800, 600)
    with pytest.raises(CaptureFailed) as caught:
        X11Capture(display=server.display).grab([ScreenInfo("gone", gone, 1.0, gone)])
    assert caught.value.params["reason"]


def test_no_display_is_told_with_a_fix(qapp: object) -> None:
    problem = X11Capture(environ={}).unavailable()
    assert problem is not None
    assert "portal" in problem.advice
    with pytest.raises(CaptureFailed):
        X11Capture(display=":62999").grab([])
