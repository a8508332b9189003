"""What this machine has, without importing a model library: psutil and NVIDIA's own library only."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.control_group import processors

_LINUX_DRIVERS = ("nvidia*", "nvhost*", "nvmap", "nvgpu", "dxg", "kfd")
"""Below /dev: NVIDIA's driver, that of Jetson boards, WSL's, AMD's."""
_WINDOWS_DRIVERS = ("nvcuda.dll", "amdhip64*.dll")


@dataclass(frozen=True, slots=True)
class Device:
    """``name`` is what settings call it (``cpu``, ``cuda:0``, ``mps``); memory in bytes, as of now."""

    name: str
    title: str
    total: int
    free: int


def list_devices(nvml: Any = None, system: str = "", machine: str = "") -> list[Device]:
    """The CPU first, then the NVIDIA GPUs the driver shows, then the GPU of an Apple chip.

    That a device is listed does not say that PyTorch here can use it: only loading tells. ``system`` and
    ``machine`` are as ``platform`` names them.
    """
    memory = psutil.virtual_memory()
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    cpu = Device("cpu", f"CPU, {cores} cores", int(memory.total), int(memory.available))
    found = [cpu, *_cuda_devices(nvml)]
    if (system or platform.system(), machine or platform.machine()) == ("Darwin", "arm64"):
        # It shares the RAM.
        found.append(Device("mps", "Apple GPU", cpu.total, cpu.free))
    return found


def candidates(asked: str, kinds: Sequence[str], devices: Sequence[Device]) -> list[str]:
    """Where a model may run, the best first: what was asked, and the CPU in case that fails.

    Args:
        asked: ``auto`` or the name of a device; ``cuda`` is the first card.
        kinds: the kinds of device the engine can use, such as ``("cuda", "cpu")``.
        devices: what there is. A device that was asked for by name is one of the candidates although it is
            not listed; ``is_absent`` tells whether there is any use in trying it.
    """
    if asked == "auto":
        cards = sorted((d for d in devices if d.name.startswith("cuda")), key=lambda d: -d.free)
        wanted = [d.name for d in (*cards, *(d for d in devices if d.name == "mps"))]
    else:
        wanted = ["cuda:0" if asked == "cuda" else asked]
    usable = [name for name in wanted if name != "cpu" and name.split(":")[0] in kinds]
    return [*usable, "cpu"]


def is_absent(
    name: str, nvml: Any = None, system: str = "", dev: Path = Path("/dev"), windows: Path | None = None
) -> bool:
    """Whether a device that is not listed is surely not there, so that there is no use in trying it.

    False where that cannot be known: NVIDIA's library may be missing, or show nothing, where PyTorch still
    works (containers, WSL, Jetson, AMD cards, which PyTorch calls ``cuda`` too). ``system`` is as
    ``platform`` names it, ``dev`` and ``windows`` are where drivers leave their traces.
    """
    system = system or platform.system()
    kind, _, index = name.partition(":")
    if kind == "mps":
        return system != "Darwin"
    if kind != "cuda":
        return False
    count = _count_cards(nvml)
    if count is not None:
        return int(index or 0) >= count
    if system == "Windows":
        folder = windows or Path(os.environ.get("SYSTEMROOT", "C:/Windows")) / "System32"
        return not any(next(folder.glob(pattern), None) for pattern in _WINDOWS_DRIVERS)
    return not any(next(dev.glob(pattern), None) for pattern in _LINUX_DRIVERS)


def precision_on(device: str, asked: str) -> str:
    """The precision that weights are loaded in: half of it only on cards, which are made for that, so that
    the CPU's text is exact."""
    if asked != "auto":
        return asked
    return "fp16" if device.startswith("cuda") else "fp32"


def physical_cores() -> int:
    """Physical cores this process may use, also in a container; threads beyond them slow a model down."""
    allowed = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return int(max(1, min(filter(None, (cores, allowed, processors())))))


def _count_cards(nvml: Any) -> int | None:
    """How many NVIDIA cards the driver knows, also those that do not answer; None when nothing tells."""
    if nvml is None:
        nvml = importlib.import_module("pynvml")
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    try:
        return int(nvml.nvmlDeviceGetCount())
    except nvml.NVMLError:
        return None
    finally:
        nvml.nvmlShutdown()


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
