"""What torch raises when a device gives up, told in our own errors. Model process only."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

import torch

from core import heap
from core.errors import DeviceAbsent, DeviceFailed, OutOfMemory, YomitoriError

T = TypeVar("T")

_OUT_OF_RAM = ("can't allocate memory", "not enough memory", "bad allocation")
_OUT_OF_VRAM = ("out of memory", "alloc_failed")
_DEVICE = ("cuda", "cudnn", "cublas", "mps", "hip", "accelerator", "nvidia")


class Fault(Enum):
    """``MEMORY``: less at a time may work. ``DEVICE``: the device is of no more use to this process."""

    MEMORY = "memory"
    DEVICE = "device"


def fault_of(error: BaseException, device: str) -> Fault | None:
    """What kind of fault an exception is, None when it is not the device's."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return Fault.MEMORY
    text = str(error).lower()
    if isinstance(error, torch.AcceleratorError):
        return Fault.MEMORY if "out of memory" in text else Fault.DEVICE
    if not isinstance(error, RuntimeError | AssertionError):
        return None
    if any(words in text for words in (*_OUT_OF_RAM, *_OUT_OF_VRAM)):
        return Fault.MEMORY
    if device != "cpu" and any(word in text for word in _DEVICE):
        return Fault.DEVICE
    return None


def attempt(device: str, work: Callable[[], T]) -> tuple[T | None, YomitoriError | None]:
    """What ``work`` returns, or the error to raise: OutOfMemory or DeviceFailed.

    The error is returned and not raised, so that the exception it stands for is gone when the caller goes on:
    its traceback holds every tensor of the frames it passed, which must be free before a smaller try.
    Exceptions that are no fault of the device are raised as they are.
    """
    try:
        return work(), None
    except (RuntimeError, MemoryError, AssertionError) as error:
        fault = fault_of(error, device)
        if fault is None:
            raise
        reason = str(error).strip().partition("\n")[0]
    if fault is Fault.MEMORY:
        return None, OutOfMemory(device=device)
    return None, DeviceFailed(device=device, reason=reason or "it failed at work")


def free_cache(device: str) -> None:
    """Hand back what torch, or the C library under it, keeps for itself on the device."""
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
    else:
        heap.trim()


def check_device(device: str) -> None:
    """Whether torch can use the device.

    Raises:
        DeviceFailed: it cannot; the reason says why.
        DeviceAbsent: and it never will, with this installation of PyTorch on this computer.
    """
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return
    if kind == "cuda":
        if not torch.cuda.is_available():
            if torch.version.cuda or torch.version.hip:
                raise DeviceFailed(device=device, reason="PyTorch here finds no CUDA device")
            raise DeviceAbsent(device=device, reason="PyTorch here was installed without CUDA")
        if index and int(index) >= torch.cuda.device_count():
            raise DeviceAbsent(device=device, reason=f"there are only {torch.cuda.device_count()}")
    elif kind == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceAbsent(device=device, reason="PyTorch here finds no Apple GPU")
    else:
        raise DeviceAbsent(device=device, reason="there is no such kind of device")
