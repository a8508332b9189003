"""What this machine has, without importing a model library: psutil and NVIDIA's own library only."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Device:
    """``name`` is what settings call it (``cpu``, ``cuda:0``); memory in bytes, as of now."""

    name: str
    title: str
    total: int
    free: int


def list_devices(nvml: Any = None) -> list[Device]:
    """The CPU first, then the NVIDIA GPUs the driver shows."""
    memory = psutil.virtual_memory()
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    cpu = Device("cpu", f"CPU, {cores} cores", int(memory.total), int(memory.available))
    return [cpu, *_cuda_devices(nvml)]


def physical_cores() -> int:
    """Physical cores this process may use; threads beyond them slow a model down."""
    allowed = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return max(1, min(cores, allowed) if allowed else cores)


def _cuda_devices(nvml: Any) -> Iterator[Device]:
    if nvml is None:
        nvml = importlib.import_module("pynvml")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return
    try:
        for index in range(nvml.nvmlDeviceGetCount()):
            with contextlib.suppress(nvml.NVMLError):
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                memory = nvml.nvmlDeviceGetMemoryInfo(handle)
                title = nvml.nvmlDeviceGetName(handle)
                yield Device(f"cuda:{index}", str(title), int(memory.total), int(memory.free))
    finally:
        nvml.nvmlShutdown()
