"""A picture to look at closely: zoom, move, see where text was found."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QGestureEvent,
    QPinchGesture,
    QSizePolicy,
    QToolTip,
    QWidget,
)

from core.types import TextBlock
from desktop.picture_scaling import Levels
from desktop.picture_types import alt_text
from desktop.theme import CONTROL_RADIUS, OVERLAY, STEP, Theme

_MOST = 16.0
"""Logical pixels for one of the picture at most."""
_FIT_MOST = 4.0
_KEY_STEP = 12 * STEP
_KEY_ZOOM = 1.25
_WHEEL_ZOOM = 1.0015
"""For each eighth of a degree; a notch of a mouse's wheel is 120."""
_MARGIN = STEP
_ARROWS = {
    Qt.Key.Key_Left: QPointF(1, 0),
    Qt.Key.Key_Right: QPointF(-1, 0),
    Qt.Key.Key_Up: QPointF(0, 1),
    Qt.Key.Key_Down: QPointF(0, -1),
}


class PictureView(QWidget):
    """Shows one picture; positions are logical pixels of this widget, blocks are pixels of the picture.

    Wheel and pinch zoom around the pointer, dragging and the arrow keys move, a double click fits. Ctrl with
    plus, minus and 0 zooms; Page Up and Page Down go from block to block.
    """

    block_chosen = Signal(int)
    """A block was clicked, or reached with the keys."""
    zoom_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image = QImage()
        self._blocks: Sequence[TextBlock] = ()
        self._show_blocks = True
        self._levels: Levels | None = None
        self._scale = 1.0
        self._corner = QPointF()
        """Where the picture's top left corner is."""
        self._fitted = True
        self._pressed: QPointF | None = None
        self._dragged = False
        self._hovered = -1
        self._chosen = -1
        # Between two strips everything else has its turn.
        self._steps = QTimer(self, interval=0)
        self._steps.timeout.connect(self._step)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        # What a panel of the least height has left; where there is room the window's layout asks for more.
        self.setMinimumHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.grabGesture(Qt.GestureType.PinchGesture)
        theme.changed.connect(self.update)

    # ---- what is shown

    def set_picture(self, image: QImage, blocks: Sequence[TextBlock], text: str) -> None:
        """Show a picture; the same one with other blocks or text stays where it is."""
        self._blocks = blocks
        self.setAccessibleName(alt_text(image))
        self.setAccessibleDescription(text)
        self._hovered = min(self._hovered, len(blocks) - 1)
        if image.cacheKey() != self._image.cacheKey():
            self._image = image
            self._levels = None
            self._steps.stop()
            self._hovered = self._chosen = -1
            self.fit()
            if self.isVisible():
                self._begin_levels()
        self._chosen = min(self._chosen, len(blocks) - 1)
        self.update()

    def set_show_blocks(self, on: bool) -> None:
        """Whether the outlines of the blocks are drawn."""
        self._show_blocks = on
        self._hover(self._hovered if on else -1)
        self.update()

    def choose_block(self, index: int) -> None:
        """Mark a block, -1 for none."""
        self._chosen = index
        self.update()

    @property
    def scale(self) -> float:
        """Logical pixels for one of the picture."""
        return self._scale

    @property
    def fitted(self) -> bool:
        """Whether all of the picture is shown, as large as that goes."""
        return self._fitted

    @property
    def sharp(self) -> bool:
        """Whether the smaller copies are there that a reduced picture is drawn from."""
        return self._levels is not None and not self._steps.isActive()

    def to_picture(self, point: QPointF) -> QPointF:
        """The point of the picture that is shown at ``point``."""
        return (point - self._corner) / self._scale

    def picture_rect(self) -> QRectF:
        """Where the whole picture is, parts out of sight included."""
        return QRectF(self._corner, self._image.size().toSizeF() * self._scale)

    def block_rect(self, index: int) -> QRectF:
        """Where a block is."""
        box = self._blocks[index].box
        return QRectF(
            self._corner + QPointF(box.x, box.y) * self._scale,
            QSizeF(box.width, box.height) * self._scale,
        )

    def block_at(self, point: QPointF) -> int:
        """The block at ``point``, of several the smallest; -1 without one or while they are not shown."""
        if not self._show_blocks or self._image.isNull():
            return -1
        place = self.to_picture(point)
        hit = [i for i, block in enumerate(self._blocks) if block.box.contains(place.x(), place.y())]
        return min(hit, key=lambda index: self._blocks[index].box.area, default=-1)

    # ---- zoom and place

    def fit(self) -> None:
        """Show all of the picture; small ones are enlarged, up to four times."""
        self._fitted = True
        self._scale = self._fit_scale()
        self._place(QPointF())
        self.zoom_changed.emit()

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Enlarge by ``factor``; the point of the picture at ``around`` stays there, the middle without."""
        if self._image.isNull():
            return
        around = QRectF(self.rect()).center() if around is None else around
        place = self.to_picture(around)
        least = min(self._fit_scale(), 1.0)
        self._scale = min(max(self._scale * factor, least), _MOST)
        self._fitted = self._scale == self._fit_scale()
        self._place(around - place * self._scale)
        self.zoom_changed.emit()

    def move_by(self, way: QPointF) -> None:
        """Move the picture, no further than its edges."""
        self._place(self._corner + way)

    def _fit_scale(self) -> float:
        if self._image.isNull():
            return 1.0
        width = max(1, self.width() - 2 * _MARGIN) / self._image.width()
        height = max(1, self.height() - 2 * _MARGIN) / self._image.height()
        return min(width, height, _FIT_MOST)

    def _place(self, corner: QPointF) -> None:
        """Put the picture's corner there; where it is smaller than the view it is in the middle."""
        size = self._image.size().toSizeF() * self._scale
        x, y = (
            (room - length) / 2 if length <= room else min(0.0, max(room - length, start))
            for room, length, start in (
                (self.width(), size.width(), corner.x()),
                (self.height(), size.height(), corner.y()),
            )
        )
        self._corner = QPointF(x, y)
        self.update()

    # ---- the smaller copies

    def _begin_levels(self) -> None:
        if self._levels is None and not self._image.isNull():
            self._levels = Levels(self._image)
            self._steps.start()

    def _step(self) -> None:
        if self._levels is None or not self._levels.step():
            self._steps.stop()
            self.update()

    # ---- events

    def sizeHint(self) -> QSize:
        return QSize(320, 320)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin_levels()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        else:
            grown = event.size() - event.oldSize()
            self._place(self._corner + QPointF(grown.width(), grown.height()) / 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(frame, CONTROL_RADIUS, CONTROL_RADIUS)
        painter.fillPath(outline, tokens.color("surface"))
        painter.save()
        painter.setClipPath(outline)
        target = self.picture_rect()
        if self._levels is None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, self._image)
        else:
            scale = self._scale * self.devicePixelRatioF()
            self._levels.draw(painter, target, scale, QRectF(self.rect()))
        if self._show_blocks:
            self._paint_blocks(painter)
        painter.restore()
        focus = self.hasFocus()
        painter.setPen(QPen(tokens.color("focus" if focus else "line"), 2 if focus else 1))
        inset = 0.5 if focus else 0.0
        painter.drawRoundedRect(frame.adjusted(inset, inset, -inset, -inset), CONTROL_RADIUS, CONTROL_RADIUS)
        painter.end()

    def _paint_blocks(self, painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for index in range(len(self._blocks)):
            rect = self.block_rect(index)
            strong = index in (self._hovered, self._chosen)
            if strong:
                fill = QColor(OVERLAY.accent)
                fill.setAlpha(72 if index == self._chosen else 40)
                painter.fillRect(rect, fill)
            # A bright line with dark ones beside it is seen on any picture.
            rect = rect.adjusted(-1, -1, 1, 1)
            for color, width in (
                (OVERLAY.hair, 4.0 if strong else 3.0),
                (OVERLAY.accent, 2.0 if strong else 1.0),
            ):
                pen = QPen(QColor(color), width)
                pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
                painter.setPen(pen)
                painter.drawRect(rect)

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.ToolTip:
            assert isinstance(event, QHelpEvent)
            self._tell_block(self.block_at(QPointF(event.pos())), event)
            return True
        if kind == QEvent.Type.ShortcutOverride:
            assert isinstance(event, QKeyEvent)
            if _zoom_of(event) is not None:
                event.accept()
                return True
        if kind == QEvent.Type.NativeGesture:
            assert isinstance(event, QNativeGestureEvent)
            return self._native_gesture(event)
        if kind == QEvent.Type.Gesture:
            assert isinstance(event, QGestureEvent)
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self.zoom(pinch.scaleFactor(), QPointF(self.mapFromGlobal(pinch.hotSpot().toPoint())))
                event.accept(pinch)
                return True
        return super().event(event)

    def _native_gesture(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(1 + event.value(), event.position())
        elif event.gestureType() == Qt.NativeGestureType.SmartZoomNativeGesture:
            self.fit()
        else:
            return False
        event.accept()
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(_WHEEL_ZOOM ** event.angleDelta().y(), event.position())
        # At the limits, too: what lies around the view must not begin to scroll.
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            self._hover(self.block_at(event.position()))
            return
        way = event.position() - self._pressed
        if self._dragged or way.manhattanLength() >= QApplication.startDragDistance():
            self._dragged = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.move_by(way)
            self._pressed = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None:
            return
        index = -1 if self._dragged else self.block_at(event.position())
        self._pressed = None
        self._hover(self.block_at(event.position()))
        if index >= 0:
            self.choose_block(index)
            self.block_chosen.emit(index)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        arrow = _ARROWS.get(Qt.Key(event.key()))
        factor = _zoom_of(event)
        if factor is not None:
            self.fit() if factor == 0 else self.zoom(factor)
        elif arrow is not None:
            self.move_by(arrow * _KEY_STEP)
        elif event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp) and self._blocks and self._show_blocks:
            self._go(1 if event.key() == Qt.Key.Key_PageDown else -1)
        else:
            super().keyPressEvent(event)

    # ---- blocks under pointer and keys

    def _go(self, way: int) -> None:
        count = len(self._blocks)
        last = self._chosen if self._chosen >= 0 else (-1 if way > 0 else count)
        index = (last + way) % count
        self.choose_block(index)
        rect, room = self.block_rect(index), QRectF(self.rect())
        if not room.contains(rect):
            self.move_by(room.center() - rect.center())
        self.block_chosen.emit(index)

    def _hover(self, index: int) -> None:
        if self._pressed is None:
            hand = Qt.CursorShape.OpenHandCursor if index < 0 else Qt.CursorShape.PointingHandCursor
            self.setCursor(QCursor(hand))
        if index != self._hovered:
            self._hovered = index
            self.update()

    def _tell_block(self, index: int, event: QHelpEvent) -> None:
        if index < 0:
            QToolTip.hideText()
            return
        # What was read may look like markup.
        words = f'<div style="white-space: pre">{html.escape(self._blocks[index].text)}</div>'
        QToolTip.showText(event.globalPos(), words, self, self.block_rect(index).toAlignedRect())


def _zoom_of(event: QKeyEvent) -> float | None:
    """The factor of a key, 0 for the one that fits, None for others; plus is on some keyboards with Shift."""
    if event.modifiers() & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier):
        return None
    return {
        Qt.Key.Key_Plus: _KEY_ZOOM,
        Qt.Key.Key_Equal: _KEY_ZOOM,
        Qt.Key.Key_Minus: 1 / _KEY_ZOOM,
        Qt.Key.Key_0: 0.0,
    }.get(Qt.Key(event.key()))
