"""What is being done with models, for every window that shows it: jobs of the library and how they ended.

It lives as long as the tray, so that a download goes on when the window it was started in is closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import Cancelled, YomitoriError
from core.jobs import Job
from core.memory import format_bytes
from core.models.entries import (
    Downloaded,
    DownloadPlan,
    FileCheck,
    Imported,
    LibraryChanged,
    ModelEntry,
    OnProgress,
    Progress,
    Update,
)
from core.models.layout import is_vision
from core.models.library import ModelLibrary
from core.settings import Settings, SettingsStore
from desktop.model_survey import Devices, Held, Survey, survey
from desktop.worker import Bridge

_SURVEY_DELAY_MS = 150
IMPORT = ""
"""The key of an import of which nobody said what model it is."""


class Doing(StrEnum):
    """What runs for a model."""

    PLAN = "plan"
    DOWNLOAD = "download"
    UPDATE = "update"
    CHECK = "check"
    VERIFY = "verify"
    IMPORT = "import"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Task:
    """What goes on with one model, or how the last thing ended; nothing in it: all is quiet.

    ``progress`` stays after a pause. ``offer`` waits for a yes, ``update`` was found, ``said`` tells what was
    done, ``bad_files`` are those that are not as they should be.
    """

    doing: Doing | None = None
    progress: Progress | None = None
    stopping: bool = False
    offer: DownloadPlan | None = None
    update: Update | None = None
    said: str = ""
    bad_files: tuple[FileCheck, ...] = ()
    error: YomitoriError | None = None

    @property
    def transfers(self) -> bool:
        """Whether it is a download, which can be paused."""
        return self.doing in (Doing.DOWNLOAD, Doing.UPDATE)


QUIET = Task()


def _what_counts(settings: Settings) -> object:
    """The settings that a survey, or what is shown with it, depends on."""
    vision = settings.vision
    asking = (vision.backend, vision.model, vision.device, vision.precision)
    return settings.models, settings.reading.engine, asking, (vision.server_url, vision.server_model)


def _role_of(path: Path, otherwise: str) -> str:
    return "vision" if is_vision(path) else otherwise


class ModelTasks(QObject):
    """Lives in the GUI thread. Models are named by their hub ids."""

    changed = Signal(str)
    """The task of this model is another one now."""
    surveyed = Signal()
    """``survey`` is new."""
    arrived = Signal(str, str)
    """``download``, ``update`` or ``import`` has brought a model; its hub id."""
    failed = Signal(str, object)
    """What runs in the background did not work: the model's hub id, a ``YomitoriError``."""

    def __init__(
        self,
        library: ModelLibrary,
        settings: SettingsStore,
        bridge: Bridge,
        devices: Devices,
        parent: QObject | None = None,
        held: Held = dict,
    ) -> None:
        """``devices`` and ``held`` are called in other threads."""
        super().__init__(parent)
        self._library = library
        self._settings = settings
        self._bridge = bridge
        self._devices = devices
        self._held = held
        self.survey: Survey | None = None
        self._added: dict[str, str] = {}
        self._tasks: dict[str, Task] = {}
        self._jobs: dict[str, Job[Any]] = {}
        self._discard: set[str] = set()
        # Something has ended since the last survey: what that says of them is not so any more.
        self._outdated: set[str] = set()
        self._progress: dict[str, Progress] = {}
        self._progress_lock = threading.Lock()
        self._surveying = False
        self._soon = QTimer(self, singleShot=True, interval=_SURVEY_DELAY_MS)
        self._soon.timeout.connect(self._look)
        self._unsubscribe = library.subscribe(self._on_library)
        self._looked_for = _what_counts(settings.current)
        self._forget_settings = settings.subscribe(self._on_settings)

    # ---- what there is

    def look(self) -> None:
        """Survey anew, soon; ``surveyed`` tells when that is done."""
        self._soon.start()

    def entry(self, repo: str) -> ModelEntry | None:
        entries = self.survey.entries if self.survey is not None else ()
        return next((entry for entry in entries if entry.repo == repo), None)

    def title(self, repo: str) -> str:
        entry = self.entry(repo)
        return entry.title if entry is not None else repo

    def task(self, repo: str) -> Task:
        return self._tasks.get(repo, QUIET)

    def transfers(self) -> list[str]:
        """The models that are being downloaded, the first one first."""
        return [repo for repo, task in self._tasks.items() if task.transfers]

    def is_paused(self, repo: str) -> bool:
        """Whether a download was begun and does not run."""
        task, entry = self.task(repo), self.entry(repo)
        if task.doing is not None or repo in self._outdated:
            return False
        return task.progress is not None or (entry is not None and entry.partial_bytes > 0)

    def _look(self) -> None:
        if self._surveying:
            self._soon.start()
            return
        self._surveying = True
        added, outdated = dict(self._added), frozenset(self._outdated)

        def done(found: Survey | None, error: YomitoriError | None) -> None:
            self._surveying = False
            self._outdated -= outdated
            if found is not None:
                self.survey = found
                self.surveyed.emit()

        self._bridge.run(
            lambda: survey(self._settings, self._library, self._devices, added, held=self._held), done
        )

    def _on_settings(self, settings: Settings) -> None:
        counts = _what_counts(settings)
        if counts != self._looked_for:
            self._looked_for = counts
            self.look()

    def _on_library(self, event: LibraryChanged) -> None:
        """Called in any thread."""
        if event.kind != "progress":
            self._bridge.post(lambda: self._on_changed(event))

    def _on_changed(self, event: LibraryChanged) -> None:
        self.look()
        error = event.error
        ours = event.repo in self._jobs or IMPORT in self._jobs
        if error is not None and not ours and not isinstance(error, Cancelled):
            # Begun by the library itself, such as a conversion.
            self._set(event.repo, Task(error=error))
            self.failed.emit(event.repo, error)

    # ---- what the user asks for

    def add(self, name: str, role: str = "ocr") -> str:
        """Have a hub id in the list; its repository. ``role`` is what it is meant for, until its files tell.

        Raises:
            ModelUnknown: it is no hub id.
        """
        repo = self._library.model(name).repo
        self._added[repo] = role
        self.look()
        return repo

    def check_folder(self, path: Path, done: Callable[[str, YomitoriError | None], None]) -> None:
        """Whether a folder holds a model; ``done`` hears its role (``ocr``, ``vision``), or why not."""

        def check() -> str:
            role = _role_of(path, "ocr")
            self._library.lookup(role, str(path))
            return role

        self._bridge.run(check, lambda role, error: done(role or "", error))

    def forget(self, repo: str) -> None:
        """Take a hub id that was added, and never downloaded, from the list."""
        self._added.pop(repo, None)
        self.dismiss(repo)
        self.look()

    def is_added(self, repo: str) -> bool:
        return repo in self._added

    def plan(self, repo: str) -> None:
        """Ask the hub about a download; what it says waits in ``offer``."""

        def done(plan: DownloadPlan) -> Task:
            return Task(offer=plan)

        self._start(repo, Doing.PLAN, lambda _: self._library.plan_download(repo), done)

    def download(self, repo: str, accept_licence: bool = False) -> None:
        """Begin a download or go on with it."""

        def done(_: Downloaded) -> Task:
            self.arrived.emit("download", repo)
            return QUIET

        self._start(
            repo, Doing.DOWNLOAD, lambda told: self._library.download(repo, accept_licence, told), done
        )

    def update(self, repo: str, accept_licence: bool = False) -> None:
        """Fetch the newest revision beside the one in use; go on with that."""

        def done(_: Downloaded) -> Task:
            self.arrived.emit("update", repo)
            return Task(said=self.tr("The newest revision is in use now."))

        self._start(repo, Doing.UPDATE, lambda told: self._library.update(repo, accept_licence, told), done)

    def resume(self, repo: str) -> None:
        """Go on with what was paused: with an update where a whole revision is there already."""
        entry = self.entry(repo)
        if entry is not None and entry.state == "ready":
            self.update(repo)
        else:
            self.download(repo)

    def pause(self, repo: str) -> None:
        """Stop what runs; what a download received is kept."""
        job = self._jobs.get(repo)
        if job is not None:
            self._set(repo, replace(self.task(repo), stopping=True))
            job.cancel()

    def cancel(self, repo: str) -> None:
        """Stop a download and throw away what it received."""
        if repo in self._jobs:
            self._discard.add(repo)
            self.pause(repo)
        else:
            self._throw_away(repo)

    def check_update(self, repo: str) -> None:
        """Ask the hub for a newer revision; it waits in ``update``."""

        def done(update: Update) -> Task:
            if update.changed:
                return Task(update=update)
            return Task(said=self.tr("This is the newest revision."))

        self._start(repo, Doing.CHECK, lambda _: self._library.check_update(repo), done)

    def verify(self, repo: str) -> None:
        """Compare the files with the sums by which they are known."""

        def done(checks: list[FileCheck]) -> Task:
            bad = tuple(check for check in checks if not check.ok)
            if bad:
                return Task(bad_files=bad)
            return Task(said=self.tr("Checked: all {0} files are as they should be.").format(len(checks)))

        self._start(repo, Doing.VERIFY, lambda told: self._library.verify(repo, told), done)

    def remove(self, repo: str, commit: str | None = None) -> None:
        """Delete one revision, or all of a model."""

        def done(freed: int) -> Task:
            return Task(said=self.tr("Deleted, {0} freed.").format(format_bytes(freed)))

        self._start(repo, Doing.REMOVE, lambda _: self._library.remove(repo, commit), done)

    def import_from(self, path: Path, repo: str = IMPORT, role: str = "ocr") -> None:
        """Take a model from a folder or a zip file; without ``repo`` the files tell which it is.

        ``role`` is what it is meant for, where neither ``repo`` nor the folder tells.
        """

        def done(imported: Imported) -> Task:
            self.arrived.emit("import", imported.repo)
            return Task(said=self.tr("Imported from {0}.").format(path.name))

        def submit(told: OnProgress) -> Job[Imported]:
            return self._library.import_from(path, repo, told, _role_of(path, role))

        self._start(repo, Doing.IMPORT, submit, done)

    def roll_back(self, repo: str) -> None:
        """Use the revision before the one in use."""

        def done(_commit: str | None, error: YomitoriError | None) -> None:
            said = "" if error else self.tr("The earlier revision is in use again.")
            self._set(repo, Task(said=said, error=error))
            self.look()

        self._bridge.run(lambda: self._library.roll_back(repo), done)

    def dismiss(self, repo: str) -> None:
        """The offer, the message or the error was seen."""
        if repo not in self._jobs:
            self._set(repo, QUIET)

    def close(self) -> None:
        """Hear of nothing any more; the library stops what runs when it is closed."""
        self._soon.stop()
        self._unsubscribe()
        self._forget_settings()

    # ---- one job for a model at a time

    def _start(
        self,
        repo: str,
        doing: Doing,
        submit: Callable[[OnProgress], Job[Any]],
        done: Callable[[Any], Task],
    ) -> None:
        if repo in self._jobs:
            return
        before = self.task(repo).progress if doing in (Doing.DOWNLOAD, Doing.UPDATE) else None
        try:
            job = submit(lambda progress: self._on_progress(repo, progress))
        except YomitoriError as error:
            self._set(repo, Task(error=error))
            return
        self._jobs[repo] = job
        self._set(repo, Task(doing, before))

        def ended(value: Any, error: YomitoriError | None) -> None:
            self._jobs.pop(repo, None)
            self._progress.pop(repo, None)
            last = self.task(repo)
            if repo in self._discard:
                self._discard.discard(repo)
                if error is not None:
                    self._throw_away(repo)
                    return
            if error is None:
                self._outdated.add(repo)
                self._set(repo, done(value))
            elif isinstance(error, Cancelled):
                self._set(repo, Task(progress=last.progress if last.transfers else None))
            else:
                self._set(repo, Task(progress=last.progress if last.transfers else None, error=error))
                if doing in (Doing.DOWNLOAD, Doing.UPDATE, Doing.IMPORT):
                    self.failed.emit(repo, error)
            self.look()

        self._bridge.when_done(job, ended)

    def _throw_away(self, repo: str) -> None:
        def done(_freed: int | None, error: YomitoriError | None) -> None:
            self._outdated.add(repo)
            self._set(repo, Task(error=error))
            self.look()

        self._bridge.run(lambda: self._library.discard_partial(repo), done)

    def _on_progress(self, repo: str, progress: Progress) -> None:
        """Called in a host's thread; only the latest is shown, however many come."""
        with self._progress_lock:
            waiting = repo in self._progress
            self._progress[repo] = progress
        if not waiting:
            self._bridge.post(lambda: self._show_progress(repo))

    def _show_progress(self, repo: str) -> None:
        with self._progress_lock:
            progress = self._progress.pop(repo, None)
        task = self.task(repo)
        if progress is not None and task.doing is not None:
            self._set(repo, replace(task, progress=progress))

    def _set(self, repo: str, task: Task) -> None:
        if task == QUIET:
            self._tasks.pop(repo, None)
        else:
            self._tasks[repo] = task
        self.changed.emit(repo)
