"""The window of the result card: beside a region of the screen, without taking the focus, for a while."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QRegion,
)
from PySide6.QtWidgets import QWidget

from desktop.card_place import GAP, place_card
from desktop.focus import Focus
from desktop.screens import screen_at
from desktop.theme import CARD_RADIUS, STEP, Theme

CARD_WIDTH = 440
CONTENT_WIDTH = CARD_WIDTH - 2 * 3 * STEP
"""The room between the margins, in logical pixels."""
_SHADOW = (4 * STEP, 3 * STEP, 4 * STEP, 5 * STEP)
"""Room for the shadow: left, top, right, bottom."""


class CardWindow(QWidget):
    """An empty card; a subclass gives it a layout, and then calls ``_set_margins``.

    It opens with ``_open`` and goes by itself ``_hide.interval()`` ms later (0: it stays), unless it is
    pointed at, has the keyboard, or ``_is_held``.
    """

    closed = Signal()
    """It went: by itself, closed or dismissed."""

    def __init__(self, theme: Theme, focus: Focus) -> None:
        super().__init__()
        self._theme = theme
        self._focus = focus
        self._anchor = QRect()
        self._embedded = False
        self._shadow = True
        self._hide = QTimer(self, singleShot=True)
        self._hide.timeout.connect(self.dismiss)
        self._apply_window_flags()
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)

    def _apply_window_flags(self) -> None:
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        if QGuiApplication.platformName() == "xcb":
            # Unmanaged like a tooltip: exactly where we put it, and never given the focus.
            flags |= Qt.WindowType.Tool | Qt.WindowType.X11BypassWindowManagerHint
        else:
            flags |= Qt.WindowType.Tool | Qt.WindowType.WindowDoesNotAcceptFocus
        flags |= Qt.WindowType.NoDropShadowWindowHint
        self.setWindowFlags(flags)

    # What a subclass says

    def _is_held(self) -> bool:
        """Whether something in it keeps it from going by itself."""
        return False

    def _fit_content(self) -> None:
        """Give the content the sizes it needs before the height of the card is taken from them."""

    def _first_part(self) -> QWidget:
        """Where the keyboard goes when the card gets it."""
        return self

    # Coming, being used, going

    def _open(self, anew: bool = False) -> None:
        shadow = self._embedded or self._focus.composited()
        if shadow != self._shadow:
            self._shadow = shadow
            self._set_margins()
        self._fit(anew)
        self.show()
        self.raise_()
        self._restart()

    def _restart(self) -> None:
        """Begin to wait for going, unless something keeps the card."""
        self._hide.stop()
        focused = self.isActiveWindow() and (not self._embedded or self.focusWidget() is not None)
        held = self._is_held() or self.underMouse() or focused
        if self.isVisible() and self._hide.interval() > 0 and not held:
            self._hide.start()

    def take_focus(self) -> None:
        """Give the card the keyboard, as its hotkey does; it stays until it is left."""
        if not self.isVisible():
            return
        self._hide.stop()
        if self.isActiveWindow() and self.focusWidget() is not None:
            return
        self._focus.take(self)
        self._first_part().setFocus(Qt.FocusReason.OtherFocusReason)
        self._restart()

    def dismiss(self) -> None:
        """Close it and give the focus back."""
        if not self.isVisible():
            return
        self._hide.stop()
        if not self._embedded:
            self._focus.give_back()
        self.hide()
        self.closed.emit()

    def embed(self, parent: QWidget) -> None:
        """Live inside ``parent`` from now on; it covers the whole screen that the card is shown on."""
        self._embedded = True
        self.setParent(parent)

    def detach(self) -> None:
        """Be a window of its own again, hidden."""
        shown = self.isVisible()
        self.hide()
        self._hide.stop()
        self._embedded = False
        self.setParent(None)
        self._apply_window_flags()
        if shown:
            self.closed.emit()

    # Size and place

    @property
    def _margins(self) -> tuple[int, int, int, int]:
        """Room for the shadow, where there is one."""
        return _SHADOW if self._shadow else (0, 0, 0, 0)

    def _set_margins(self) -> None:
        left, top, right, bottom = self._margins
        self.layout().setContentsMargins(left + 3 * STEP, top + 3 * STEP, right + 3 * STEP, bottom + 2 * STEP)
        self.setFixedWidth(left + CARD_WIDTH + right)

    def _fit(self, anew: bool = False) -> None:
        """As high as the content, beside the region: where it is, unless ``anew`` or without room there."""
        self._fit_content()
        column = self.layout()
        column.activate()
        if column.hasHeightForWidth():
            height = column.totalHeightForWidth(self.width())
        else:
            height = column.totalSizeHint().height()
        self.setFixedHeight(height)
        left, top, right, bottom = self._margins
        size = QSize(self.width() - left - right, self.height() - top - bottom)
        anchor, available = self._surroundings()
        margin = available.adjusted(GAP, GAP, -GAP, -GAP)
        now = QRect(self.pos() + QPoint(left, top), size)
        around = anchor.adjusted(-GAP, -GAP, GAP, GAP)
        stays = not anew and self.isVisible() and margin.contains(now) and not now.intersects(around)
        self._cut_corners()
        if not stays:
            self.move(place_card(anchor, size, margin) - QPoint(left, top))
        self.update()

    def _surroundings(self) -> tuple[QRect, QRect]:
        """The region and the room there is, in the coordinates in which the card is moved."""
        parent = self.parentWidget()
        if self._embedded and parent is not None:
            place = parent.mapFromGlobal(self._anchor.topLeft())
            return QRect(place, self._anchor.size()), parent.rect()
        return self._anchor, screen_at(self._anchor).availableGeometry()

    def _cut_corners(self) -> None:
        if self._shadow:
            self.clearMask()
            return
        # Without a compositor nothing shines through: the corners are cut off instead.
        outline = QPainterPath()
        outline.addRoundedRect(self.rect().toRectF(), CARD_RADIUS, CARD_RADIUS)
        self.setMask(QRegion(outline.toFillPolygon().toPolygon()))

    # Events

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hide.stop()

    def leaveEvent(self, event: QEvent) -> None:
        self._restart()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate:
            self._restart()
        elif event.type() == QEvent.Type.WindowDeactivate:
            self._focus.forget()
            self._restart()
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # Not passed on: inside the overlay a click beside the card dismisses it.
        self.take_focus()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens = self._theme.tokens
        left, top, right, bottom = self._margins
        card = self.rect().adjusted(left, top, -right, -bottom)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._shadow:
            # Many faint layers, smaller and smaller, add up to a soft edge.
            layers = left - 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, max(1, round(tokens.shadow / layers / 1.6))))
            for spread in range(layers, 0, -1):
                layer = card.adjusted(-spread, STEP - spread, spread, STEP + spread)
                painter.drawRoundedRect(layer, CARD_RADIUS + spread, CARD_RADIUS + spread)
        edge = tokens.color("line" if self._shadow else "control_line")
        if not self._shadow:
            # The corners are cut off in whole pixels: those that are left are the edge's.
            painter.fillRect(card, edge)
        painter.setBrush(tokens.color("raised"))
        painter.setPen(QPen(edge, 1))
        painter.drawRoundedRect(card.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)
