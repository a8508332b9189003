"""Which models the settings lead to, as far as they are on this computer."""

from __future__ import annotations

from contextlib import suppress

from core.devices import list_devices
from core.engines import BUILT_IN, loading_engine
from core.errors import ServerNotSet, YomitoriError
from core.models.catalogue import find_model
from core.models.entries import Checkpoint
from core.models.imported import not_here
from core.models.library import ModelLibrary
from core.models.stock import OwnFolder
from core.settings import Settings
from core.vision.choice import choose_for, recommend
from service.models_text import Choice

AUTO = "auto"
ROLES = ("ocr", "vision")


def automatic_model(library: ModelLibrary, settings: Settings) -> str:
    """The model that answers questions where the settings name none; empty for none."""
    vision, engine = settings.vision, loading_engine("vision")
    if vision.backend != "local" or vision.model != AUTO or engine is None:
        return ""
    here = [entry for entry in library.models("vision") if entry.weights is not None]
    # Without a model to choose the graphics card's driver need not be asked.
    return (choose_for(here, list_devices(), vision, engine) or "") if here else ""


def model_named(library: ModelLibrary, settings: Settings, role: str) -> str:
    """The model that a role loads by the settings, here or not: a name, a hub id or a folder; empty where
    none is loaded, or none is here that could be taken by itself."""
    if role == "ocr":
        return "" if settings.reading.engine == BUILT_IN else settings.models.ocr_model
    if settings.vision.backend != "local":
        return ""
    return automatic_model(library, settings) if settings.vision.model == AUTO else settings.vision.model


def find_chosen(library: ModelLibrary, settings: Settings) -> tuple[Choice, dict[str, Checkpoint]]:
    """What the settings choose, and the checkpoint of each role that has one here."""
    loaded: dict[str, Checkpoint] = {}
    named = {role: model_named(library, settings, role) for role in ROLES}
    for role, name in named.items():
        with suppress(YomitoriError):
            found = library.lookup(role, name) if name else None
            if found is not None:
                loaded[role] = found
    automatic = named["vision"] if settings.vision.model == AUTO else ""
    return Choice(settings, tuple(loaded.values()), automatic), loaded


def own_folders(library: ModelLibrary, settings: Settings) -> list[OwnFolder]:
    """The folders of the user's own that the settings name as models, usable or not."""
    named = {"ocr": settings.models.ocr_model, "vision": settings.vision.model}
    found = [library.own_folder(role, name) for role, name in named.items() if name != AUTO]
    return [folder for folder in found if folder is not None]


def check_weights(library: ModelLibrary, settings: Settings, role: str, reading_engine: str) -> None:
    """Raises what an engine would raise when it looks for the weights of a role.

    Args:
        reading_engine: the one that would read now, as ``Engine.reading_engine`` tells.
    """
    if role == "ocr":
        if not reading_engine:
            raise not_here(settings.models.ocr_model)
        return
    vision = settings.vision
    if vision.backend == "remote":
        if not (vision.server_url and vision.server_model):
            raise ServerNotSet
        return
    name = model_named(library, settings, role)
    if name and library.lookup(role, name) is not None:
        return
    engine = loading_engine(role)
    if not name and engine is not None:
        best = recommend(library.catalogue, list_devices(), vision.device, engine.devices, vision.precision)
        name = best.name if best is not None else AUTO
    known = find_model(name, library.catalogue)
    raise not_here(name, known.title if known is not None else "")
