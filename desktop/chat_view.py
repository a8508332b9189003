"""The transcript of one conversation. However long it is, no single step of showing it takes long.

Turns have widgets of their own, made when there is time for it, those in view first; the others stand in
with a height that is guessed. Text is rendered piece by piece.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QPushButton, QScrollArea, QStyle, QWidget

from core.chat import Role
from core.conversation_types import Turn, TurnState
from desktop.chat_texts import ending
from desktop.chat_turn import AnswerTurn, QuestionTurn, make_turn
from desktop.texts import error_sentence
from desktop.theme import STEP, Theme

PIECES_MS = 50
"""Text that arrives is shown as often as this."""
_SLICE_S = 0.008
"""Work that can wait is done for so long at a time."""
_FIRST_SLICE_S = 0.012
_MARGIN = 3 * STEP
_AFTER_QUESTION, _AFTER_ANSWER = 3 * STEP, 4 * STEP
_SPOKEN_CHARACTERS = 600
_GUESSED_LINE = 26


@dataclass(eq=False)
class _Entry:
    """A turn with its place in the column. ``dirty``: its height is to be found out again."""

    turn: Turn
    widget: QuestionTurn | AnswerTurn | None = None
    y: int = 0
    height: int = 0
    dirty: bool = True
    notes: list[str] = field(default_factory=list)
    progress: tuple[str, float | None] = ("", None)
    superseded: bool = False

    @property
    def all_notes(self) -> list[str]:
        """What was told while it streamed, then what the answer tells of itself."""
        notices = self.turn.answer.notices if self.turn.answer is not None else ()
        return list(dict.fromkeys([*self.notes, *map(error_sentence, notices)]))

    @property
    def draft(self) -> str | None:
        """What is being written in the place of a question; None while nothing is."""
        return self.widget.edited if isinstance(self.widget, QuestionTurn) else None

    @property
    def ready(self) -> bool:
        return self.widget is not None and self.widget.text.done and not self.dirty


class ChatView(QScrollArea):
    """Shows the turns of one conversation. ``text_size`` is in logical pixels."""

    copy_requested = Signal(str)
    regenerate_requested = Signal(int)
    edit_requested = Signal(int, str)
    delete_requested = Signal(int)
    retry_requested = Signal(int)
    link_activated = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None, text_size: int = 16) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text_size = text_size
        self._entries: list[_Entry] = []
        self._following = True
        self._placing = False
        self._announcement = ""
        self._copied_from: AnswerTurn | None = None
        # What was being written in questions that are not shown now, by their turns.
        self._drafts: dict[int, str] = {}
        self._column = QWidget()
        self.setWidget(self._column)
        self.setWidgetResizable(False)
        # Its texts and buttons have the focus.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        self.verticalScrollBar().setSingleStep(10 * STEP)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self._column.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)
        self.jump = QPushButton(self.tr("New text below"), self)
        self.jump.setAccessibleName(self.tr("Go to the new text below"))
        self.jump.clicked.connect(self.go_to_end)
        self.jump.hide()
        self._pieces = QTimer(self)
        self._pieces.setSingleShot(True)
        self._pieces.setInterval(PIECES_MS)
        self._pieces.timeout.connect(self._work)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(0)
        self._idle.timeout.connect(self._work)
        theme.changed.connect(self._restyle)

    # ---- what it shows

    @property
    def turns(self) -> list[Turn]:
        """The turns it shows, in order."""
        return [entry.turn for entry in self._entries]

    @property
    def following(self) -> bool:
        """Whether it goes down with new text."""
        return self._following

    @property
    def announcement(self) -> str:
        """What screen readers were told last."""
        return self._announcement

    @property
    def busy(self) -> bool:
        """Whether something of it has yet to be rendered."""
        return self._pieces.isActive() or self._idle.isActive()

    def part(self, turn_id: int) -> QuestionTurn | AnswerTurn:
        """The widget of a turn, made now if it was not yet. Raises ``KeyError``."""
        entry = self._find(turn_id)
        if entry is None:
            raise KeyError(turn_id)
        self._make(entry)
        self._finish(entry)
        self._place()
        assert entry.widget is not None
        return entry.widget

    @property
    def drafts(self) -> dict[int, str]:
        """What the user is writing in the place of earlier questions, by their turns; of conversations that
        were shown before, too."""
        shown = {entry.turn.id: entry.draft for entry in self._entries}
        return self._drafts | {turn: text for turn, text in shown.items() if text is not None}

    def set_drafts(self, drafts: Mapping[int, str]) -> None:
        """Let the user go on writing these."""
        self._drafts = dict(drafts)
        for entry in self._entries:
            if entry.turn.id in drafts:
                self._make(entry)
                self._resume(entry)

    def clear(self) -> None:
        """Show nothing. What was being written comes back with its turn."""
        self._drafts = self.drafts
        self._remove(0)
        self._following = True
        self.jump.hide()
        self._place()

    def set_turns(self, turns: Sequence[Turn]) -> None:
        """Show another conversation, from its end."""
        self.clear()
        self.show_turns(turns)

    def show_turns(self, turns: Sequence[Turn]) -> None:
        """The turns of the conversation are these now. Those that stay are left as they are, with what is
        selected and written in them; to a new one the view goes, for it is the user's doing."""
        gone = {entry.turn.id: entry for entry in self._entries}
        self._entries, ended = [], []
        for turn in turns:
            entry = gone.pop(turn.id, None)
            if entry is None:
                entry = _Entry(turn)
                self._following = True
            elif self._take(entry, turn):
                ended.append(entry)
            self._entries.append(entry)
        self._discard([*gone.values()])
        if self._following:
            self.jump.hide()
        self._mark_superseded()
        self._place()
        self._work(_FIRST_SLICE_S)
        for entry in ended:
            self._announce_end(entry)
        for entry in gone.values():
            if entry.turn.state is TurnState.STREAMING:
                # Nothing had come of it.
                self._announce(ending(replace(entry.turn, state=TurnState.STOPPED)))

    def add_turn(self, turn: Turn) -> None:
        """A new turn at the end; the view goes there, for it is the user's doing."""
        self._entries.append(_Entry(turn))
        self._following = True
        self._mark_superseded()
        self._work(_FIRST_SLICE_S)

    def update_turn(self, turn: Turn) -> None:
        """A turn is another one now. Text that came stays when one has ended without its own."""
        entry = self._find(turn.id)
        if entry is None:
            return
        ended = self._take(entry, turn)
        if turn.state is TurnState.DONE and turn.replaces is not None:
            self._drop(turn.replaces, turn.id)
        self._mark_superseded()
        self._work(_FIRST_SLICE_S)
        if ended:
            self._announce_end(entry)

    def grow(self, turn_id: int, text: str) -> None:
        """The whole text of a streaming answer by now; it is shown soon, together with what follows."""
        entry = self._find(turn_id)
        if entry is None or entry.turn.text == text:
            return
        first = not entry.turn.text.strip()
        entry.turn = replace(entry.turn, text=text)
        entry.dirty = True
        if first and entry.widget is not None:
            self._show(entry)
        if not self._following:
            self._offer_jump()
        if not self._pieces.isActive():
            self._pieces.start()

    def add_note(self, turn_id: int, text: str) -> None:
        """One line about a step that had to be taken to answer."""
        entry = self._find(turn_id)
        if entry is not None and text not in entry.notes:
            entry.notes.append(text)
            self._changed(entry)

    def set_progress(self, turn_id: int, text: str, percent: float | None = None) -> None:
        """What an answer waits for, shown until its first word; ``percent`` of it is done."""
        entry = self._find(turn_id)
        if entry is not None and entry.progress != (text, percent):
            entry.progress = (text, percent)
            self._changed(entry)

    def remove_from(self, turn_id: int) -> None:
        """This turn and all after it are gone."""
        entry = self._find(turn_id)
        if entry is not None:
            self._remove(self._entries.index(entry))
            self._mark_superseded()
            self._place()

    def set_text_size(self, pixels: int) -> None:
        """Another size of text, in logical pixels."""
        self._text_size = pixels
        self._restyle()

    def show_copied(self) -> bool:
        """Say on the button of the answer that was copied that it is in the clipboard now; False when
        the text came from elsewhere."""
        answer, self._copied_from = self._copied_from, None
        if answer is not None:
            answer.show_copied()
        return answer is not None

    def go_to_end(self) -> None:
        """Show the newest text, and follow it."""
        self._following = True
        self.jump.hide()
        self._to_end()

    # ---- turns

    def _take(self, entry: _Entry, turn: Turn) -> bool:
        """Its turn is another one now. Whether it has ended by that."""
        if turn == entry.turn:
            return False
        ended = entry.turn.state is TurnState.STREAMING and turn.state is not TurnState.STREAMING
        if not turn.text and turn.state not in (TurnState.STREAMING, TurnState.DONE):
            turn = replace(turn, text=entry.turn.text)
        entry.turn = turn
        entry.dirty = True
        if entry.widget is not None:
            self._show(entry)
        return ended

    def _find(self, turn_id: int) -> _Entry | None:
        # Mostly it is the last one.
        return next((entry for entry in reversed(self._entries) if entry.turn.id == turn_id), None)

    def _drop(self, first: int, end: int) -> None:
        """The turns from ``first`` to before ``end`` have been replaced."""
        gone = [entry for entry in self._entries if first <= entry.turn.id < end]
        self._entries = [entry for entry in self._entries if entry not in gone]
        self._discard(gone)

    def _remove(self, index: int) -> None:
        gone, self._entries = self._entries[index:], self._entries[:index]
        self._discard(gone)

    def _discard(self, entries: Sequence[_Entry]) -> None:
        for entry in entries:
            if entry.widget is None:
                continue
            if entry.widget is self._copied_from:
                self._copied_from = None
            entry.widget.hide()
            entry.widget.deleteLater()
            entry.widget = None

    def _mark_superseded(self) -> None:
        """Which answers another one is about to replace."""
        spans = [
            (entry.turn.replaces, entry.turn.id)
            for entry in self._entries
            if entry.turn.replaces is not None and entry.turn.state is TurnState.STREAMING
        ]
        for entry in self._entries:
            old = entry.turn.role is Role.ASSISTANT and any(
                first <= entry.turn.id < end for first, end in spans if first is not None
            )
            if old != entry.superseded:
                entry.superseded, entry.dirty = old, True
                if isinstance(entry.widget, AnswerTurn):
                    entry.widget.set_superseded(old)

    def _changed(self, entry: _Entry) -> None:
        entry.dirty = True
        if entry.widget is not None:
            self._show(entry)
        self._work(_SLICE_S)

    def _show(self, entry: _Entry) -> None:
        """Give its widget what is known of the turn."""
        widget = entry.widget
        if isinstance(widget, AnswerTurn):
            widget.set_progress(*entry.progress)
            widget.set_notes(entry.all_notes)
            widget.show_turn(entry.turn)
        elif widget is not None:
            widget.show_turn(entry.turn)

    def _make(self, entry: _Entry) -> None:
        if entry.widget is not None:
            return
        widget = make_turn(entry.turn, self._theme, self._text_size, self._column)
        widget.copy_requested.connect(self._copy)
        widget.delete_requested.connect(self.delete_requested)
        widget.link_activated.connect(self.link_activated)
        widget.resized.connect(self._resized)
        widget.text.cursor_moved.connect(self._show_cursor)
        if isinstance(widget, AnswerTurn):
            widget.regenerate_requested.connect(self.regenerate_requested)
            widget.retry_requested.connect(self.retry_requested)
            widget.set_superseded(entry.superseded)
        else:
            widget.edit_requested.connect(self.edit_requested)
        widget.reached.connect(self._show_part)
        entry.widget, entry.dirty = widget, True
        self._show(entry)
        self._resume(entry)

    def _resume(self, entry: _Entry) -> None:
        """Let the user go on with what was being written in the place of a question."""
        if isinstance(entry.widget, QuestionTurn) and entry.turn.id in self._drafts:
            entry.widget.start_edit(self._drafts.pop(entry.turn.id))

    def _copy(self, text: str) -> None:
        sender = self.sender()
        self._copied_from = sender if isinstance(sender, AnswerTurn) else None
        self.copy_requested.emit(text)

    # ---- rendering

    def _work(self, seconds: float = _SLICE_S) -> None:
        """Render for about as long; the rest soon."""
        until = time.perf_counter() + seconds
        made = False
        while (entry := self._next_to_render()) is not None:
            if entry.widget is None:
                self._make(entry)
                made = True
            assert entry.widget is not None
            entry.widget.text.set_text(entry.turn.text)
            entry.widget.text.work(until)
            self._measure(entry)
            self._place()
            if time.perf_counter() > until:
                break
        if made:
            self._chain_focus()
        if self._next_to_render() is not None:
            self._idle.start()

    def _next_to_render(self) -> _Entry | None:
        """What is in view first, then from the end upwards."""
        if not self._entries:
            return None
        first, last = self._in_view()
        for entry in reversed(self._entries[first : last + 1]):
            if not entry.ready:
                return entry
        return next((entry for entry in reversed(self._entries) if not entry.ready), None)

    def _in_view(self) -> tuple[int, int]:
        top = self.verticalScrollBar().value()
        tops = [entry.y for entry in self._entries]
        first = max(0, bisect.bisect_right(tops, top) - 1)
        last = max(first, bisect.bisect_right(tops, top + self.viewport().height()) - 1)
        return first, last

    def _finish(self, entry: _Entry) -> None:
        assert entry.widget is not None
        entry.widget.text.set_text(entry.turn.text)
        entry.widget.text.finish()
        self._measure(entry)

    def _measure(self, entry: _Entry) -> None:
        assert entry.widget is not None
        width = self._width()
        entry.height = entry.widget.lay_out(width)
        entry.widget.resize(width, entry.height)
        entry.dirty = False

    def _guess(self, entry: _Entry) -> int:
        characters = max(20, self._width() // (self._text_size * 2 // 3))
        lines = len(entry.turn.text) // characters + entry.turn.text.count("\n") + 1
        return lines * _GUESSED_LINE + 10 * STEP

    def _width(self) -> int:
        """Of the turns; always with room for the scroll bar, so that nothing moves when it comes."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self.verticalScrollBar())
        return max(120, self.width() - 2 * _MARGIN - bar // 2)

    def _resized(self, turn_id: int) -> None:
        entry = self._find(turn_id)
        if entry is not None and entry.widget is not None:
            self._measure(entry)
            self._place()
            if isinstance(entry.widget, QuestionTurn):
                self._chain_focus()
                if entry.widget.editor is not None:
                    self._reveal(entry.widget.geometry())

    # ---- places

    def _place(self) -> None:
        """Put every turn where it belongs; what the user reads stays where it is."""
        bar = self.verticalScrollBar()
        anchor = self._anchor()
        offset = bar.value() - anchor.y if anchor is not None else 0
        y = _MARGIN
        for entry in self._entries:
            if entry.widget is None:
                entry.height = entry.height or self._guess(entry)
            entry.y = y
            if entry.widget is not None:
                if entry.widget.pos().x() != _MARGIN or entry.widget.pos().y() != y:
                    entry.widget.move(_MARGIN, y)
                if entry.widget.isHidden():
                    entry.widget.show()
            y += entry.height + (_AFTER_QUESTION if entry.turn.role is Role.USER else _AFTER_ANSWER)
        self._placing = True
        self._column.resize(max(1, self.viewport().width()), max(1, y))
        if self._following:
            self._to_end()
        elif anchor is not None:
            bar.setValue(anchor.y + offset)
        self._placing = False

    def _anchor(self) -> _Entry | None:
        """The turn that shall not move: the first one that begins in view, for one above may get longer."""
        if not self._entries:
            return None
        first, last = self._in_view()
        above = self._entries[first].y < self.verticalScrollBar().value()
        return self._entries[first + 1 if above and first < last else first]

    def _to_end(self) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _scrolled(self, value: int) -> None:
        if self._placing:
            return
        self._following = value >= self.verticalScrollBar().maximum() - 2 * STEP
        if self._following:
            self.jump.hide()
        if self._next_to_render() is not None:
            self._idle.start()

    def _offer_jump(self) -> None:
        self.jump.adjustSize()
        place = QRect(0, 0, self.jump.width(), self.jump.height())
        place.moveCenter(self.viewport().geometry().center())
        place.moveBottom(self.viewport().geometry().bottom() - 2 * STEP)
        self.jump.setGeometry(place)
        self.jump.show()
        self.jump.raise_()

    def _reveal(self, place: QRect) -> None:
        """Scroll as little as needed to show ``place`` (in the column)."""
        bar = self.verticalScrollBar()
        height = self.viewport().height()
        if place.top() < bar.value() or place.height() > height:
            bar.setValue(place.top() - 2 * STEP)
        elif place.bottom() > bar.value() + height:
            bar.setValue(place.bottom() - height + 2 * STEP)

    def _show_cursor(self) -> None:
        text = self.sender()
        if isinstance(text, QWidget):
            rect = text.cursorRect()  # type: ignore[attr-defined]
            self._reveal(QRect(text.mapTo(self._column, rect.topLeft()), rect.size()))

    def _show_part(self, part: QWidget) -> None:
        """Scroll to what the keyboard came to: the whole turn, where there is room for it."""
        turn = part.parentWidget()
        place = turn.geometry()
        if place.height() + 4 * STEP > self.viewport().height():
            place = QRect(part.mapTo(self._column, QPoint(0, 0)), part.size())
        self._reveal(place)

    def _chain_focus(self) -> None:
        """Tab goes through the turns in their order, whichever was made first."""
        parts = [
            part for entry in self._entries if entry.widget is not None for part in entry.widget.focus_parts
        ]
        for before, after in pairwise((self.jump, *parts)):
            QWidget.setTabOrder(before, after)

    # ---- events

    def focusNextPrevChild(self, following: bool) -> bool:
        # A scroll area would go to the text cursor, which may stand anywhere in the turn: see _show_part.
        return QWidget.focusNextPrevChild(self, following)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            for entry in self._entries:
                entry.dirty = True
            self._work()
        else:
            self._place()
        if not self.jump.isHidden():
            self._offer_jump()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self._entries:
            for entry in self._entries:
                entry.dirty = True
            self._idle.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        page = max(bar.singleStep(), self.viewport().height() - bar.singleStep())
        if event.key() == Qt.Key.Key_PageUp:
            bar.setValue(bar.value() - page)
        elif event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_Space):
            bar.setValue(bar.value() + page)
        elif event.matches(QKeySequence.StandardKey.MoveToStartOfDocument):
            bar.setValue(0)
        elif event.matches(QKeySequence.StandardKey.MoveToEndOfDocument):
            self.go_to_end()
        else:
            event.ignore()

    def _restyle(self) -> None:
        for entry in self._entries:
            if entry.widget is not None:
                entry.widget.set_text_size(self._text_size)
            entry.dirty = True
        self._work()

    def _announce_end(self, entry: _Entry) -> None:
        """Tell screen readers once, when all of it is there."""
        turn = entry.turn
        if turn.state is TurnState.FAILED:
            told = error_sentence(turn.error) if turn.error is not None else self.tr("The answer failed.")
        else:
            told = " ".join(filter(None, (turn.text[:_SPOKEN_CHARACTERS].strip(), ending(turn))))
        self._announce(told)

    def _announce(self, told: str) -> None:
        self._announcement = self.tr("Answer: {0}").format(told)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self._announcement))
