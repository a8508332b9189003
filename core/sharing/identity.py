"""What would be loaded: two programs may share an engine where that is the same for both."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from core.checkpoints import Weights
from core.errors import YomitoriError
from core.settings import SettingsStore

Identity = dict[str, str]


class Folders(Protocol):
    """The part of ``core.models.library.ModelLibrary`` that tells where weights are."""

    def root(self, role: str = "ocr") -> Path: ...
    def lookup(self, role: str, model_setting: str) -> Weights | None: ...


def identity(settings: SettingsStore, library: Folders, role: str) -> Identity:
    """Everything that decides what the model process of ``role`` holds, by name.

    The number of threads and the idle time are left to whoever owns the engine.
    """
    models, vision = settings.current.models, settings.current.vision
    root = str(library.root(role))
    if role == "ocr":
        engine = settings.current.reading.engine
        return {
            "engine": engine,
            "model": "" if engine == "ppocr" else _weights(library, role, models.ocr_model),
            "device": models.device,
            "precision": models.precision,
            "root": root,
        }
    return {
        "backend": vision.backend,
        # Which one "auto" is depends on what is free, which only the owner of the loaded one can tell.
        "model": "auto" if vision.model == "auto" else _weights(library, role, vision.model),
        "device": vision.device,
        "precision": vision.precision,
        "root": root,
    }


def may_share(settings: SettingsStore, role: str) -> bool:
    """Whether there is anything to share: a server of the settings needs no memory here, and is asked by
    whoever was shown where it is."""
    return role == "ocr" or settings.current.vision.backend == "local"


def _weights(library: Folders, role: str, model: str) -> str:
    """The folder; the setting itself while its model is not here."""
    found: Any = None
    with suppress(YomitoriError):
        found = library.lookup(role, model)
    return model if found is None else str(found.folder)
