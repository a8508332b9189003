"""Decoder layers whose weights wait in RAM and are on the card only while they are computed with.

accelerate brings each matrix over when its turn comes and drops it behind it, so that the card never holds
more than one of them. ``docs/decisions/014-quantized.md`` says how much that costs. Model process only.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import cpu_offload
from accelerate.hooks import remove_hook_from_submodules
from torch import nn
from transformers import AutoConfig, AutoModelForImageTextToText

from core.errors import OutOfMemory, YomitoriError
from core.memory import CPU_FALLBACK_SHARE, free_ram
from core.torch_faults import attempt

SHARES = (0.25, 0.5)
"""Of the layers, how many wait after the first step and after the second. With more of them on the way for
each token a card would answer no faster than the CPU."""


def waiting(network: nn.Module) -> tuple[int, int]:
    """How many decoder layers wait in RAM, of how many. Between two passes through the network."""
    layers = _layers(network)
    return sum(map(_waits, layers)), len(layers)


def offload(network: nn.Module, device: str) -> bool:
    """Have the next share of the layers wait, from the last one on; False when it is all that may, or RAM has
    no room for more.

    Raises:
        DeviceFailed: the card broke while its weights were fetched.
    """
    count = next((step for step in _steps(network) if step > waiting(network)[0]), 0)
    layers = [layer for layer in _layers(network)[-count:] if not _waits(layer)] if count else []
    if not layers or not _fit_into_ram(layers):
        return False
    done = 0
    # Layer by layer: what was moved before RAM ran out all the same is of use.
    for layer in reversed(layers):
        fault = _let_wait(layer, _card_of(network), device)
        if isinstance(fault, OutOfMemory):
            break
        if fault is not None:
            raise fault
        done += 1
    return done > 0


# ---- reading a checkpoint that is too large for its card


def empty_network(folder: Path, dtype: torch.dtype) -> Any:
    """The network of a checkpoint without its weights."""
    with torch.device("meta"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        return AutoModelForImageTextToText.from_config(config, dtype=dtype)  # type: ignore[no-untyped-call]


def layers_to_leave(empty: nn.Module, short: int | None) -> int:
    """How many layers to leave in RAM while reading: a step of ``SHARES``; 0 when RAM has no room.

    Args:
        short: bytes that the card lacks, None when that is not known: then the most.
    """
    for count in _steps(empty):
        layers = _layers(empty)[-count:]
        if short is not None and _bytes(layers) >= short:
            break
    else:
        layers = _layers(empty)[-max(_steps(empty), default=0) :]
    return len(layers) if layers and _fit_into_ram(layers) else 0


def placement(empty: nn.Module, place: str, count: int) -> dict[str, str]:
    """A ``device_map`` that has the last ``count`` layers read into RAM and everything else onto ``place``.

    By single weights: maps of whole modules would have all of them sent through accelerate's hooks.
    """
    apart = {id(part) for layer in _layers(empty)[-count:] for part in _tensors(layer)}
    named = [*empty.named_parameters(remove_duplicate=False), *empty.named_buffers(remove_duplicate=False)]
    return {name: "cpu" if id(part) in apart else place for name, part in named}


@contextmanager
def unwarned() -> Iterator[None]:
    """While accelerate is given such a map: it warns of names that are not those of modules."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The following device_map keys do not match any submodules")
        yield


def let_wait(network: nn.Module, device: str, count: int) -> None:
    """Have the last ``count`` layers wait, which were read into RAM as ``placement`` says.

    Raises:
        OutOfMemory, DeviceFailed: it cannot be done, and the network is of no use.
    """
    # The one that transformers gives every network with more than one place.
    remove_hook_from_submodules(network)
    for layer in _layers(network)[-count:]:
        fault = _let_wait(layer, _card_of(network), device)
        if fault is not None:
            raise fault


# ---- layers


def _layers(network: nn.Module) -> Sequence[nn.Module]:
    """Of the language model; none where it has no such list."""
    layers = getattr(network.get_decoder(), "layers", None)  # type: ignore[operator]
    return list(layers) if isinstance(layers, nn.ModuleList) else []


def _steps(network: nn.Module) -> list[int]:
    """How many layers wait after each step."""
    total = len(_layers(network))
    return sorted({math.ceil(total * share) for share in SHARES} - {0})


def _waits(layer: nn.Module) -> bool:
    return any(weight.is_meta for weight in layer.parameters())


def _card_of(network: nn.Module) -> torch.device:
    """As torch calls it, who knows one device by several names."""
    embeddings: torch.Tensor = network.get_input_embeddings().weight  # type: ignore[operator]
    return embeddings.device


def _let_wait(layer: nn.Module, card: torch.device, device: str) -> YomitoriError | None:
    weights = {}
    for name, weight in layer.state_dict().items():
        held, fault = _in_ram(weight, device)
        if fault is not None:
            return fault
        weights[name] = held
    cpu_offload(layer, execution_device=card, state_dict=weights)
    return None


def _in_ram(weight: torch.Tensor, device: str) -> tuple[torch.Tensor | None, YomitoriError | None]:
    """A copy in RAM whose pages stay where they are, which a card reads faster; else, where the system gives
    none of that kind, in any."""
    pinned, fault = attempt(device, partial(torch.empty_like, weight, device="cpu", pin_memory=True))
    if fault is not None:
        return attempt(device, partial(weight.to, "cpu"))
    assert pinned is not None
    return attempt(device, partial(pinned.copy_, weight))


def _fit_into_ram(layers: Sequence[nn.Module]) -> bool:
    """Judged as models are that move to the CPU altogether."""
    return _bytes(layers, rounded=True) <= CPU_FALLBACK_SHARE * free_ram()


def _bytes(layers: Sequence[nn.Module], rounded: bool = False) -> int:
    """Of their weights; ``rounded`` to powers of two, as torch takes pages that stay where they are."""
    sizes = [part.numel() * part.element_size() for layer in layers for part in _tensors(layer)]
    return sum(1 << (size - 1).bit_length() if rounded and size else size for size in sizes)


def _tensors(layer: nn.Module) -> Iterator[torch.Tensor]:
    yield from layer.parameters()
    yield from layer.buffers()
