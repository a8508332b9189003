"""What this machine has."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from core.devices import Device, list_devices, physical_cores
from tests.support.environment import child_environment


def test_there_is_a_core_and_no_more_than_the_system_counts() -> None:
    assert 1 <= physical_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bind processes to cores in other ways")
def test_cores_that_this_process_may_not_use_do_not_count() -> None:
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from core.devices import Device, list_devices, physical_cores
print(physical_cores())
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=child_environment(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "1\n"


class FakeNvml:
    """Two cards, one of which does not answer."""

    class NVMLError(Exception):
        pass

    class Memory:
        total, free = 8_000_000_000, 6_000_000_000

    def __init__(self, works: bool = True) -> None:
        self.works = works
        self.open = 0

    def nvmlInit(self) -> None:
        if not self.works:
            raise self.NVMLError
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index == 0:
            raise self.NVMLError
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Memory:
        return self.Memory()

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "A card"


def test_cards_are_listed_with_their_memory_and_a_dead_one_is_left_out() -> None:
    nvml = FakeNvml()
    cpu, card = list_devices(nvml, "Linux", "x86_64")
    assert cpu.name == "cpu"
    assert cpu.total >= cpu.free > 0
    assert card == Device("cuda:1", "A card", 8_000_000_000, 6_000_000_000)
    assert nvml.open == 0


def test_without_a_driver_there_is_the_cpu() -> None:
    assert [d.name for d in list_devices(FakeNvml(works=False), "Linux", "x86_64")] == ["cpu"]


def test_an_apple_chip_has_a_gpu_that_shares_the_memory() -> None:
    cpu, gpu = list_devices(FakeNvml(works=False), "Darwin", "arm64")
    assert (gpu.name, gpu.total) == ("mps", cpu.total)
