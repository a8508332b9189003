"""One screen of the overlay: paints the frozen picture and turns mouse and keys into a selection."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFont,
    QFontInfo,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QStaticText,
    QTextOption,
)
from PySide6.QtWidgets import QWidget

from core.types import Box
from desktop.capture.base import Shot
from desktop.selection import MIN_SIDE, Phase, Selection, block_at, place_label, place_magnifier
from desktop.theme import OVERLAY, STEP

_BORDER = 2
_MAGNIFIER = 110
_MAGNIFIER_GAP = 6 * STEP
_CELLS = 21
"""The magnifier shows this many native pixels a side, an odd number so that one is in the middle."""
_CROSS = 12
_JIGGLE = 6
"""Pointer moves shorter than this (logical pixels) do not end the use of the keyboard."""
_MESSAGE_MS = 2500
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(frozen=True)
class _Layout:
    """Where things are painted, in logical pixels; an empty rectangle: not at all."""

    selection: QRect
    label: QRect
    magnifier: QRect
    hint: QRect
    cross: QRect


class SnipWindow(QWidget):
    """Shows ``shot`` dimmed and lets a region be chosen. Covers its screen exactly."""

    chosen = Signal()
    """``selection.box`` is what the user wants to have read."""
    dismissed = Signal(str)
    """Cancelled; the reason is empty or ``too_small``."""
    double_clicked = Signal(QPoint)
    """The native pixel whose block is wanted."""
    pointed = Signal()
    """The mouse moved or was pressed here."""
    key_pressed = Signal(QKeyEvent)
    key_released = Signal(QKeyEvent)
    first_painted = Signal()

    def __init__(self, shot: Shot, magnifier: bool) -> None:
        super().__init__()
        self.shot = shot
        self.asks = False
        """What is selected will be asked about, not only read."""
        self._image = _opaque(shot.image)
        self._magnifier = magnifier
        self.selection = Selection(self._image.width(), self._image.height())
        self._keyboard = False
        self._active = False
        self._frozen = False
        self._painted = False
        self._waiting = False
        self._pointer: QPointF | None = None
        self._home = QPointF()
        self._wanted: tuple[int, int] | None = None
        self._message = ""
        self._hint = QStaticText()
        one_line = QTextOption()
        one_line.setWrapMode(QTextOption.WrapMode.NoWrap)
        self._hint.setTextOption(one_line)
        self._hint.setTextFormat(Qt.TextFormat.RichText)
        self._hint_text = ""
        self._layout = _Layout(QRect(), QRect(), QRect(), QRect(), QRect())
        self._font = QFont(self.font())
        self._font.setPixelSize(max(12, QFontInfo(self._font).pixelSize()))
        self._click = QTimer(
            self, singleShot=True, interval=QGuiApplication.styleHints().mouseDoubleClickInterval()
        )
        self._click.timeout.connect(lambda: self.dismissed.emit("too_small"))
        self._forget_message = QTimer(self, singleShot=True, interval=_MESSAGE_MS)
        self._forget_message.timeout.connect(lambda: self.say(""))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setWindowTitle(self.tr("Choose what to read"))
        self.setAccessibleName(self.tr("Choose what to read"))
        self.setAccessibleDescription(
            self.tr(
                "Arrow keys move the cursor, with Shift by 10 pixels. Space or Enter fixes the first "
                "corner, then arrow keys size the selection and Ctrl with arrow keys moves it. Enter "
                "reads, Escape cancels."
            )
        )

    # What the overlay tells a window

    def set_active(self, active: bool) -> None:
        """Only the active window shows the magnifier, the keys and the keyboard's cursor."""
        if active != self._active:
            self._active = active
            if not active:
                self._set_keyboard(False)
            self._refresh()

    def point_at(self, position: QPoint) -> None:
        """Where the pointer is in this window, in logical pixels, before it has moved."""
        self._home = QPointF(position)
        self.selection.point(*self.to_native(self._home))
        self._refresh()

    @property
    def frozen(self) -> bool:
        return self._frozen

    def show_cursor(self) -> None:
        """The keyboard came here: show its cursor."""
        self._set_keyboard(True)
        self._refresh()

    def say(self, text: str) -> None:
        """Show ``text`` in the place of the keys for a moment."""
        self._message = text
        if text:
            self._forget_message.start()
        self._refresh()

    def take_block(self, blocks: list[Box]) -> bool:
        """Choose the block under the pixel that was double-clicked; False when there is none."""
        found = block_at(blocks, self._wanted) if self._wanted is not None else None
        if not self._waiting or found is None:
            return False
        self._waiting = False
        self.selection.choose(found)
        self._refresh()
        self.chosen.emit()
        return True

    def no_block(self) -> None:
        """There is nothing under the pixel that was double-clicked."""
        if self._waiting:
            self._waiting = False
            self.say(self.tr("No text found here. Drag over what you want to read."))

    def freeze(self) -> None:
        """Keep showing the selection; from now on every click or Esc dismisses the window."""
        self._frozen = True
        self._set_keyboard(False)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._refresh()

    # Coordinates

    def ratio(self) -> float:
        """Native pixels per logical pixel.

        A window's logical size is rounded, so its device pixels may differ from the picture's by less
        than one logical pixel; the picture is then still drawn 1:1.
        """
        device = self.devicePixelRatioF()
        if abs(self.width() * device - self._image.width()) <= device or not self.width():
            return device
        return self._image.width() / self.width()

    def to_native(self, position: QPointF) -> tuple[int, int]:
        """The native pixel under a logical position."""
        ratio = self.ratio()
        return (math.floor(position.x() * ratio + 0.01), math.floor(position.y() * ratio + 0.01))

    def to_logical(self, box: Box) -> QRect:
        """The smallest logical rectangle around native pixels."""
        ratio = self.ratio()
        left, top = math.floor(box.x / ratio), math.floor(box.y / ratio)
        return QRect(left, top, math.ceil(box.right / ratio) - left, math.ceil(box.bottom / ratio) - top)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton or self._frozen:
            self._dismiss()
        elif event.button() == Qt.MouseButton.LeftButton:
            self._click.stop()
            self._waiting = False
            self._set_keyboard(False)
            self.pointed.emit()
            self.selection.press(*self._point(event.position()))
            self._refresh()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._frozen or self.selection.phase is Phase.DONE:
            return
        if self._keyboard:
            if (event.position() - self._home).manhattanLength() < _JIGGLE:
                return
            self._set_keyboard(False)
        if self.selection.phase is not Phase.DRAGGING:
            self.pointed.emit()
        self.selection.point(*self._point(event.position()))
        self._refresh()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self.selection.phase is not Phase.DRAGGING:
            return
        self.selection.point(*self._point(event.position()))
        self.selection.release()
        box = self.selection.box
        assert box is not None
        if max(box.width, box.height) < MIN_SIDE:
            # It may be the first half of a double click.
            self.selection.reset()
            self._click.start()
            self._refresh()
        else:
            self._conclude()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._frozen:
            self.mousePressEvent(event)
            return
        self._click.stop()
        self.selection.reset()
        self._waiting = True
        self._wanted = self._point(event.position())
        self.say(self.tr("Looking for the text here…"))
        self.double_clicked.emit(QPoint(*self._wanted))

    def enterEvent(self, event: QEnterEvent) -> None:
        if not self._painted:
            self._home = event.position()

    # Keyboard: the window that has the focus passes its keys to the overlay, which picks the window

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.key_pressed.emit(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self.key_released.emit(event)

    def press_key(self, event: QKeyEvent) -> None:
        """Do what the key does."""
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        if key == Qt.Key.Key_Escape:
            self._dismiss()
        elif self._frozen or self.selection.phase is Phase.DONE:
            return
        elif self.selection.phase is Phase.DRAGGING:
            if key == Qt.Key.Key_Space and not event.isAutoRepeat():
                self.selection.hold(True, *self._pointer_native())
                self._refresh()
        elif key in _ARROWS:
            self._arrow(key, modifiers)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.isAutoRepeat():
            self._set_keyboard(True)
            if self.selection.phase is Phase.IDLE:
                self.selection.anchor()
                self._refresh()
            elif key != Qt.Key.Key_Space:
                self.selection.finish()
                self._conclude()

    def release_key(self, event: QKeyEvent) -> None:
        """The key is up again."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self.selection.moving:
            self.selection.hold(False, *self._pointer_native())
            self._refresh()

    def _arrow(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
        self._click.stop()
        self._set_keyboard(True)
        far = 10 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
        dx, dy = _ARROWS[key]
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self.selection.shift(dx * far, dy * far)
        else:
            self.selection.step(dx * far, dy * far)
        self._refresh()

    def _point(self, position: QPointF) -> tuple[int, int]:
        self._pointer = self._home = position
        return self.to_native(position)

    def _pointer_native(self) -> tuple[int, int]:
        return self.selection.cursor if self._pointer is None else self.to_native(self._pointer)

    def _set_keyboard(self, on: bool) -> None:
        """With the keyboard in use our own cross is the cursor, and the mouse's is hidden."""
        if on != self._keyboard:
            self._keyboard = on
            self.setCursor(Qt.CursorShape.BlankCursor if on else Qt.CursorShape.CrossCursor)

    def _conclude(self) -> None:
        if self.selection.too_small:
            self.dismissed.emit("too_small")
        else:
            self._refresh()
            self.chosen.emit()

    def _dismiss(self) -> None:
        self._click.stop()
        self._waiting = False
        self.dismissed.emit("")

    # Painting

    def _keys(self) -> str:
        if self._message:
            return self._message
        phase = self.selection.phase
        if phase is Phase.DRAGGING:
            go = self.tr("let go to ask") if self.asks else self.tr("let go to read")
            parts = [go, self.tr("<b>Space</b> move"), self.tr("<b>Esc</b> cancel")]
        elif phase is Phase.ANCHORED:
            parts = [
                self.tr("<b>arrows</b> size"),
                self.tr("<b>Ctrl+arrows</b> move"),
                self.tr("<b>Enter</b> ask") if self.asks else self.tr("<b>Enter</b> read"),
                self.tr("<b>Esc</b> cancel"),
            ]
        else:
            parts = [
                self.tr("drag to ask") if self.asks else self.tr("drag to read"),
                self.tr("<b>double click</b> a bubble"),
                self.tr("<b>arrows</b> move"),
                self.tr("<b>Enter</b> first corner"),
                self.tr("<b>Esc</b> cancel"),
            ]
        return "&nbsp;&nbsp;·&nbsp;&nbsp;".join(parts)

    def _arrange(self) -> _Layout:
        none = QRect()
        box = self.selection.box
        screen = Box(0, 0, self.width(), self.height())
        selection = none if box is None else self.to_logical(box)
        if self._frozen:
            return _Layout(selection, none, none, none, none)
        x, y = (round(value / self.ratio()) for value in self.selection.cursor)
        label = none
        if box is not None:
            metrics = QFontMetrics(self._small_font())
            width = metrics.horizontalAdvance(_size_text(box)) + 4 * STEP
            label = _rect(
                place_label(width, metrics.height() + STEP, _box(selection), screen, STEP + _BORDER)
            )
        magnifier = hint = cross = none
        if self._active:
            chosen = _box(selection) if box is not None else None
            if self._magnifier and self.selection.phase is not Phase.DONE:
                magnifier = _rect(place_magnifier(_MAGNIFIER, (x, y), chosen, screen, _MAGNIFIER_GAP))
            hint = self._place_hint(x, y, selection)
            if self._keyboard:
                reach = _CROSS + 2
                cross = QRect(x - reach, y - reach, 2 * reach + 1, 2 * reach + 1)
        return _Layout(selection, label, magnifier, hint, cross)

    def _place_hint(self, x: int, y: int, selection: QRect) -> QRect:
        """Bottom centre; top centre while the cursor or the selection is there."""
        text = self._keys()
        if text != self._hint_text:
            self._hint_text = text
            self._hint.setText(text)
            self._hint.prepare(font=self._font)
        size = self._hint.size().toSize() + QSize(6 * STEP + 1, 2 * STEP + 1)
        place = QRect(
            QPoint((self.width() - size.width()) // 2, self.height() - size.height() - 4 * STEP), size
        )
        busy = place.adjusted(-40, -40, 40, 40)
        if busy.contains(x, y) or selection.intersects(place):
            place.moveTop(4 * STEP)
        return place

    def _small_font(self) -> QFont:
        font = QFont(self._font)
        font.setPixelSize(self._font.pixelSize() - 1)
        return font

    def _refresh(self) -> None:
        """Repaint what differs from what is on the screen."""
        old, new = self._layout, self._arrange()
        self._layout = new
        region = QRegion()
        if old.selection != new.selection:
            region += QRegion(old.selection).xored(QRegion(new.selection))
            region += _frame(old.selection)
            region += _frame(new.selection)
        for before, after in (
            (old.label, new.label),
            (old.magnifier, new.magnifier),
            (old.hint, new.hint),
            (old.cross, new.cross),
        ):
            region += QRegion(before)
            region += QRegion(after)
        self.update(region)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_screen(painter, event.region())
        layout = self._layout
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if layout.label.isValid():
            self._paint_label(painter, layout.label)
        if layout.cross.isValid():
            self._paint_cross(painter, layout.cross.center())
        if layout.hint.isValid():
            _plate(painter, layout.hint)
            painter.setFont(self._font)
            painter.drawStaticText(layout.hint.topLeft() + QPoint(3 * STEP, STEP), self._hint)
        if layout.magnifier.isValid():
            self._paint_magnifier(painter, layout.magnifier)
        painter.end()
        if not self._painted:
            self._painted = True
            # Qt sends the pixels to the screen after this function.
            QTimer.singleShot(0, self.first_painted.emit)

    def _paint_screen(self, painter: QPainter, region: QRegion) -> None:
        """The picture, dimmed outside the selection, in native pixels."""
        ratio = self.ratio()
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        for rect in region:
            left, top = math.floor(rect.x() * ratio), math.floor(rect.y() * ratio)
            right = math.ceil((rect.x() + rect.width()) * ratio)
            bottom = math.ceil((rect.y() + rect.height()) * ratio)
            painter.drawImage(QPoint(left, top), self._image, QRect(left, top, right - left, bottom - top))
        # A picture can be a pixel short of a window with a fractional scale: dim that pixel too.
        width, height = self._image.width() + 2, self._image.height() + 2
        dim = QColor(*OVERLAY.dim)
        box = self.selection.box
        if box is None:
            painter.fillRect(0, 0, width, height, dim)
        else:
            painter.fillRect(0, 0, width, box.y, dim)
            painter.fillRect(0, box.bottom, width, height - box.bottom, dim)
            painter.fillRect(0, box.y, box.x, box.height, dim)
            painter.fillRect(box.right, box.y, width - box.right, box.height, dim)
            thick = max(1, round(_BORDER * ratio))
            accent = QColor(OVERLAY.accent)
            outer = QRect(box.x, box.y, box.width, box.height).adjusted(-thick, -thick, thick, thick)
            painter.fillRect(outer.x(), outer.y(), outer.width(), thick, accent)
            painter.fillRect(outer.x(), box.bottom, outer.width(), thick, accent)
            painter.fillRect(outer.x(), box.y, thick, box.height, accent)
            painter.fillRect(box.right, box.y, thick, box.height, accent)
        painter.restore()

    def _paint_label(self, painter: QPainter, rect: QRect) -> None:
        box = self.selection.box
        assert box is not None
        _plate(painter, rect)
        painter.setFont(self._small_font())
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, _size_text(box))

    def _paint_cross(self, painter: QPainter, center: QPoint) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for color, width in ((OVERLAY.label, 3), (OVERLAY.on_label, 1)):
            painter.setPen(QPen(QColor(color), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawLine(center - QPoint(_CROSS, 0), center + QPoint(_CROSS, 0))
            painter.drawLine(center - QPoint(0, _CROSS), center + QPoint(0, _CROSS))
        painter.restore()

    def _paint_magnifier(self, painter: QPainter, rect: QRect) -> None:
        cell = (_MAGNIFIER - 2 * _BORDER) / _CELLS
        inner = QRect(rect).adjusted(_BORDER, _BORDER, -_BORDER, -_BORDER)
        frame = QPainterPath()
        frame.addRoundedRect(rect.adjusted(1, 1, -1, -1), 12, 12)
        painter.save()
        painter.setClipPath(frame)
        painter.fillRect(rect, QColor(OVERLAY.label))
        x, y = self.selection.cursor
        half = _CELLS // 2
        painter.save()
        painter.translate(inner.topLeft())
        painter.scale(cell, cell)
        source = QRect(x - half, y - half, _CELLS, _CELLS).intersected(self._image.rect())
        painter.drawImage(source.topLeft() - QPoint(x - half, y - half), self._image, source)
        painter.restore()
        # A light line under the dark one shows the cross on any picture.
        middle = QPointF(inner.topLeft()) + QPointF(half + 0.5, half + 0.5) * cell
        for color, width in ((OVERLAY.accent, 3.0), (OVERLAY.hair, 1.0)):
            painter.setPen(QPen(QColor(color), width))
            painter.drawLine(QPointF(middle.x(), inner.top()), QPointF(middle.x(), middle.y() - cell / 2 - 1))
            painter.drawLine(
                QPointF(middle.x(), middle.y() + cell / 2 + 1), QPointF(middle.x(), inner.bottom() + 1)
            )
            painter.drawLine(
                QPointF(inner.left(), middle.y()), QPointF(middle.x() - cell / 2 - 1, middle.y())
            )
            painter.drawLine(
                QPointF(middle.x() + cell / 2 + 1, middle.y()), QPointF(inner.right() + 1, middle.y())
            )
        painter.restore()
        painter.setPen(QPen(QColor(OVERLAY.accent), _BORDER))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(frame)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._layout = self._arrange()
        self.update()


def _opaque(image: QImage) -> QImage:
    """The format of the window's own pixels, so that painting is a plain copy."""
    if image.format() == QImage.Format.Format_RGB32:
        return image
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _size_text(box: Box) -> str:
    return f"{box.width} × {box.height}"


def _box(rect: QRect) -> Box:
    return Box(rect.x(), rect.y(), rect.width(), rect.height())


def _rect(box: Box) -> QRect:
    return QRect(box.x, box.y, box.width, box.height)


def _frame(rect: QRect) -> QRegion:
    if rect.isEmpty():
        return QRegion()
    reach = _BORDER + 2
    outer = QRegion(rect.adjusted(-reach, -reach, reach, reach))
    return outer.subtracted(QRegion(rect.adjusted(reach, reach, -reach, -reach)))


def _plate(painter: QPainter, rect: QRect) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(OVERLAY.label))
    painter.drawRoundedRect(rect, 5, 5)
    painter.setPen(QColor(OVERLAY.on_label))
