"""What there is to know about models on this machine now. Gathered off the GUI thread: it reads folders and
asks the graphics card's driver."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.devices import Device, candidates, precision_on
from core.engines import BUILT_IN, ENGINES, EngineSpec, loading_engine
from core.errors import YomitoriError
from core.memory import CPU_FALLBACK_SHARE
from core.models.entries import Checkpoint, ModelEntry
from core.models.estimate import memory_needed, memory_of
from core.models.library import ModelLibrary
from core.models.steps import free_disk
from core.settings import Settings, SettingsStore

Devices = Callable[[], Sequence[Device]]


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits: ``need`` and ``free`` bytes on ``device``, the one it would run on, in
    ``precision``."""

    device: str
    need: int
    free: int
    fits: bool
    precision: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that the setting names.

    ``entry`` is None for a folder of the user's own, ``checkpoint`` None while it is not on this computer,
    ``problem`` why it cannot be used.
    """

    setting: str
    entry: ModelEntry | None = None
    checkpoint: Checkpoint | None = None
    problem: YomitoriError | None = None

    @property
    def title(self) -> str:
        if self.entry is not None:
            return self.entry.title
        return self.checkpoint.title if self.checkpoint is not None else self.setting


@dataclass(frozen=True, slots=True)
class Survey:
    """``entries``: the models there are, and those that were asked for by hub id. ``earlier``: by hub id, the
    commit that rolling back leads to. ``fits``: by hub id, or by folder for one of the user's own. ``reads``:
    the engine that reads with the chosen model is not turned off."""

    chosen: Chosen
    entries: tuple[ModelEntry, ...]
    devices: tuple[Device, ...]
    root: Path
    root_problem: YomitoriError | None = None
    free_disk: int = 0
    fits: Mapping[str, Fit] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)
    reads: bool = True

    def in_use(self, repo: str) -> str:
        """The commit of that model that is read with, empty when another model or engine reads."""
        checkpoint = self.chosen.checkpoint
        return checkpoint.commit if self.reads and checkpoint is not None and checkpoint.repo == repo else ""

    @property
    def fit(self) -> Fit | None:
        """Whether the chosen model fits."""
        entry = self.chosen.entry
        return self.fits.get(entry.repo if entry is not None else self.chosen.setting)


def survey(
    settings: SettingsStore,
    library: ModelLibrary,
    devices: Devices,
    added: Sequence[str] = (),
    engines: tuple[EngineSpec, ...] = ENGINES,
) -> Survey:
    """Look at everything. ``added`` are hub ids that the user has typed and not downloaded yet."""
    current = settings.current
    setting = current.models.ocr_model
    here = tuple(devices())
    chosen = _chosen(library, setting)
    entries = {entry.repo: entry for entry in library.models("ocr")}
    if chosen.entry is not None:
        entries.setdefault(chosen.entry.repo, chosen.entry)
    for name in added:
        try:
            entry = library.model(name)
        except YomitoriError:
            continue
        entries.setdefault(entry.repo, entry)
    root = library.root("ocr")
    spec = loading_engine("ocr", engines)
    fits = {}
    if spec is not None:
        asked = current.models.precision
        needs: dict[str, Callable[[str], int]] = {
            entry.repo: partial(memory_of, entry, asked=asked, engines=engines) for entry in entries.values()
        }
        if chosen.entry is None and chosen.checkpoint is not None:
            needs[setting] = partial(memory_needed, chosen.checkpoint.folder, asked=asked, beside=spec.memory)
        fits = {name: _fit(spec, current, here, need) for name, need in needs.items()}
    return Survey(
        chosen,
        tuple(entries.values()),
        here,
        root,
        _root_problem(library),
        free_disk(root),
        {name: fit for name, fit in fits.items() if fit is not None},
        {repo: entry.earlier for repo, entry in entries.items() if entry.earlier},
        current.reading.engine != BUILT_IN,
    )


def _chosen(library: ModelLibrary, setting: str) -> Chosen:
    entry = checkpoint = problem = None
    try:
        checkpoint = library.lookup("ocr", setting)
    except YomitoriError as error:
        problem = error
    if checkpoint is None or checkpoint.repo:
        try:
            entry = library.meant("ocr", setting)
        except YomitoriError as error:
            problem = problem or error
    return Chosen(setting, entry, checkpoint, problem)


def _fit(
    spec: EngineSpec, settings: Settings, devices: Sequence[Device], need_on: Callable[[str], int]
) -> Fit | None:
    """On the first device that takes it, as a host tries them; on the last when none does."""
    by_name = {device.name: device for device in devices}
    names = [name for name in candidates(settings.models.device, spec.devices, devices) if name in by_name]
    fit = None
    for position, name in enumerate(names):
        need, free = need_on(name), by_name[name].free
        if not need:
            return None
        # Where a card was asked for, RAM is taken only when enough of it stays free.
        room = free * CPU_FALLBACK_SHARE if name == "cpu" and position else free
        fit = Fit(name, need, free, need <= room, precision_on(name, settings.models.precision))
        if fit.fits:
            break
    return fit


def _root_problem(library: ModelLibrary) -> YomitoriError | None:
    """Why nothing can be downloaded to the folder; a folder that is not there is not made by asking."""
    root = library.root("ocr")
    there = next((folder for folder in (root, *root.parents) if folder.exists()), root)
    if there != root and there.is_dir() and os.access(there, os.W_OK):
        return None
    try:
        library.ensure_root("ocr")
    except YomitoriError as error:
        return error
    return None
