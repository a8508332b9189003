"""The screens as Qt sees them, in a form that may travel to another thread."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication, QScreen

from desktop.capture.base import ScreenInfo


def describe_screens(app: QGuiApplication) -> list[ScreenInfo]:
    """Every screen that is plugged in now, the primary one first. Call it in the GUI thread."""
    primary = app.primaryScreen()
    return [describe(screen) for screen in sorted(app.screens(), key=lambda s: s is not primary)]


def describe(screen: QScreen) -> ScreenInfo:
    """Qt keeps the native origin of a screen and divides only its size by the scale.

    With a fractional scale the native size can be off by a pixel: a capture backend that knows the exact
    one puts it into its ``Shot``.
    """
    geometry, scale = screen.geometry(), screen.devicePixelRatio()
    size = QSize(round(geometry.width() * scale), round(geometry.height() * scale))
    return ScreenInfo(screen.name(), geometry, scale, QRect(geometry.topLeft(), size))
