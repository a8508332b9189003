"""Which of several models answers when the choice is automatic, and which to fetch where none is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.checkpoints import KnownWeights
from core.devices import Device, candidates
from core.engines import EngineSpec
from core.models.catalogue import KnownModel
from core.models.estimate import memory_needed
from core.models.tensors import BYTES_PER_WEIGHT
from core.settings import Vision
from core.vision.precision import can_quantize, fitting


def choose(
    models: Sequence[KnownWeights],
    devices: Sequence[Device],
    asked: str,
    kinds: Sequence[str],
    need: Callable[[Path, str], int],
) -> str | None:
    """The name of the model to load; None when none is on this computer.

    On a graphics card the one that takes the most of what is free there answers best, also where that is a
    large model in fewer bits. A CPU is so much slower that the smallest one is taken.

    Args:
        asked: the device of the settings, also ``auto``; ``kinds`` are those the engine can use.
        need: bytes that the weights in a folder take on a device, in the precision they would have there.
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
    return choose(models, devices, vision.device, engine.devices, needs(devices, vision, engine))


def needs(
    devices: Sequence[Device], vision: Vision, engine: EngineSpec, quantizes: bool | None = None
) -> Callable[[Path, str], int]:
    """Bytes that the weights in a folder take on a device, in the precision in which they would be loaded
    into what is free there.

    Args:
        quantizes: whether a card can; None: as the library for it is there.
    """
    free = {device.name: device.free for device in devices}
    can = can_quantize() if quantizes is None else quantizes

    def need(folder: Path, device: str) -> int:
        def size(precision: str) -> int:
            return memory_needed(folder, device, precision, engine.memory)

        fitted = fitting(size, free.get(device), device, vision.precision, can)
        return size(fitted or vision.precision)

    return need


def recommend(
    catalogue: Sequence[KnownModel],
    devices: Sequence[Device],
    asked: str,
    kinds: Sequence[str],
    precision: str,
    quantizes: bool | None = None,
) -> KnownModel | None:
    """The model to fetch where none is here; None when the catalogue has none that answers questions.

    The one with the most bytes of weights that fits into what is free on a graphics card now, each in the
    best precision in which it fits there; without such a card the one with the fewest parameters, for the
    CPU, whether or not that has the room: ``fit_on`` tells.

    Args:
        asked: the device of the settings, also ``auto``; ``kinds`` are those the engine can use.
        precision: of the settings, also ``auto``.
        quantizes: whether a card can; None: as the library for it is there.
    """
    can = can_quantize() if quantizes is None else quantizes
    models = [model for model in catalogue if model.role == "vision"]
    free = {device.name: device.free for device in devices}
    for device in candidates(asked, kinds, devices):
        if device == "cpu":
            continue
        room, kind = free.get(device, 0), device.split(":")[0]
        held = {
            model.name: weights
            for model in models
            if kind in model.devices and (weights := _weights_in(model, device, room, precision, can))
        }
        if held:
            return max((model for model in models if model.name in held), key=lambda model: held[model.name])
    return min(models, key=lambda model: model.parameters, default=None)


def _weights_in(model: KnownModel, device: str, free: int, precision: str, quantizes: bool) -> float:
    """Bytes of the weights in the best precision in which the model fits there; 0 when it fits in none, or
    nobody knows."""

    def need(precision: str) -> int:
        return model.memory.get(precision, free + 1)

    fitted = fitting(need, free, device, precision, quantizes)
    return model.parameters * BYTES_PER_WEIGHT[fitted] if fitted is not None else 0


def with_held(devices: Sequence[Device], held: Mapping[str, int]) -> list[Device]:
    """The devices as they will be once what is held there, in bytes by device, was given back.

    A model that is loaded must not count against itself: the choice would turn to another one as soon as
    the first answers.
    """
    return [replace(device, free=device.free + held.get(device.name, 0)) for device in devices]
