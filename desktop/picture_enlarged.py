"""The enlarged picture inside the side panel: the view, its buttons, and the handle for its height."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.picture_view import PictureView
from desktop.readings_hint import key_label
from desktop.theme import STEP, Theme, set_kind, set_role

_LEAST_VIEW = 120
"""The picture itself is not made lower than this with the handle."""
_ROOM_BELOW = 200
"""Logical pixels of the window that always stay for what is not the picture."""
_ONE_ROW = 480
"""From this width on everything stands in one row."""
_NARROWEST = 280
_KEY_STEP = 6 * STEP


class EnlargedPicture(QWidget):
    """Takes half of its window's height until the handle gives it another."""

    smaller_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._height = 0
        self._extra = 0
        self._grabbed_height = 0
        self.view = PictureView(theme)
        self.show_blocks = QCheckBox(self.tr("Show where text was found"))
        self.show_blocks.setChecked(True)
        self.show_blocks.setToolTip(self.tr("Click an outline to select its text"))
        self.show_blocks.toggled.connect(self.view.set_show_blocks)
        self.zoom_out = _button("−", "icon", self.tr("Smaller scale"), self.tr("Zoom out (Ctrl+−)"))
        self.zoom_in = _button("+", "icon", self.tr("Larger scale"), self.tr("Zoom in (Ctrl++)"))
        self.fit = _button(self.tr("Fit"), "ghost", self.tr("Fit the picture"), self.tr("Fit (Ctrl+0)"))
        self.percent = QLabel()
        set_role(self.percent, "muted")
        self.percent.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.percent.setMinimumWidth(self.percent.fontMetrics().horizontalAdvance("1600 %"))
        self.smaller = _button("", "ghost", "", "")
        self.set_alone(False)
        self.handle = _Handle(theme)
        self.handle.grabbed.connect(self._grab)
        self.handle.moved.connect(self._grow)
        self.zoom_out.clicked.connect(self._zoom_out)
        self.zoom_in.clicked.connect(self._zoom_in)
        self.fit.clicked.connect(self.view.fit)
        self.smaller.clicked.connect(self.smaller_requested)
        self.view.zoom_changed.connect(self._show_percent)
        self._lay_out()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._show_percent()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(STEP)
        for widget in (self.zoom_out, self.percent, self.zoom_in, self.fit):
            buttons.addWidget(widget)
        buttons.addStretch(1)
        buttons.addWidget(self.smaller)
        buttons.addWidget(key_label("Esc"))
        self.controls = QWidget()
        self._bar = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.controls)
        self._bar.setContentsMargins(0, 0, 0, 0)
        self._bar.setSpacing(STEP)
        self._bar.addWidget(self.show_blocks)
        self._bar.addLayout(buttons, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP)
        column.addWidget(self.view, 1)
        column.addWidget(self.controls)
        column.addWidget(self.handle)

    def set_alone(self, on: bool) -> None:
        """Whether the conversation has no room beside it: the way back names that then."""
        self.smaller.setText(self.tr("Conversation") if on else self.tr("Smaller"))
        back = self.tr("Back to the conversation (Esc)") if on else self.tr("Back to the small picture (Esc)")
        self.smaller.setToolTip(back)

    def set_height(self, height: int) -> None:
        """Wish for so many logical pixels, within what the window has room for."""
        most = max(self._least, self.window().height() - _ROOM_BELOW)
        self._height = min(max(height, self._least), most)
        self.updateGeometry()

    def set_extra(self, extra: int) -> None:
        """Take so many logical pixels more, which others have left."""
        if extra != self._extra:
            self._extra = extra
            self.updateGeometry()

    @property
    def wish(self) -> int:
        """The height that was asked for, at first half of the window's, in logical pixels."""
        return self._height or max(self._least, self.window().height() // 2)

    @property
    def handle_height(self) -> int:
        return self.handle.height() + STEP

    @property
    def blocks_height(self) -> int:
        """What the check box adds: nothing while it stands beside the buttons."""
        if self._bar.direction() == QBoxLayout.Direction.LeftToRight:
            return 0
        return self.show_blocks.sizeHint().height() + STEP

    @property
    def controls_height(self) -> int:
        """Of the row of buttons."""
        return max(self.smaller.sizeHint().height(), self.zoom_in.sizeHint().height()) + STEP

    @property
    def _least(self) -> int:
        return _LEAST_VIEW + self.controls_height + self.blocks_height + self.handle_height

    def sizeHint(self) -> QSize:
        return QSize(320, self.wish + self._extra)

    def minimumSizeHint(self) -> QSize:
        # While everything stands in one row it must still be possible to make the panel narrower.
        return QSize(_NARROWEST, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = event.size().width() >= _ONE_ROW
        self._bar.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    def _grab(self) -> None:
        self._grabbed_height = self.height() - self._extra

    def _grow(self, way: int) -> None:
        self.set_height(self._grabbed_height + way)

    def _zoom_in(self) -> None:
        self.view.zoom(1.25)

    def _zoom_out(self) -> None:
        self.view.zoom(1 / 1.25)

    def _show_percent(self) -> None:
        percent = round(100 * self.view.scale * self.view.devicePixelRatioF())
        self.percent.setText(self.tr("{0} %").format(percent))


class _Handle(QWidget):
    """Dragged up and down, or moved with the arrow keys."""

    grabbed = Signal()
    """A movement begins."""
    moved = Signal(int)
    """By so many logical pixels downwards since it began."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._grip: float | None = None
        self.setFixedHeight(3 * STEP)
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Height of the picture"))
        self.setToolTip(self.tr("Drag to change the height (arrow keys up and down)"))
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        name = "focus" if self.hasFocus() else "control_line"
        pen = QPen(self._theme.tokens.color(name), 4 if self.hasFocus() else 3)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        middle = QPointF(self.width() / 2, self.height() / 2)
        painter.drawLine(middle - QPointF(14, 0), middle + QPointF(14, 0))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.globalPosition().y()
            self.grabbed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        # The handle moves along, later than the pointer: its own coordinates would count some ways twice.
        if self._grip is not None:
            self.moved.emit(round(event.globalPosition().y() - self._grip))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.grabbed.emit()
            self.moved.emit(_KEY_STEP if event.key() == Qt.Key.Key_Down else -_KEY_STEP)
        else:
            super().keyPressEvent(event)


def _button(text: str, kind: str, name: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    set_kind(button, kind)
    button.setToolTip(tip)
    if name:
        button.setAccessibleName(name)
    return button
