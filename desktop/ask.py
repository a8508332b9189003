"""A question before something is lost. It does not stop the program: the answer comes later."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QMessageBox, QWidget


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
    """Let the words begin where the buttons do: without an icon, its column stays empty beside them."""
    grid = box.layout()
    assert isinstance(grid, QGridLayout)
    columns = grid.columnCount()
    for name in ("qt_msgbox_label", "qt_msgbox_informativelabel"):
        label = box.findChild(QWidget, name)
        place = grid.indexOf(label) if label is not None else -1
        if label is not None and place >= 0:
            row = grid.getItemPosition(place)[0]
            grid.removeWidget(label)
            grid.addWidget(label, row, 0, 1, columns)
