"""The model that answers, on the panel's first page: which one, whether it fits, how it gets here."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.devices import Device
from core.memory import format_bytes
from core.models import licences
from core.models.estimate import Fit
from desktop.keyboard import keyboard_stays
from desktop.model_offer import ModelOffer
from desktop.model_survey import Chosen, Survey
from desktop.model_tasks import ModelTasks, Task
from desktop.model_texts import fit_text, licence_title, renamed_text, translate, what_for
from desktop.offer_panel import show, words
from desktop.texts import device_word, error_hint, error_sentence
from desktop.theme import STEP, set_role
from desktop.turning_row import TurningRow


class ModelCard(ModelOffer):
    """``loaded`` says whether the model that answers is in memory now."""

    def __init__(
        self,
        tasks: ModelTasks,
        parent: QWidget | None = None,
        loaded: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(tasks, parent)
        set_role(self, "card")
        self._loaded = loaded
        self.title = words("strong")
        self.size = QLabel()
        set_role(self.size, "muted")
        self.purpose = words("muted")
        self.fit = words("muted")
        self.licence = words("muted")
        self.status = words()
        self.hint = words("muted")
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
        with keyboard_stays(self, lambda _: self.first_part()):
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

    def _show_nothing(self, title: str, role: str) -> None:
        self._offer_nothing()
        show(self.title, title, role)
        for label in (self.size, self.purpose, self.fit, self.licence, self.status, self.hint):
            show(label, "")
        self.buttons.show()

    def _show_chosen(self, chosen: Chosen, survey: Survey) -> None:
        entry = chosen.entry
        repo = entry.repo if entry is not None else ""
        self._take(repo)
        task = self._tasks.task(repo) if repo else Task()
        if entry is not None and self._goes_ahead(task, entry):
            return
        paused = bool(repo) and self._tasks.is_paused(repo)
        title = chosen.title
        if chosen.here:
            title = self.tr("{0} answers on this computer").format(chosen.title)
        show(self.title, title, "strong")
        show(self.size, self._size(chosen))
        show(self.purpose, what_for(entry) if entry is not None and entry.known is not None else "")
        self._show_fit(survey.fit_for("vision"), survey.devices, chosen.here)
        show(self.licence, self._licence(chosen))
        self._show_outcome(chosen, task, paused)
        self.buttons.setVisible(not self._show_offer(chosen, task, paused))

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
        waiting = self._waiting(task)
        status, role, hint = "", "good", renamed_text(chosen.renamed)
        if waiting:
            status, role = waiting, "muted"
        elif chosen.problem is not None:
            status, role, hint = error_sentence(chosen.problem), "bad", error_hint(chosen.problem)
        elif task.error is not None and not paused:
            status, role, hint = error_sentence(task.error), "bad", error_hint(task.error)
        elif chosen.checkpoint is not None:
            status = self.tr("Ready. It is loaded when you ask.")
            if self._loaded():
                status = self.tr("Ready, in memory now.")
            elif chosen.checkpoint.needs_conversion:
                status = self.tr("Its weights are converted to safetensors before its first use.")
        elif chosen.automatic and task.doing is None and not paused:
            status, role = self.tr("Recommended for this computer."), "good"
        show(self.status, status, role)
        show(self.hint, hint)
