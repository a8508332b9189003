"""What stands above the question's field while there are more pictures than the model looks at."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from core.errors import YomitoriError
from desktop.offer_panel import show, words
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP
from desktop.turning_row import TurningRow


class SeveralPictures(QWidget):
    """Hidden while the model looks at all there are."""

    part_requested = Signal()
    """A conversation of its own for the last picture."""
    take_out_requested = Signal()
    """The last picture shall leave the conversation."""
    models_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told = ""
        self.text = words()
        self.part = QPushButton(self.tr("Ask about the last one alone"))
        self.part.setToolTip(self.tr("Begins a conversation with the last picture"))
        self.take_out = QPushButton(self.tr("Take the last one out"))
        self.models = QPushButton(self.tr("Models…"))
        self.part.clicked.connect(self.part_requested)
        self.take_out.clicked.connect(self.take_out_requested)
        self.models.clicked.connect(self.models_requested)
        for button in (self.part, self.take_out, self.models):
            button.setAutoDefault(True)
            # A click leaves the keyboard in the question's field.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * STEP)
        column.addWidget(self.text)
        column.addWidget(self.part, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(TurningRow(self.take_out, self.models))
        self.hide()

    def show_problem(self, problem: YomitoriError | None) -> None:
        """Say it, also to screen readers; None: there is no more in the way."""
        told = "" if problem is None else f"{error_sentence(problem)} {error_hint(problem)}".strip()
        if told and told != self._told:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, told))
        self._told = told
        show(self.text, told)
        self.setVisible(bool(told))
