"""A row of small pictures to choose from, for a conversation about several."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QListView,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from desktop.picture_scaling import thumbnail
from desktop.picture_thumbnail import cross_rect, paint_cross, paint_small
from desktop.picture_types import PanePicture, alt_text
from desktop.theme import CONTROL_RADIUS, STEP, Theme, set_ring, set_role

HEIGHT = 72
"""With the bar that scrolls, in logical pixels."""
_CELL = QSize(60, 56)
_ID = Qt.ItemDataRole.UserRole
_Index = QModelIndex | QPersistentModelIndex


class PictureStrip(QListWidget):
    """Tells which picture the user chooses, and which one to remove (its ×, or the Delete key)."""

    chosen = Signal(int)
    remove_requested = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.removable = False
        self.under_pointer = QPoint(-1, -1)
        self._images: dict[int, QImage] = {}
        self._small: dict[int, QImage] = {}
        self._pressed_cross = -1
        set_role(self, "nav")
        set_ring(self, True)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setItemDelegate(_Delegate(self))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(self.tr("Pictures of this conversation"))
        self.currentItemChanged.connect(self._current_changed)
        theme.changed.connect(self.viewport().update)

    def set_pictures(self, pictures: Sequence[PanePicture], current: int) -> None:
        """Show these, ``current`` as the chosen one; nothing is told."""
        self.blockSignals(True)
        if [picture.id for picture in pictures] != self.ids():
            self.clear()
            for picture in pictures:
                item = QListWidgetItem()
                item.setData(_ID, picture.id)
                self.addItem(item)
        for row, picture in enumerate(pictures):
            if picture.image.cacheKey() != self._images.get(picture.id, QImage()).cacheKey():
                self._small.pop(picture.id, None)
            item = self.item(row)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, alt_text(picture.image))
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, picture.text)
        self._images = {picture.id: picture.image for picture in pictures}
        self._small = {key: small for key, small in self._small.items() if key in self._images}
        self.blockSignals(False)
        self.choose(current)
        self.viewport().update()

    def ids(self) -> list[int]:
        return [int(self.item(row).data(_ID)) for row in range(self.count())]

    def choose(self, picture: int) -> None:
        """Mark a picture; nothing is told."""
        ids = self.ids()
        self.blockSignals(True)
        self.setCurrentRow(ids.index(picture) if picture in ids else -1)
        self.blockSignals(False)
        self.scrollToItem(self.currentItem())

    def small(self, picture: int) -> QImage:
        """The reduced picture, made when it is first needed."""
        ratio = self.devicePixelRatioF()
        found = self._small.get(picture)
        if found is None or found.devicePixelRatio() != ratio:
            found = thumbnail(self._images[picture], _CELL - QSize(2 * STEP, 2 * STEP), ratio)
            self._small[picture] = found
        return found

    def cross_at(self, point: QPoint) -> int:
        """The picture whose × is there, -1 for none; in coordinates of the viewport."""
        item = self.itemAt(point)
        if item is None or not self.removable:
            return -1
        return int(item.data(_ID)) if cross_rect(self.visualItemRect(item)).contains(point) else -1

    def _current_changed(self, item: QListWidgetItem | None, before: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(int(item.data(_ID)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_cross = -1
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_cross = self.cross_at(event.position().toPoint())
        if self._pressed_cross < 0:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed_cross = self._pressed_cross, -1
        if pressed < 0:
            super().mouseReleaseEvent(event)
        elif pressed == self.cross_at(event.position().toPoint()):
            self.remove_requested.emit(pressed)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.under_pointer = event.position().toPoint()
        self.viewport().update()
        if self._pressed_cross < 0:
            super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.under_pointer = QPoint(-1, -1)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if event.key() == Qt.Key.Key_Delete and self.removable and item is not None:
            self.remove_requested.emit(int(item.data(_ID)))
        else:
            super().keyPressEvent(event)


class _Delegate(QStyledItemDelegate):
    def __init__(self, strip: PictureStrip) -> None:
        super().__init__(strip)
        self._strip = strip

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        strip, tokens = self._strip, self._strip.theme.tokens
        rect = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(rect).adjusted(2.5, 2.5, -2.5, -2.5)
        paint_small(painter, frame, strip.small(int(index.data(_ID))), tokens)
        if index.row() == strip.currentRow():
            painter.setPen(QPen(tokens.color("accent"), 2))
            painter.drawRoundedRect(frame, CONTROL_RADIUS, CONTROL_RADIUS)
        if strip.removable and (index.row() == strip.currentRow() or rect.contains(strip.under_pointer)):
            cross = cross_rect(rect)
            paint_cross(painter, QRectF(cross), tokens, cross.contains(strip.under_pointer))
        painter.restore()
