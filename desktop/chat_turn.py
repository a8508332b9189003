"""One turn of a conversation: a question in its bubble, or an answer with what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QMenu, QProgressBar, QPushButton, QWidget

from core.chat import Role
from core.conversation_types import Turn, TurnState
from desktop.answer_info import AnswerInfo
from desktop.chat_document import TextStyle
from desktop.chat_edit import QuestionEditor
from desktop.chat_text import BY_KEYBOARD, ChatText
from desktop.chat_texts import about_confidence, details, ending, facts, waiting
from desktop.elided_label import ElidedLabel
from desktop.pointer import forget_pointer
from desktop.texts import error_hint, error_sentence
from desktop.theme import CARD_RADIUS, CONTROL_RADIUS, STEP, Theme, set_kind, set_role

_PAD = 3 * STEP
_INSET = STEP
_COPIED_MS = 2000


class _TurnButton(QPushButton):
    """Tells when the keyboard comes to it with Tab."""

    reached = Signal()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in BY_KEYBOARD:
            self.reached.emit()


class TurnWidget(QWidget):
    """What questions and answers have in common. The view asks for the height and places it."""

    copy_requested = Signal(str)
    delete_requested = Signal(int)
    link_activated = Signal(str)
    resized = Signal(int)
    """Its height may be another one now; the turn's id."""
    reached = Signal(QWidget)
    """The keyboard came to this part of it with Tab."""

    def __init__(self, turn: Turn, theme: Theme, size: int, plain: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.turn = turn
        self.theme = theme
        self.size_of_text = size
        self.text = ChatText(TextStyle(theme.tokens, size), plain, self)
        self.text.link_activated.connect(self.link_activated)
        self.text.reached.connect(partial(self.reached.emit, self.text))
        self.text.set_text(turn.text)

    @property
    def focus_parts(self) -> Sequence[QWidget]:
        """What Tab goes through, in order."""
        raise NotImplementedError

    def lay_out(self, width: int) -> int:
        """Place all parts in ``width``; returns the height."""
        raise NotImplementedError

    def restyle(self) -> None:
        """The theme's tokens, or the size of the text, are others now."""
        self.text.restyle(TextStyle(self.theme.tokens, self.size_of_text))
        self.update()

    def set_text_size(self, pixels: int) -> None:
        self.size_of_text = pixels
        self.restyle()

    def paint_ring(self, painter: QPainter, around: QRect) -> None:
        """Show that the keyboard brought the focus to the text."""
        if self.text.ring:
            painter.setPen(QPen(self.theme.tokens.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(around, CONTROL_RADIUS, CONTROL_RADIUS)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """What can be done with the turn."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # Why something cannot be done now.
        menu.setToolTipsVisible(True)
        selected = self.text.textCursor().hasSelection()
        if selected:
            menu.addAction(self.tr("Copy selection"), self.text.copy)
        self.fill_menu(menu)
        menu.addSeparator()
        delete = menu.addAction(
            self.tr("Delete from here"), partial(self.delete_requested.emit, self.turn.id)
        )
        if self.turn.state is TurnState.STREAMING:
            delete.setEnabled(False)
            delete.setToolTip(self.tr("Not while the answer is being written."))
        return menu

    def fill_menu(self, menu: QMenu) -> None:
        """Add what is special about this kind of turn."""
        raise NotImplementedError


class _ShyButton(_TurnButton):
    """Seen while the mouse is over its turn, and while it or the text beside it has the keyboard."""

    def __init__(self, text: str, parent: QuestionTurn) -> None:
        super().__init__(text, parent)
        self._turn = parent
        set_kind(self, "ghost")

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.hasFocus() or self._turn.attended:
            super().paintEvent(event)


class QuestionTurn(TurnWidget):
    """A bubble at the right; it can be edited in its place.

    What is written stays there until the turn is gone because it was asked anew, or the user gives it up.
    """

    edit_requested = Signal(int, str)

    def __init__(self, turn: Turn, theme: Theme, size: int, parent: QWidget) -> None:
        super().__init__(turn, theme, size, True, parent)
        self._hovered = False
        self._bubble = QRect()
        self.editor: QuestionEditor | None = None
        self.text.setAccessibleName(self.tr("Question"))
        self.edit = _ShyButton(self.tr("Edit"), self)
        self.edit.setAccessibleName(self.tr("Edit the question"))
        self.edit.clicked.connect(self._edit)
        self.edit.reached.connect(partial(self.reached.emit, self.edit))

    @property
    def attended(self) -> bool:
        """Whether the user is at it, with the mouse or the keyboard."""
        return self._hovered or self.text.ring

    @property
    def focus_parts(self) -> Sequence[QWidget]:
        editor = self.editor
        return (self.text, self.edit) if editor is None else (editor.box, editor.send, editor.cancel)

    def show_turn(self, turn: Turn) -> None:
        self.turn = turn
        self.text.set_text(turn.text)

    @property
    def edited(self) -> str | None:
        """What the user has written anew so far; None while nobody does."""
        return None if self.editor is None else self.editor.box.toPlainText()

    def start_edit(self, text: str | None = None) -> None:
        """Let the user write the question anew, from ``text`` on."""
        if self.editor is not None:
            return
        self.editor = QuestionEditor(self.turn.text if text is None else text, self.size_of_text, self)
        self.editor.sent.connect(self._send)
        self.editor.given_up.connect(self._end_edit)
        self.editor.grown.connect(self._tell_resized)
        self.text.hide()
        self.edit.hide()
        self.editor.show()
        self._tell_resized()

    def _edit(self) -> None:
        self.start_edit()
        if self.editor is not None:
            self.editor.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def _send(self, text: str) -> None:
        self.edit_requested.emit(self.turn.id, text)

    def _end_edit(self) -> None:
        editor, self.editor = self.editor, None
        if editor is None:
            return
        self.text.show()
        self.edit.show()
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)
        editor.hide()
        # It is still telling of the key that ends it.
        editor.deleteLater()
        self._tell_resized()

    def _tell_resized(self) -> None:
        self.resized.emit(self.turn.id)

    def lay_out(self, width: int) -> int:
        if self.editor is not None:
            height = max(self.editor.heightForWidth(width), self.editor.sizeHint().height())
            self.editor.setGeometry(0, 0, width, height)
            return height
        button = self.edit.sizeHint()
        most = width - button.width() - STEP - 2 * _PAD
        inner = self.text.natural_width(most)
        height = self.text.height_for(inner)
        left = width - inner - 2 * _PAD
        self._bubble = QRect(left, 0, inner + 2 * _PAD, height + 4 * STEP)
        self.text.setGeometry(left + _PAD, 2 * STEP, inner, height)
        top = (min(self._bubble.height(), 12 * STEP) - button.height()) // 2
        self.edit.setGeometry(left - STEP - button.width(), top, button.width(), button.height())
        return self._bubble.height()

    def fill_menu(self, menu: QMenu) -> None:
        menu.addAction(self.tr("Copy"), partial(self.copy_requested.emit, self.turn.text))
        if self.editor is None:
            menu.addAction(self.tr("Edit"), self._edit)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._hover(True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(False)

    def _hover(self, on: bool) -> None:
        self._hovered = on
        self.edit.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.editor is not None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.tokens.color("accent_soft"))
        painter.drawRoundedRect(self._bubble, CARD_RADIUS, CARD_RADIUS)
        self.paint_ring(painter, self._bubble.adjusted(1, 1, -1, -1))
        painter.end()


class AnswerTurn(TurnWidget):
    """Rendered Markdown over the whole width, with a quiet row under it."""

    regenerate_requested = Signal(int)
    retry_requested = Signal(int)

    def __init__(self, turn: Turn, theme: Theme, size: int, parent: QWidget) -> None:
        super().__init__(turn, theme, size, False, parent)
        self.text.setAccessibleName(self.tr("Answer"))
        self._progress = ("", None)
        # In full, and for where there is less and less room.
        self._facts: Sequence[str] = ("",)
        self._superseded = False
        self.notes = self._label("muted")
        self.notes.setAccessibleName(self.tr("What the engine had to do"))
        self.earlier = ElidedLabel(self)
        set_role(self.earlier, "muted")
        self.wait = self._label("muted")
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.status = self._label("muted")
        self.problem = self._label("bad")
        self.hint = self._label("muted")
        self.retry = self._button(self.tr("Try again"), "", self._retry)
        self.facts = ElidedLabel(self)
        set_role(self.facts, "muted")
        self.copy = self._button(self.tr("Copy"), "ghost", self._copy)
        self.copy.setAccessibleName(self.tr("Copy the answer"))
        self.again = self._button(self.tr("Again"), "ghost", self._again)
        self.again.setAccessibleName(self.tr("Answer again"))
        self.again.setToolTip(self.tr("Answer again"))
        self.more = self._button("…", "ghost", self._open_menu)
        self.more.setAccessibleName(self.tr("More"))
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(_COPIED_MS)
        self._copied.timeout.connect(self._show_not_copied)
        self.show_turn(turn)

    def _label(self, role: str) -> QLabel:
        label = QLabel(self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        set_role(label, role)
        return label

    def _button(self, text: str, kind: str, action: Callable[[], None]) -> QPushButton:
        button = _TurnButton(text, self)
        button.reached.connect(partial(self.reached.emit, button))
        # A click leaves the keyboard where it is: mostly where the next question is written.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_kind(button, kind)
        button.clicked.connect(action)
        return button

    @property
    def focus_parts(self) -> Sequence[QWidget]:
        return (self.text, self.retry, self.copy, self.again, self.more)

    # ---- what it shows

    @property
    def streaming(self) -> bool:
        return self.turn.state is TurnState.STREAMING

    def show_turn(self, turn: Turn) -> None:
        """Show ``turn`` and its text."""
        self.turn = turn
        self.text.set_text(turn.text)
        failed = turn.state is TurnState.FAILED
        told = facts(turn.answer) if turn.answer is not None else ""
        self._facts = (told,) if turn.answer is None else (told, facts(turn.answer, short=True))
        if turn.state is TurnState.STOPPED:
            told = ending(turn)
            self._facts = (told,)
        self.facts.setText(told)
        self.facts.setAccessibleName(told)
        sure = turn.answer is not None and turn.answer.confidence is not None
        explained = f"{told}\n{about_confidence()}" if told and sure else told
        self.facts.setToolTip(explained)
        self.facts.setAccessibleDescription(explained)
        # Those that are more than a word.
        self.status.setText("" if turn.state is TurnState.STOPPED else ending(turn))
        error = turn.error if failed else None
        self.problem.setText(error_sentence(error) if error is not None else "")
        if failed and error is None:
            self.problem.setText(self.tr("The answer failed."))
        self.hint.setText(error_hint(error) if error is not None else "")
        self.arrange()

    def set_progress(self, text: str, percent: float | None) -> None:
        """What the answer waits for, until its first word."""
        self._progress = (text, percent)
        self.arrange()

    def set_notes(self, notes: Sequence[str]) -> None:
        self.notes.setText("\n".join(notes))
        self.arrange()

    def set_superseded(self, on: bool) -> None:
        """Show only the beginning, in one line: another answer is about to take its place."""
        self._superseded = on
        self.arrange()

    def show_copied(self) -> None:
        """Say for a moment that the text is in the clipboard."""
        self.copy.setText(self.tr("Copied ✓"))
        self._copied.start()
        self._tell_resized()

    def _show_not_copied(self) -> None:
        self.copy.setText(self.tr("Copy"))
        self._tell_resized()

    def _tell_resized(self) -> None:
        self.resized.emit(self.turn.id)

    def arrange(self) -> None:
        """Show the parts that have something to say."""
        whole = not self._superseded
        has_text = bool(self.text.text.strip())
        waits = whole and self.streaming and not has_text
        ended = whole and not self.streaming
        text, percent = self._progress
        self.text.set_caret(self.streaming)
        self.text.setVisible(whole and has_text)
        self.notes.setVisible(whole and bool(self.notes.text()))
        self.earlier.setVisible(not whole)
        self.wait.setText(waiting(text, percent))
        self.wait.setVisible(waits)
        self.bar.setVisible(waits and percent is not None)
        if percent is not None:
            self.bar.setValue(round(percent))
        for label in (self.status, self.problem, self.hint):
            label.setVisible(ended and bool(label.text()))
        self.retry.setVisible(ended and self.turn.state is TurnState.FAILED)
        self.copy.setVisible(ended and has_text)
        # A failed answer has its own button for it.
        self.again.setVisible(ended and self.turn.state is not TurnState.FAILED)
        self.more.setVisible(ended)
        self.facts.setVisible(ended and bool(self.facts.text()))
        if not whole:
            beginning = " ".join(re.sub("[*_`#>|]", "", self.text.text[:200]).split())
            self.earlier.setText(self.tr("Earlier answer: {0}").format(beginning))

    def lay_out(self, width: int) -> int:
        y = 0
        if not self.earlier.isHidden():
            height = self.earlier.sizeHint().height()
            self.earlier.setGeometry(_INSET, 0, width - 2 * _INSET, height)
            return height
        for part in (self.notes, self.wait):
            y = self._stack(part, width, y, STEP)
        if not self.bar.isHidden():
            self.bar.setGeometry(_INSET, y, width - 2 * _INSET, self.bar.sizeHint().height())
            y += self.bar.height() + STEP
        if not self.text.isHidden():
            # Room for the ring that shows the focus.
            height = self.text.height_for(width - 2 * _INSET)
            self.text.setGeometry(_INSET, y + _INSET, width - 2 * _INSET, height)
            y += height + 2 * _INSET
        for part in (self.status, self.problem, self.hint):
            y = self._stack(part, width, y, STEP)
        return self._lay_out_row(width, y)

    @staticmethod
    def _stack(part: QLabel, width: int, y: int, gap: int) -> int:
        if part.isHidden():
            return y
        height = part.heightForWidth(width - 2 * _INSET)
        part.setGeometry(_INSET, y, width - 2 * _INSET, height)
        return y + height + gap

    def _lay_out_row(self, width: int, y: int) -> int:
        buttons = [part for part in (self.copy, self.again, self.more) if not part.isHidden()]
        right = width - sum(button.sizeHint().width() for button in buttons)
        left = _INSET
        if not self.retry.isHidden():
            left += self.retry.sizeHint().width() + 2 * STEP
        room = right - left - STEP
        own_row = self._fit_facts(room, width)
        if own_row:
            self.facts.setGeometry(_INSET, y, width - 2 * _INSET, self.facts.sizeHint().height())
            y += self.facts.height() + STEP
        height = 0
        for button in buttons:
            size = button.sizeHint()
            button.setGeometry(right, y, size.width(), size.height())
            right += size.width()
            height = max(height, size.height())
        if not self.retry.isHidden():
            size = self.retry.sizeHint()
            self.retry.setGeometry(_INSET, y, size.width(), size.height())
            height = max(height, size.height())
        if not own_row:
            self.facts.setGeometry(left, y, max(0, room), height)
        return y + height

    def _fit_facts(self, room: int, width: int) -> bool:
        """Say them as fully as ``room`` beside the buttons allows; whether they need a row of their own, as
        wide as ``width``, all the same."""
        if self.facts.isHidden():
            return False
        measure = self.facts.fontMetrics().horizontalAdvance
        fitting = next((told for told in self._facts if measure(told) <= room), None)
        # Over the whole width there is room for all of them again, or else the most important is cut off.
        own = next((told for told in self._facts if measure(told) <= width - 2 * _INSET), self._facts[-1])
        self.facts.setText(own if fitting is None else fitting)
        return fitting is None

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.text.ring:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            place = self.text.geometry()
            self.paint_ring(painter, place.adjusted(1 - _INSET, 1 - _INSET, _INSET - 1, _INSET - 1))
            painter.end()

    # ---- what can be done

    def _copy(self) -> None:
        self.copy_requested.emit(self.text.shown_text())

    def _again(self) -> None:
        self.regenerate_requested.emit(self.turn.id)

    def _retry(self) -> None:
        self.retry_requested.emit(self.turn.id)

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.aboutToHide.connect(self._forget_pointer)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _forget_pointer(self) -> None:
        forget_pointer(self.more)

    def fill_menu(self, menu: QMenu) -> None:
        plain = menu.addAction(self.tr("Copy"), self._copy)
        plain.setEnabled(bool(self.text.text.strip()))
        source = self.text.text
        copy = menu.addAction(self.tr("Copy as Markdown"), partial(self.copy_requested.emit, source))
        copy.setEnabled(bool(source.strip()))
        more = menu.addAction(self.tr("Details"), self.show_details)
        if self.streaming:
            more.setEnabled(False)
            more.setToolTip(self.tr("They are known when the answer has ended."))
        elif not details(self.turn):
            more.setEnabled(False)
            more.setToolTip(self.tr("Nothing was kept about this answer but its text."))

    def show_details(self) -> AnswerInfo:
        """Open the popover that tells how the answer came to be."""
        info = AnswerInfo(self.turn, self.theme, self)
        info.closed.connect(self._forget_pointer)
        more = self.more
        info.show_at(QRect(more.mapToGlobal(QPoint(0, 0)), more.size()))
        return info


def make_turn(turn: Turn, theme: Theme, size: int, parent: QWidget) -> QuestionTurn | AnswerTurn:
    """The widget for ``turn``."""
    if turn.role is Role.USER:
        return QuestionTurn(turn, theme, size, parent)
    return AnswerTurn(turn, theme, size, parent)
