"""What is true right now about the settings of the model that answers questions about pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.engine import Engine
from core.engines import LLAVA
from core.errors import FellBack, FellBackForGood
from core.events import HostState, State
from core.memory import format_bytes
from core.settings import SettingsStore
from desktop.model_notes import downloads_note, precision_word
from desktop.model_survey import Chosen, Survey
from desktop.model_tasks import ModelTasks
from desktop.model_texts import fit_text, renamed_text, short_commit, told, translate
from desktop.setting_row import Note
from desktop.texts import device_word, error_sentence, memory_in_use


class AskingNotes:
    """``notes`` maps the keys of settings to what makes the note. ``offer`` opens the window where the model
    is downloaded."""

    def __init__(
        self, settings: SettingsStore, engine: Engine, tasks: ModelTasks, offer: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._tasks = tasks
        self._offer = offer
        self.notes: Mapping[str, Callable[[], Note]] = {
            "vision.model": self._model_note,
            "vision.device": self._device_note,
            "vision.precision": self._precision_note,
            "vision.idle_unload": self._idle_note,
        }

    @property
    def _survey(self) -> Survey | None:
        """None too while a server answers: no model of this computer does anything then."""
        survey = self._tasks.survey
        return survey if survey is not None and survey.answers else None

    @property
    def _loaded(self) -> HostState | None:
        """The model's state while it is in memory."""
        state = self._engine.state("vision")
        return state if state.memory and state.engine == LLAVA else None

    def _model_note(self) -> Note:
        if self._tasks.survey is None:
            return Note()
        survey = self._survey
        if survey is None:
            return Note(translate("AskingNotes", "Not used while a server answers."))
        chosen, loaded = survey.asking, self._loaded
        if chosen.problem is not None:
            return Note(told(chosen.problem), "bad")
        if chosen.entry is None and chosen.checkpoint is None:
            return Note(translate("AskingNotes", "There is no model to choose."), "warn")
        fit = survey.fit_for("vision")
        room = fit_text(fit, survey.devices)
        if loaded is not None:
            # In the same line, so that nothing moves.
            room = translate("AskingNotes", "In memory now: {0}.").format(memory_in_use(loaded))
        fits = fit is None or fit.fits or loaded is not None
        lines = [_which(chosen), room, renamed_text(chosen.renamed)]
        note = Note("\n".join(line for line in lines if line), "muted" if fits else "warn")
        entry = chosen.entry
        if entry is None or chosen.here:
            return note
        return downloads_note(note, entry, self._tasks, self._offer)

    def _device_note(self) -> Note:
        survey, loaded = self._survey, self._loaded
        devices = survey.devices if survey is not None else ()
        notice = self._engine.state("vision").notice
        if isinstance(notice, FellBackForGood):
            return Note(error_sentence(notice), "warn")
        if isinstance(notice, FellBack):
            again = translate("AskingNotes", "Try again")
            return Note(error_sentence(notice), "warn", again, lambda: self._engine.retry_devices("vision"))
        if loaded is not None and loaded.device:
            where = device_word(loaded.device, devices)
            return Note(translate("AskingNotes", "In use: {0}").format(where))
        if survey is None:
            return Note()
        asked = self._settings.current.vision.device
        if asked not in ("auto", "cuda") and asked not in [device.name for device in devices]:
            text = translate("AskingNotes", "{0} is not there now. The CPU is used instead.")
            return Note(text.format(device_word(asked)), "warn")
        fit = survey.fit_for("vision")
        if asked == "auto" and fit is not None:
            where = device_word(fit.device, devices)
            return Note(translate("AskingNotes", "At the moment: {0}").format(where))
        return Note()

    def _precision_note(self) -> Note:
        loaded, survey = self._loaded, self._survey
        if loaded is not None and loaded.precision:
            return Note(translate("AskingNotes", "In use: {0}").format(precision_word(loaded.precision)))
        fit = survey.fit_for("vision") if survey is not None else None
        if fit is None:
            return Note()
        word, need = precision_word(fit.precision), format_bytes(fit.need)
        return Note(translate("AskingNotes", "{0} here, needs {1}.").format(word, need))

    def _idle_note(self) -> Note:
        loaded = self._loaded
        if self._settings.current.vision.idle_unload < 0:
            return Note()
        if loaded is None or loaded.state is State.UNLOADED:
            return Note(translate("AskingNotes", "Nothing is in memory now."))
        return Note(translate("AskingNotes", "Frees {0}.").format(memory_in_use(loaded)))


def _which(chosen: Chosen) -> str:
    """``LLaVA-OneVision 0.5B · chosen automatically · revision aa6573b · 1.8 GB``."""
    parts = [chosen.title]
    if chosen.checkpoint is None:
        parts.append(translate("AskingNotes", "not on this computer yet"))
    else:
        if chosen.automatic:
            parts.append(translate("AskingNotes", "chosen automatically"))
        if chosen.checkpoint.commit:
            revision = translate("AskingNotes", "revision {0}")
            parts.append(revision.format(short_commit(chosen.checkpoint.commit)))
    current = chosen.entry.current if chosen.entry is not None else None
    if current is not None:
        parts.append(format_bytes(current.size))
    if chosen.checkpoint is not None and chosen.checkpoint.converted:
        parts.append(translate("ModelTexts", "converted to safetensors"))
    elif chosen.checkpoint is not None and chosen.checkpoint.needs_conversion:
        parts.append(translate("ModelTexts", "is converted to safetensors before its first use"))
    return " · ".join(parts)
