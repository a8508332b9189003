"""How large a checkpoint is in memory, from the headers of its weights; no model library is asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.models.layout import BIN_WEIGHTS, safetensors_header, weight_files

BYTES_PER_WEIGHT = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "int8": 1.0, "int4": 0.5 + 4 / 64}
"""Source of the last: bitsandbytes keeps one fp32 scale for each block of 64 weights."""
BYTES_PER_VALUE = {"fp32": 4, "bf16": 2, "fp16": 2, "int8": 2, "int4": 2}
"""What is computed with: a quantized model computes in half precision."""
_KEPT = ("embed", "lm_head", "vision", "visual", "projector", "connector", "aligner", "experts", "norm")
"""Parts of the names of matrices that are not quantized. Experts are one weight of three dimensions once they
are loaded, which neither way of quantizing takes."""
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


def tensors(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Name, and ``dtype`` and ``shape``, of every tensor in a folder's safetensors; none for a ``.bin``."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name in weight_files(folder):
        header = safetensors_header(folder / name) if name != BIN_WEIGHTS else None
        if header is not None:
            found.extend(header.tensors.items())
    return found


def parameters(folder: Path) -> int:
    """How many numbers the weights hold; 0 when they cannot be read. A ``.bin`` is taken for fp32."""
    return _bin_size(folder) // 4 + sum(_count(entry) for _, entry in tensors(folder))


def weight_bytes(folder: Path, precision: str = "auto") -> int:
    """Bytes of the weights once loaded in ``precision``; ``auto`` keeps the width they are stored in."""
    width = BYTES_PER_WEIGHT.get(precision)
    if width is None:
        own = (_count(entry) * _WIDTHS.get(entry["dtype"], 1) for _, entry in tensors(folder))
        return _bin_size(folder) + sum(own)
    total = _bin_size(folder) / 4 * width
    for name, entry in tensors(folder):
        quantized = width >= 2 or _is_quantized(name, entry["shape"])
        total += _count(entry) * (width if quantized else BYTES_PER_VALUE[precision])
    return math.ceil(total)


def _count(entry: dict[str, Any]) -> int:
    return math.prod(int(size) for size in entry["shape"])


def _is_quantized(name: str, shape: Sequence[int]) -> bool:
    """Whether int8 and int4 are for this one: the matrices of a language model's layers."""
    return len(shape) == 2 and not any(part in name for part in _KEPT)


def _bin_size(folder: Path) -> int:
    path = folder / BIN_WEIGHTS
    return path.stat().st_size if weight_files(folder) == [BIN_WEIGHTS] and path.is_file() else 0
