"""The button of the options: its words, or where there is no room for them two sliders."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.theme import STEP, Theme, set_kind

_LONG, _APART, _KNOB = 8.0, 4.5, 2.5
"""Half of a slider's length, half of the way between the two, and a knob's radius, in logical pixels."""


class OptionsButton(QPushButton):
    """Pressed with the mouse, it leaves the keyboard to ``field``: the question is written on afterwards."""

    def __init__(self, theme: Theme, field: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self._field = field
        self._small = False
        self.setAutoDefault(True)
        self.setAccessibleName(self.tr("Options…"))
        set_kind(self, "ghost")
        self.set_small(False)
        theme.changed.connect(self.update)

    @property
    def small(self) -> bool:
        return self._small

    def set_small(self, small: bool) -> None:
        """Without its words, which the tooltip tells then."""
        self._small = small
        words = self.tr("Options…")
        self.setText("" if small else words)
        self.setToolTip(words if small else "")
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(10 * STEP, hint.height()) if self._small else hint

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._small:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        painter.setPen(QPen(tokens.color("text"), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.setBrush(tokens.color("bg"))
        middle = QPointF(self.width() / 2, self.height() / 2)
        for down, knob in ((-_APART, 3.0), (_APART, -3.0)):
            line = middle + QPointF(0, down)
            painter.drawLine(line - QPointF(_LONG, 0), line + QPointF(_LONG, 0))
            painter.drawEllipse(line + QPointF(knob, 0), _KNOB, _KNOB)
        painter.end()
