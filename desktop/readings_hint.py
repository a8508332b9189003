"""The line under the text: what to think of this reading, and the way to the others."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from desktop.readings_stepper import HEIGHT, Stepper
from desktop.theme import STEP, set_role


class HintLine(QWidget):
    """A remark, the number of other readings with the key that leads to them, and the control at the end."""

    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._remark, self._count, self._offered = "", "", False
        self._height = 0
        self._label = QLabel()
        set_role(self._label, "muted")
        self._key = key_label("Tab", "← →")
        self.stepper = Stepper()
        self.stepper.stepped.connect(self.stepped)
        self.stepper.focused.connect(self._show_key)
        self._row = QHBoxLayout(self)
        self._row.setSpacing(STEP)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self._label)
        self._row.addWidget(self._key)
        self._row.addStretch()
        self._row.addWidget(self.stepper)

    @property
    def text(self) -> str:
        """All of it in one row."""
        return f"{self._remark} {self._count}".strip()

    def show_words(self, remark: str) -> None:
        """Only a sentence; nothing at all when it is empty."""
        self._show(remark, 0, 1, offer=False, counted=False)
        self._height = 0

    def show_reading(
        self, remark: str, place: int, count: int, offer: bool = False, counted: bool = False
    ) -> None:
        """The reading at ``place`` (from 0) of ``count``.

        With ``offer`` the key to the others is shown, else they are there quietly; ``counted``: say how many.
        """
        self._show(remark, place, count, offer and count > 1, counted and count > 1)
        self._height = max(self._height, HEIGHT)

    def _show(self, remark: str, place: int, count: int, offer: bool, counted: bool) -> None:
        others = self.tr("1 other reading") if count == 2 else self.tr("{count} other readings")
        self._remark, self._offered = remark, offer
        self._count = others.format(count=count - 1) if counted else ""
        self.stepper.show_place(place, count)
        self.stepper.setVisible(count > 1)
        self._label.setText(self.text)
        self._label.setVisible(bool(self.text))
        self._show_key()
        self.setVisible(bool(self.text) or count > 1)

    def _show_key(self) -> None:
        """The key for what comes next: to the control, and once there, through the readings."""
        there = self.stepper.has_keyboard()
        self._key.setText("← →" if there else "Tab")
        self._key.setVisible(self._offered or there)

    def fit(self, width: int) -> None:
        """Break the words where they are too long for the room beside the control."""
        room = width
        for part in (self._key, self.stepper):
            if part.isVisibleTo(self):
                room -= part.sizeHint().width() + STEP
        measure = self._label.fontMetrics().horizontalAdvance
        text = self.text
        if self._count and measure(text) > room:
            text = f"{self._remark}\n{self._count}"
        wraps = max(map(measure, text.split("\n"))) > room
        # A label that may wrap does so early, unless it is given all the room.
        self._label.setWordWrap(wraps)
        self._row.setStretchFactor(self._label, int(wraps))
        self._label.setText(text)
        # Never less high than for another reading, so that nothing moves when the user goes through them.
        words = self._label.heightForWidth(room) if wraps else self._label.sizeHint().height()
        self._height = max(self._height, words)
        self.setMinimumHeight(self._height)


def key_label(*texts: str) -> QLabel:
    """The picture of a key, with room for the widest of ``texts``; it shows the first."""
    label = QLabel()
    set_role(label, "key")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    sizes = []
    for text in reversed(texts):
        label.setText(text)
        sizes.append(label.sizeHint())
    label.setFixedHeight(max(size.height() for size in sizes))
    label.setMinimumWidth(max(size.width() for size in sizes))
    return label
