"""Where models lie: one folder per user, by default the cache that every program of the hub shares."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from core.models.folder import ensure_models_root as ensure_models_root
from core.settings import Settings, SettingsStore

HUB_NAMES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME")
_ROLE_NAMES = {"ocr": "MANGAOCR_MODEL_PATH", "vision": "TRANSFORMERS_CACHE"}


def models_root(
    settings: SettingsStore | Settings, role: str, environ: Mapping[str, str] | None = None
) -> Path:
    """The cache folder for models of ``role``, which need not exist: see ``models_place``."""
    return models_place(settings, role, environ)[0]


def models_place(
    settings: SettingsStore | Settings, role: str, environ: Mapping[str, str] | None = None
) -> tuple[Path, str]:
    """The cache folder for models of ``role``, which need not exist, and what fixes it for this run.

    That is a flag or an environment variable, empty when the settings file says it, or nothing does.

    The first that is set: ``--models-dir``, ``YOMITORI_MODELS_DIR``, the older name for the role
    (``MANGAOCR_MODEL_PATH`` when it is no checkpoint itself, ``TRANSFORMERS_CACHE``), ``HF_HUB_CACHE``,
    ``HF_HOME``, the settings file, the hub's own default.
    """
    environ = os.environ if environ is None else environ
    current = settings.current if isinstance(settings, SettingsStore) else settings
    source = settings.overridden.get("models.dir", "") if isinstance(settings, SettingsStore) else ""
    chosen = current.models.dir
    if chosen and source and source not in HUB_NAMES:
        return _path(chosen), source
    name = _ROLE_NAMES.get(role, "")
    older = environ.get(name, "")
    if older and not (_path(older) / "config.json").is_file():
        return _path(older), name
    for name in HUB_NAMES:
        if environ.get(name):
            folder = _path(environ[name])
            return folder / "hub" if name == "HF_HOME" else folder, name
    return _path(chosen) if chosen else hub_default(environ), ""


def hub_default(environ: Mapping[str, str]) -> Path:
    """Where the hub's own library keeps models when nothing says otherwise."""
    return _path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _path(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser().absolute()
