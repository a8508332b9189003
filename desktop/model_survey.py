"""What there is to know about models on this machine now. Gathered off the GUI thread: it reads folders and
asks the graphics card's driver."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.devices import Device, candidates
from core.engines import ENGINES, EngineSpec
from core.errors import YomitoriError
from core.memory import CPU_FALLBACK_SHARE
from core.models.entries import Checkpoint, ModelEntry
from core.models.estimate import memory_needed
from core.models.library import ModelLibrary
from core.models.places import ensure_models_root
from core.models.steps import free_disk
from core.settings import Settings, SettingsStore

Devices = Callable[[], Sequence[Device]]


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits: ``need`` and ``free`` bytes on ``device``, the one it would run on."""

    device: str
    need: int
    free: int
    fits: bool


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
    commit that rolling back leads to. ``fits``: by hub id, or by folder for one of the user's own."""

    chosen: Chosen
    entries: tuple[ModelEntry, ...]
    devices: tuple[Device, ...]
    root: Path
    root_problem: YomitoriError | None = None
    free_disk: int = 0
    fits: Mapping[str, Fit] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)

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
    spec = next((spec for spec in engines if spec.role == "ocr" and spec.has_checkpoint), None)
    fits = {}
    if spec is not None:
        for entry in entries.values():
            fits[entry.repo] = _fit(spec, current, here, _memory_of(library, entry, spec, current))
        if chosen.entry is None and chosen.checkpoint is not None:
            need = _memory_of_weights(chosen.checkpoint, spec, current)
            fits[setting] = _fit(spec, current, here, need)
    return Survey(
        chosen,
        tuple(entries.values()),
        here,
        root,
        _root_problem(root),
        free_disk(root),
        {name: fit for name, fit in fits.items() if fit is not None},
        {repo: commit for repo, entry in entries.items() if (commit := _earlier(library, entry))},
    )


def _chosen(library: ModelLibrary, setting: str) -> Chosen:
    entry = checkpoint = problem = None
    try:
        checkpoint = library.lookup("ocr", setting)
    except YomitoriError as error:
        problem = error
    if checkpoint is None or checkpoint.repo:
        try:
            entry = library.model(setting)
        except YomitoriError as error:
            problem = problem or error
    return Chosen(setting, entry, checkpoint, problem)


def _earlier(library: ModelLibrary, entry: ModelEntry) -> str:
    """Where ``ModelLibrary.roll_back`` leads; empty when there is nothing before."""
    record = library.records.model(entry.repo)
    whole = {revision.commit for revision in entry.revisions if revision.complete}
    before = [commit for commit in (record.previous if record else ()) if commit in whole]
    return before[-1] if before else ""


def _memory_of(
    library: ModelLibrary, entry: ModelEntry, spec: EngineSpec, settings: Settings
) -> Callable[[str], int]:
    """Bytes by device: of the weights that are here, else what the catalogue says; 0 when nobody knows."""
    try:
        checkpoint = library.lookup(entry.role, entry.repo)
    except YomitoriError:
        checkpoint = None
    if checkpoint is not None:
        return _memory_of_weights(checkpoint, spec, settings)
    known = entry.known.memory if entry.known is not None else {}
    precision = settings.models.precision
    return lambda device: known.get(_precision_on(device, precision), 0)


def _memory_of_weights(weights: Checkpoint, spec: EngineSpec, settings: Settings) -> Callable[[str], int]:
    precision = settings.models.precision
    return lambda device: memory_needed(weights.folder, _precision_on(device, precision), spec.memory)


def _precision_on(device: str, precision: str) -> str:
    """What ``auto`` comes to, as the engine plans it."""
    if precision != "auto":
        return precision
    return "fp16" if device.startswith("cuda") else "fp32"


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
        fit = Fit(name, need, free, need <= room)
        if fit.fits:
            break
    return fit


def _root_problem(root: Path) -> YomitoriError | None:
    """Why nothing can be downloaded to the folder; a folder that is not there is not made by asking."""
    there = next((folder for folder in (root, *root.parents) if folder.exists()), root)
    if there != root and there.is_dir() and os.access(there, os.W_OK):
        return None
    try:
        ensure_models_root(root)
    except YomitoriError as error:
        return error
    return None
