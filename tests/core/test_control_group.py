"""What a container leaves of the machine: folders as the kernel shows them."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from core import devices, memory
from core.control_group import memory_left, processors
from core.devices import physical_cores
from core.memory import free_ram

GB = 1_000_000_000


def group(folder: Path, **files: str) -> Path:
    """A control group; ``memory_max`` stands for the file ``memory.max``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{text}\n")
    return folder


def own(tmp_path: Path, line: str) -> Path:
    path = tmp_path / "own"
    path.write_text(f"{line}\n")
    return path


def test_cached_files_count_as_free(tmp_path: Path) -> None:
    # given a container of 8 GB: 3 taken, 1 of it a file that was read
    stat = f"anon {2 * GB}\nfile {GB}\ninactive_file {GB - 400}\nactive_file 400\nslab_reclaimable 7"
    root = group(tmp_path / "root", memory_max=f"{8 * GB}", memory_current=f"{3 * GB}", memory_stat=stat)
    # then
    assert memory_left(root, own(tmp_path, "0::/")) == 6 * GB


def test_the_narrowest_of_the_groups_around_decides(tmp_path: Path) -> None:
    # given a service without a limit of its own in a slice that has one
    root = group(tmp_path / "root")
    group(root / "system.slice", memory_max=f"{2 * GB}", memory_current="0", cpu_max="250000 100000")
    group(root / "system.slice/yomitori.service", memory_max="max", memory_current="5", cpu_max="max 100000")
    line = own(tmp_path, "0::/system.slice/yomitori.service")
    # then
    assert memory_left(root, line) == 2 * GB
    assert processors(root, line) == 3


def test_a_container_that_is_told_its_place_on_the_host(tmp_path: Path) -> None:
    root = group(tmp_path / "root", memory_max="900", memory_current="1000", cpu_max="50000 100000")
    line = own(tmp_path, "0::/system.slice/docker-1234.scope")
    # more may be taken than allowed for a moment: nothing is left then
    assert memory_left(root, line) == 0
    assert processors(root, line) == 1


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"memory_max": "max", "memory_current": "1000", "cpu_max": "max 100000"},
        {"memory_max": "nonsense", "memory_current": "", "cpu_max": "nonsense"},
    ],
)
def test_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    root = group(tmp_path / "root", **files)
    assert memory_left(root, tmp_path / "absent") is None
    assert processors(root, tmp_path / "absent") is None


def test_the_judge_and_the_threads_go_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a machine without limits
    monkeypatch.setattr(memory, "memory_left", lambda: None)
    monkeypatch.setattr(devices, "processors", lambda: None)
    assert free_ram() > 1000
    assert physical_cores() >= 1
    # when a container limits both
    monkeypatch.setattr(memory, "memory_left", lambda: 1000)
    monkeypatch.setattr(devices, "processors", lambda: 1)
    # then
    assert free_ram() == 1000
    assert physical_cores() == 1
    # when it allows more than there is
    monkeypatch.setattr(memory, "memory_left", lambda: 1 << 60)
    monkeypatch.setattr(devices, "processors", lambda: 1 << 20)
    assert free_ram() <= psutil.virtual_memory().total
    assert physical_cores() <= (psutil.cpu_count() or 1)
