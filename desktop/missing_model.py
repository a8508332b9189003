"""What stands above the question's field while no model is here to answer: one line, and a way out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.settings import SettingsStore
from desktop.keyboard import keyboard_stays
from desktop.model_offer import ModelOffer
from desktop.model_survey import Chosen, Survey
from desktop.model_tasks import ModelTasks, Task
from desktop.model_texts import fit_text
from desktop.offer_panel import show, words
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP
from desktop.turning_row import TurningRow


class MissingModel(ModelOffer):
    """Follows ``tasks``; hidden while a model is here, a server answers, or nobody knows yet."""

    changed = Signal()
    """``needed`` is another one now."""

    def __init__(self, tasks: ModelTasks, settings: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(tasks, parent)
        self._settings = settings
        self._needed = False
        self.text = words()
        self.fit = words("warn")
        self.status = words("muted")
        self.hint = words("muted")
        self.buttons = TurningRow(self.download, self.stop, self.choose)
        about = QVBoxLayout()
        about.setSpacing(2)
        for label in (self.text, self.fit, self.status, self.hint):
            about.addWidget(label)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * STEP, 2 * STEP, 4 * STEP, 2 * STEP)
        layout.setSpacing(2 * STEP)
        layout.addLayout(about)
        layout.addWidget(self.offer)
        layout.addWidget(self.panel)
        layout.addWidget(self.buttons)
        self.hide()
        tasks.changed.connect(self._on_changed)
        tasks.surveyed.connect(self.refresh)
        self.refresh()

    @property
    def needed(self) -> bool:
        """Whether a question would find nothing on this computer that answers it."""
        return self._needed

    def refresh(self) -> None:
        """Show how things stand."""
        survey = self._tasks.survey
        local = self._settings.current.vision.backend == "local"
        chosen = survey.asking if survey is not None and local else None
        needed = chosen is not None and not chosen.here
        if needed and chosen is not None and survey is not None:
            with keyboard_stays(self, lambda _: self.first_part()):
                self._show_chosen(chosen, survey)
        else:
            self._take("")
        # One without a parent would become a window; its layout shows it once it has one.
        if not needed or self.parentWidget() is not None:
            self.setVisible(needed)
        if needed != self._needed:
            self._needed = needed
            self.changed.emit()

    def look_again(self) -> None:
        """The user is back: the model may have come in other ways than by this program."""
        if self._needed:
            self._tasks.look()

    def _on_changed(self, repo: str) -> None:
        if repo and repo == self.repo:
            self.refresh()

    def _show_chosen(self, chosen: Chosen, survey: Survey) -> None:
        entry = chosen.entry
        if entry is None:
            self._offer_nothing()
            self.buttons.show()
            problem = chosen.problem
            sentence = self.tr("There is no model that could answer here.")
            show(self.text, sentence if problem is None else error_sentence(problem))
            show(self.hint, "" if problem is None else error_hint(problem))
            for label in (self.fit, self.status):
                show(label, "")
            return
        self._take(entry.repo)
        task = self._tasks.task(entry.repo)
        if self._goes_ahead(task, entry):
            return
        paused = self._tasks.is_paused(entry.repo)
        transfer = self._show_offer(chosen, task, paused)
        self.buttons.setVisible(not transfer)
        # How large it is, is said on the button.
        line = self.tr("{0} answers questions here once it is downloaded.").format(entry.title)
        # The download says itself what it is.
        show(self.text, "" if transfer else line)
        fit = survey.fit_for("vision")
        lacks = fit is not None and not fit.fits and not transfer
        show(self.fit, fit_text(fit, survey.devices) if lacks else "")
        self._show_outcome(chosen, task, paused)

    def _show_outcome(self, chosen: Chosen, task: Task, paused: bool) -> None:
        waiting = self._waiting(task)
        error = chosen.problem or (task.error if not paused else None)
        if waiting or error is None:
            show(self.status, waiting, "muted")
            show(self.hint, "")
            return
        show(self.status, error_sentence(error), "bad")
        show(self.hint, error_hint(error))
