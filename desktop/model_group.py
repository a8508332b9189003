"""The models of one kind in the window with all of them: a heading, and a card for each."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.model_rows import FolderRow, ModelRow
from desktop.model_survey import Survey
from desktop.offer_panel import show, words
from desktop.theme import STEP, set_kind, set_role


class ModelGroup(QWidget):
    """``role`` is what its models are for (``ocr``, ``vision``)."""

    def __init__(self, role: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.role = role
        self.heading = QLabel(title)
        set_role(self.heading, "heading")
        self.automatic = QPushButton(self.tr("Choose automatically"))
        set_kind(self.automatic, "ghost")
        self.automatic.hide()
        self.note = words("muted")
        self.note.hide()
        self.folder_row = FolderRow()
        self.folder_row.hide()
        top = QHBoxLayout()
        top.addWidget(self.heading, 0, Qt.AlignmentFlag.AlignVCenter)
        top.addStretch(1)
        top.addWidget(self.automatic)
        self._cards = QVBoxLayout(self)
        self._cards.setContentsMargins(0, 0, 0, 0)
        self._cards.setSpacing(3 * STEP)
        self._cards.addLayout(top)
        self._cards.addWidget(self.note)
        self._cards.addWidget(self.folder_row)

    def show_survey(self, survey: Survey, may_choose: bool, note: str) -> None:
        """``may_choose``: the choice may be left to the program, which is not so now."""
        self.folder_row.show_chosen(survey, self.role)
        self.automatic.setVisible(may_choose)
        show(self.note, note)

    def take(self, row: ModelRow) -> None:
        """Show the card as the last one."""
        if row.parentWidget() is not self:
            self._cards.addWidget(row)
            row.show()

    def drop(self, row: ModelRow) -> None:
        self._cards.removeWidget(row)
