"""What taskbars and other bars leave free of a screen."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QScreen


def usable_area(screen: QScreen) -> QRect:
    """In logical pixels. Under X11 Qt does not know it where there are several screens; we ask ourselves."""
    if QGuiApplication.platformName() == "xcb":
        # Only there: it needs a library that other systems do not have.
        from desktop.docking.x11 import X11Dock

        found = X11Dock().usable(screen)
        if found is not None:
            return found
    return screen.availableGeometry()
