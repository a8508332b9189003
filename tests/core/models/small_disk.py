"""The real hub engine on a disk that is as full as the environment says."""

from __future__ import annotations

import errno
import io
import os
import resource
import shutil
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from core.engines import EngineSpec
from core.models.hub_engine import HubEngine
from core.types import RgbImage

FREE = "YOMITORI_TEST_FREE_DISK"
"""Bytes that the disk says are free."""
ROOM = "YOMITORI_TEST_DISK_ROOM"
"""Bytes that a file may have before writing fails with ENOSPC."""
LARGEST = "YOMITORI_TEST_LARGEST_FILE"
"""Bytes that the kernel lets a file have (EFBIG), as a file system of another kind would."""


class _FullDisk(io.FileIO):
    room = 0

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.name)
        return super().write(data) or 0


class SmallDiskHub(HubEngine):
    def run(
        self, op: str, params: Mapping[str, Any], images: tuple[RgbImage, ...], cancelled: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        if FREE in os.environ:
            usage = shutil.disk_usage("/")
            shutil.disk_usage = lambda path: usage._replace(free=int(os.environ[FREE]))  # type: ignore[assignment]
        if LARGEST in os.environ:
            limit = int(os.environ[LARGEST])
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if ROOM in os.environ:
            _FullDisk.room = int(os.environ[ROOM])
            real = Path.open

            def open_(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
                if path.name.endswith(".yomitori.incomplete") and mode == "ab":
                    return _FullDisk(path, mode)
                return real(path, mode, *args, **options)

            Path.open = open_  # type: ignore[method-assign, assignment]
        return (yield from super().run(op, params, images, cancelled))


SMALL_DISK = EngineSpec(
    "hub", "download", "downloads", "tests.core.models.small_disk:SmallDiskHub", 50 * 1024 * 1024
)
