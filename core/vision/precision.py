"""In what precision a model goes onto a device, when that is left to us. Imports no model library."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from core.devices import precision_on

QUANTIZED = ("int8", "int4")
"""The best first."""
LIBRARY = "bitsandbytes"
"""What graphics cards need for them."""


def can_quantize() -> bool:
    """Whether what graphics cards need for quantized weights is installed."""
    return importlib.util.find_spec(LIBRARY) is not None


def precisions(device: str, asked: str, quantizes: bool) -> tuple[str, ...]:
    """Those in which a model may be loaded there, the best first.

    Only on a card are weights quantized without being asked to: a CPU is given the smallest model.

    Args:
        asked: of the settings, also ``auto``; ``quantizes``: as ``can_quantize`` says.
    """
    best = precision_on(device, asked)
    automatic = asked == "auto" and device.startswith("cuda") and quantizes
    return (best, *QUANTIZED) if automatic else (best,)


def fitting(
    need: Callable[[str], int], free: int | None, device: str, asked: str, quantizes: bool
) -> str | None:
    """The best precision in which a model fits; None when it does in none.

    Args:
        need: bytes for working with the model on that device, by precision.
        free: bytes there, None where nothing tells.
    """
    return next((p for p in precisions(device, asked, quantizes) if free is None or need(p) <= free), None)
