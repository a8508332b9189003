"""Which of several models answers when the choice is automatic, and which to fetch where none is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.checkpoints import KnownWeights
from core.devices import Device, candidates, precision_on
from core.engines import EngineSpec
from core.models.catalogue import KnownModel
from core.models.estimate import memory_needed
from core.settings import Vision


def choose(
    models: Sequence[KnownWeights],
    devices: Sequence[Device],
    asked: str,
    kinds: Sequence[str],
    need: Callable[[Path, str], int],
) -> str | None:
    """The name of the model to load; None when none is on this computer.

    On a graphics card the largest that fits into what is free there answers best. A CPU is so much slower
    that the smallest one is taken.

    Args:
        asked: the device of the settings, also ``auto``; ``kinds`` are those the engine can use.
        need: bytes that the weights in a folder take on a device.
    """
    here = [(model.name, model.weights) for model in models if model.weights is not None]
    if not here:
        return None
    free = {device.name: device.free for device in devices}
    for device in candidates(asked, kinds, devices):
        if device == "cpu":
            continue
        sized = sorted(((need(folder, device), name) for name, folder in here), reverse=True)
        for size, name in sized:
            if size <= free.get(device, 0):
                return name
    return min((need(folder, "cpu"), name) for name, folder in here)[1]


def choose_for(
    models: Sequence[KnownWeights], devices: Sequence[Device], vision: Vision, engine: EngineSpec
) -> str | None:
    """``choose`` for the settings in force; ``engine`` is the one that loads the model."""

    def need(folder: Path, device: str) -> int:
        return memory_needed(folder, device, vision.precision, engine.memory)

    return choose(models, devices, vision.device, engine.devices, need)


def recommend(
    catalogue: Sequence[KnownModel],
    devices: Sequence[Device],
    asked: str,
    kinds: Sequence[str],
    precision: str,
) -> KnownModel | None:
    """The model to fetch where none is here; None when the catalogue has none that answers questions.

    The one with the most parameters that fits into what is free on a graphics card now; without such a card
    the one with the fewest, for the CPU, whether or not that has the room: ``fit_on`` tells.

    Args:
        asked: the device of the settings, also ``auto``; ``kinds`` are those the engine can use.
        precision: of the settings, also ``auto``.
    """
    models = [model for model in catalogue if model.role == "vision"]
    free = {device.name: device.free for device in devices}
    by_size = sorted(models, key=lambda model: -model.parameters)
    for device in candidates(asked, kinds, devices):
        if device == "cpu":
            continue
        for model in by_size:
            need = model.memory.get(precision_on(device, precision), 0)
            if need and device.split(":")[0] in model.devices and need <= free.get(device, 0):
                return model
    return by_size[-1] if by_size else None


def with_held(devices: Sequence[Device], held: Mapping[str, int]) -> list[Device]:
    """The devices as they will be once what is held there, in bytes by device, was given back.

    A model that is loaded must not count against itself: the choice would turn to another one as soon as
    the first answers.
    """
    return [replace(device, free=device.free + held.get(device.name, 0)) for device in devices]
