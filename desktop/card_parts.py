"""What stands on the result card, and where; the card decides what of it is shown."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from core.alternatives import Variant
from core.types import OcrResult
from desktop.card_window import CONTENT_WIDTH
from desktop.doubt import doubtful_characters, likelihoods
from desktop.readings_facts import Facts
from desktop.readings_hint import HintLine, key_label
from desktop.readings_text import LINE_HEIGHT, ReadText
from desktop.theme import STEP, Tokens, set_japanese, set_kind, set_role

translate = QCoreApplication.translate

_MOST_LINES = 8


class CardParts:
    """The widgets of ``card``, in a layout that becomes the card's own."""

    def __init__(self, card: QWidget) -> None:
        self._card = card
        self._text_size = 0
        self.text = ReadText(card)
        self.text.setAccessibleName(translate("ResultCard", "Text that was read"))
        self.close = _button("×", "icon")
        self.close.setAccessibleName(translate("ResultCard", "Close"))
        self.close.setToolTip(translate("ResultCard", "Close (Esc)"))
        # Above the text, in the margin: it takes no room, so nothing moves when it goes.
        self.bar = QProgressBar(card)
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(translate("ResultCard", "Reading"))
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.hint = HintLine()
        self.stepper = self.hint.stepper
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.copy = _button(translate("ResultCard", "Copied ✓"))
        # As wide as with the longer word, so that nothing moves when the text has been copied.
        self.copy.setMinimumWidth(self.copy.sizeHint().width())
        self.show_copied(False)
        self.ask = _button(translate("ResultCard", "Ask"))
        self.ask.setToolTip(translate("ResultCard", "Ask about the picture in the side panel"))
        self.again = _button(translate("ResultCard", "Read again"))
        self.edit = _button(translate("ResultCard", "Edit"), "ghost")
        self.done = _button(translate("ResultCard", "Done"), "primary")
        self.undo = _button(translate("ResultCard", "Cancel"), "ghost")
        self._editing_parts = (self.done, key_label("Ctrl+Enter"), self.undo, key_label("Esc"))
        self.facts = Facts()
        self._lay_out(card)

    def _lay_out(self, card: QWidget) -> None:
        top = QHBoxLayout()
        top.setSpacing(STEP)
        top.addWidget(self.text, 1)
        top.addWidget(self.status, 1)
        top.addWidget(self.close, 0, Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout()
        row.setSpacing(2 * STEP)
        for widget in (self.copy, self.ask, self.again, self.edit, *self._editing_parts):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.facts)
        column = QVBoxLayout(card)
        column.setSpacing(STEP)
        column.addLayout(top)
        column.addWidget(self.hint)
        column.addWidget(self.note)
        self._row = QWidget()
        self._row.setLayout(row)
        row.setContentsMargins(0, STEP, 0, 0)
        column.addWidget(self._row)
        order = (
            *(self.text, self.stepper.back, self.stepper.forward, self.copy, self.ask, self.again, self.edit),
            *(self.done, self.undo, self.close),
        )
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    # ---- text

    def set_text_size(self, pixels: int) -> None:
        self._text_size = pixels
        set_japanese(self.text, pixels)

    def show_text(self, text: str) -> None:
        self.text.show_text(text, self._text_size)

    def mark(self, result: OcrResult, tokens: Tokens, final: bool) -> None:
        """Dots under doubtful characters, muted ink for what is not ``final``."""
        if final:
            self.text.mark(likelihoods(result), doubtful_characters(result), tokens.color("warn"))
        else:
            self.text.mark(likelihoods(result), ink=tokens.color("muted"))

    # ---- which parts are shown

    def fill(self, text: bool, status: str, role: str, hint: str, again: str) -> None:
        """Either the text, which ``show_text`` sets, or a ``status``; a hint, the button that reads again."""
        self.text.setVisible(text)
        self.status.setVisible(not text)
        self.status.setText(status)
        set_role(self.status, role)
        self.copy.setVisible(text)
        self.ask.setVisible(True)
        self.edit.setVisible(text)
        self.again.setVisible(bool(again))
        self.again.setText(again)
        self.facts.setVisible(False)
        if not text:
            self.show_text("")
        self.hint.show_words(hint)

    def show_bar(self, on: bool) -> None:
        self.bar.setVisible(on)

    def show_facts(self, variant: Variant, visible: bool = True) -> None:
        self.facts.show_facts(variant)
        self.facts.setVisible(visible)

    def show_note(self, text: str, bad: bool) -> None:
        self.note.setText(text)
        set_role(self.note, "bad" if bad else "muted")
        self.note.setVisible(bool(text))

    def show_copied(self, copied: bool) -> None:
        copy, done = translate("ResultCard", "Copy"), translate("ResultCard", "Copied ✓")
        self.copy.setText(done if copied else copy)
        set_kind(self.copy, "primary" if copied else "")

    def offer_again(self, editing: bool) -> None:
        """The button that reads again, unless there is nothing to read or the text is being edited."""
        self.again.setVisible(bool(self.again.text()) and not editing)

    # ---- editing

    @property
    def editing(self) -> bool:
        return not self.text.isReadOnly()

    def begin_edit(self) -> None:
        self.text.mark()
        self.text.set_editable(True)
        for widget in (self.copy, self.ask, self.again, self.edit):
            widget.setVisible(False)
        for widget in self._editing_parts:
            widget.setVisible(True)

    def end_edit(self) -> None:
        self.text.set_editable(False)
        for widget in self._editing_parts:
            widget.setVisible(False)

    def show_buttons(self) -> None:
        """Those for a text that is not being edited."""
        for widget in (self.copy, self.ask, self.edit):
            widget.setVisible(True)
        self.offer_again(False)

    # ---- sizes

    def fit(self) -> None:
        """Give every part the room that its words need."""
        most = _MOST_LINES * LINE_HEIGHT * self._text_size
        self.text.fit(CONTENT_WIDTH - STEP - self.close.width(), most)
        self.hint.fit(CONTENT_WIDTH)
        self.facts.fit(self._room_for_facts())
        margins = self._card.layout().contentsMargins()
        height = self.bar.sizeHint().height()
        self.bar.setGeometry(margins.left(), margins.top() - 2 * STEP, CONTENT_WIDTH, height)

    def _room_for_facts(self) -> int:
        parts = (self.copy, self.ask, self.again, self.edit)
        buttons = [part for part in parts if part.isVisibleTo(self._row)]
        taken = sum(max(part.sizeHint().width(), part.minimumWidth()) + 2 * STEP for part in buttons)
        # The stretch between them has its spacing, too.
        return CONTENT_WIDTH - taken - 2 * STEP


def _button(text: str, kind: str = "") -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(True)
    set_kind(button, kind)
    return button
