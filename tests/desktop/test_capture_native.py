"""Capture on Windows and macOS: which areas are asked for, and macOS's permission."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtCore import QRect

from core.errors import CaptureFailed
from desktop.capture.base import ScreenInfo, Shot
from desktop.capture.native import NativeCapture

SCREEN = ScreenInfo("retina", QRect(1440, 0, 1440, 900), 2.0, QRect(1440, 0, 2880, 1800))


class Camera:
    def __init__(self) -> None:
        self.areas: list[QRect] = []

    def __call__(self, screens: Sequence[ScreenInfo], areas: Sequence[QRect]) -> list[Shot]:
        self.areas += areas
        return []


def test_windows_is_asked_in_pixels() -> None:
    camera = Camera()
    NativeCapture("win32", camera).grab([SCREEN])
    assert camera.areas == [SCREEN.native]


def test_macos_is_asked_in_points() -> None:
    camera = Camera()
    NativeCapture("darwin", camera, may_record=lambda: True).grab([SCREEN])
    assert camera.areas == [SCREEN.geometry]


def test_macos_without_the_permission_is_a_failure_that_names_the_switch() -> None:
    camera = Camera()
    with pytest.raises(CaptureFailed, match="Screen Recording"):
        NativeCapture("darwin", camera, may_record=lambda: False).grab([SCREEN])
    assert camera.areas == []


def test_it_exists_on_windows_and_macos_only() -> None:
    assert NativeCapture("win32").unavailable() is None
    assert NativeCapture("darwin").unavailable() is None
    problem = NativeCapture("linux").unavailable()
    assert problem is not None
    assert "Windows and macOS" in problem.message
