"""Where an Engine's checkpoints come from, as it sees it (``core.models.library`` is the real one)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from core.jobs import Job
from core.models.entries import OnProgress


class Weights(Protocol):
    """A checkpoint on this computer. One that needs conversion is not loaded as it is."""

    @property
    def folder(self) -> Path: ...
    @property
    def needs_conversion(self) -> bool: ...


W = TypeVar("W", bound=Weights)


class KnownWeights(Protocol):
    """A model and its weights, None when they are not here (``core.models.entries.ModelEntry``)."""

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> Path | None: ...


class Library(Protocol[W]):
    def lookup(self, role: str, model_setting: str) -> W | None:
        """What is here for the setting's value; None when nothing is. Cheap, and never asks the network."""
        ...

    def convert(self, role: str, model_setting: str, on_progress: OnProgress | None = None) -> Job[W]:
        """Make one that can be loaded of what needs conversion; ``on_progress`` is called in a thread of the
        library's."""
        ...

    def touch(self, checkpoint: W, role: str) -> None:
        """It is used now."""
        ...

    def models(self, role: str) -> Sequence[KnownWeights]:
        """Every known model of that role, also those that are not here."""
        ...
