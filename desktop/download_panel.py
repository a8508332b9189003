"""A download as it is shown wherever it is shown: what, how far, how fast, and how to stop it."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from core.memory import format_bytes
from core.models.entries import ModelEntry
from desktop.ask import ask
from desktop.keyboard import can_have_keyboard, keyboard_stays
from desktop.model_tasks import Doing, ModelTasks, Task
from desktop.model_texts import amount_of, phase_title, progress_line, translate
from desktop.texts import breakable, error_hint, error_sentence
from desktop.theme import STEP, set_kind, set_role
from desktop.turning_row import TurningRow

_STEPS = 1000


class DownloadPanel(QWidget):
    """One model's download: running, waiting, paused or failed."""

    pause_requested = Signal()
    resume_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        set_role(self.title, "strong")
        self.figures = QLabel()
        set_role(self.figures, "muted")
        for label in (self.title, self.figures):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, _STEPS)
        self.error = QLabel()
        self.error.setWordWrap(True)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        set_role(self.error, "bad")
        set_role(self.hint, "muted")
        self.pause = QPushButton(self.tr("Pause"))
        self.resume = QPushButton(self.tr("Resume"))
        set_kind(self.resume, "primary")
        self.cancel = QPushButton(self.tr("Cancel"))
        self.pause.clicked.connect(self.pause_requested)
        self.resume.clicked.connect(self.resume_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self.figures.setWordWrap(True)
        line = TurningRow(self.title, self.figures, spacing=3 * STEP, stretch=True)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * STEP)
        buttons.addStretch(1)
        for button in (self.pause, self.resume, self.cancel):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * STEP)
        layout.addWidget(line)
        layout.addWidget(self.bar)
        problem = QVBoxLayout()
        problem.setSpacing(2)
        problem.addWidget(self.error)
        problem.addWidget(self.hint)
        layout.addLayout(problem)
        layout.addLayout(buttons)

    def show_download(self, title: str, task: Task, entry: ModelEntry | None) -> None:
        """Show how it stands; ``entry`` knows what an earlier run of Yomitori received."""
        progress = task.progress
        phase = progress.phase if progress is not None else "download"
        if task.transfers or task.doing is Doing.IMPORT:
            self.title.setText(phase_title(phase, title))
            if task.stopping:
                self.figures.setText(self.tr("stopping…"))
            elif progress is None:
                self.figures.setText(self.tr("waiting to start"))
            else:
                self.figures.setText(progress_line(progress))
        else:
            stopped = self.tr("Download of {0} stopped")
            if task.error is None:
                stopped = self.tr("Download of {0} paused")
            self.title.setText(stopped.format(title))
            if progress is not None:
                self.figures.setText(amount_of(progress.done_bytes, progress.total_bytes))
            elif entry is not None:
                self.figures.setText(amount_of(entry.partial_bytes, entry.needed_bytes))
        self._show_bar(task, entry)
        error = task.error
        self.error.setText("" if error is None else breakable(error_sentence(error)))
        self.hint.setText("" if error is None else breakable(error_hint(error)))
        for label in (self.error, self.hint):
            label.setVisible(bool(label.text()))
        runs = task.doing is not None
        with keyboard_stays(self, lambda _: self.first_button()):
            self.pause.setVisible(runs and task.doing is not Doing.IMPORT)
            self.resume.setVisible(not runs)
        self.resume.setText(self.tr("Resume") if error is None else self.tr("Try again"))
        for button in (self.pause, self.resume, self.cancel):
            button.setAccessibleName(f"{button.text()}: {title}")
        self.bar.setAccessibleName(self.title.text())

    def first_button(self) -> QPushButton:
        """The one that a user who is busy with this download most likely wants."""
        return next(button for button in (self.resume, self.pause, self.cancel) if not button.isHidden())

    def _show_bar(self, task: Task, entry: ModelEntry | None) -> None:
        done, total = 0, 0
        if task.progress is not None:
            done, total = task.progress.done_bytes, task.progress.total_bytes
        elif entry is not None:
            done, total = entry.partial_bytes, entry.needed_bytes
        self.bar.setValue(min(_STEPS, _STEPS * done // total) if total else 0)
        self.bar.setVisible(bool(total) or task.doing is not None)


def ask_to_cancel(parent: QWidget, tasks: ModelTasks, repo: str) -> None:
    """Stop a download for good. What was received is thrown away, so that is asked about first."""
    task, entry = tasks.task(repo), tasks.entry(repo)
    if task.doing is Doing.IMPORT:
        tasks.pause(repo)
        return
    received = task.progress.done_bytes if task.progress is not None else 0
    received = received or (entry.partial_bytes if entry is not None else 0)
    if not received:
        tasks.cancel(repo)
        return
    question = translate("ModelTexts", "Discard the download of {0}?").format(tasks.title(repo))
    detail = translate("ModelTexts", "The {0} that were received are deleted.").format(format_bytes(received))
    keep = translate("ModelTexts", "Keep")
    if task.transfers:
        detail += " " + translate("ModelTexts", "Pause keeps them.")
        keep = translate("ModelTexts", "Keep downloading")
    ask(parent, question, detail, translate("ModelTexts", "Discard"), lambda: tasks.cancel(repo), keep)


class Downloads(QWidget):
    """The downloads that run or are paused, in the settings; nothing where there is none."""

    def __init__(self, tasks: ModelTasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.panels: dict[str, DownloadPanel] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4 * STEP)
        tasks.changed.connect(self._show)
        tasks.surveyed.connect(self._show_all)
        self._show_all()

    def _show_all(self) -> None:
        survey = self._tasks.survey
        entries = survey.entries if survey is not None else ()
        for repo in {*self.panels, *self._tasks.transfers(), *(entry.repo for entry in entries)}:
            self._show(repo)

    def _show(self, repo: str) -> None:
        task, entry = self._tasks.task(repo), self._tasks.entry(repo)
        if not (task.transfers or self._tasks.is_paused(repo)):
            panel = self.panels.pop(repo, None)
            if panel is not None:
                with keyboard_stays(self, lambda _: self._neighbour()):
                    self._layout.removeWidget(panel)
                    panel.hide()
                panel.deleteLater()
                self._make_room()
            return
        if repo not in self.panels:
            # A panel must not hold on to this widget: it may go first, and would take it along while it does.
            panel, tasks = DownloadPanel(), self._tasks
            panel.pause_requested.connect(partial(tasks.pause, repo))
            panel.resume_requested.connect(partial(tasks.resume, repo))
            panel.cancel_requested.connect(partial(ask_to_cancel, panel, tasks, repo))
            self.panels[repo] = panel
            self._layout.addWidget(panel)
            order = (self, panel.pause, panel.resume, panel.cancel)
            for before, after in pairwise(order):
                QWidget.setTabOrder(before, after)
            self._make_room()
        self.panels[repo].show_download(self._tasks.title(repo), task, entry)

    def _make_room(self) -> None:
        room = 3 * STEP if self.panels else 0
        self._layout.setContentsMargins(0, room, 0, room)

    def _neighbour(self) -> QWidget | None:
        """What gets the keyboard when a download is not there any more: a button, where a key does little."""
        if self.panels:
            return next(iter(self.panels.values())).first_button()
        before = self.previousInFocusChain()
        while before is not self:
            if isinstance(before, QPushButton) and can_have_keyboard(before, self.window()):
                return before
            before = before.previousInFocusChain()
        return None
