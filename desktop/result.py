"""The result card: what was read, beside the place where it was read, without taking the focus."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QKeyEvent,
    QKeySequence,
    QTextCursor,
)
from PySide6.QtWidgets import QWidget

from core.alternatives import Variant, by_built_in
from core.types import OcrResult
from desktop import card_texts
from desktop.card_parts import CardParts
from desktop.card_window import CardWindow
from desktop.doubt import is_doubtful
from desktop.focus import Focus
from desktop.readings import EDITED, PROVISIONAL, Readings, with_its_engine
from desktop.texts import engine_title, error_hint
from desktop.theme import Theme


class ResultCard(CardWindow):
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
    ask_requested = Signal()
    """The user wants to ask about the picture."""

    def __init__(self, theme: Theme, focus: Focus, text_size: int = 19, seconds: int = 8) -> None:
        super().__init__(theme, focus)
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
        # How much of the weights is converted that the reading waits for, in percent.
        self._converted: int | None = None
        self._reader = ""
        self.setWindowTitle(self.tr("Text that was read"))
        self.setAccessibleName(self.tr("Text that was read"))
        self._parts = CardParts(self)
        self._set_margins()
        self._connect()
        self.configure(text_size, seconds)

    def _connect(self) -> None:
        parts = self._parts
        parts.close.clicked.connect(lambda: self._leave())
        parts.hint.stepped.connect(self._step)
        parts.copy.clicked.connect(lambda: self._ask_copy())
        parts.again.clicked.connect(lambda: self.reread_requested.emit())
        parts.ask.clicked.connect(lambda: self.ask_requested.emit())
        parts.edit.clicked.connect(lambda: self._start_edit())
        parts.done.clicked.connect(lambda: self._commit())
        parts.undo.clicked.connect(lambda: self._give_up_edit())
        parts.text.viewport().installEventFilter(self)
        for part in (parts.text, parts.copy, parts.ask, parts.again, parts.edit, parts.close):
            part.installEventFilter(self)
        self._theme.changed.connect(self._retheme)

    # What the controller says

    def configure(self, text_size: int, seconds: int) -> None:
        """Use changed settings from now on."""
        self._parts.set_text_size(text_size)
        self._hide.setInterval(seconds * 1000)

    def show_pending(self, anchor: QRect) -> None:
        """Open beside ``anchor`` (logical desktop coordinates): something is being read."""
        self._anchor = QRect(anchor)
        self._begin(None)
        self._pending, self._converted = True, None
        if self.focusWidget() is not None and not self.isActiveWindow():
            self.focusWidget().clearFocus()
        self._fill(status=self.tr("Reading…"), role="muted")
        self._parts.show_bar(True)
        self._open(anew=True)

    def show_provisional(self, result: OcrResult, engine: str) -> None:
        """Show what was read first while ``engine`` (its name) is still reading: readable, not final."""
        if not self._pending or not self.isVisible():
            return
        self._readings, self._reader = Readings([Variant(result, PROVISIONAL)]), engine_title(engine)
        self._remark = self._pending_remark()
        self._fill(again=self.tr("Read again"))
        self._parts.show_bar(True)
        self._show_reading()
        self.set_copied(None)
        self._open()
        self._announce(f"{result.text}\n{self._remark}")

    def show_conversion(self, percent: int | None) -> None:
        """So much of the weights is converted, which comes before they are loaded; None: all of it."""
        if not self._pending or not self.isVisible() or percent == self._converted:
            return
        self._converted = percent
        if self._readings is None:
            text = self.tr("Reading…") if percent is None else card_texts.converting(percent)
            self._parts.status.setText(text)
        elif self._readings.current.how == PROVISIONAL:
            self._remark = self._pending_remark()
            self._show_reading()

    def _pending_remark(self) -> str:
        """What is said of a text that was read first."""
        if self._converted is None:
            return card_texts.quick_remark(self._reader)
        return card_texts.quick_converting(self._converted)

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
        variants = [Variant(result), *map(with_its_engine, others)]
        first = self._readings.current if self._pending and self._readings is not None else None
        if first is not None and (keep or self._parts.editing or not result.text.strip()):
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
            self._parts.show_facts(Variant(result))
            spoken = self.tr("No text found.")
        else:
            self._set_remark(result, first)
            self._set_notice(result)
            self._fill(again=self.tr("Read again"))
            self._show_reading()
            doubt = self._parts.hint.text if self._points_out else ""
            spoken = "\n".join(filter(None, (result.text, doubt, self._trouble)))
        self._parts.show_bar(False)
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
            self._remark = card_texts.difference(result)
            self._points_out = self._kept = True
        self._parts.again.setEnabled(True)
        self._parts.show_bar(False)
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
            self._remark = "" if edited else card_texts.read_by_built_in()
            self._trouble, self._failed = told, True
            self._parts.again.setText(again)
            self._parts.again.setEnabled(True)
            self._parts.offer_again(self._parts.editing)
            self._parts.show_bar(False)
            self._show_reading()
        else:
            self._begin(None)
            self._fill(status=message, role="bad", hint=hint, again=again)
            self._parts.show_bar(False)
        self._open()
        self._announce(told)

    def set_copied(self, copied: bool | None, message: str = "") -> None:
        """True: the text is in the clipboard. False: it could not be put there. None: it was not tried.

        ``message`` tells more, such as why the clipboard was left alone.
        """
        self._parts.show_copied(bool(copied))
        self._about_copy, self._copy_failed = message, copied is False
        self._show_note()
        if message:
            self._announce(message)
        if self.isVisible():
            self._fit()
            self._restart()

    def dismiss(self) -> None:
        """Close it and give the focus back."""
        if self.isVisible():
            self._parts.end_edit()
        super().dismiss()

    def _leave(self) -> None:
        """The user has had enough of it."""
        if self._pending:
            self.cancel_requested.emit()
        self.dismiss()

    # What its window asks

    def _is_held(self) -> bool:
        return self._pending or self._parts.editing

    def _fit_content(self) -> None:
        self._parts.fit()

    def _first_part(self) -> QWidget:
        # With several readings the arrow keys go through them at once.
        parts = (self._parts.stepper.forward, self._parts.text, self._parts.again, self._parts.close)
        return next(part for part in parts if part.isVisible())

    # Content

    def _begin(self, readings: Readings | None) -> None:
        """Forget what was shown before."""
        self._readings, self._later, self._pending, self._kept = readings, None, False, False
        self._remark, self._points_out = "", False
        self._trouble, self._failed = "", False
        self._about_copy, self._copy_failed = "", False
        self._parts.note.setToolTip("")
        self._parts.end_edit()

    def _set_remark(self, result: OcrResult, first: Variant | None) -> None:
        """What to say about the engine's own reading; ``first`` was shown until it came."""
        self._remark, self._points_out = "", False
        if is_doubtful(result):
            self._remark, self._points_out = card_texts.doubt_remark(), True
        elif by_built_in(result.blocks):
            self._remark = card_texts.second_opinion()
        elif first is not None and first.result.engine != result.engine:
            self._remark = card_texts.comparison(result, first)

    def _set_notice(self, result: OcrResult) -> None:
        if result.notice is not None:
            self._trouble = card_texts.notice_text(result.notice)
            self._parts.note.setToolTip(error_hint(result.notice))

    def _fill(self, status: str = "", role: str = "", hint: str = "", again: str = "") -> None:
        """Show these parts; with readings their text, else ``status``."""
        self._parts.fill(self._readings is not None, status, role, hint, again)
        self._parts.again.setEnabled(not self._pending)
        self._show_note()

    def _show_reading(self) -> None:
        """The current reading with its marks, what is said of it, and how to get to the others."""
        readings = self._readings
        assert readings is not None
        editing = self._parts.editing
        if not editing:
            self._parts.show_text(readings.current.text)
            self._mark()
        # What is just being edited would be lost by going to another one.
        count = 1 if editing else len(readings)
        if readings.at_home:
            self._parts.hint.show_reading(
                self._remark, 0, count, self._points_out, self._points_out and not self._kept
            )
        else:
            self._parts.hint.show_reading(card_texts.origin(readings.current), readings.place, count)
        self._show_note()
        self._parts.show_facts(readings.current, not editing)

    def _show_note(self) -> None:
        text = " ".join(filter(None, (self._trouble, self._about_copy)))
        self._parts.show_note(text, self._failed or self._copy_failed)

    def _mark(self) -> None:
        if self._readings is not None:
            current = self._readings.current
            final = not (self._pending and current.how == PROVISIONAL)
            self._parts.mark(current.result, self._theme.tokens, final)

    def _retheme(self) -> None:
        if not self._parts.editing:
            self._mark()
        self.update()

    def _announce(self, text: str) -> None:
        self.setAccessibleDescription(text)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _step(self, by: int) -> None:
        readings = self._readings
        if readings is None or self._parts.editing:
            return
        readings.step(by)
        self._show_reading()
        self.set_copied(None)
        self._announce(f"{readings.current.text}\n{self._parts.hint.text}".strip())
        self.chosen.emit(readings.current.text)

    # Editing

    def _start_edit(self) -> None:
        self._parts.begin_edit()
        self._show_reading()
        self.take_focus()
        self._parts.text.setFocus(Qt.FocusReason.OtherFocusReason)
        self._parts.text.moveCursor(QTextCursor.MoveOperation.End)
        self._fit()

    def _commit(self) -> None:
        assert self._readings is not None
        text = self._parts.text.toPlainText()
        if text == self._readings.current.text:
            self._give_up_edit()
            return
        self._readings.edit(text)
        self._later = None
        if self._pending:
            self._remark = card_texts.still_reading(self._reader)
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
        self._parts.end_edit()
        self._parts.show_buttons()
        self._show_reading()
        self._parts.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self._fit()

    def _ask_copy(self) -> None:
        self.taken.emit()
        self.copy_requested.emit(self._parts.text.toPlainText())

    # Events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        on_text = watched in (self._parts.text, self._parts.text.viewport())
        if event.type() == QEvent.Type.MouseButtonPress and on_text:
            self.take_focus()
            self._parts.text.setFocus(Qt.FocusReason.MouseFocusReason)
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if on_text:
                if self._press_in_text(event):
                    return True
            elif self._parts.stepper.isVisible() and self._parts.stepper.press(event):
                return True
        return super().eventFilter(watched, event)

    def _press_in_text(self, event: QKeyEvent) -> bool:
        """Whether the key is dealt with."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if self._parts.editing and enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._commit()
            return True
        if event.matches(QKeySequence.StandardKey.Copy) and self._parts.text.textCursor().hasSelection():
            self.taken.emit()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self._parts.editing:
                self._give_up_edit()
            else:
                self._leave()
            event.accept()
        else:
            super().keyPressEvent(event)
