"""What this machine has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.devices import Device, is_absent, list_devices, physical_cores
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


# ---- devices that are not listed


def test_a_card_that_the_driver_does_not_count_is_not_there(tmp_path: Path) -> None:
    # given a driver with two cards, one of which does not answer and is not listed
    nvml = FakeNvml()
    (tmp_path / "nvidia0").touch()
    # then both may be tried, and a third is not there
    assert [is_absent(name, nvml, "Linux", tmp_path) for name in ("cuda:0", "cuda:1", "cuda:2")] == [
        False,
        False,
        True,
    ]
    assert nvml.open == 0


@pytest.mark.parametrize("trace", ["nvidiactl", "dxg", "kfd", "nvmap"])
def test_without_nvidias_library_a_card_may_be_there_where_a_driver_is(tmp_path: Path, trace: str) -> None:
    nvml = FakeNvml(works=False)
    assert is_absent("cuda:0", nvml, "Linux", tmp_path)
    (tmp_path / trace).touch()
    assert not is_absent("cuda:0", nvml, "Linux", tmp_path)


def test_on_windows_the_driver_leaves_a_library(tmp_path: Path) -> None:
    nvml = FakeNvml(works=False)
    assert is_absent("cuda", nvml, "Windows", windows=tmp_path)
    (tmp_path / "nvcuda.dll").touch()
    assert not is_absent("cuda", nvml, "Windows", windows=tmp_path)


@pytest.mark.parametrize(("system", "absent"), [("Darwin", False), ("Linux", True), ("Windows", True)])
def test_an_apple_gpu_is_in_apples_computers_alone(system: str, absent: bool) -> None:
    assert is_absent("mps", FakeNvml(works=False), system) == absent
    assert not is_absent("cpu", FakeNvml(works=False), system)
