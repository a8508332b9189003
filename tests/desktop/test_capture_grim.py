"""Capture with grim: a stand-in program for what goes wrong, headless sway for what goes right."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect

from core.errors import CaptureFailed
from desktop.capture.base import ScreenInfo
from desktop.capture.grim import GrimCapture
from tests.support.desktop_probe import Probe
from tests.support.sway import Sway

SCREENS = [ScreenInfo(n, QRect(0, 0, 2, 1), 1.0, QRect(0, 0, 2, 1)) for n in ("A", "B")]


def stand_in(folder: Path, script: str, limit: float = 10) -> GrimCapture:
    """A backend whose grim is a shell script."""
    program = folder / "grim"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return GrimCapture({"PATH": "/usr/bin:/bin"}, str(program), limit)


def test_each_output_is_asked_for_by_name(tmp_path: Path) -> None:
    """Given a grim that paints A red and all else blue, then each shot has its screen's picture."""
    script = r"""
printf 'P6\n2 1\n255\n'
if [ "$2" = A ]; then printf '\377\000\000\377\000\000'; else printf '\000\000\377\000\000\377'; fi"""
    first, second = stand_in(tmp_path, script).grab(SCREENS)
    assert [shot.image.pixelColor(1, 0).name() for shot in (first, second)] == ["#ff0000", "#0000ff"]
    assert (first.screen.name, first.image.width(), first.image.height()) == ("A", 2, 1)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'unknown output' >&2; exit 1", "unknown output"),
        ("echo nonsense", "the picture of A cannot be read"),
        ("exit 3", "grim: 3"),
    ],
)
def test_what_goes_wrong_is_told(tmp_path: Path, script: str, reason: str) -> None:
    with pytest.raises(CaptureFailed, match=reason):
        stand_in(tmp_path, script).grab(SCREENS)


def test_a_grim_that_hangs_is_ended(tmp_path: Path) -> None:
    backend = stand_in(tmp_path, "exec sleep 60", limit=0.1)
    with pytest.raises(CaptureFailed, match="did not answer in time"):
        backend.grab(SCREENS)


def test_a_grim_that_is_gone_is_told() -> None:
    with pytest.raises(CaptureFailed, match="No such file"):
        GrimCapture({}, "/nonexistent/grim").grab(SCREENS)


def test_why_it_does_not_work_here(tmp_path: Path) -> None:
    no_session = GrimCapture({}).unavailable()
    assert no_session is not None
    assert "no Wayland session" in no_session.message
    not_installed = GrimCapture({"WAYLAND_DISPLAY": "x", "PATH": str(tmp_path)}).unavailable()
    assert not_installed is not None
    assert "apt install grim" in not_installed.advice
    (tmp_path / "grim").write_text("")
    (tmp_path / "grim").chmod(0o755)
    no_protocol = GrimCapture({"WAYLAND_DISPLAY": "x", "PATH": str(tmp_path)}).unavailable()
    assert no_protocol is not None
    assert "portal" in no_protocol.advice


# --- headless sway --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desktop() -> Iterator[Sway]:
    with Sway(outputs=[(1280, 720, 1), (1600, 1200, 2)]) as running:
        yield running


@pytest.mark.wayland
def test_outputs_of_scale_1_and_2_come_in_native_pixels(desktop: Sway) -> None:
    """Given sway with two outputs, when auto captures, then grim gives each in its own pixels."""
    with Probe(desktop.environment()) as probe:
        probe.do("chosen", kind="capture")
        assert probe.wait("chosen")["name"] == "grim"
        probe.do("grab", backend="auto", points={"HEADLESS-1": [[0, 0]], "HEADLESS-2": [[1599, 1199]]})
        assert probe.wait("grabbed")["numpy"] is False
        shots = {event["name"]: event for event in probe.settle()}
        assert probe.quit() == 0
    assert {name: shot["size"] for name, shot in shots.items()} == {
        "HEADLESS-1": [1280, 720],
        "HEADLESS-2": [1600, 1200],
    }
    assert [shot["colors"] for shot in shots.values()] == [["#336699"], ["#336699"]]


@pytest.mark.wayland
def test_key_grabs_are_not_offered_on_wayland(desktop: Sway) -> None:
    with Probe(desktop.environment({"DISPLAY": ":62999"})) as probe:
        probe.do("bind", backend="x11", bindings={})
        error = probe.wait("error")["text"]
    assert "this is a Wayland session" in error
