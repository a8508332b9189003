"""The foot of the side panel: quick prompts, the question, and what is sent with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from core.errors import YomitoriError
from desktop.asked_before import AskedBefore
from desktop.key_button import KeyButton
from desktop.keyboard import keyboard_stays
from desktop.options_button import OptionsButton
from desktop.picture_input import Given, PictureDrop
from desktop.prompt_chips import PromptChips
from desktop.question_field import QuestionField
from desktop.several_pictures import SeveralPictures
from desktop.status_line import StatusLine
from desktop.texts import error_sentence
from desktop.theme import STEP, Theme, set_kind, set_role

_NARROW = 90 * STEP


class Composer(QWidget):
    """Brings its own margins at the left, the right and below. As high as it needs to be.

    Esc stops an answer; without one it goes on to the parent. A question stays in the field until
    ``set_text("")``, so that none is lost when sending fails.
    """

    submitted = Signal(str)
    """A question that is not blank, without space around it; only while one may be sent."""
    stop_requested = Signal()
    prompt_chosen = Signal(int)
    """Which of the prompts, from 0; only while a question may be sent."""
    options_requested = Signal()
    picture_pasted = Signal(QImage)
    """Pasted or dropped."""
    files_pasted = Signal(list)
    """Files of pictures as ``Path``, pasted or dropped."""
    refused = Signal(str)
    """A sentence: why something that was pasted or dropped cannot be taken, and what to do."""
    typing = Signal()
    """The user began to write a question; at most once in some seconds."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._busy, self._reason, self._low = False, "", False
        self._problem: YomitoriError | None = None
        self._asked = AskedBefore()
        self.several = SeveralPictures()
        self.chips = PromptChips(theme)
        self.field = QuestionField(self._asked)
        self.reason = _line()
        self.status = StatusLine()
        self.options = OptionsButton(theme, self.field)
        self.send = QPushButton(self.tr("Send"))
        self.send.setAutoDefault(True)
        set_kind(self.send, "primary")
        self.stop = KeyButton(theme, self.tr("Stop"), "Esc")
        self.stop.setAccessibleName(self.tr("Stop, Esc"))
        self.stop.setToolTip(self.tr("Stop the answer (Esc)"))
        self.stop.hide()
        self._lay_out()
        self._connect()
        self.set_placeholder(self.tr("Ask about this picture…"))
        self._refresh()

    def _lay_out(self) -> None:
        # One takes the other's place: nothing beside them may move.
        width = max(self.send.sizeHint().width(), self.stop.sizeHint().width())
        for button in (self.send, self.stop):
            button.setFixedWidth(width)
        for button in (self.options, self.send):
            # A click leaves the keyboard in the field.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout()
        row.setSpacing(STEP)
        row.addWidget(self.status, 1)
        row.addSpacing(STEP)
        for button in (self.options, self.send, self.stop):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * STEP, 0, 3 * STEP, 3 * STEP)
        column.setSpacing(2 * STEP)
        column.addWidget(self.several)
        column.addWidget(self.chips)
        column.addWidget(self.field)
        column.addWidget(self.reason)
        column.addLayout(row)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _connect(self) -> None:
        self.chips.chosen.connect(self.prompt_chosen)
        self.field.textChanged.connect(self._refresh)
        self.field.composed.connect(self._refresh)
        self.field.send_requested.connect(self._send)
        self.field.given.connect(self._pass_on)
        self.field.typing.connect(self.typing)
        self.options.clicked.connect(self._ask_for_options)
        self.send.clicked.connect(self._send)
        self.stop.clicked.connect(self._stop)
        self.drop = PictureDrop(self)
        self.drop.dropped_image.connect(self.picture_pasted)
        self.drop.dropped_files.connect(self.files_pasted)
        self.drop.refused.connect(self.refused)

    # What the panel says

    @property
    def busy(self) -> bool:
        return self._busy

    def set_prompts(self, titles: Sequence[str]) -> None:
        """The quick prompts; the first nine have Alt+1 to Alt+9."""
        self.chips.set_prompts(titles)

    def set_busy(self, busy: bool) -> None:
        """An answer is on its way: Stop in the place of Send, and nothing can be sent."""
        self._busy = busy
        self._refresh()

    def set_status(self, text: str, role: str = "muted") -> None:
        """The line at the foot; ``role`` as for labels in ``desktop.theme``."""
        self.status.show_status(text, role)

    def set_problem(self, problem: YomitoriError | None) -> None:
        """Why the model cannot look at the pictures, above all else with the ways out; None when it can. No
        question can be sent until then, but written."""
        self._problem = problem
        with keyboard_stays(self, lambda _: self.field):
            self.several.show_problem(problem)
        self._refresh()

    def set_enabled_reason(self, text: str) -> None:
        """Why no question can be sent now; empty when it can. It can be written all the same."""
        self._reason = text
        self._refresh()

    def set_low(self, low: bool) -> None:
        """Whether the window is so low that prompts which cannot be chosen must make room for the reason."""
        self._low = low
        self._refresh()

    def set_placeholder(self, text: str) -> None:
        self.field.setPlaceholderText(text)

    def text(self) -> str:
        """What is in the field."""
        return self.field.toPlainText()

    def set_text(self, text: str) -> None:
        """Put ``text`` in the place of what is in the field, the cursor after it."""
        self.field.show_text(text)

    def take_focus(self) -> None:
        """The keyboard goes to the field."""
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def options_anchor(self) -> QWidget:
        """The button at which the options open."""
        return self.options

    # What the user does

    def _send(self, _checked: bool = False) -> None:
        if self.field.composing:
            # A click on Send: what the input method shows belongs to the question.
            QGuiApplication.inputMethod().commit()
        question = self.text().strip()
        if self.send.hasFocus():
            self.take_focus()
        if self._why_not:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self._why_not))
        elif question and not self._busy and not self.field.composing:
            self._asked.add(question)
            self.submitted.emit(question)

    def _stop(self, _checked: bool = False) -> None:
        self.stop_requested.emit()

    def _ask_for_options(self, _checked: bool = False) -> None:
        self.options_requested.emit()

    def _pass_on(self, given: Given) -> None:
        if given.image is not None:
            self.picture_pasted.emit(given.image)
        if given.files:
            self.files_pasted.emit(list(given.files))
        if given.refusal:
            self.refused.emit(given.refusal)

    @property
    def _why_not(self) -> str:
        """Why no question can be sent now, but for an answer that is on its way; empty when it can."""
        return self._reason or (error_sentence(self._problem) if self._problem is not None else "")

    def _refresh(self) -> None:
        may_send = not self._busy and not self._why_not
        with keyboard_stays(self, lambda _: self.field):
            self.send.setVisible(not self._busy)
            self.stop.setVisible(self._busy)
            self.send.setEnabled(may_send and not self.field.blank)
            self.chips.set_usable(may_send)
            self.chips.set_folded(self._low and bool(self._why_not))
            self.reason.setText(self._reason)
            self.reason.setVisible(bool(self._reason))
        self.send.setToolTip(self._why_not or self.tr("Send (Enter). Shift+Enter starts a new line."))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # In a narrow panel the facts need the room more.
        self.options.set_small(self.width() < _NARROW)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif event.isAutoRepeat():
            # Held for too long, the key that stopped an answer would close the panel as well.
            event.accept()
        elif self._busy:
            event.accept()
            self.stop_requested.emit()
        else:
            event.ignore()


def _line() -> QLabel:
    """Words across the whole width, which are hidden while there are none."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    set_role(label, "muted")
    label.hide()
    return label
