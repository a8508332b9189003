"""Models that came from a folder or a zip file and no hub knows: they are called ``local/<name>``."""

from __future__ import annotations

from core.errors import ImportGone, ModelImported, ModelMissing

_OWNER = "local"


def local_id(label: str) -> str:
    """What a model is called whose source does not tell a hub id."""
    return f"{_OWNER}/{label}"


def is_local(name: str) -> bool:
    """Whether a hub is never asked for the model of that name, which may end with ``@revision``."""
    return name.startswith(f"{_OWNER}/")


def refuse_local(name: str) -> None:
    """Raises ModelImported where a hub is to be asked for a model that none has."""
    if is_local(name):
        raise ModelImported(model=name)


def not_here(name: str, title: str = "") -> ModelMissing:
    """What to say when the model of that name is not on this computer; ``title`` is what people call it."""
    return ImportGone(model=name) if is_local(name) else ModelMissing(model=name, title=title)
