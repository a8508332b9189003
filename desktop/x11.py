"""Whether this is an X11 session, for every backend that needs one."""

from __future__ import annotations

import os
from collections.abc import Mapping

import xcffib
import xcffib.xproto
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication


def x11_problem(environ: Mapping[str, str] = os.environ, display: str | None = None) -> str | None:
    """Why programs of an X11 session cannot be reached from here, as part of a sentence; None: they can.

    An X server that serves a Wayland session (Xwayland) sees neither the keys nor the pixels of Wayland
    windows, so it counts as none.
    """
    display = display or environ.get("DISPLAY")
    if not display:
        return QCoreApplication.translate("X11", "there is no X11 display")
    wayland = QCoreApplication.translate("X11", "this is a Wayland session, which X11 programs cannot see")
    if environ.get("WAYLAND_DISPLAY") and QGuiApplication.platformName().startswith("wayland"):
        return wayland
    try:
        connection = xcffib.connect(display=display)
    except xcffib.XcffibException:
        return QCoreApplication.translate("X11", "the X11 display {0} cannot be reached").format(display)
    try:
        extension = "XWAYLAND"
        present = connection.core.QueryExtension(len(extension), extension).reply().present
        return wayland if present else None
    finally:
        connection.disconnect()
