"""Memory that a checkpoint needs, from its headers; no model library is asked.

What is told before a load and what a load is judged by are the same figures, from here.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from core.devices import precision_on
from core.engines import ENGINES, EngineSpec, loading_engine
from core.models.entries import ModelEntry
from core.models.layout import BIN_WEIGHTS, safetensors_header, weight_files

BYTES_PER_WEIGHT = {"fp32": 4, "bf16": 2, "fp16": 2}
_WIDTHS = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
}


def parameters(folder: Path) -> int:
    """How many numbers the weights hold; 0 when they cannot be read. A ``.bin`` is taken for fp32."""
    return sum(_parameters(folder / name) for name in weight_files(folder))


def _parameters(path: Path) -> int:
    if path.name == BIN_WEIGHTS:
        return path.stat().st_size // 4 if path.is_file() else 0
    return sum(math.prod(entry["shape"]) for entry in _tensors(path))


def weight_bytes(folder: Path, precision: str = "auto") -> int:
    """Bytes of the weights once loaded in ``precision``; ``auto`` keeps the width they are stored in."""
    width = BYTES_PER_WEIGHT.get(precision)
    if width is not None:
        return parameters(folder) * width
    return sum(_stored(folder / name) for name in weight_files(folder))


def _stored(path: Path) -> int:
    if path.name == BIN_WEIGHTS:
        return path.stat().st_size if path.is_file() else 0
    return sum(math.prod(entry["shape"]) * _WIDTHS.get(entry["dtype"], 1) for entry in _tensors(path))


def _tensors(path: Path) -> list[dict[str, Any]]:
    header = safetensors_header(path)
    return [] if header is None else list(header.tensors.values())


def memory_needed(folder: Path, device: str, asked: str, beside: int = 0) -> int:
    """Bytes for reading with a checkpoint on ``device``.

    ``asked`` is a precision, or ``auto``; ``beside`` is what the engine needs besides the weights.
    """
    return weight_bytes(folder, precision_on(device, asked)) + beside


def memory_of(entry: ModelEntry, device: str, asked: str, engines: tuple[EngineSpec, ...] = ENGINES) -> int:
    """Bytes for reading with a model on ``device``: from the weights that are here, else what the catalogue
    says; 0 when nobody knows."""
    engine = loading_engine(entry.role, engines)
    if entry.weights is not None and engine is not None:
        return memory_needed(entry.weights, device, asked, engine.memory)
    return entry.known.memory.get(precision_on(device, asked), 0) if entry.known else 0
