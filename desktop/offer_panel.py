"""A download before it begins: what it takes, and what has to be agreed to."""

from __future__ import annotations

import os

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.memory import format_bytes
from core.models.entries import DownloadPlan, ModelEntry
from desktop.model_texts import plan_text
from desktop.texts import breakable
from desktop.theme import STEP, set_kind, set_role

_HUB = "https://huggingface.co"


def words(role: str = "") -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    set_role(label, role)
    return label


def show(label: QLabel, text: str, role: str | None = None) -> None:
    if role is not None:
        set_role(label, role)
    label.setText(breakable(text))
    label.setVisible(bool(text))


class OfferPanel(QFrame):
    """Size, free disk space and licence; one that is not open is accepted here."""

    accepted = Signal(bool)
    """Download; whether a licence was accepted with it."""
    refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan: DownloadPlan | None = None
        self._must_accept = False
        self.text = words()
        self.link = QLabel()
        self.link.setOpenExternalLinks(True)
        self.link.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.link.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.accept = QCheckBox(self.tr("I have read the licence and accept it"))
        self.accept.toggled.connect(self._show_state)
        self.problem = words("bad")
        self.download = QPushButton(self.tr("Download"))
        set_kind(self.download, "primary")
        self.download.clicked.connect(lambda: self.accepted.emit(self._must_accept))
        self.refuse = QPushButton(self.tr("Not now"))
        self.refuse.clicked.connect(self.refused)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * STEP)
        buttons.addWidget(self.download)
        buttons.addWidget(self.refuse)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * STEP)
        for widget in (self.text, self.link, self.accept, self.problem):
            layout.addWidget(widget)
        layout.addLayout(buttons)

    def show_plan(self, plan: DownloadPlan | None, entry: ModelEntry) -> None:
        self.setVisible(plan is not None)
        if plan is None or plan == self._plan:
            self._plan = plan
            return
        self._plan = plan
        self.text.setText(plan_text(plan))
        url = licence_url(entry, plan)
        self.link.setText(f'<a href="{url}">{self.tr("Read the licence")}</a>')
        self.link.setAccessibleName(self.tr("Read the licence"))
        self.link.setToolTip(url)
        self._must_accept = not plan.licence_open and not plan.licence_accepted
        self.accept.setChecked(False)
        self.accept.setVisible(self._must_accept)
        self.download.setAccessibleName(f"{self.download.text()}: {entry.title}")
        lacking = plan.disk_bytes - plan.free_disk
        show(
            self.problem,
            self.tr("The disk has too little room: {0} more are needed.").format(format_bytes(lacking))
            if lacking > 0
            else "",
        )
        self._show_state()

    def _show_state(self) -> None:
        plan = self._plan
        room = plan is not None and plan.disk_bytes <= plan.free_disk
        self.download.setEnabled(room and (self.accept.isChecked() or not self._must_accept))


def licence_url(entry: ModelEntry, plan: DownloadPlan) -> str:
    """Where the licence can be read: the catalogue's link, else the model's own page."""
    if entry.known is not None:
        return entry.known.licence_url
    return f"{os.environ.get('HF_ENDPOINT') or _HUB}/{plan.repo}"
