"""How large a window opens: as it was thought, or as large as the screen has room for."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

_FRAME = 40
"""Room for the title bar, in logical pixels; how high it is, is known only when the window is there."""


def resize_on_screen(window: QWidget, width: int, height: int) -> None:
    """Give ``window`` this size, or less where the screen without its panels is smaller."""
    room = window.screen().availableGeometry()
    window.resize(min(width, room.width()), min(height, room.height() - _FRAME))
