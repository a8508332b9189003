"""The small control that goes through the readings: ‹ 1/3 ›."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.theme import set_kind, set_role

HEIGHT = 22
"""In logical pixels; what stands beside it keeps this height whether it is shown or not."""
_FORWARD = (Qt.Key.Key_Right, Qt.Key.Key_Down)
_BACK = (Qt.Key.Key_Left, Qt.Key.Key_Up)
# Narrower than an icon button, so that a sentence has room beside it.
_SIZE = """
QPushButton { min-width: 16px; max-width: 16px; min-height: 20px; max-height: 20px; padding: 0; }
QPushButton:focus { min-width: 14px; max-width: 14px; min-height: 18px; max-height: 18px; padding: 0; }
"""


class Stepper(QWidget):
    """Both ways go round, so neither button is ever without effect."""

    stepped = Signal(int)
    """1 forward, -1 back."""
    focused = Signal()
    """The keyboard came to it or left it."""

    def __init__(self) -> None:
        super().__init__()
        self.back = self._button("‹", self.tr("Previous reading"), -1)
        self.forward = self._button("›", self.tr("Next reading"), 1)
        self._place = QLabel()
        set_role(self._place, "muted")
        self._place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._place.setContentsMargins(2, 0, 2, 0)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for part in (self.back, self._place, self.forward):
            row.addWidget(part)
        self.setFixedHeight(HEIGHT)

    def _button(self, sign: str, name: str, by: int) -> QPushButton:
        button = QPushButton(sign)
        set_kind(button, "icon")
        button.setStyleSheet(_SIZE)
        button.setAutoDefault(True)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setAttribute(Qt.WidgetAttribute.WA_AlwaysShowToolTips)
        button.clicked.connect(lambda: self.stepped.emit(by))
        button.installEventFilter(self)
        return button

    def show_place(self, place: int, count: int) -> None:
        """The reading at ``place`` (from 0) of ``count`` is shown."""
        self._place.setText(f"{place + 1}/{count}")
        words = self.tr("Reading {place} of {count}").format(place=place + 1, count=count)
        self._place.setAccessibleName(words)
        for button in (self.back, self.forward):
            button.setAccessibleDescription(words)

    def has_keyboard(self) -> bool:
        return self.back.hasFocus() or self.forward.hasFocus()

    def press(self, event: QKeyEvent) -> bool:
        """Step if the key is an arrow alone; whether it was."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if event.key() in _FORWARD:
            self.stepped.emit(1)
        elif event.key() in _BACK:
            self.stepped.emit(-1)
        else:
            return False
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.focused.emit()
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self.press(event)
        return super().eventFilter(watched, event)
