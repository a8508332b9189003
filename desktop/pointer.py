"""What the mouse is over, where Qt does not notice that it has gone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def forget_pointer(widget: QWidget) -> None:
    """Draw ``widget`` as if the mouse was elsewhere, until it comes again.

    For when a popup over it closes: that takes the pointer away without the widget being told of it.
    """
    widget.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
    widget.update()
