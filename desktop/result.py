"""The result card: what was read, beside the place where it was read, without taking the focus."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QEnterEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QRegion,
    QScreen,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.alternatives import Variant
from core.engine import BUILT_IN
from core.types import OcrResult
from desktop.doubt import doubtful_characters, is_doubtful, likelihoods
from desktop.focus import Focus
from desktop.readings import EDITED, PROVISIONAL, Readings
from desktop.readings_facts import Facts
from desktop.readings_hint import HintLine, key_label
from desktop.readings_text import LINE_HEIGHT, ReadText
from desktop.texts import engine_title, error_hint, error_sentence
from desktop.theme import CARD_RADIUS, STEP, Theme, set_japanese, set_kind, set_role

CARD_WIDTH = 372
_SHADOW = (4 * STEP, 3 * STEP, 4 * STEP, 5 * STEP)
"""Room for the shadow: left, top, right, bottom."""
_GAP = 2 * STEP
_MOST_LINES = 8
_CONTENT = CARD_WIDTH - 2 * 3 * STEP
"""The room between the margins, in logical pixels."""


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
    taken = Signal()
    """The user has copied the text, or a part of it, by hand."""
    reread_requested = Signal()
    edited = Signal(str)
    """The user changed the text and is done."""
    chosen = Signal(str)
    """The user went to another reading, or back."""
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
        self._readings: Readings | None = None
        # A provisional text was kept although the engine reads it differently.
        self._kept = False
        # The engine's readings, which come forward if the user gives up the edit that kept them back.
        self._later: Readings | None = None
        # Said about the first reading, and whether the others are worth more than a quiet control.
        self._remark, self._points_out = "", False
        # Said under it: a failure, or why another engine has read; and what became of the clipboard.
        self._trouble, self._failed = "", False
        self._about_copy, self._copy_failed = "", False
        self._pending = False
        self._reader = ""
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
        self._text = ReadText(self)
        self._text.setAccessibleName(self.tr("Text that was read"))
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
        self._hint = HintLine()
        self._hint.stepped.connect(self._step)
        self._stepper = self._hint.stepper
        self._note = QLabel()
        self._note.setWordWrap(True)
        self._copy = self._button(self.tr("Copied ✓"), self._ask_copy)
        # As wide as with the longer word, so that nothing moves when the text has been copied.
        self._copy.setMinimumWidth(self._copy.sizeHint().width())
        self._copy.setText(self.tr("Copy"))
        self._again = self._button(self.tr("Read again"), self.reread_requested.emit)
        self._edit = self._button(self.tr("Edit"), self._start_edit, "ghost")
        self._done = self._button(self.tr("Done"), self._commit, "primary")
        self._undo = self._button(self.tr("Cancel"), self._give_up_edit, "ghost")
        self._done_key, self._undo_key = key_label("Ctrl+Enter"), key_label("Esc")
        self._editing_parts = (self._done, self._done_key, self._undo, self._undo_key)
        self._info = Facts()

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
        self._column.addWidget(self._note)
        self._row = QWidget()
        self._row.setLayout(row)
        row.setContentsMargins(0, STEP, 0, 0)
        self._column.addWidget(self._row)
        self._set_margins()
        order = (
            *(self._text, self._stepper.forward, self._stepper.back, self._copy, self._again, self._edit),
            *(self._done, self._undo, self._close),
        )
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)
        for part in (self._text, self._copy, self._again, self._edit, self._close):
            part.installEventFilter(self)

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
        self._begin(None)
        self._pending = True
        if self.focusWidget() is not None and not self.isActiveWindow():
            self.focusWidget().clearFocus()
        self._fill(status=self.tr("Reading…"), role="muted")
        self._show_bar(True)
        self._open(anew=True)

    def show_provisional(self, result: OcrResult, engine: str) -> None:
        """Show what was read first while ``engine`` (its name) is still reading: readable, not final."""
        if not self._pending or not self.isVisible():
            return
        self._readings, self._reader = Readings([Variant(result, PROVISIONAL)]), engine_title(engine)
        self._remark = self.tr("Quick reading. {engine} is still reading…").format(engine=self._reader)
        self._fill(again=self.tr("Read again"))
        self._show_bar(True)
        self._show_reading()
        self.set_copied(None)
        self._open()
        self._announce(f"{result.text}\n{self._remark}")

    def show_result(
        self,
        result: OcrResult,
        copied: bool | None = None,
        others: Sequence[Variant] = (),
        keep: bool = False,
    ) -> bool:
        """Show what was read; ``copied`` as for ``set_copied``.

        ``others`` are readings that the user can step to. A provisional text that is shown stays when
        ``keep`` says that the user has made it theirs, while they edit it, and when nothing better came; the
        result is then one of the others, and this returns False.
        """
        variants = [Variant(result), *others]
        first = self._readings.current if self._pending and self._readings is not None else None
        if first is not None and (keep or self._editing() or not result.text.strip()):
            self._keep_first(first, variants, keep)
            return False
        self._begin(Readings(variants))
        if not result.text.strip():
            self._readings = None
            self._fill(
                status=self.tr("No text found."),
                role="strong",
                hint=self.tr("Leave a little room around the text, or read again."),
                again=self.tr("Read again"),
            )
            self._info.show_facts(Variant(result))
            self._info.setVisible(True)
            spoken = self.tr("No text found.")
        else:
            self._set_remark(result, first)
            self._set_notice(result)
            self._fill(again=self.tr("Read again"))
            self._show_reading()
            doubt = self._hint.text if self._points_out else ""
            spoken = "\n".join(filter(None, (result.text, doubt, self._trouble)))
        self._show_bar(False, room=first is not None)
        self.set_copied(copied)
        self._open()
        if first is None or first.text != result.text:
            self._announce(spoken)
        else:
            self.setAccessibleDescription(spoken)
        return True

    def _keep_first(self, own: Variant, variants: Sequence[Variant], keep: bool) -> None:
        """The result came, and the text that was shown first stays."""
        result = variants[0].result
        self._pending = False
        self._readings = Readings.keeping(own, variants)
        # Theirs only as long as they edit it.
        self._later = Readings(variants) if not keep and result.text.strip() else None
        self._set_notice(result)
        if own.text == result.text:
            self._set_remark(result, own)
        elif own.result.engine == result.engine:
            # The user's version of the same reading: they know that it differs.
            self._remark = ""
        else:
            differs = self.tr("{engine} reads it differently.")
            nothing = self.tr("{engine} found no text.")
            sentence = differs if result.text.strip() else nothing
            self._remark = sentence.format(engine=engine_title(result.engine))
            self._points_out = self._kept = True
        self._again.setEnabled(True)
        self._show_bar(False, room=True)
        self._show_reading()
        self._open()
        if self._kept:
            self._announce(self._remark)

    def show_error(self, message: str, hint: str, retry: bool) -> None:
        """Nothing was read: say why and what to do. A text that was read first stays."""
        again = self.tr("Try again") if retry else ""
        told = f"{message} {hint}".strip()
        if self._pending and self._readings is not None:
            self._pending = False
            edited = self._readings.current.how == EDITED
            self._remark = "" if edited else self.tr("Read by the built-in engine.")
            self._trouble, self._failed = told, True
            self._again.setText(again)
            self._again.setEnabled(True)
            self._again.setVisible(bool(again) and not self._editing())
            self._show_bar(False, room=True)
            self._show_reading()
        else:
            self._begin(None)
            self._fill(status=message, role="bad", hint=hint, again=again)
            self._show_bar(False)
        self._open()
        self._announce(told)

    def set_copied(self, copied: bool | None, message: str = "") -> None:
        """True: the text is in the clipboard. False: it could not be put there. None: it was not tried.

        ``message`` tells more, such as why the clipboard was left alone.
        """
        self._copy.setText(self.tr("Copied ✓") if copied else self.tr("Copy"))
        set_kind(self._copy, "primary" if copied else "")
        self._about_copy, self._copy_failed = message, copied is False
        self._show_note()
        if message:
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

    def _begin(self, readings: Readings | None) -> None:
        """Forget what was shown before."""
        self._readings, self._later, self._pending, self._kept = readings, None, False, False
        self._remark, self._points_out = "", False
        self._trouble, self._failed = "", False
        self._about_copy, self._copy_failed = "", False
        self._note.setToolTip("")
        self._end_edit()

    def _set_remark(self, result: OcrResult, first: Variant | None) -> None:
        """What to say about the engine's own reading; ``first`` was shown until it came."""
        self._remark, self._points_out = "", False
        if is_doubtful(result):
            self._remark, self._points_out = self.tr("Not sure about this one."), True
        elif first is not None and first.result.engine != result.engine:
            same = first.text == result.text
            sentence = self.tr("{engine} agrees.") if same else self.tr("Now as {engine} reads it.")
            self._remark = sentence.format(engine=engine_title(result.engine))

    def _set_notice(self, result: OcrResult) -> None:
        if result.notice is not None:
            words = self.tr("{problem} The built-in engine read this.")
            self._trouble = words.format(problem=error_sentence(result.notice))
            self._note.setToolTip(error_hint(result.notice))

    def _fill(self, status: str = "", role: str = "", hint: str = "", again: str = "") -> None:
        """Show these parts; with readings their text, else ``status``."""
        text = self._readings is not None
        self._text.setVisible(text)
        self._status.setVisible(not text)
        self._status.setText(status)
        set_role(self._status, role)
        self._copy.setVisible(text)
        self._edit.setVisible(text)
        self._again.setVisible(bool(again))
        self._again.setText(again)
        self._again.setEnabled(not self._pending)
        self._info.setVisible(False)
        if not text:
            self._text.show_text("", self._text_size)
        self._hint.show_words(hint)
        self._show_note()

    def _show_bar(self, on: bool, room: bool = False) -> None:
        """``room``: keep its place when it goes, so that nothing moves."""
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(room)
        self._bar.setSizePolicy(policy)
        self._bar.setVisible(on)

    def _show_reading(self) -> None:
        """The current reading with its marks, what is said of it, and how to get to the others."""
        readings = self._readings
        assert readings is not None
        editing = self._editing()
        if not editing:
            self._text.show_text(readings.current.text, self._text_size)
            self._mark()
        # What is just being edited would be lost by going to another one.
        count = 1 if editing else len(readings)
        if readings.at_home:
            self._hint.show_reading(
                self._remark, 0, count, self._points_out, self._points_out and not self._kept
            )
        else:
            self._hint.show_reading(self._origin(readings.current), readings.place, count)
        self._show_note()
        self._info.show_facts(readings.current)
        self._info.setVisible(not editing)

    def _origin(self, variant: Variant) -> str:
        """Where a reading comes from that is not the first one."""
        told = {
            "beam": self.tr("A less likely reading"),
            "inverted": self.tr("Read with light and dark swapped"),
            "enlarged": self.tr("Read enlarged"),
            "split": self.tr("Read in pieces"),
        }
        if variant.how in told:
            return told[variant.how]
        if variant.how == "built-in" or variant.result.engine == BUILT_IN:
            return self.tr("Read by the built-in engine.")
        return self.tr("Read by {engine}.").format(engine=engine_title(variant.result.engine))

    def _show_note(self) -> None:
        self._note.setText(" ".join(filter(None, (self._trouble, self._about_copy))))
        set_role(self._note, "bad" if self._failed or self._copy_failed else "muted")
        self._note.setVisible(bool(self._note.text()))

    def _mark(self) -> None:
        """Dots under doubtful characters, muted ink for what is not final."""
        if self._readings is None:
            return
        result, tokens = self._readings.current.result, self._theme.tokens
        if self._pending and self._readings.current.how == PROVISIONAL:
            self._text.mark(likelihoods(result), ink=tokens.color("muted"))
        else:
            self._text.mark(likelihoods(result), doubtful_characters(result), tokens.color("warn"))

    def _room_for_facts(self) -> int:
        buttons = [part for part in (self._copy, self._again, self._edit) if part.isVisibleTo(self._row)]
        taken = sum(max(part.sizeHint().width(), part.minimumWidth()) + 2 * STEP for part in buttons)
        # The stretch between them has its spacing, too.
        return _CONTENT - taken - 2 * STEP

    def _retheme(self) -> None:
        if not self._editing():
            self._mark()
        self.update()

    def _announce(self, text: str) -> None:
        self.setAccessibleDescription(text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _step(self, by: int) -> None:
        readings = self._readings
        if readings is None or self._editing():
            return
        readings.step(by)
        self._show_reading()
        self.set_copied(None)
        self._announce(f"{readings.current.text}\n{self._hint.text}".strip())
        self.chosen.emit(readings.current.text)

    # Editing

    def _editing(self) -> bool:
        return not self._text.isReadOnly()

    def _start_edit(self) -> None:
        self._text.mark()
        self._text.set_editable(True)
        for widget in (self._copy, self._again, self._edit):
            widget.setVisible(False)
        for widget in self._editing_parts:
            widget.setVisible(True)
        self._show_reading()
        self.take_focus()
        self._text.setFocus(Qt.FocusReason.OtherFocusReason)
        self._text.moveCursor(QTextCursor.MoveOperation.End)
        self._fit()

    def _end_edit(self) -> None:
        self._text.set_editable(False)
        for widget in self._editing_parts:
            widget.setVisible(False)

    def _commit(self) -> None:
        assert self._readings is not None
        text = self._text.toPlainText()
        if text == self._readings.current.text:
            self._give_up_edit()
            return
        self._readings.edit(text)
        self._later = None
        if self._pending:
            self._remark = self.tr("{engine} is still reading…").format(engine=self._reader)
        elif not self._kept or self._readings.find("") is None:
            self._remark, self._points_out = "", False
        self._show_again()
        self.set_copied(None)
        self.edited.emit(text)

    def _give_up_edit(self) -> None:
        """Show what was there; or what has come meanwhile, since nothing of the user's keeps it back now."""
        later, self._later = self._later, None
        if later is None:
            self._show_again()
            return
        own = self._readings.current if self._readings is not None else None
        self._readings = later
        self._set_remark(later.current.result, own)
        self._show_again()
        if own is None or own.text != later.current.text:
            self._announce(later.current.text)
        self.chosen.emit(later.current.text)

    def _show_again(self) -> None:
        self._end_edit()
        for widget in (self._copy, self._edit):
            widget.setVisible(True)
        self._again.setVisible(bool(self._again.text()))
        self._show_reading()
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self._fit()

    def _ask_copy(self) -> None:
        self.taken.emit()
        self.copy_requested.emit(self._text.toPlainText())

    # Place and time

    def _open(self, anew: bool = False) -> None:
        shadow = self._embedded or self._focus.composited()
        if shadow != self._shadow:
            self._shadow = shadow
            self._set_margins()
        self._fit(anew)
        self.show()
        self.raise_()
        self._restart()

    def _fit(self, anew: bool = False) -> None:
        """As high as the content, beside the region: where it is, unless ``anew`` or without room there."""
        most = _MOST_LINES * LINE_HEIGHT * self._text_size
        self._text.fit(_CONTENT - STEP - self._close.width(), most)
        self._hint.fit(_CONTENT)
        self._info.fit(self._room_for_facts())
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
        now = QRect(self.pos() + QPoint(left, top), size)
        around = anchor.adjusted(-_GAP, -_GAP, _GAP, _GAP)
        stays = not anew and self.isVisible() and margin.contains(now) and not now.intersects(around)
        if self._shadow:
            self.clearMask()
        else:
            # Without a compositor nothing shines through: the corners are cut off instead.
            outline = QPainterPath()
            outline.addRoundedRect(self.rect().toRectF(), CARD_RADIUS, CARD_RADIUS)
            self.setMask(QRegion(outline.toFillPolygon().toPolygon()))
        if not stays:
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
        on_text = watched in (self._text, self._text.viewport())
        if event.type() == QEvent.Type.MouseButtonPress and on_text:
            self.take_focus()
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if on_text:
                if self._press_in_text(event):
                    return True
            elif self._stepper.isVisible() and self._stepper.press(event):
                return True
        return super().eventFilter(watched, event)

    def _press_in_text(self, event: QKeyEvent) -> bool:
        """Whether the key is dealt with."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self._editing() and enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._commit()
            return True
        if event.matches(QKeySequence.StandardKey.Copy) and self._text.textCursor().hasSelection():
            self.taken.emit()
        return False

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
