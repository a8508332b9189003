"""What the notes under settings about models have in common."""

from __future__ import annotations

from collections.abc import Callable

from core.models.entries import ModelEntry
from core.settings import find_setting
from desktop.model_tasks import ModelTasks
from desktop.model_texts import download_button, downloading, translate
from desktop.setting_controls import translated
from desktop.setting_row import Note


def downloads_note(note: Note, entry: ModelEntry, tasks: ModelTasks, offer: Callable[[], None]) -> Note:
    """``note`` with the button that leads to the download of a model, or with how far that is."""
    if entry.repo in tasks.transfers():
        text = downloading(entry.title, tasks.task(entry.repo).progress)
        return Note(f"{note.text}\n{text}", note.role)
    if tasks.is_paused(entry.repo):
        return Note(note.text, note.role, translate("RowNotes", "Resume the download…"), offer)
    return Note(note.text, note.role, download_button(entry.needed_bytes), offer)


def precision_word(precision: str) -> str:
    """``Full (fp32)``, in the user's language."""
    return translated(find_setting("vision.precision").labels.get(precision, precision))
