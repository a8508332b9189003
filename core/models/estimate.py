"""Memory that a checkpoint needs.

What is told before a load and what a load is judged by are the same figures, from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.devices import Device, candidates, precision_on
from core.engines import ENGINES, EngineSpec, loading_engine
from core.memory import CPU_FALLBACK_SHARE
from core.models.entries import ModelEntry
from core.models.tensors import parameters as parameters
from core.models.tensors import weight_bytes as weight_bytes
from core.vision.estimate import working_bytes
from core.vision.precision import fitting


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model fits: ``need`` and ``free`` bytes on ``device``, the one it would run on, in
    ``precision``. ``tight``: the devices before it that lack the room, in the order in which a host tries
    them."""

    device: str
    need: int
    free: int
    fits: bool
    precision: str
    tight: tuple[Fit, ...] = ()


def fit_on(
    need: Callable[[str], int],
    devices: Sequence[Device],
    asked: str,
    kinds: Sequence[str],
    precision: str,
    quantized: Callable[[str, str], int] | None = None,
) -> Fit | None:
    """On the first device that takes it, as a host tries them; on the last when none does.

    Args:
        need: bytes for working with the model on a device, by the device's name; 0 when that is not known.
        asked: the device of the settings, also ``auto``; ``kinds`` are those the engine can use.
        precision: of the settings, also ``auto``.
        quantized: the same bytes by device and precision, where a card may take the weights quantized when
            they do not fit as they are; None where it cannot.

    Returns:
        None where nobody knows what it needs, or there is no such device.
    """
    by_name = {device.name: device for device in devices}
    names = [name for name in candidates(asked, kinds, devices) if name in by_name]
    tight: tuple[Fit, ...] = ()
    for position, name in enumerate(names):
        size, free = need(name), by_name[name].free
        if not size:
            return None
        # Where a card was asked for, RAM is taken only when enough of it stays free.
        room = free * CPU_FALLBACK_SHARE if name == "cpu" and position else free
        chosen = precision_on(name, precision)
        if quantized is not None and size > room:
            chosen = fitting(partial(quantized, name), free, name, precision, True) or chosen
            size = size if chosen == precision_on(name, precision) else quantized(name, chosen)
        fit = Fit(name, size, free, size <= room, chosen, tight)
        if fit.fits or position == len(names) - 1:
            return fit
        tight = (*tight, Fit(name, size, free, False, fit.precision))
    return None


def memory_needed(folder: Path, device: str, asked: str, beside: int = 0) -> int:
    """Bytes for working with a checkpoint on ``device``.

    ``asked`` is a precision, or ``auto``; ``beside`` is what the engine needs besides the weights, without
    what ``core.vision.estimate`` counts for one that answers questions about pictures.
    """
    precision = precision_on(device, asked)
    return weight_bytes(folder, precision) + working_bytes(folder, precision) + beside


def memory_of(entry: ModelEntry, device: str, asked: str, engines: tuple[EngineSpec, ...] = ENGINES) -> int:
    """Bytes for working with a model on ``device``: from the weights that are here, else what the catalogue
    says; 0 when nobody knows."""
    engine = loading_engine(entry.role, engines)
    if entry.weights is not None and engine is not None:
        return memory_needed(entry.weights, device, asked, engine.memory)
    return entry.known.memory.get(precision_on(device, asked), 0) if entry.known else 0
