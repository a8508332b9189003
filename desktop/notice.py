"""What the user should know for a moment: one message that stays for some seconds."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtWidgets import QLabel, QWidget

from desktop.texts import breakable
from desktop.theme import STEP, set_role

_LEAST_MS = 8_000
_PER_CHARACTER_MS = 80
"""Long enough for slow readers."""


class Notice(QLabel):
    """Takes no room while there is nothing to say. As many rows as the message needs; under the pointer it
    stays."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setContentsMargins(4 * STEP, 2 * STEP, 4 * STEP, 2 * STEP)
        self._going = QTimer(self, singleShot=True)
        self._going.timeout.connect(self.forget)
        self.hide()

    def say(self, text: str, role: str = "muted") -> None:
        """Show ``text`` in the place of what was said before, and tell screen readers; ``role`` as for labels
        in ``desktop.theme``."""
        set_role(self, role)
        self.setText(breakable(text))
        self.show()
        self._going.start(max(_LEAST_MS, _PER_CHARACTER_MS * len(text)))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def forget(self) -> None:
        """What was said does not matter any more."""
        self._going.stop()
        self.clear()
        self.hide()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._going.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self.text():
            self._going.start(_LEAST_MS)
