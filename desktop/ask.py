"""A question before something is lost. It does not stop the program: the answer comes later."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget


def ask(parent: QWidget, question: str, detail: str, yes: str, then: Callable[[], None]) -> QMessageBox:
    """Call ``then`` when the button ``yes`` is pressed. Cancel is the default."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, parent.window().windowTitle(), question, parent=parent)
    box.setInformativeText(detail)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    accept = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    cancel.setIcon(QIcon())
    box.buttonClicked.connect(lambda button: then() if button is accept else None)
    box.open()
    return box
