"""Memory that a checkpoint needs.

What is told before a load and what a load is judged by are the same figures, from here.
"""

from __future__ import annotations

from pathlib import Path

from core.devices import precision_on
from core.engines import ENGINES, EngineSpec, loading_engine
from core.models.entries import ModelEntry
from core.models.tensors import parameters as parameters
from core.models.tensors import weight_bytes as weight_bytes
from core.vision.estimate import working_bytes


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
