"""What is true about a setting right now, for the line under it in the settings dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from core.engine import Engine
from core.engines import BUILT_IN
from core.errors import FellBack, FellBackForGood, ModelsFolderLocked
from core.events import State
from core.memory import format_bytes
from core.settings import SettingsStore, find_setting
from desktop.asking_notes import AskingNotes
from desktop.hotkey_manager import HotkeyManager
from desktop.model_notes import downloads_note, precision_word
from desktop.model_survey import Survey
from desktop.model_tasks import ModelTasks
from desktop.model_texts import fit_text, short_commit, told, translate
from desktop.service_notes import ServiceNotes
from desktop.service_process import ServiceProcess
from desktop.setting_controls import translated
from desktop.setting_row import Note
from desktop.texts import device_word, engine_title, error_hint, error_sentence, memory_in_use, model_state


class RowNotes(QObject):
    """Called with a setting's key. ``offer`` opens the window where the model that reads is downloaded,
    ``offer_asking`` that of the one that answers questions."""

    changed = Signal()
    """Some note is another one now, by what was done in it."""

    def __init__(
        self,
        settings: SettingsStore,
        engine: Engine,
        tasks: ModelTasks,
        hotkeys: HotkeyManager,
        offer: Callable[[], None],
        capture_name: Callable[[], str] = lambda: "",
        parent: QObject | None = None,
        offer_asking: Callable[[], None] | None = None,
        service: ServiceProcess | None = None,
    ) -> None:
        super().__init__(parent)
        self._service = ServiceNotes(service, self) if service is not None else None
        if self._service is not None:
            self._service.changed.connect(self.changed)
        self._asking = AskingNotes(settings, engine, tasks, offer_asking or offer)
        self._settings = settings
        self._engine = engine
        self._tasks = tasks
        self._hotkeys = hotkeys
        self._offer = offer
        self._capture_name = capture_name
        # Which backend works is asked once for each value of the setting: the answer can take a moment.
        self._captures: dict[str, str] = {}

    def __call__(self, key: str) -> Note:
        problem = self._hotkeys.problems.get(key)
        if problem is not None:
            return Note(error_sentence(problem), "bad")
        if key == "capture.hotkey_backend" and self._hotkeys.backend_name:
            return self._in_use(key, self._hotkeys.backend_name)
        find: dict[str, Callable[[], Note]] = {
            "capture.backend": self._capture_note,
            "reading.engine": self._engine_note,
            "models.ocr_model": self._model_note,
            "models.device": self._device_note,
            "models.precision": self._precision_note,
            "models.idle_unload": self._idle_note,
            "models.dir": self._folder_note,
            **self._asking.notes,
            **(self._service.notes if self._service is not None else {}),
        }
        return find[key]() if key in find else Note()

    def _in_use(self, key: str, value: str) -> Note:
        """A choice in the words in which it can be chosen."""
        return Note(self.tr("In use: {0}").format(translated(find_setting(key).labels.get(value, value))))

    def _capture_note(self) -> Note:
        asked = self._settings.current.capture.backend
        if asked not in self._captures:
            self._captures[asked] = self._capture_name()
        name = self._captures[asked]
        return self._in_use("capture.backend", name) if name else Note()

    @property
    def _survey(self) -> Survey | None:
        return self._tasks.survey

    def _is_missing(self) -> bool:
        survey = self._survey
        return survey is not None and survey.chosen.checkpoint is None and survey.chosen.problem is None

    def _waits_for_conversion(self) -> bool:
        checkpoint = self._survey.chosen.checkpoint if self._survey is not None else None
        return checkpoint is not None and checkpoint.needs_conversion

    def _reads(self) -> str:
        """The engine that reads, as the last survey has it: the folders are not asked for every note."""
        asked = self._settings.current.reading.engine
        if asked != "auto" or self._survey is None:
            return asked if asked != "auto" else ""
        there = self._survey.chosen.checkpoint is not None and not self._waits_for_conversion()
        return "manga-ocr" if there else BUILT_IN

    def _download(self, note: Note) -> Note:
        """``note`` with the button that leads to the download of the chosen model."""
        survey = self._survey
        entry = survey.chosen.entry if survey is not None else None
        return note if entry is None else downloads_note(note, entry, self._tasks, self._offer)

    def _engine_note(self) -> Note:
        state = self._engine.state()
        asked = self._settings.current.reading.engine
        if self._is_missing() and asked != BUILT_IN:
            if asked == "auto":
                text = self.tr("The built-in engine reads until MangaOCR is on this computer.")
                return self._download(Note(text))
            text = self.tr("MangaOCR is not on this computer yet, so nothing can be read with it.")
            return self._download(Note(text, "warn"))
        if self._waits_for_conversion() and asked != BUILT_IN:
            return Note(
                self.tr(
                    "The weights are converted once, when they are first needed. "
                    "The built-in engine reads until then."
                )
            )
        if state.state is State.FAILED and state.error is not None:
            return Note(f"{error_sentence(state.error)} {error_hint(state.error)}", "bad")
        if state.memory or state.state is State.LOADING:
            return Note(model_state(state))
        reads = self._reads()
        if not reads:
            return Note()
        return Note(self.tr("{0} reads, and is loaded when you need it.").format(engine_title(reads)))

    def _model_note(self) -> Note:
        survey = self._survey
        if survey is None:
            return Note()
        chosen, fit = survey.chosen, survey.fit
        if chosen.problem is not None:
            return Note(told(chosen.problem), "bad")
        state = self._engine.state()
        loaded = bool(state.memory) and state.engine != BUILT_IN
        room = fit_text(fit, survey.devices)
        if loaded:
            # In the same line, so that nothing moves.
            room = self.tr("In memory now: {0}.").format(memory_in_use(state))
        role = "muted" if fit is None or fit.fits or loaded else "warn"
        parts = [chosen.title]
        revision = chosen.entry.current if chosen.entry is not None else None
        if chosen.checkpoint is None:
            parts.append(self.tr("not on this computer yet"))
        elif chosen.checkpoint.commit:
            parts.append(self.tr("revision {0}").format(short_commit(chosen.checkpoint.commit)))
        if revision is not None:
            parts.append(format_bytes(revision.size))
        if chosen.checkpoint is not None and chosen.checkpoint.converted:
            parts.append(translate("ModelTexts", "converted to safetensors"))
        elif self._waits_for_conversion():
            parts.append(translate("ModelTexts", "is converted to safetensors before its first use"))
        note = Note("\n".join(line for line in (" · ".join(parts), room) if line), role)
        # A download that was begun is shown below, with its buttons.
        entry = chosen.entry
        begun = entry is not None and (
            entry.repo in self._tasks.transfers() or self._tasks.is_paused(entry.repo)
        )
        return self._download(note) if self._is_missing() and not begun else note

    def _device_note(self) -> Note:
        state = self._engine.state()
        devices = self._survey.devices if self._survey is not None else ()
        if isinstance(state.notice, FellBackForGood):
            return Note(error_sentence(state.notice), "warn")
        if isinstance(state.notice, FellBack):
            return Note(
                error_sentence(state.notice), "warn", self.tr("Try again"), self._engine.retry_devices
            )
        if state.device:
            return Note(self.tr("In use: {0}").format(device_word(state.device, devices)))
        asked = self._settings.current.models.device
        survey = self._survey
        if survey is None:
            return Note()
        if asked not in ("auto", "cuda") and asked not in [device.name for device in devices]:
            return Note(
                self.tr("{0} is not there now. The CPU is used instead.").format(device_word(asked)), "warn"
            )
        if asked == "auto" and survey.fit is not None and self._reads() != BUILT_IN:
            where = device_word(survey.fit.device, devices)
            return Note(self.tr("At the moment: {0}").format(where))
        return Note()

    def _precision_note(self) -> Note:
        precision = self._engine.state().precision
        if precision:
            return Note(self.tr("In use: {0}").format(precision_word(precision)))
        survey = self._survey
        # The built-in engine has no precision to choose.
        if survey is None or survey.fit is None or self._settings.current.reading.engine == BUILT_IN:
            return Note()
        word, need = precision_word(survey.fit.precision), format_bytes(survey.fit.need)
        return Note(self.tr("{0} here, needs {1}.").format(word, need))

    def _idle_note(self) -> Note:
        state = self._engine.state()
        if self._settings.current.models.idle_unload < 0:
            return Note()
        if not state.memory:
            return Note(self.tr("Nothing is in memory now."))
        return Note(self.tr("Frees {0}.").format(memory_in_use(state)))

    def _folder_note(self) -> Note:
        survey = self._survey
        if survey is None:
            return Note()
        problem = survey.root_problem
        if problem is not None:
            text = f"{error_sentence(problem)} {error_hint(problem)}"
            if not isinstance(problem, ModelsFolderLocked):
                return Note(text, "bad")
            command = str(problem.params["command"])
            return Note(
                text, "bad", self.tr("Copy the command"), lambda: QGuiApplication.clipboard().setText(command)
            )
        free = format_bytes(survey.free_disk)
        return Note(self.tr("In use: {0} · {1} free").format(survey.root, free))
