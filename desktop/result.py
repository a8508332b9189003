"""The result card: what was read, beside the place where it was read, without taking the focus."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QEnterEvent,
    QFontMetricsF,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QRegion,
    QScreen,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from core.types import OcrResult
from desktop.doubt import doubtful_characters, is_doubtful
from desktop.focus import Focus
from desktop.texts import engine_title
from desktop.theme import CARD_RADIUS, STEP, Theme, set_japanese, set_kind, set_role

CARD_WIDTH = 372
_SHADOW = (4 * STEP, 3 * STEP, 4 * STEP, 5 * STEP)
"""Room for the shadow: left, top, right, bottom."""
_GAP = 2 * STEP
_LINE_HEIGHT = 1.6
_MOST_LINES = 8
_EDITABLE = Qt.TextInteractionFlag.TextEditorInteraction
_SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard


def place_card(anchor: QRect, size: QSize, available: QRect, gap: int = _GAP) -> QPoint:
    """The upper left corner for a card of ``size`` beside ``anchor``, inside ``available``.

    Right, left, below, above: the first side with room for all of it, aligned with the region and
    pushed along that side until it is inside. Without room anywhere: where it covers least.
    """

    def inside(x: int, y: int) -> QPoint:
        return QPoint(
            max(available.left(), min(x, available.right() + 1 - size.width())),
            max(available.top(), min(y, available.bottom() + 1 - size.height())),
        )

    right, bottom = anchor.right() + 1 + gap, anchor.bottom() + 1 + gap
    sides = [
        QPoint(right, anchor.top()),
        QPoint(anchor.left() - gap - size.width(), anchor.top()),
        QPoint(anchor.left(), bottom),
        QPoint(anchor.left(), anchor.top() - gap - size.height()),
    ]
    places = [inside(side.x(), side.y()) for side in sides]

    def covered(place: QPoint) -> int:
        both = QRect(place, size).intersected(anchor)
        return max(0, both.width()) * max(0, both.height())

    for keeps_gap in (True, False):
        grown = anchor.adjusted(-gap, -gap, gap, gap) if keeps_gap else anchor
        for place in places:
            if not QRect(place, size).intersects(grown):
                return place
    return min(places, key=covered)


class ResultCard(QWidget):
    """One card for all snips; each ``show_…`` replaces what it showed.

    ``text_size`` and ``seconds`` are the settings of the same names (``seconds`` 0: it stays).
    """

    copy_requested = Signal(str)
    reread_requested = Signal()
    edited = Signal(str)
    """The user changed the text and is done."""
    cancel_requested = Signal()
    """The user closed it while something was still being read."""
    closed = Signal()
    """It went: by itself, closed or dismissed."""

    def __init__(self, theme: Theme, focus: Focus, text_size: int = 19, seconds: int = 8) -> None:
        super().__init__()
        self._theme = theme
        self._focus = focus
        self._text_size = text_size
        self._anchor = QRect()
        self._screen: QScreen | None = None
        self._result: OcrResult | None = None
        self._pending = False
        self._embedded = False
        self._shadow = True
        self._hide = QTimer(self, singleShot=True)
        self._hide.timeout.connect(self.dismiss)
        self._apply_window_flags()
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(self.tr("Text that was read"))
        self.setAccessibleName(self.tr("Text that was read"))
        self._build()
        self.configure(text_size, seconds)
        theme.changed.connect(self._retheme)

    # Building

    def _apply_window_flags(self) -> None:
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        if QGuiApplication.platformName() == "xcb":
            # Unmanaged like a tooltip: exactly where we put it, and never given the focus.
            flags |= Qt.WindowType.Tool | Qt.WindowType.X11BypassWindowManagerHint
        else:
            flags |= Qt.WindowType.Tool | Qt.WindowType.WindowDoesNotAcceptFocus
        flags |= Qt.WindowType.NoDropShadowWindowHint
        self.setWindowFlags(flags)

    def _build(self) -> None:
        self._text = _ReadText(self)
        self._text.setAccessibleName(self.tr("Text that was read"))
        self._text.installEventFilter(self)
        self._text.viewport().installEventFilter(self)
        self._close = self._button("×", self._leave, "icon")
        self._close.setAccessibleName(self.tr("Close"))
        self._close.setToolTip(self.tr("Close (Esc)"))
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Reading"))
        self._status = QLabel()
        self._status.setWordWrap(True)
        self._hint = QLabel()
        self._hint.setWordWrap(True)
        set_role(self._hint, "muted")
        self._copy = self._button(self.tr("Copy"), self._ask_copy)
        self._again = self._button(self.tr("Read again"), self.reread_requested.emit)
        self._edit = self._button(self.tr("Edit"), self._start_edit, "ghost")
        self._done = self._button(self.tr("Done"), self._commit, "primary")
        self._undo = self._button(self.tr("Cancel"), self._show_again, "ghost")
        self._done_key, self._undo_key = _key("Ctrl+Enter"), _key("Esc")
        self._editing_parts = (self._done, self._done_key, self._undo, self._undo_key)
        self._info = _Facts()
        set_role(self._info, "muted")

        top = QHBoxLayout()
        top.setSpacing(STEP)
        top.addWidget(self._text, 1)
        top.addWidget(self._status, 1)
        top.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout()
        row.setSpacing(2 * STEP)
        for widget in (self._copy, self._again, self._edit, *self._editing_parts):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._info)
        self._column = QVBoxLayout(self)
        self._column.setSpacing(STEP)
        self._column.addLayout(top)
        self._column.addWidget(self._bar)
        self._column.addWidget(self._hint)
        self._row = QWidget()
        self._row.setLayout(row)
        row.setContentsMargins(0, STEP, 0, 0)
        self._column.addWidget(self._row)
        self._set_margins()
        for before, after in (
            (self._text, self._copy),
            (self._copy, self._again),
            (self._again, self._edit),
            (self._edit, self._done),
            (self._done, self._undo),
            (self._undo, self._close),
        ):
            QWidget.setTabOrder(before, after)

    def _button(self, text: str, action: object, kind: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(True)
        button.clicked.connect(lambda: action())  # type: ignore[operator]
        set_kind(button, kind)
        return button

    def _set_margins(self) -> None:
        left, top, right, bottom = _SHADOW if self._shadow else (0, 0, 0, 0)
        self._column.setContentsMargins(left + 3 * STEP, top + 3 * STEP, right + 3 * STEP, bottom + 2 * STEP)
        self.setFixedWidth(left + CARD_WIDTH + right)

    # What the controller says

    def configure(self, text_size: int, seconds: int) -> None:
        """Use changed settings from now on."""
        self._text_size = text_size
        self._hide.setInterval(seconds * 1000)
        set_japanese(self._text, text_size)

    def show_pending(self, anchor: QRect, screen: QScreen) -> None:
        """Open beside ``anchor`` (logical desktop coordinates) on ``screen``: something is being read."""
        self._anchor, self._screen = QRect(anchor), screen
        self._result, self._pending = None, True
        self._end_edit()
        if self.focusWidget() is not None and not self.isActiveWindow():
            self.focusWidget().clearFocus()
        self._fill(status=self.tr("Reading…"), role="muted")
        self._bar.setVisible(True)
        self._open()

    def show_result(self, result: OcrResult, copied: bool | None = None) -> None:
        """Show what was read; ``copied`` as for ``set_copied``."""
        self._result, self._pending = result, False
        self._end_edit()
        if not result.text.strip():
            self._fill(
                status=self.tr("No text found."),
                role="strong",
                hint=self.tr("Leave a little room around the text, or read again."),
                again=self.tr("Read again"),
                info=_engine_line(result),
            )
            spoken = self.tr("No text found.")
        else:
            doubt = self.tr("Not sure about this one.") if is_doubtful(result) else ""
            self._fill(text=result.text, hint=doubt, again=self.tr("Read again"), info=_engine_line(result))
            self._mark_doubt()
            spoken = f"{result.text}\n{doubt}".strip()
        self.set_copied(copied)
        self._open()
        self._announce(spoken)

    def show_error(self, message: str, hint: str, retry: bool) -> None:
        """Nothing was read: say why and what to do."""
        self._result, self._pending = None, False
        self._end_edit()
        self._fill(status=message, role="bad", hint=hint, again=self.tr("Try again") if retry else "")
        self._open()
        self._announce(f"{message} {hint}".strip())

    def set_copied(self, copied: bool | None, message: str = "") -> None:
        """True: the text is in the clipboard. False: it could not be put there. None: it was not tried.

        ``message`` tells more, such as why the clipboard was left alone.
        """
        self._copy.setText(self.tr("Copied ✓") if copied else self.tr("Copy"))
        set_kind(self._copy, "primary" if copied else "")
        if message:
            self._hint.setText(message)
            set_role(self._hint, "bad" if copied is False else "muted")
            self._hint.setVisible(True)
            self._announce(message)
        if self.isVisible():
            self._fit()
            self._restart()

    def take_focus(self) -> None:
        """Give the card the keyboard, as its hotkey does; it stays until it is left."""
        if not self.isVisible():
            return
        self._hide.stop()
        if self.isActiveWindow() and self.focusWidget() is not None:
            return
        self._focus.take(self)
        parts = (self._text, self._again, self._close)
        next(part for part in parts if part.isVisible()).setFocus(Qt.FocusReason.OtherFocusReason)
        self._restart()

    def _leave(self) -> None:
        """The user has had enough of it."""
        if self._pending:
            self.cancel_requested.emit()
        self.dismiss()

    def dismiss(self) -> None:
        """Close it and give the focus back."""
        if not self.isVisible():
            return
        self._hide.stop()
        self._end_edit()
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

    # Content

    def _fill(
        self,
        text: str = "",
        status: str = "",
        role: str = "",
        hint: str = "",
        again: str = "",
        info: str = "",
    ) -> None:
        self._bar.setVisible(False)
        self._text.setVisible(bool(text))
        self._status.setVisible(not text)
        self._status.setText(status)
        set_role(self._status, role)
        self._hint.setText(hint)
        set_role(self._hint, "muted")
        self._hint.setVisible(bool(hint))
        self._copy.setVisible(bool(text))
        self._edit.setVisible(bool(text))
        self._again.setVisible(bool(again))
        self._again.setText(again)
        self._info.setText(info)
        self._info.setVisible(bool(info))
        self._set_text(text)

    def _set_text(self, text: str) -> None:
        self._text.setPlainText(text)
        form = QTextBlockFormat()
        height = QFontMetricsF(self._text.font()).height()
        form.setLineHeight(
            100 * _LINE_HEIGHT * self._text_size / height,
            QTextBlockFormat.LineHeightTypes.ProportionalHeight.value,
        )
        cursor = QTextCursor(self._text.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeBlockFormat(form)

    def _mark_doubt(self) -> None:
        if self._result is None:
            return
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        form.setUnderlineColor(self._theme.tokens.color("warn"))
        cursor = QTextCursor(self._text.document())
        text = self._result.text
        for index in doubtful_characters(self._result):
            # Qt counts UTF-16 units.
            start = len(text[:index].encode("utf-16-le")) // 2
            cursor.setPosition(start)
            end = start + len(text[index].encode("utf-16-le")) // 2
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(form)

    def _retheme(self) -> None:
        if not self._editing():
            self._mark_doubt()
        self.update()

    def _announce(self, text: str) -> None:
        self.setAccessibleDescription(text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    # Editing

    def _editing(self) -> bool:
        return not self._text.isReadOnly()

    def _start_edit(self) -> None:
        self._text.set_editable(True)
        for widget in (self._copy, self._again, self._edit, self._info):
            widget.setVisible(False)
        for widget in self._editing_parts:
            widget.setVisible(True)
        self.take_focus()
        self._text.setFocus(Qt.FocusReason.OtherFocusReason)
        self._text.moveCursor(QTextCursor.MoveOperation.End)
        self._fit()

    def _end_edit(self) -> None:
        self._text.set_editable(False)
        for widget in self._editing_parts:
            widget.setVisible(False)

    def _commit(self) -> None:
        text = self._text.toPlainText()
        changed = self._result is not None and text != self._result.text
        if self._result is not None and changed:
            self._result = self._result.with_text(text)
        self._show_again()
        if changed:
            self.set_copied(None)
            self.edited.emit(text)

    def _show_again(self) -> None:
        assert self._result is not None
        self._end_edit()
        for widget in (self._copy, self._again, self._edit, self._info):
            widget.setVisible(True)
        self._set_text(self._result.text)
        self._mark_doubt()
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self._fit()

    def _ask_copy(self) -> None:
        self.copy_requested.emit(self._text.toPlainText())

    # Place and time

    def _open(self) -> None:
        shadow = self._embedded or self._focus.composited()
        if shadow != self._shadow:
            self._shadow = shadow
            self._set_margins()
        self._fit()
        self.show()
        self.raise_()
        self._restart()

    def _fit(self) -> None:
        """As high as the content, beside the region."""
        most = _MOST_LINES * _LINE_HEIGHT * self._text_size
        self._text.fit(CARD_WIDTH - 2 * 3 * STEP - STEP - self._close.width(), most)
        self._column.activate()
        if self._column.hasHeightForWidth():
            height = self._column.totalHeightForWidth(self.width())
        else:
            height = self._column.totalSizeHint().height()
        self.setFixedHeight(height)
        left, top, right, bottom = _SHADOW if self._shadow else (0, 0, 0, 0)
        size = QSize(self.width() - left - right, self.height() - top - bottom)
        anchor = self._anchor
        parent = self.parentWidget()
        if self._embedded and parent is not None:
            anchor = QRect(parent.mapFromGlobal(anchor.topLeft()), anchor.size())
            available = parent.rect()
        elif self._screen is not None:
            available = self._screen.availableGeometry()
        else:
            available = QRect(anchor.topLeft(), size)
        margin = available.adjusted(_GAP, _GAP, -_GAP, -_GAP)
        if self._shadow:
            self.clearMask()
        else:
            # Without a compositor nothing shines through: the corners are cut off instead.
            outline = QPainterPath()
            outline.addRoundedRect(self.rect().toRectF(), CARD_RADIUS, CARD_RADIUS)
            self.setMask(QRegion(outline.toFillPolygon().toPolygon()))
        self.move(place_card(anchor, size, margin) - QPoint(left, top))
        self.update()

    def _restart(self) -> None:
        """Begin to wait for going, unless something keeps the card."""
        self._hide.stop()
        focused = self.isActiveWindow() and (not self._embedded or self.focusWidget() is not None)
        held = self._pending or self._editing() or self.underMouse() or focused
        if self.isVisible() and self._hide.interval() > 0 and not held:
            self._hide.start()

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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            self.take_focus()
        elif watched is self._text and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if self._editing() and enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._commit()
                return True
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # Not passed on: inside the overlay a click beside the card dismisses it.
        self.take_focus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self._editing():
                self._show_again()
            else:
                self._leave()
            event.accept()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens = self._theme.tokens
        left, top, right, bottom = _SHADOW if self._shadow else (0, 0, 0, 0)
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
        painter.setBrush(tokens.color("raised"))
        painter.setPen(QPen(tokens.color("line" if self._shadow else "control_line"), 1))
        painter.drawRoundedRect(card.toRectF().adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)


class _ReadText(QTextEdit):
    """Japanese text without a frame that is as high as its lines."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.document().setDocumentMargin(0)
        self.set_editable(False)

    def set_editable(self, on: bool) -> None:
        self.setReadOnly(not on)
        self.setTextInteractionFlags(_EDITABLE if on else _SELECTABLE)

    def fit(self, width: int, most: float) -> None:
        """Take the height of the text in ``width``, at most ``most``; the rest is scrolled."""
        self.document().setTextWidth(width)
        self.setFixedHeight(round(min(self.document().size().height(), most)))


class _Facts(QLabel):
    """One line that ends in an ellipsis where there is no room for all of it."""

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.style().drawItemText(
            painter,
            self.rect(),
            Qt.AlignmentFlag.AlignVCenter,
            self.palette(),
            self.isEnabled(),
            shown,
            self.foregroundRole(),
        )


def _key(text: str) -> QLabel:
    label = QLabel(text)
    set_role(label, "key")
    label.setFixedHeight(label.sizeHint().height())
    return label


def _engine_line(result: OcrResult) -> str:
    words = QCoreApplication.translate("ResultCard", "{engine} · {seconds} s")
    return words.format(engine=engine_title(result.engine), seconds=f"{result.seconds:.1f}")
