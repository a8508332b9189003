"""Whether there is a display is known before Qt is asked, which would end the process."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from desktop.display import display_problem


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "there is no display"),
        ({"DISPLAY": ":4999"}, "the display :4999 does not answer"),
        ({"WAYLAND_DISPLAY": "wayland-77", "XDG_RUNTIME_DIR": "/nowhere"}, "wayland-77 does not answer"),
    ],
)
def test_no_display_is_a_sentence_with_a_way_out(environ: dict[str, str], words: str) -> None:
    problem = display_problem(environ, "linux")
    assert problem is not None
    assert words in problem.message
    assert "yomitori ocr" in problem.advice


def test_a_wayland_socket_is_a_display(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-1"))
        environ = {"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": str(tmp_path)}
        assert display_problem(environ, "linux") is None


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_always_have_one(platform: str) -> None:
    assert display_problem({}, platform) is None


def test_offscreen_needs_none() -> None:
    assert display_problem({"QT_QPA_PLATFORM": "offscreen"}, "linux") is None
