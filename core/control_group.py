"""What a container or a system service may take of the machine: Linux control groups (version 2).

psutil tells what the machine has. Whoever goes by that in a container with less is ended by the kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def memory_left(root: Path = _ROOT, own: Path = _OWN) -> int | None:
    """Bytes until the first limit is reached, None where there is none.

    Files that are only cached do not count as taken: the kernel gives them back before it ends anybody.
    """
    left: list[int] = []
    for group in _groups(root, own):
        limit, taken = _number(group / "memory.max"), _number(group / "memory.current")
        if limit is None or taken is None:
            continue
        stat = dict(line.split(" ", 1) for line in _read(group / "memory.stat").splitlines() if " " in line)
        cached = sum(int(stat.get(name, "0")) for name in ("inactive_file", "active_file"))
        left.append(max(0, limit - max(0, taken - cached)))
    return min(left, default=None)


def processors(root: Path = _ROOT, own: Path = _OWN) -> int | None:
    """Processors that work at a time, a begun one counted in full; None where that is not limited."""
    allowed: list[int] = []
    for group in _groups(root, own):
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            allowed.append(max(1, math.ceil(int(quota) / int(period))))
    return min(allowed, default=None)


def _groups(root: Path, own: Path) -> Iterator[Path]:
    """The folder of this process's group, and those of the groups around it: each may have a limit."""
    line = next((line for line in _read(own).splitlines() if line.startswith("0::")), "0::/")
    group = root / line.removeprefix("0::").lstrip("/")
    # Some containers are told their place on the host, but are shown their own group as the root.
    if not group.is_dir():
        group = root
    while True:
        yield group
        if group == root:
            return
        group = group.parent


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
