"""How an answer came to be: the model, what it saw, how fast and how sure it was."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from core.conversation_types import Turn
from desktop.chat_texts import about_confidence, about_unfinished, details
from desktop.texts import breakable
from desktop.theme import STEP, Theme, set_role

_WIDTH = 88 * STEP


class AnswerInfo(QFrame):
    """A popover that closes at a click elsewhere and at Esc; what was not told is left out."""

    closed = Signal()

    def __init__(self, turn: Turn, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._theme = theme
        self._rows = details(turn)
        self.setAccessibleName(self.tr("Details of the answer"))
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * STEP, 3 * STEP, 4 * STEP, 3 * STEP)
        column.setSpacing(2 * STEP)
        column.addWidget(_label(self.tr("Details of the answer"), "strong"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * STEP)
        grid.setVerticalSpacing(STEP)
        grid.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(self._rows):
            title = _label(name, "muted")
            title.setWordWrap(False)
            grid.addWidget(title, row, 0, Qt.AlignmentFlag.AlignTop)
            told = _label(breakable(value))
            told.setAccessibleName(f"{name}: {value}")
            grid.addWidget(told, row, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(grid)
        told = [f"{name}: {value}" for name, value in self._rows]
        about = ""
        if turn.answer is None:
            about = about_unfinished()
        elif turn.answer.confidence is not None:
            about = about_confidence()
        if about:
            column.addWidget(_label(about, "muted"))
            told.append(about)
        self.setAccessibleDescription("; ".join(told))
        self.setFixedWidth(_WIDTH)
        theme.changed.connect(self.close)

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The names and values it shows."""
        return self._rows

    def show_at(self, place: QRect) -> None:
        """Open below ``place`` (global logical coordinates), or above it where the screen ends."""
        height = self.heightForWidth(self.width()) if self.hasHeightForWidth() else self.sizeHint().height()
        self.resize(self.width(), height)
        screen = self.screen() if self.parentWidget() is None else self.parentWidget().screen()
        room = screen.availableGeometry()
        corner = QPoint(place.right() - self.width(), place.bottom() + STEP)
        if corner.y() + height > room.bottom():
            corner.setY(max(room.top(), place.top() - STEP - height))
        corner.setX(min(max(room.left(), corner.x()), room.right() - self.width()))
        self.move(corner)
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        # Square like a menu: not every desktop can cut off corners.
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.fillRect(self.rect(), tokens.color("raised"))
        painter.setPen(tokens.color("line"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def _label(text: str, role: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        set_role(label, role)
    return label
