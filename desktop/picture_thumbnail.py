"""The small picture at the top of the side panel, and the sign that takes a picture away."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from desktop.picture_scaling import thumbnail
from desktop.picture_types import alt_text
from desktop.theme import CONTROL_RADIUS, STEP, Theme, Tokens

MOST = QSize(104, 128)
"""The frame of a thumbnail is at most so large, in logical pixels."""
CROSS = 6 * STEP
"""The side of the square in which a click hits the cross."""
_CROSS_CIRCLE = 9.0


def paint_small(painter: QPainter, frame: QRectF, small: QImage, tokens: Tokens) -> None:
    """Draw a reduced picture in the middle of a rounded frame."""
    path = QPainterPath()
    path.addRoundedRect(frame, CONTROL_RADIUS, CONTROL_RADIUS)
    painter.fillPath(path, tokens.color("surface"))
    if not small.isNull():
        painter.save()
        painter.setClipPath(path)
        corner = (
            frame.center()
            - QPointF(small.deviceIndependentSize().width(), small.deviceIndependentSize().height()) / 2
        )
        # On whole device pixels, or it is blurred.
        ratio = small.devicePixelRatio()
        painter.drawImage(QPointF(round(corner.x() * ratio), round(corner.y() * ratio)) / ratio, small)
        painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(tokens.color("line"), 1))
    painter.drawPath(path)


def cross_rect(frame: QRect) -> QRect:
    """Where a click in a picture's frame hits its cross."""
    return QRect(frame.right() - CROSS + 1, frame.top(), CROSS, CROSS)


def paint_cross(
    painter: QPainter, rect: QRectF, tokens: Tokens, hovered: bool, focused: bool = False
) -> None:
    """The × in a small disc, readable on any picture."""
    middle = rect.center()
    painter.setPen(QPen(tokens.color("focus"), 2) if focused else QPen(tokens.color("control_line"), 1))
    painter.setBrush(tokens.color("accent_soft" if hovered else "raised"))
    painter.drawEllipse(middle, _CROSS_CIRCLE, _CROSS_CIRCLE)
    painter.setPen(QPen(tokens.color("text"), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    arm = 3.0
    painter.drawLine(middle + QPointF(-arm, -arm), middle + QPointF(arm, arm))
    painter.drawLine(middle + QPointF(-arm, arm), middle + QPointF(arm, -arm))


class _Cross(QAbstractButton):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.resize(CROSS, CROSS)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(CROSS, CROSS)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        paint_cross(painter, rect, self._theme.tokens, self.underMouse(), self.hasFocus())
        painter.end()


class Thumbnail(QAbstractButton):
    """A picture as a button, as large as the picture needs; a click, Enter or Space enlarges it."""

    remove_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image = QImage()
        self._small = QImage()
        self._removable = False
        self.cross = _Cross(theme, self)
        self.cross.setAccessibleName(self.tr("Remove the picture"))
        self.cross.setToolTip(self.tr("Remove the picture (Delete)"))
        self.cross.clicked.connect(self.remove_requested)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(self.tr("Enlarge the picture (Enter)"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_removable(False, False)
        theme.changed.connect(self.update)

    def set_picture(self, image: QImage, text: str) -> None:
        """Show ``image``; a screen reader reads its size and ``text``."""
        self.setAccessibleName(alt_text(image))
        self.setAccessibleDescription(text)
        if image.cacheKey() != self._image.cacheKey():
            self._image, self._small = image, QImage()
            self.updateGeometry()
            self.update()

    def set_removable(self, on: bool, cross: bool) -> None:
        """Whether Delete asks to remove the picture, and a ``cross`` as well."""
        self._removable = on
        self.cross.setVisible(on and cross)

    def sizeHint(self) -> QSize:
        frame = QSize(2, 2)
        size = self._image.size()
        if size.width() > MOST.width() - 2 or size.height() > MOST.height() - 2:
            size = size.scaled(MOST - frame, Qt.AspectRatioMode.KeepAspectRatio)
        return (size + frame).expandedTo(QSize(18 * STEP, 14 * STEP))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.cross.move(cross_rect(self.rect()).topLeft())

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._small.isNull() or self._small.devicePixelRatio() != ratio:
            self._small = thumbnail(self._image, self.size() - QSize(2, 2), ratio)
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        paint_small(painter, frame, self._small, tokens)
        if self.hasFocus():
            painter.setPen(QPen(tokens.color("focus"), 2))
            painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), CONTROL_RADIUS, CONTROL_RADIUS)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Delete and self._removable:
            self.remove_requested.emit()
        else:
            super().keyPressEvent(event)
