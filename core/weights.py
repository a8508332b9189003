"""Reading a checkpoint into a device's memory. Model process only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging

from core.devices import physical_cores, precision_on
from core.errors import ModelUnusable
from core.torch_faults import attempt

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_UNUSED = (".pooler.",)
"""Weights that some checkpoints leave out and nothing here uses."""


def prepare_libraries(threads: int) -> None:
    """Have torch use as many threads as that (0: one per physical core), and transformers say nothing.

    Its progress bars and advice have no reader here.
    """
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads or physical_cores())


def read_weights(device: str, name: str, from_pretrained: Callable[[], tuple[Any, dict[str, Any]]]) -> Any:
    """The network that ``from_pretrained`` gives, when all of its weights were there.

    Args:
        device: to name in errors.
        from_pretrained: returns the network and what was amiss, as ``output_loading_info`` asks for.

    Raises:
        ModelUnusable: it could not be read, or weights are missing or of another size.
        DeviceFailed, OutOfMemory: not on that device.
    """
    try:
        found, fault = attempt(device, from_pretrained)
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        raise ModelUnusable(model=name, reason=reason) from error
    if fault is not None:
        raise fault
    assert found is not None
    network, info = found
    missing = [key for key in info["missing_keys"] if not any(part in key for part in _UNUSED)]
    wrong = [*missing, *(str(item[0]) for item in info["mismatched_keys"])]
    if wrong:
        reason = f"{len(wrong)} of its weights are missing or of another size ({sorted(wrong)[0]})"
        raise ModelUnusable(model=name, reason=reason)
    return network.eval()


def loading_options(
    folder: Path, place: str, precision: str, dtype: torch.dtype | None = None
) -> dict[str, Any]:
    """How ``from_pretrained`` reads a folder: whole, from safetensors, without running anyone's code.

    On other devices than the CPU accelerate puts each weight where it belongs, without a copy of all in RAM.
    ``dtype`` is for a precision that says nothing of what is computed in.
    """
    placed: dict[str, Any] = {} if place == "cpu" else {"device_map": {"": place}}
    return {
        "pretrained_model_name_or_path": folder,
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
        "dtype": dtype or TYPES[precision],
        "output_loading_info": True,
        **placed,
    }


def precision_here(asked: str, device: str) -> str:
    """As a card of this machine can: bf16 where torch has it there, which fp16 is only the stand-in for."""
    if asked == "auto" and device.startswith("cuda") and torch.cuda.is_bf16_supported():
        return "bf16"
    return precision_on(device, asked)
