"""Which models the settings lead to, as far as they are on this computer."""

from __future__ import annotations

from contextlib import suppress

from core.devices import list_devices
from core.engines import BUILT_IN, loading_engine
from core.errors import YomitoriError
from core.models.entries import Checkpoint
from core.models.library import ModelLibrary
from core.settings import Settings
from core.vision.choice import choose_for
from service.models_text import Choice

AUTO = "auto"


def automatic_model(library: ModelLibrary, settings: Settings) -> str:
    """The model that answers questions where the settings name none; empty for none."""
    vision, engine = settings.vision, loading_engine("vision")
    if vision.backend != "local" or vision.model != AUTO or engine is None:
        return ""
    here = [entry for entry in library.models("vision") if entry.weights is not None]
    # Without a model to choose the graphics card's driver need not be asked.
    return (choose_for(here, list_devices(), vision, engine) or "") if here else ""


def find_chosen(library: ModelLibrary, settings: Settings) -> tuple[Choice, dict[str, Checkpoint]]:
    """What the settings choose, and the checkpoint of each role that has one here."""
    named = {}
    if settings.reading.engine != BUILT_IN:
        named["ocr"] = settings.models.ocr_model
    automatic = automatic_model(library, settings)
    if settings.vision.backend == "local":
        named["vision"] = automatic or settings.vision.model
    loaded: dict[str, Checkpoint] = {}
    for role, name in named.items():
        with suppress(YomitoriError):
            found = library.lookup(role, name)
            if found is not None:
                loaded[role] = found
    return Choice(settings, tuple(loaded.values()), automatic), loaded
