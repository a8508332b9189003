"""The inner edge of a docked window, which the user drags to change its width."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from desktop.panel_place import Side, bounded_width

_THICKNESS = 6


class EdgeGrip(QWidget):
    """A strip above the content of ``window`` along its inner edge; it also draws the line that ends it.

    A docked window has no frame of the desktop's that could be dragged, or that would set it off.
    """

    pressed = Signal()

    def __init__(self, window: QWidget, side: Side) -> None:
        super().__init__(window)
        self._side = side
        self._start: tuple[QPointF, QRect] | None = None
        self.setAccessibleName(self.tr("Edge of the panel"))
        self.setAccessibleDescription(self.tr("Drag it to change the width."))
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        window.installEventFilter(self)
        self._follow()
        self.show()

    def set_side(self, side: Side) -> None:
        """The side of the screen at which the window stands; the grip is at the other side of the window."""
        self._side = side
        self._follow()

    def _follow(self) -> None:
        window = self.window()
        x = window.width() - _THICKNESS if self._side == "left" else 0
        self.setGeometry(x, 0, _THICKNESS, window.height())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded) and watched is self.parent():
            self._follow()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._start = (event.globalPosition(), self.window().geometry())
            self.pressed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._start is None:
            return
        point, before = self._start
        moved = round(event.globalPosition().x() - point.x())
        wanted = before.width() + (moved if self._side == "left" else -moved)
        window = self.window()
        width = max(bounded_width(wanted, window.screen().geometry().width()), window.minimumWidth())
        rect = QRect(before)
        if self._side == "left":
            rect.setWidth(width)
        else:
            rect.setLeft(before.right() + 1 - width)
        window.setGeometry(rect)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._start = None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        x = _THICKNESS - 1 if self._side == "left" else 0
        painter.fillRect(x, 0, 1, self.height(), self.palette().color(QPalette.ColorRole.Dark))
