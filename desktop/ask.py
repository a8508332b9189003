"""A question before something is lost. It does not stop the program: the answer comes later."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def ask(
    parent: QWidget, question: str, detail: str, yes: str, then: Callable[[], None], no: str = ""
) -> QMessageBox:
    """Call ``then`` when the button ``yes`` is pressed. The default is ``no``, by itself Cancel."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, parent.window().windowTitle(), question, parent=parent)
    box.setInformativeText(detail)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    accept = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    if no:
        cancel.setText(no)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.buttonClicked.connect(lambda button: then() if button is accept else None)
    _align(box)
    box.open()
    return box


def _align(box: QMessageBox) -> None:
    """Let the words begin where the buttons do: without an icon, its place stays empty beside them."""
    layout = box.layout()
    for place in range(layout.count()):
        spacer = layout.itemAt(place).spacerItem()
        if spacer is not None and spacer.sizeHint().height() <= 1:
            spacer.changeSize(0, 0)
    layout.invalidate()
