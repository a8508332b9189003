"""The model that answers, by the names under which it may be asked for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.engines import LLAVA
from core.errors import YomitoriError
from core.models.entries import ModelEntry
from core.models.layout import name_of
from core.models.renamed import conversion_of
from core.service_errors import ModelNotFound
from service.http.context import Context
from service.models_choice import AUTO, automatic_model

ANY = frozenset({"", "default", AUTO})
"""Names for whatever model the settings choose."""


@dataclass(frozen=True, slots=True)
class Served:
    """``created`` is in seconds since 1970, 0 where not known."""

    name: str
    others: frozenset[str] = frozenset()
    owner: str = "yomitori"
    created: int = 0

    def goes_by(self, name: str) -> bool:
        names = {self.name, *self.others}
        renamed = conversion_of(name)
        return name in names or (renamed is not None and renamed.new in names)


def served(context: Context) -> Served | None:
    """What answers questions now; None when no model is on this computer, or none is chosen.

    Looks at files, and may ask for the memory of graphics cards: not in the event loop.
    """
    vision = context.settings.current.vision
    if vision.backend == "remote":
        return Served(vision.server_model, owner="server") if vision.server_model else None
    if vision.model == AUTO:
        return _automatic(context)
    try:
        own = context.library.own_folder("vision", vision.model)
        if own is not None:
            return None if own.problem else _of_folder(own.folder, {vision.model})
        entry = context.library.meant("vision", vision.model)
    except YomitoriError:
        return None
    return _of_entry(entry, {vision.model}) if entry.weights is not None else None


def served_as(context: Context, name: str | None) -> Served | None:
    """The model that is meant by ``name``; None where it is whatever the settings choose, and none is here.

    Raises:
        ModelNotFound: it is not the one that answers now. Another one is never loaded instead.
    """
    found = served(context)
    if (name or "") in ANY:
        return found
    if found is None or not found.goes_by(name or ""):
        raise ModelNotFound(param="model", served=found.name if found else "default")
    return found


def _automatic(context: Context) -> Served | None:
    here = [entry for entry in context.library.models("vision") if entry.weights is not None]
    state = context.engine.state("vision")
    for entry in here:
        if state.engine == LLAVA and state.detail and state.detail == _loaded_name(entry):
            return _of_entry(entry)
    chosen = automatic_model(context.library, context.settings.current)
    return next((_of_entry(entry) for entry in here if entry.name == chosen), None)


def _loaded_name(entry: ModelEntry) -> str:
    """What a model process says of itself when it has loaded it."""
    return name_of(entry.weights) if entry.weights is not None else ""


def _of_entry(entry: ModelEntry, also: set[str] | frozenset[str] = frozenset()) -> Served:
    owner = entry.repo.partition("/")[0]
    return Served(entry.name, frozenset({entry.repo, *also}), owner, _since(entry.weights))


def _of_folder(folder: Path, also: set[str]) -> Served:
    return Served(folder.name, frozenset(also), created=_since(folder))


def _since(folder: Path | None) -> int:
    with suppress(OSError):
        return int(folder.stat().st_mtime) if folder is not None else 0
    return 0
