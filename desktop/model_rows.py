"""One model in the window with all of them: what it is, how it stands, and what can be done."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.memory import format_bytes
from core.models.entries import FileCheck, ModelEntry, RevisionEntry
from core.models.estimate import Fit
from desktop.download_panel import DownloadPanel
from desktop.keyboard import can_have_keyboard, keyboard_stays
from desktop.model_survey import Survey
from desktop.model_tasks import Doing, ModelTasks, Task
from desktop.model_texts import (
    download_button,
    fit_text,
    last_used,
    licence_title,
    needs_text,
    short_commit,
    translate,
    what_for,
)
from desktop.offer_panel import OfferPanel, show, words
from desktop.texts import error_hint, error_sentence
from desktop.theme import STEP, set_kind, set_role


class RevisionLine(QWidget):
    """One revision on this computer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = words("muted")
        self.roll_back = QPushButton(self.tr("Go back to this"))
        self.delete = QPushButton(self.tr("Delete…"))
        for button in (self.roll_back, self.delete):
            set_kind(button, "ghost")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(STEP)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.roll_back)
        layout.addWidget(self.delete)

    def show_revision(
        self, revision: RevisionEntry, earlier: str, busy: bool, in_use: bool, one: bool
    ) -> None:
        name = short_commit(revision.commit)
        self.text.setText(revision_text(revision, in_use, one))
        self.roll_back.setVisible(revision.commit == earlier)
        for button in (self.roll_back, self.delete):
            button.setEnabled(not busy)
            button.setAccessibleName(f"{button.text()}: {name}")


def revision_text(revision: RevisionEntry, in_use: bool, one: bool) -> str:
    """``Revision aa6573b · 444 MB · in use · used today``.

    Only what reads or answers is in use; of ``one`` alone the card says that already. Of several revisions of
    another model one is ``current``: it would be loaded.
    """
    parts = [
        translate("ModelTexts", "Revision {0}").format(short_commit(revision.commit)),
        format_bytes(revision.size),
    ]
    if not one and (in_use or revision.current):
        parts.append(translate("ModelTexts", "in use") if in_use else translate("ModelTexts", "current"))
    if not revision.complete:
        parts.append(translate("ModelTexts", "not complete"))
    elif revision.last_used or not in_use:
        parts.append(last_used(revision.last_used, in_use))
    if revision.converted:
        parts.append(translate("ModelTexts", "converted to safetensors"))
    elif revision.needs_conversion:
        parts.append(translate("ModelTexts", "is converted to safetensors before its first use"))
    if revision.imported:
        parts.append(translate("ModelTexts", "imported"))
    return " · ".join(parts)


def checks_text(bad: tuple[FileCheck, ...]) -> str:
    """What is wrong with which files."""
    return "\n".join(f"{check.name}: {check.detail}" for check in bad)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model stands beside the others.

    Attributes:
        fit: whether it fits, None where nobody knows.
        earlier: the commit that can be gone back to, empty for none.
        chosen: the setting names this model.
        automatic: the setting names none, and this one is taken.
        locked: what sets that for this run, empty where the user may choose.
        in_use: the commit that is read or answered with, empty for none.
    """

    fit: Fit | None = None
    earlier: str = ""
    chosen: bool = False
    automatic: bool = False
    locked: str = ""
    in_use: str = ""


class ModelRow(QFrame):
    """A card for one model. It asks for what it cannot do alone: questions, folders, settings."""

    use_requested = Signal(str)
    """The model's name, for the setting."""
    delete_requested = Signal(str, str)
    """Hub id, and the commit of one revision or empty for all."""
    cancel_requested = Signal(str)
    import_requested = Signal(str, bool)
    """Hub id; whether from a zip file instead of a folder."""

    def __init__(self, repo: str, tasks: ModelTasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.repo = repo
        self._tasks = tasks
        self._entry: ModelEntry | None = None
        self.title = words("strong")
        self.badge = QLabel()
        set_role(self.badge, "good")
        self.purpose = words("muted")
        self.facts = words("muted")
        self.needs = words("muted")
        self.fit = words("muted")
        self.status = words()
        self.hint = words("muted")
        self.offer = OfferPanel()
        self.offer.accepted.connect(lambda accept: tasks.download(repo, accept))
        self.offer.refused.connect(lambda: tasks.dismiss(repo))
        self.panel = DownloadPanel()
        self.panel.pause_requested.connect(lambda: tasks.pause(repo))
        self.panel.resume_requested.connect(lambda: tasks.resume(repo))
        self.panel.cancel_requested.connect(lambda: self.cancel_requested.emit(repo))

        self.download = QPushButton()
        self.use = QPushButton()
        self.update_button = QPushButton()
        self.check = QPushButton(self.tr("Check for updates"))
        self.stop = QPushButton(self.tr("Stop"))
        self.again = QPushButton(self.tr("Download again"))
        self.forget = QPushButton(self.tr("Remove from the list"))
        self.more = QPushButton("⋯")
        set_kind(self.more, "ghost")
        self.menu = QMenu(self.more)
        self.verify_action = self.menu.addAction(self.tr("Check the files"), lambda: tasks.verify(repo))
        self.menu.addSeparator()
        self.menu.addAction(self.tr("Import from a folder…"), lambda: self.import_requested.emit(repo, False))
        self.menu.addAction(
            self.tr("Import from a zip file…"), lambda: self.import_requested.emit(repo, True)
        )
        self.menu.addSeparator()
        self.delete_action = self.menu.addAction(
            self.tr("Delete…"), lambda: self.delete_requested.emit(repo, "")
        )
        self.more.setMenu(self.menu)
        # The popup takes the pointer away without the button being told that it has left.
        self.menu.aboutToHide.connect(self._forget_pointer)
        self.download.clicked.connect(lambda: tasks.plan(repo))
        self.use.clicked.connect(self._use)
        self.update_button.clicked.connect(lambda: tasks.update(repo))
        self.check.clicked.connect(lambda: tasks.check_update(repo))
        self.stop.clicked.connect(lambda: tasks.pause(repo))
        self.again.clicked.connect(lambda: tasks.download(repo))
        self.forget.clicked.connect(lambda: tasks.forget(repo))
        for button in (self.download, self.update_button, self.again, self.use):
            set_kind(button, "primary")
        self._buttons = (
            self.download,
            self.update_button,
            self.again,
            self.use,
            self.check,
            self.stop,
            self.forget,
        )
        self._lines: list[RevisionLine] = []
        # What was pressed and is away as long as it takes effect.
        self._asked: QWidget | None = None
        self._lay_out()

    def _forget_pointer(self) -> None:
        self.more.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)
        self.more.update()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(3 * STEP)
        top.addWidget(self.title, 1)
        top.addWidget(self.badge)
        top.addWidget(self.more)
        self._actions = QWidget()
        buttons = QHBoxLayout(self._actions)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(2 * STEP)
        for button in self._buttons:
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._revisions = QVBoxLayout()
        self._revisions.setSpacing(0)
        about = QVBoxLayout()
        about.setSpacing(2)
        about.addLayout(top)
        for label in (self.purpose, self.facts, self.needs, self.fit):
            about.addWidget(label)
        outcome = QVBoxLayout()
        outcome.setSpacing(2)
        outcome.addWidget(self.status)
        outcome.addWidget(self.hint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * STEP, 3 * STEP, 4 * STEP, 3 * STEP)
        layout.setSpacing(2 * STEP)
        layout.addLayout(about)
        layout.addLayout(self._revisions)
        layout.addLayout(outcome)
        layout.addWidget(self.offer)
        layout.addWidget(self.panel)
        layout.addWidget(self._actions)

    def refresh(self, entry: ModelEntry, standing: Standing) -> None:
        """Show how it stands."""
        with keyboard_stays(self, self._successor):
            self._refresh(entry, standing)

    def _refresh(self, entry: ModelEntry, standing: Standing) -> None:
        self._entry = entry
        task = self._tasks.task(self.repo)
        survey = self._tasks.survey
        busy = task.doing is not None
        show(self.title, entry.title)
        self.setAccessibleName(entry.title)
        self.more.setAccessibleName(self.tr("More about {0}").format(entry.title))
        show(self.badge, self._badge(entry, standing), "good" if standing.in_use else "muted")
        show(self.purpose, what_for(entry))
        show(self.facts, self._facts(entry))
        needs = survey.needs.get(entry.repo, {}) if survey is not None else {}
        show(self.needs, needs_text(needs))
        fit, devices = standing.fit, survey.devices if survey is not None else ()
        show(self.fit, fit_text(fit, devices), "muted" if fit is None or fit.fits else "warn")
        self._show_revisions(entry, standing.earlier, busy, standing.in_use)
        self._show_outcome(task)
        self.offer.show_plan(task.offer if not busy else None, entry)
        paused = self._tasks.is_paused(self.repo)
        transfer = task.transfers or task.doing is Doing.IMPORT or paused
        self.panel.setVisible(transfer)
        if transfer:
            self.panel.show_download(entry.title, task, entry)
        self._show_buttons(entry, task, paused, standing)

    def _badge(self, entry: ModelEntry, standing: Standing) -> str:
        if standing.automatic:
            return self.tr("Chosen automatically") if entry.state == "ready" else self.tr("Recommended here")
        if standing.in_use:
            return self.tr("In use")
        return self.tr("Chosen") if standing.chosen and entry.state == "ready" else ""

    def _successor(self, gone: QWidget) -> QWidget | None:
        """What gets the keyboard when ``gone``, which had it, is not there any more.

        After a check the button that began it; never one that nobody asked for and that acts at once.
        """
        if gone is self.stop:
            back = (self._asked, self.offer.accept, self.offer.download, self.more)
            return next((part for part in back if part is not None and can_have_keyboard(part, self)), None)
        self._asked = gone
        return self.first_part()

    def _facts(self, entry: ModelEntry) -> str:
        # The line of a revision tells its size; together they need more.
        many = len(entry.revisions) != 1
        size = (entry.disk_bytes if many else 0) if entry.state == "ready" else entry.needed_bytes
        parts = [format_bytes(size)] if size else []
        if entry.licence:
            parts.append(self.tr("licence {0}").format(licence_title(entry.licence)))
        if entry.known is not None:
            parts.append(entry.repo)
        return " · ".join(parts)

    def _show_revisions(self, entry: ModelEntry, earlier: str, busy: bool, in_use: str) -> None:
        one = len(entry.revisions) == 1
        while len(self._lines) < len(entry.revisions):
            line = RevisionLine()
            position = len(self._lines)
            line.roll_back.clicked.connect(lambda: self._tasks.roll_back(self.repo))
            line.delete.clicked.connect(lambda position=position: self._delete_revision(position))
            self._lines.append(line)
            self._revisions.addWidget(line)
        for line in self._lines[len(entry.revisions) :]:
            line.hide()
        for line, revision in zip(self._lines, entry.revisions, strict=False):
            line.show()
            line.show_revision(revision, earlier, busy, revision.commit == in_use, one)
            # One alone is deleted with the model.
            line.delete.setVisible(not one)

    def _delete_revision(self, position: int) -> None:
        if self._entry is not None and position < len(self._entry.revisions):
            self.delete_requested.emit(self.repo, self._entry.revisions[position].commit)

    def _show_outcome(self, task: Task) -> None:
        waiting = {
            Doing.PLAN: self.tr("Asking the hub…"),
            Doing.CHECK: self.tr("Asking the hub for a newer revision…"),
            Doing.VERIFY: self.tr("Checking the files…"),
            Doing.REMOVE: self.tr("Deleting…"),
        }
        hint = ""
        if task.doing in waiting:
            status, role = waiting[task.doing], "muted"
            if task.doing is Doing.VERIFY and task.progress is not None and task.progress.total_bytes:
                status += f" {100 * task.progress.done_bytes // task.progress.total_bytes} %"
        elif task.error is not None and not self._tasks.is_paused(self.repo):
            status, role, hint = error_sentence(task.error), "bad", error_hint(task.error)
        elif task.bad_files:
            status, role = checks_text(task.bad_files), "bad"
            hint = self.tr("Download it again: only what is wrong is fetched.")
            if self._entry is not None and not self._entry.from_hub:
                hint = self.tr("Import it again: no hub knows it.")
        elif task.update is not None:
            status, role = (
                self.tr("A newer revision is there: {0}.").format(short_commit(task.update.latest)),
                "",
            )
            hint = self.tr("The one in use stays until the new one is whole; you can go back.")
        else:
            status, role = task.said, "good"
        show(self.status, status, role)
        show(self.hint, hint)

    def _show_buttons(self, entry: ModelEntry, task: Task, paused: bool, standing: Standing) -> None:
        chosen, locked = standing.chosen, standing.locked
        ready = entry.state == "ready"
        quiet = task.doing is None and task.offer is None
        self.download.setVisible(quiet and not ready and not paused and entry.from_hub)
        self.download.setText(download_button(entry.needed_bytes))
        set_kind(self.download, "primary" if standing.fit is None or standing.fit.fits else "")
        self.use.setVisible(quiet and ready and not chosen)
        self.use.setEnabled(not locked)
        # What is taken anyway is only taken for good.
        self.use.setText(self.tr("Always use this") if standing.automatic else self.tr("Use"))
        set_kind(self.use, "" if task.update is not None or standing.automatic else "primary")
        self.use.setToolTip(self.tr("Set by {0} for this run.").format(locked) if locked else "")
        self.update_button.setVisible(quiet and task.update is not None and not paused)
        if task.update is not None:
            self.update_button.setText(self.tr("Update ({0})").format(format_bytes(task.update.size)))
        self.check.setVisible(quiet and ready and task.update is None and not paused and entry.from_hub)
        self.stop.setVisible(task.doing in (Doing.PLAN, Doing.CHECK, Doing.VERIFY))
        self.again.setVisible(quiet and bool(task.bad_files) and entry.from_hub)
        self.forget.setVisible(
            quiet and not ready and not paused and not chosen and self._tasks.is_added(self.repo)
        )
        self._actions.setVisible(any(not button.isHidden() for button in self._buttons))
        for action in self.menu.actions():
            action.setEnabled(quiet and (ready or action not in (self.verify_action, self.delete_action)))
        for button in self._buttons:
            button.setAccessibleName(f"{button.text()}: {entry.title}")

    def _use(self) -> None:
        if self._entry is not None:
            self.use_requested.emit(self._entry.name)

    def tab_order(self) -> list[QWidget]:
        """What the Tab key goes through, in the order in which it is seen."""
        panel, offer = self.panel, self.offer
        lines = [button for line in self._lines for button in (line.roll_back, line.delete)]
        return [
            *lines,
            *(offer.link, offer.accept, offer.download, offer.refuse),
            *(panel.pause, panel.resume, panel.cancel),
            *self._buttons,
            self.more,
        ]

    def take_focus(self) -> None:
        """The keyboard goes to what can be done with the model, not to what it is about."""
        part = self.first_part()
        if part is not None:
            part.setFocus(Qt.FocusReason.OtherFocusReason)

    def first_part(self) -> QWidget | None:
        """What can be done with the model, the likeliest first."""
        panel, offer = self.panel, self.offer
        first = (offer.accept, offer.download, panel.resume, panel.pause, *self._buttons)
        parts = (*first, *self.tab_order())
        return next((part for part in parts if can_have_keyboard(part, self)), None)


class FolderRow(QFrame):
    """A folder of the user's own that the setting names; hidden for any other model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.title = words("strong")
        self.badge = QLabel()
        self.facts = words("muted")
        self.fit = words("muted")
        self.problem = words("bad")
        self.hint = words("muted")
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.badge)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * STEP, 3 * STEP, 4 * STEP, 3 * STEP)
        layout.setSpacing(2)
        layout.addLayout(top)
        for label in (self.facts, self.fit, self.problem, self.hint):
            layout.addWidget(label)

    def show_chosen(self, survey: Survey, role: str = "ocr") -> None:
        chosen = survey.chosen_for(role)
        shown = chosen.entry is None and not chosen.automatic
        self.setVisible(shown)
        if not shown:
            return
        checkpoint = chosen.checkpoint
        show(self.title, chosen.title)
        in_use = survey.works(role)
        set_role(self.badge, "good" if in_use else "muted")
        self.badge.setText(self.tr("In use") if in_use else self.tr("Chosen"))
        self.badge.setVisible(checkpoint is not None)
        parts = [self.tr("Folder {0}").format(chosen.setting)]
        if checkpoint is not None and checkpoint.converted:
            parts.append(translate("ModelTexts", "converted to safetensors"))
        elif checkpoint is not None and checkpoint.needs_conversion:
            parts.append(translate("ModelTexts", "is converted to safetensors before its first use"))
        show(self.facts, " · ".join(parts))
        fit = survey.fit_for(role)
        show(self.fit, fit_text(fit, survey.devices), "muted" if fit is None or fit.fits else "warn")
        problem = chosen.problem
        show(self.problem, "" if problem is None else error_sentence(problem))
        show(self.hint, "" if problem is None else error_hint(problem))
