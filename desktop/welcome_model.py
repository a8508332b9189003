"""The model that answers, on the panel's first page: which one, whether it fits, how it gets here."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from core.devices import Device
from core.memory import format_bytes
from core.models import licences
from core.models.entries import DownloadPlan, ModelEntry
from core.models.estimate import Fit
from desktop.download_panel import DownloadPanel, ask_to_cancel
from desktop.keyboard import can_have_keyboard, keyboard_stays
from desktop.model_survey import Chosen, Survey
from desktop.model_tasks import Doing, ModelTasks, Task
from desktop.model_texts import download_button, fit_text, licence_title, renamed_text, translate, what_for
from desktop.offer_panel import OfferPanel, show, words
from desktop.texts import device_word, error_hint, error_sentence
from desktop.theme import STEP, set_kind, set_role
from desktop.turning_row import TurningRow

_ROUNDED = 1.05
"""The catalogue's sizes are rounded; a download that is larger than this is asked about again."""


class ModelCard(QFrame):
    """``repo`` is the hub id of the model that is shown, empty for none."""

    choose_requested = Signal()

    def __init__(self, tasks: ModelTasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self._tasks = tasks
        self.repo = ""
        # The size that was told when the download was asked for here; None when it was not.
        self._agreed: int | None = None
        self.title = words("strong")
        self.size = QLabel()
        set_role(self.size, "muted")
        self.purpose = words("muted")
        self.fit = words("muted")
        self.licence = words("muted")
        self.status = words()
        self.hint = words("muted")
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
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(3 * STEP)
        top.addWidget(self.title, 1)
        top.addWidget(self.size, 0, Qt.AlignmentFlag.AlignTop)
        about = QVBoxLayout()
        about.setSpacing(2)
        about.addLayout(top)
        for label in (self.purpose, self.fit, self.licence):
            about.addWidget(label)
        outcome = QVBoxLayout()
        outcome.setSpacing(2)
        outcome.addWidget(self.status)
        outcome.addWidget(self.hint)
        self.buttons = TurningRow(self.download, self.stop, self.choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * STEP, 3 * STEP, 3 * STEP, 3 * STEP)
        layout.setSpacing(2 * STEP)
        layout.addLayout(about)
        layout.addLayout(outcome)
        layout.addWidget(self.offer)
        layout.addWidget(self.panel)
        layout.addWidget(self.buttons)

    # ---- showing

    def refresh(self) -> None:
        """Show the model that would answer now, and how it stands."""
        with keyboard_stays(self, lambda _: self._successor()):
            survey = self._tasks.survey
            if survey is None:
                self._show_nothing(self.tr("Looking for models…"), "muted")
                return
            chosen = survey.asking
            if chosen.entry is None and chosen.checkpoint is None:
                problem = chosen.problem
                self._show_nothing(self.tr("No model can answer"), "strong")
                none = self.tr("There is no model to choose.")
                show(self.status, none if problem is None else error_sentence(problem), "bad")
                show(self.hint, "" if problem is None else error_hint(problem))
                return
            self._show_chosen(chosen, survey)

    def _successor(self) -> QWidget | None:
        parts = (
            *(self.offer.accept, self.offer.download, self.panel.resume, self.panel.pause),
            *(self.stop, self.download, self.choose),
        )
        return next((part for part in parts if can_have_keyboard(part, self)), None)

    def _show_nothing(self, title: str, role: str) -> None:
        self.repo = ""
        show(self.title, title, role)
        for label in (self.size, self.purpose, self.fit, self.licence, self.status, self.hint):
            show(label, "")
        for part in (self.offer, self.panel, self.download, self.stop):
            part.hide()
        for part in (self.choose, self.buttons):
            part.show()

    def _show_chosen(self, chosen: Chosen, survey: Survey) -> None:
        entry = chosen.entry
        repo = entry.repo if entry is not None else ""
        if repo != self.repo:
            self.repo, self._agreed = repo, None
        task = self._tasks.task(repo) if repo else Task()
        if entry is not None and self._goes_ahead(task, entry):
            return
        paused = bool(repo) and self._tasks.is_paused(repo)
        transfer = task.transfers or task.doing is Doing.IMPORT or paused
        title = chosen.title
        if chosen.here:
            title = self.tr("{0} answers on this computer").format(chosen.title)
        show(self.title, title, "strong")
        show(self.size, self._size(chosen))
        show(self.purpose, what_for(entry) if entry is not None and entry.known is not None else "")
        self._show_fit(survey.fit_for("vision"), survey.devices, chosen.here)
        show(self.licence, self._licence(chosen))
        self._show_outcome(chosen, task, paused)
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
        self.buttons.setVisible(not transfer)

    def _size(self, chosen: Chosen) -> str:
        entry = chosen.entry
        if entry is None:
            return ""
        size = entry.current.size if chosen.here and entry.current is not None else entry.needed_bytes
        return format_bytes(size) if size else ""

    def _licence(self, chosen: Chosen) -> str:
        entry = chosen.entry
        if chosen.here or entry is None or not entry.licence:
            return ""
        title = licence_title(entry.licence)
        if licences.is_open(entry.licence):
            return translate("ModelTexts", "Licence: {0} (open source).").format(title)
        return translate("ModelTexts", "Licence: {0}. It is not an open one.").format(title)

    def _show_fit(self, fit: Fit | None, devices: tuple[Device, ...], here: bool) -> None:
        if fit is None:
            show(self.fit, "")
            return
        text = fit_text(fit, devices)
        if fit.fits and not fit.tight:
            # The whole of it, as people know their computer; what is free stands beside it.
            device = next(device for device in devices if device.name == fit.device)
            where = f"{device_word(fit.device, devices)}, {format_bytes(device.total)}"
            text = self.tr("Fits this computer ({0}): needs {1}, {2} free.").format(
                where, format_bytes(fit.need), format_bytes(fit.free)
            )
        # A number and its unit are one word.
        text = re.sub(r"(\d) ([kMGT]B)", "\\1\u00a0\\2", text)
        show(self.fit, text, "muted" if fit.fits else "warn")

    def _show_outcome(self, chosen: Chosen, task: Task, paused: bool) -> None:
        waiting = {
            Doing.PLAN: self.tr("Asking the hub…"),
            Doing.CHECK: self.tr("Asking the hub for a newer revision…"),
            Doing.VERIFY: self.tr("Checking the files…"),
            Doing.REMOVE: self.tr("Deleting…"),
        }
        status, role, hint = "", "good", renamed_text(chosen.renamed)
        if task.doing in waiting:
            status, role = waiting[task.doing], "muted"
        elif chosen.problem is not None:
            status, role, hint = error_sentence(chosen.problem), "bad", error_hint(chosen.problem)
        elif task.error is not None and not paused:
            status, role, hint = error_sentence(task.error), "bad", error_hint(task.error)
        elif chosen.checkpoint is not None:
            status = self.tr("Ready. It is loaded when you ask.")
            if chosen.checkpoint.needs_conversion:
                status = self.tr("Its weights are converted to safetensors before its first use.")
        elif chosen.automatic and task.doing is None and not paused:
            status, role = self.tr("Recommended for this computer."), "good"
        show(self.status, status, role)
        show(self.hint, hint)

    # ---- doing

    def _download(self) -> None:
        entry = self._tasks.entry(self.repo)
        if entry is None:
            return
        self._agreed = entry.needed_bytes if licences.is_open(entry.licence) else 0
        self._tasks.plan(self.repo)

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
