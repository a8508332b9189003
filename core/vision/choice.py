"""Which of several models answers when the choice is automatic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.checkpoints import KnownWeights
from core.devices import Device, candidates


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
