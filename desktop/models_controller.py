"""Models in the desktop: their window, the tray's entries about them, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from core.engine import Engine
from core.engines import BUILT_IN
from core.errors import YomitoriError
from core.events import HostState, State
from core.memory import format_bytes
from core.models.entries import ModelEntry
from core.models.library import ModelLibrary
from core.settings import SettingsStore
from desktop.model_survey import MODEL_SETTINGS
from desktop.model_tasks import ModelTasks
from desktop.model_texts import downloading
from desktop.texts import engine_title
from desktop.tray import Actions
from desktop.worker import Bridge

if TYPE_CHECKING:
    from desktop.models_dialog import ModelsDialog

_ENGINE = "manga-ocr"
_ROLES = ("ocr", "quick", "vision")
_LOOK_EVERY_MS = 10_000
"""While a window shows how much memory is free, which other programs change, too."""


class Messages(Protocol):
    """The one sink for messages to the user."""

    def tell(self, title: str, body: str = "", insist: bool = True) -> None: ...
    def tell_error(self, error: YomitoriError) -> None: ...


class ModelsController(QObject):
    """``watched`` says whether another window shows downloads, so that a failure need not be told twice."""

    changed = Signal()
    """What the tray or the settings show about models may be another now."""
    window_closed = Signal()
    """The window is gone."""

    def __init__(
        self,
        library: ModelLibrary,
        engine: Engine,
        settings: SettingsStore,
        bridge: Bridge,
        messages: Messages,
        actions: Actions,
        watched: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._settings = settings
        self._messages = messages
        self._actions = actions
        self._watched = watched
        self.tasks = ModelTasks(library, settings, bridge, engine.memory.devices, self, self._held)
        self._dialog: ModelsDialog | None = None
        self._offer_when_known = ""
        self._told: set[str] = set()
        self._freeing: set[str] = set()
        self._freed = 0
        self._again = QTimer(self, interval=_LOOK_EVERY_MS)
        self._again.timeout.connect(self._look_again)
        self._again.start()
        self.tasks.changed.connect(self._on_changed)
        self.tasks.surveyed.connect(self._on_changed)
        self.tasks.arrived.connect(self._on_arrived)
        self.tasks.failed.connect(self._on_failed)
        actions.models.triggered.connect(self.show_window)
        actions.download.triggered.connect(self.offer_download)
        actions.unload.triggered.connect(self.free_memory)

    def start(self) -> None:
        """Look at what there is, in the background."""
        self.tasks.look()

    def _held(self) -> dict[str, int]:
        """What the model that answers has of each device now; called in any thread."""
        state = self._engine.state("vision")
        if not state.device:
            return {}
        return {"cpu": state.memory, state.device: state.vram or state.memory}

    def _look_again(self) -> None:
        if self._is_watched():
            self.tasks.look()

    def _is_watched(self) -> bool:
        """Whether any window shows models."""
        return self._watched() or (self._dialog is not None and self._dialog.isVisible())

    def close(self) -> None:
        self._again.stop()
        if self._dialog is not None:
            self._dialog.close()
        self.tasks.close()

    # ---- the window

    @property
    def is_open(self) -> bool:
        """Whether the window is there."""
        return self._dialog is not None

    def show_window(self) -> None:
        """Show the models there are."""
        if self._dialog is None:
            # A window that may never be opened is not imported at start: it costs memory.
            from desktop.models_dialog import ModelsDialog

            dialog = ModelsDialog(self.tasks, self._settings, self._unload)
            dialog.destroyed.connect(self._on_destroyed)
            self._dialog = dialog
        self._dialog.show()
        self._dialog.raise_()
        self._dialog.activateWindow()

    def show_for(self, key: str) -> None:
        """Show the models among which the setting ``key`` chooses."""
        self.show_window()
        role = next((role for role, setting in MODEL_SETTINGS.items() if setting == key), None)
        if role is not None and self._dialog is not None:
            self._dialog.show_group(role)

    def offer_download(self) -> None:
        """Show the model that reads, and ask the hub what its download takes."""
        self._offer("ocr")

    def offer_asking(self) -> None:
        """The same for the model that answers questions about pictures."""
        self._offer("vision")

    def _offer(self, role: str) -> None:
        self.show_window()
        entry = self._chosen(role)
        if entry is None:
            self._offer_when_known = role if self.tasks.survey is None else ""
            return
        if entry.state != "ready" and self.tasks.task(entry.repo).doing is None:
            if self.tasks.is_paused(entry.repo):
                self.tasks.resume(entry.repo)
            else:
                self.tasks.plan(entry.repo)
        if self._dialog is not None:
            self._dialog.show_model(entry.repo)

    def _unload(self, repo: str) -> None:
        """Files of this model are about to be deleted: it may be in memory."""
        entry = self.tasks.entry(repo)
        self._engine.unload(entry.role if entry is not None else "ocr")

    def _on_destroyed(self) -> None:
        self._dialog = None
        self.window_closed.emit()

    # ---- the tray

    def state_lines(self) -> list[str]:
        """What the tray's tooltip tells beside the state of the engine."""
        running = self.tasks.transfers()
        return [downloading(self._name(repo), self.tasks.task(repo).progress) for repo in running]

    def _chosen(self, role: str = "ocr") -> ModelEntry | None:
        survey = self.tasks.survey
        return survey.chosen_for(role).entry if survey is not None else None

    def _name(self, repo: str) -> str:
        """The engine's name for the model it reads with, so that people know what is meant."""
        entry = self._chosen()
        if entry is not None and entry.repo == repo and entry.known is not None:
            return engine_title(_ENGINE)
        return self.tasks.title(repo)

    def _on_changed(self) -> None:
        if self._offer_when_known and self.tasks.survey is not None:
            role, self._offer_when_known = self._offer_when_known, ""
            self._offer(role)
        self._show_action()
        self.changed.emit()

    def _show_action(self) -> None:
        """The tray's entry for the download: there until the weights are."""
        action, entry = self._actions.download, self._chosen()
        survey = self.tasks.survey
        missing = survey is not None and survey.chosen.checkpoint is None and entry is not None
        action.setVisible(missing and self._settings.current.reading.engine != BUILT_IN)
        if entry is None:
            return
        name = self._name(entry.repo)
        task = self.tasks.task(entry.repo)
        if task.transfers:
            action.setText(f"{downloading(name, task.progress)}…")
        elif self.tasks.is_paused(entry.repo):
            action.setText(self.tr("Resume the download of {0}").format(name))
        else:
            size = format_bytes(entry.needed_bytes)
            text = self.tr("Download {0} ({1})…") if entry.needed_bytes else self.tr("Download {0}…")
            action.setText(text.format(name, size))

    # ---- what is told

    def _on_arrived(self, how: str, repo: str) -> None:
        name = self._name(repo)
        if how == "update":
            self._messages.tell(self.tr("{0} was updated").format(name), insist=False)
            return
        asking = self._chosen("vision")
        if asking is not None and asking.repo == repo:
            body = self.tr("It answers questions about pictures from now on.")
            if self._settings.current.vision.backend != "local":
                body = self.tr("Settings, Asking, say that a server answers.")
            self._messages.tell(self.tr("{0} is ready").format(name), body)
            return
        entry = self._chosen()
        if entry is None or entry.repo != repo:
            self._messages.tell(
                self.tr("{0} is ready").format(name), self.tr("Choose it in Settings, Models & devices.")
            )
            return
        body = self.tr("It reads from the next snip on.")
        if self._settings.current.reading.engine == BUILT_IN:
            body = self.tr("Settings, Reading, say that the built-in engine reads.")
        self._messages.tell(self.tr("{0} is ready").format(name), body)

    def _on_failed(self, _repo: str, error: YomitoriError) -> None:
        # A window that shows the download shows why it stopped, too.
        if not self._is_watched():
            self._messages.tell_error(error)

    def on_state(self, state: HostState) -> None:
        """A host's state has changed: tell once what the user should know, whichever snip it happens at."""
        if state.state is State.UNLOADED and state.role in self._freeing:
            self._on_freed(state)
        if state.role != "ocr":
            return
        if state.state is State.READY:
            self._told = {str(state.notice)} & self._told if state.notice is not None else set()
        problem = state.error if state.state is State.FAILED else state.notice
        if problem is not None and str(problem) not in self._told:
            self._told.add(str(problem))
            self._messages.tell_error(problem)

    def free_memory(self) -> None:
        """Free what is idle now, and tell what that gave."""
        self._freeing = {role for role in _ROLES if self._engine.state(role).memory}
        self._freed = 0
        self._engine.unload()
        self._engine.unload("vision")

    def _on_freed(self, state: HostState) -> None:
        self._freeing.discard(state.role)
        self._freed += state.freed + state.freed_vram
        if not self._freeing:
            body = self.tr("{0} are free again.").format(format_bytes(self._freed)) if self._freed else ""
            self._messages.tell(self.tr("No model is in memory"), body, insist=False)
