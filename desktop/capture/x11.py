"""Screen capture on X11: the root window's pixels, through mss."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import xcffib
import xcffib.randr
from PySide6.QtCore import QCoreApplication, QRect

from core.errors import BackendUnavailable, CaptureFailed
from desktop.capture.base import ScreenInfo, Shot
from desktop.capture.shots import grab_with_mss
from desktop.x11 import x11_problem


class X11Capture:
    """One grab of each screen's own rectangle, in native pixels.

    Args:
        display: the X display, None for ``$DISPLAY``.
        environ: where ``DISPLAY`` and ``WAYLAND_DISPLAY`` are looked up.
    """

    name = "x11"

    def __init__(self, display: str | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._display = display
        self._environ = environ

    def unavailable(self) -> BackendUnavailable | None:
        reason = x11_problem(self._environ, self._display)
        if reason is None:
            return None
        fix = QCoreApplication.translate(
            "X11Capture", "Choose the desktop portal, or grim on wlroots desktops."
        )
        return BackendUnavailable(name="X11", reason=reason, fix=fix)

    def grab(self, screens: Sequence[ScreenInfo]) -> list[Shot]:
        display = self._display or self._environ.get("DISPLAY")
        monitors = _monitors(display)
        exact = [replace(screen, native=match_monitor(screen, monitors)) for screen in screens]
        return grab_with_mss(exact, [screen.native for screen in exact], display=display)


def match_monitor(screen: ScreenInfo, monitors: Sequence[QRect]) -> QRect:
    """The monitor that ``screen`` is: same origin, a size that differs by rounding at most."""
    rounding = max(1, screen.scale)
    for monitor in monitors:
        if (
            monitor.topLeft() == screen.native.topLeft()
            and abs(monitor.width() - screen.native.width()) <= rounding
            and abs(monitor.height() - screen.native.height()) <= rounding
        ):
            return monitor
    return screen.native


def _monitors(display: str | None) -> list[QRect]:
    try:
        connection = xcffib.connect(display=display)
    except xcffib.XcffibException as error:
        raise CaptureFailed(reason=str(error)) from error
    try:
        root = connection.setup.roots[connection.pref_screen].root
        randr: Any = connection(xcffib.randr.key)
        version = randr.QueryVersion(1, 5).reply()
        if (version.major_version, version.minor_version) < (1, 5):
            return []
        found = randr.GetMonitors(root, True).reply().monitors
        return [QRect(m.x, m.y, m.width, m.height) for m in found]
    except xcffib.XcffibException:
        # Without RandR the screens as Qt describes them are all that is known.
        return []
    finally:
        connection.disconnect()
