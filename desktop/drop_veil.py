"""What lies over a panel while something is dragged across it: whether it may be dropped here."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from desktop.theme import CARD_RADIUS, STEP

_TINT = 0.14
"""How much of the accent is in the veil's own colour."""
_MARGIN = 2 * STEP


class DropVeil(QWidget):
    """Covers ``over`` with one sentence; it takes no mouse, no keyboard and no drop."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self._text, self._welcome = "", True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    @property
    def text(self) -> str:
        """The sentence shown; empty while nothing is dragged."""
        return self._text if self.isVisibleTo(self._over) else ""

    def cover(self, text: str, welcome: bool) -> None:
        """Show ``text``, framed as a place to drop on when it is ``welcome``."""
        self._text, self._welcome = text, welcome
        self.setAccessibleName(text)
        self.fit()
        self.raise_()
        self.show()
        self.update()

    def fit(self) -> None:
        """Be as large as what it covers."""
        self.setGeometry(self._over.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = self.palette()
        ground = colors.color(QPalette.ColorRole.Window)
        accent = colors.color(QPalette.ColorRole.Accent)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), _mixed(ground, accent, _TINT) if self._welcome else ground)
        frame = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        line = accent if self._welcome else colors.color(QPalette.ColorRole.Dark)
        painter.setPen(QPen(line, 2, Qt.PenStyle.DashLine if self._welcome else Qt.PenStyle.SolidLine))
        painter.drawRoundedRect(frame, CARD_RADIUS, CARD_RADIUS)
        font = self.font()
        if self._welcome:
            font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(colors.color(QPalette.ColorRole.WindowText))
        room = frame.adjusted(3 * STEP, STEP, -3 * STEP, -STEP)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), self._text)
        painter.end()


def _mixed(ground: QColor, other: QColor, share: float) -> QColor:
    """``ground`` with a ``share`` (0 to 1) of ``other``; opaque."""
    pairs = ((ground.red(), other.red()), (ground.green(), other.green()), (ground.blue(), other.blue()))
    return QColor(*(round(a + (b - a) * share) for a, b in pairs))
