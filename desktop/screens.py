"""Which screen something is on, asked anew each time.

What outlives a window must not keep a ``QScreen``: PySide takes what a widget's ``screen()`` returns for a
part of that widget, and when the widget is deleted, every reference to the screen is dead, whoever holds it.
"""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QScreen


def screen_at(region: QRect) -> QScreen:
    """The screen that the middle of ``region`` (logical desktop coordinates) is on; the primary one where
    there is none, such as when it was just unplugged."""
    return QGuiApplication.screenAt(region.center()) or QGuiApplication.primaryScreen()
