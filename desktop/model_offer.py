"""What gets one model here, wherever it is offered: the button, the question before, the download."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from core.memory import format_bytes
from core.models import licences
from core.models.entries import DownloadPlan, ModelEntry
from desktop.download_panel import DownloadPanel, ask_to_cancel
from desktop.keyboard import can_have_keyboard
from desktop.model_survey import Chosen
from desktop.model_tasks import Doing, ModelTasks, Task
from desktop.model_texts import download_button
from desktop.offer_panel import OfferPanel
from desktop.theme import set_kind

_ROUNDED = 1.05
"""The catalogue's sizes are rounded; a download that is larger than this is asked about again."""


class ModelOffer(QFrame):
    """The parts, for a widget that lays them out; ``repo`` is the hub id of the model that is shown, empty
    for none."""

    choose_requested = Signal()
    """Show the models there are."""

    def __init__(self, tasks: ModelTasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.repo = ""
        # The size that was told when the download was asked for here; None when it was not.
        self._agreed: int | None = None
        self.offer = OfferPanel()
        self.offer.accepted.connect(self._accepted)
        self.offer.refused.connect(self._refused)
        self.panel = DownloadPanel()
        self.panel.pause_requested.connect(self._pause)
        self.panel.resume_requested.connect(self._resume)
        self.panel.cancel_requested.connect(self._cancel)
        self.download = QPushButton()
        set_kind(self.download, "primary")
        self.download.clicked.connect(self._download)
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.clicked.connect(self._pause)
        self.choose = QPushButton(self.tr("Choose another…"))
        self.choose.setAccessibleName(self.tr("Choose another model…"))
        self.choose.clicked.connect(self.choose_requested)

    def first_part(self) -> QWidget | None:
        """What can be done with the model, the likeliest first."""
        parts = (
            *(self.offer.accept, self.offer.download, self.panel.resume, self.panel.pause),
            *(self.stop, self.download, self.choose),
        )
        return next((part for part in parts if can_have_keyboard(part, self)), None)

    # ---- for those that show it

    def _take(self, repo: str) -> None:
        """This model is shown from now on."""
        if repo != self.repo:
            self.repo, self._agreed = repo, None

    def _offer_nothing(self) -> None:
        self._take("")
        for part in (self.offer, self.panel, self.download, self.stop):
            part.hide()
        self.choose.show()

    def _show_offer(self, chosen: Chosen, task: Task, paused: bool) -> bool:
        """Show what can be done with the model now; whether its files are on their way."""
        entry = chosen.entry
        transfer = task.transfers or task.doing is Doing.IMPORT or paused
        quiet = task.doing is None and task.offer is None
        if entry is not None:
            self.offer.show_plan(task.offer if task.doing is None and not chosen.here else None, entry)
            self.panel.setVisible(transfer)
            if transfer:
                self.panel.show_download(entry.title, task, entry)
        else:
            self.offer.hide()
            self.panel.hide()
        self.download.setVisible(
            quiet and not chosen.here and not paused and entry is not None and entry.from_hub
        )
        # Where its licence is an open one, all is said here: no question follows.
        needed = entry.needed_bytes if entry is not None else 0
        simple = bool(needed) and entry is not None and licences.is_open(entry.licence)
        text = self.tr("Download ({0})").format(format_bytes(needed)) if simple else download_button(needed)
        self.download.setText(text)
        self.download.setAccessibleName(f"{text}: {chosen.title}")
        self.stop.setVisible(task.doing in (Doing.PLAN, Doing.CHECK, Doing.VERIFY))
        # While it comes there is Cancel.
        self.choose.setVisible(not transfer)
        return transfer

    def _waiting(self, task: Task) -> str:
        """What is waited for, empty for nothing."""
        waiting = {
            Doing.PLAN: self.tr("Asking the hub…"),
            Doing.CHECK: self.tr("Asking the hub for a newer revision…"),
            Doing.VERIFY: self.tr("Checking the files…"),
            Doing.REMOVE: self.tr("Deleting…"),
        }
        return waiting.get(task.doing, "") if task.doing is not None else ""

    def _goes_ahead(self, task: Task, entry: ModelEntry) -> bool:
        """Begin the download that was agreed to here, if the hub says what was told; whether it began."""
        if self._agreed is None or task.doing is not None:
            return False
        agreed, self._agreed, plan = self._agreed, None, task.offer
        if plan is None or not _as_told(plan, agreed):
            return False
        # What follows is shown by the change that it makes.
        self._tasks.download(entry.repo)
        return True

    # ---- doing

    def _download(self) -> None:
        entry = self._tasks.entry(self.repo)
        if entry is None:
            return
        self._agreed = entry.needed_bytes if licences.is_open(entry.licence) else 0
        self._tasks.plan(self.repo)

    def _accepted(self, accept_licence: bool) -> None:
        self._tasks.download(self.repo, accept_licence)

    def _refused(self) -> None:
        self._tasks.dismiss(self.repo)

    def _pause(self) -> None:
        self._agreed = None
        self._tasks.pause(self.repo)

    def _resume(self) -> None:
        self._tasks.resume(self.repo)

    def _cancel(self) -> None:
        ask_to_cancel(self, self._tasks, self.repo)


def _as_told(plan: DownloadPlan, size: int) -> bool:
    """Whether a download is what was said before the click: no larger, under an open licence, with room."""
    fits = plan.disk_bytes <= plan.free_disk
    return plan.licence_open and fits and not plan.will_convert and plan.total_bytes <= size * _ROUNDED
