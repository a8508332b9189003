"""Which way of taking the focus suits the running platform."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from desktop.focus import Focus


def make_focus() -> Focus:
    """A new borrower's view of the focus; the application must exist."""
    if QGuiApplication.platformName() == "xcb":
        # Only there: it needs a library that other systems do not have.
        from desktop.focus_x11 import X11Focus

        return X11Focus()
    return Focus()
