"""What there is to know about models on this machine now. Gathered off the GUI thread: it reads folders and
asks the graphics card's driver."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from core.devices import Device
from core.engines import BUILT_IN, ENGINES, EngineSpec, loading_engine
from core.errors import YomitoriError
from core.models.entries import Checkpoint, ModelEntry
from core.models.estimate import Fit, fit_on, memory_needed, memory_of
from core.models.library import ModelLibrary
from core.models.renamed import Renamed, conversion_of
from core.models.steps import free_disk
from core.settings import Settings, SettingsStore, find_setting
from core.vision.choice import choose_for, recommend, with_held
from core.vision.family import FAMILY, ONE_PICTURE, SEVERAL_PICTURES
from core.vision.precision import can_quantize

ROLES = ("ocr", "vision")
"""What reads, and what answers questions about pictures."""
MODEL_SETTINGS = {"ocr": "models.ocr_model", "vision": "vision.model"}
"""The setting that names the model, by role."""
AUTO = "auto"
Devices = Callable[[], Sequence[Device]]
Held = Callable[[], Mapping[str, int]]
"""Bytes that the model which answers questions has of each device now, by the device's name."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that the setting names.

    ``entry`` is None for a folder of the user's own, ``checkpoint`` None while it is not on this computer,
    ``problem`` why it cannot be used. ``automatic``: the setting leaves the choice to the program; it is the
    model that would be taken, or where none is here, the one that would be the best on this machine.
    ``renamed``: the setting names a model that cannot be loaded, and this is its conversion.
    ``one_picture``: it is known to look at one picture at a time.
    """

    setting: str
    entry: ModelEntry | None = None
    checkpoint: Checkpoint | None = None
    problem: YomitoriError | None = None
    automatic: bool = False
    renamed: Renamed | None = None
    one_picture: bool = False

    @property
    def title(self) -> str:
        if self.entry is not None:
            return self.entry.title
        return self.checkpoint.title if self.checkpoint is not None else self.setting

    @property
    def here(self) -> bool:
        return self.checkpoint is not None


@dataclass(frozen=True, slots=True)
class Survey:
    """``chosen`` reads, ``asking`` answers questions about pictures. ``entries``: the models there are, and
    those that were asked for by hub id. ``earlier``: by hub id, the commit that rolling back leads to.
    ``fits``: by hub id, or by folder for one of the user's own. ``needs``: for models that answer questions,
    by hub id, the bytes in each precision that can be chosen. ``reads``: the engine that reads with the
    chosen model is not turned off; ``answers``: questions are answered on this computer, not by a server.
    ``asking_root`` is the folder of the models that answer, ``root`` of those that read."""

    chosen: Chosen
    entries: tuple[ModelEntry, ...]
    devices: tuple[Device, ...]
    root: Path
    root_problem: YomitoriError | None = None
    free_disk: int = 0
    fits: Mapping[str, Fit] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)
    reads: bool = True
    asking: Chosen = Chosen(AUTO, automatic=True)
    answers: bool = True
    needs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    asking_root: Path = Path()

    def chosen_for(self, role: str) -> Chosen:
        return self.asking if role == "vision" else self.chosen

    def works(self, role: str) -> bool:
        """Whether the settings let a model of that role do anything."""
        return self.answers if role == "vision" else self.reads

    def in_use(self, repo: str) -> str:
        """The commit of that model that is read or answered with, empty when another one does, or none."""
        for role in ROLES:
            checkpoint = self.chosen_for(role).checkpoint
            if self.works(role) and checkpoint is not None and checkpoint.repo == repo:
                return checkpoint.commit
        return ""

    def fit_for(self, role: str) -> Fit | None:
        """Whether the chosen model fits."""
        chosen = self.chosen_for(role)
        return self.fits.get(chosen.entry.repo if chosen.entry is not None else chosen.setting)

    @property
    def fit(self) -> Fit | None:
        """Whether the model that reads fits."""
        return self.fit_for("ocr")


def survey(
    settings: SettingsStore,
    library: ModelLibrary,
    devices: Devices,
    added: Mapping[str, str] | None = None,
    engines: tuple[EngineSpec, ...] = ENGINES,
    held: Held = dict,
) -> Survey:
    """Look at everything. ``added`` are hub ids that the user has typed and not downloaded yet, with what
    they are meant for (``ocr``, ``vision``)."""
    current = settings.current
    here = {"ocr": tuple(devices())}
    here["vision"] = tuple(with_held(here["ocr"], held()))
    chosen = {
        "ocr": _chosen(library, "ocr", current.models.ocr_model),
        "vision": _asking(library, current, here["vision"], engines),
    }
    entries: dict[str, ModelEntry] = {}
    for role in ROLES:
        entries |= {entry.repo: entry for entry in library.models(role)}
        meant = chosen[role].entry
        if meant is not None:
            entries.setdefault(meant.repo, meant)
    for name, role in (added or {}).items():
        try:
            entry = library.model(name)
        except YomitoriError:
            continue
        if entry.known is None and not entry.revisions:
            entry = replace(entry, role=role)
        entries.setdefault(entry.repo, entry)
    root = library.root("ocr")
    fits: dict[str, Fit | None] = {}
    for entry in entries.values():
        of = partial(memory_of, entry, engines=engines)
        fits[entry.repo] = _fit(current, entry.role, here[entry.role], of, engines)
    for role, one in chosen.items():
        spec = loading_engine(role, engines)
        if one.entry is None and one.checkpoint is not None and spec is not None:
            of = partial(memory_needed, one.checkpoint.folder, beside=spec.memory)
            fits[one.setting] = _fit(current, role, here[role], of, engines)
    return Survey(
        chosen["ocr"],
        tuple(entries.values()),
        here["ocr"],
        root,
        _root_problem(library),
        free_disk(root),
        {name: fit for name, fit in fits.items() if fit is not None},
        {repo: entry.earlier for repo, entry in entries.items() if entry.earlier},
        current.reading.engine != BUILT_IN,
        chosen["vision"],
        current.vision.backend == "local",
        {repo: _needs(entry, engines) for repo, entry in entries.items() if entry.role == "vision"},
        library.root("vision"),
    )


def _chosen(library: ModelLibrary, role: str, setting: str) -> Chosen:
    entry = checkpoint = problem = None
    try:
        checkpoint = library.lookup(role, setting)
    except YomitoriError as error:
        problem = error
    if checkpoint is None or checkpoint.repo:
        try:
            entry = library.meant(role, setting)
        except YomitoriError as error:
            problem = problem or error
    if entry is not None and entry.known is None and not entry.revisions:
        entry = replace(entry, role=role)
    return Chosen(
        setting,
        entry,
        checkpoint,
        problem,
        renamed=conversion_of(setting),
        one_picture=role == "vision" and checkpoint is not None and _takes_one(checkpoint.folder),
    )


def _takes_one(folder: Path) -> bool:
    """Whether a checkpoint is of a type that was taught to look at one picture."""
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        return False
    return kind in ONE_PICTURE or (kind in FAMILY and kind not in SEVERAL_PICTURES)


def _asking(
    library: ModelLibrary, settings: Settings, devices: Sequence[Device], engines: tuple[EngineSpec, ...]
) -> Chosen:
    """The model that answers questions."""
    vision, engine = settings.vision, loading_engine("vision", engines)
    if vision.model != AUTO:
        return _chosen(library, "vision", vision.model)
    if engine is None:
        return Chosen(AUTO, automatic=True)
    name = choose_for(library.models("vision"), devices, vision, engine)
    if name is None:
        best = recommend(library.catalogue, devices, vision.device, engine.devices, vision.precision)
        name = best.name if best is not None else None
    if name is None:
        return Chosen(AUTO, automatic=True)
    return replace(_chosen(library, "vision", name), setting=AUTO, automatic=True)


def _precision(settings: Settings, role: str) -> str:
    return settings.vision.precision if role == "vision" else settings.models.precision


def _needs(entry: ModelEntry, engines: tuple[EngineSpec, ...]) -> dict[str, int]:
    precisions = [name for name in find_setting("vision.precision").labels if name != "auto"]
    needs = {precision: memory_of(entry, "cpu", precision, engines) for precision in precisions}
    return {precision: need for precision, need in needs.items() if need}


def _fit(
    settings: Settings,
    role: str,
    devices: Sequence[Device],
    need: Callable[[str, str], int],
    engines: tuple[EngineSpec, ...],
) -> Fit | None:
    """``need``: bytes by device and precision."""
    spec = loading_engine(role, engines)
    if spec is None:
        return None
    device = settings.vision.device if role == "vision" else settings.models.device
    asked = _precision(settings, role)
    quantized = need if role == "vision" and can_quantize() else None
    return fit_on(lambda name: need(name, asked), devices, device, spec.devices, asked, quantized)


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
