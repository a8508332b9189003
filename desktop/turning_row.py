"""A row of widgets that becomes a column where it has too little room."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QWidget

from desktop.theme import STEP


class TurningRow(QWidget):
    """``widgets`` side by side with ``spacing``, or one below the other; ``stretch``: the first of them takes
    the room that is left, else the end of the row does."""

    def __init__(
        self, *widgets: QWidget, spacing: int = 2 * STEP, stretch: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._widgets = widgets
        self._spacing = spacing
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(spacing)
        for position, widget in enumerate(widgets):
            self._line.addWidget(widget, 1 if stretch and not position else 0)
        if not stretch:
            self._line.addStretch(1)

    @property
    def is_column(self) -> bool:
        return self._line.direction() == QBoxLayout.Direction.TopToBottom

    def minimumSizeHint(self) -> QSize:
        """As narrow as the widest widget: the row may turn."""
        shown = [widget for widget in self._widgets if not widget.isHidden()]
        widest = max((widget.minimumSizeHint().width() for widget in shown), default=0)
        return QSize(widest, self._line.minimumSize().height())

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._turn()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._turn()
        super().resizeEvent(event)

    def _turn(self) -> None:
        shown = [widget for widget in self._widgets if not widget.isHidden()]
        wanted = sum(map(_wanted, shown)) + self._spacing * max(0, len(shown) - 1)
        column = wanted > self.width()
        if column != self.is_column:
            way = QBoxLayout.Direction.TopToBottom if column else QBoxLayout.Direction.LeftToRight
            self._line.setDirection(way)
            self._line.setSpacing(min(self._spacing, 2 * STEP) if column else self._spacing)


def _wanted(widget: QWidget) -> int:
    """The width in which it need not break its words."""
    if isinstance(widget, QLabel) and widget.textFormat() == Qt.TextFormat.PlainText:
        # One pixel more: widths of text are rounded.
        return widget.fontMetrics().horizontalAdvance(widget.text()) + 1
    return widget.sizeHint().width()
