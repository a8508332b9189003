"""A button that shows its key beside its words."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from desktop.keyboard import presses
from desktop.theme import CONTROL_RADIUS, STEP, Theme

_GAP = 6
_KEY_RADIUS = 4
_KEY_PADDING = 5


class KeyButton(QAbstractButton):
    """``title`` with the picture of a key (none for ``key=""``); ``pill``: round ends, less high.

    Words that are too long for the width it is given are cut off with an ellipsis. Enter and Space press it.
    """

    def __init__(
        self, theme: Theme, title: str, key: str, pill: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._title, self._key, self._pill = theme, title, key, pill
        # In a button's text an & marks a key.
        self.setText(title.replace("&", "&&"))
        # A click leaves the keyboard where it is: mostly where text is written.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def title(self) -> str:
        return self._title

    def sizeHint(self) -> QSize:
        # One pixel more: widths of text are rounded.
        width = self.fontMetrics().horizontalAdvance(self._title) + 1 + 2 * self._padding() + self._key_room()
        least = 7 * STEP if self._pill else 30
        height = max(least, self.fontMetrics().height() + (STEP if self._pill else 3 * STEP))
        return QSize(max(width, height), height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if presses(event) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, on = self._theme.tokens, self.isEnabled()
        focused = self.hasFocus()
        fill = "line" if self.isDown() else "accent_soft" if self.underMouse() and on else "raised"
        line = "focus" if focused else "control_line" if on else "line"
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(tokens.color(line), 2 if focused else 1))
        painter.setBrush(tokens.color(fill))
        inset = 1 if focused else 0.5
        box = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        radius = box.height() / 2 if self._pill else CONTROL_RADIUS
        painter.drawRoundedRect(box, radius, radius)
        room = self.rect().adjusted(self._padding(), 0, -self._padding(), 0)
        room.setRight(room.right() - self._key_room())
        painter.setPen(tokens.color("text" if on else "control_line"))
        metrics = self.fontMetrics()
        shown = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, room.width())
        place = Qt.AlignmentFlag.AlignVCenter | (
            Qt.AlignmentFlag.AlignLeft if self._key else Qt.AlignmentFlag.AlignHCenter
        )
        painter.drawText(room, int(place), shown)
        if self._key:
            self._paint_key(painter, room.right() + 1 + _GAP)
        painter.end()

    def _paint_key(self, painter: QPainter, left: int) -> None:
        tokens, font = self._theme.tokens, self._key_font()
        metrics = QFontMetrics(font)
        height = metrics.height() + 2
        cap = QRect(left, (self.height() - height) // 2, self._key_room() - _GAP, height)
        painter.setFont(font)
        painter.setPen(QPen(tokens.color("line"), 1))
        painter.setBrush(tokens.color("surface"))
        painter.drawRoundedRect(QRectF(cap).adjusted(0.5, 0.5, -0.5, -0.5), _KEY_RADIUS, _KEY_RADIUS)
        painter.setPen(tokens.color("muted" if self.isEnabled() else "control_line"))
        painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), self._key)

    def _padding(self) -> int:
        return 10 if self._pill else 3 * STEP

    def _key_room(self) -> int:
        """The width of the key with the gap before it."""
        if not self._key:
            return 0
        metrics = QFontMetrics(self._key_font())
        width = max(metrics.horizontalAdvance(self._key) + 2 * _KEY_PADDING, metrics.height() + 2)
        return _GAP + width

    def _key_font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(10, self.fontInfo().pixelSize() - 2))
        return font
