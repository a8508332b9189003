"""Windows: a Job Object that ends the model process when the tray ends, however that happens.

The calls are injected, so that the order and the flags are tested on other systems; the real ones have not
been run by us on Windows.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

_EXTENDED_LIMIT_INFORMATION = 9
_KILL_ON_JOB_CLOSE = 0x2000
_PROCESS_SET_QUOTA_TERMINATE = 0x0101
_LIMIT_FLAGS_OFFSET = 16


def _limits() -> bytes:
    """A JOBOBJECT_EXTENDED_LIMIT_INFORMATION with nothing set but KILL_ON_JOB_CLOSE."""
    size = 144 if struct.calcsize("P") == 8 else 112
    data = bytearray(size)
    struct.pack_into("<I", data, _LIMIT_FLAGS_OFFSET, _KILL_ON_JOB_CLOSE)
    return bytes(data)


class JobObject:
    """One job; processes assigned to it end when it is closed or its owner dies.

    Raises:
        OSError: the system refused.
    """

    def __init__(self, kernel32: Any = None) -> None:
        self._kernel32 = kernel32 or ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
        self._handle = self._check(self._kernel32.CreateJobObjectW(None, None), "CreateJobObject")
        limits = _limits()
        self._check(
            self._kernel32.SetInformationJobObject(
                self._handle, _EXTENDED_LIMIT_INFORMATION, limits, len(limits)
            ),
            "SetInformationJobObject",
        )

    def assign(self, pid: int) -> None:
        process = self._check(
            self._kernel32.OpenProcess(_PROCESS_SET_QUOTA_TERMINATE, False, pid), "OpenProcess"
        )
        try:
            self._check(
                self._kernel32.AssignProcessToJobObject(self._handle, process), "AssignProcessToJobObject"
            )
        finally:
            self._kernel32.CloseHandle(process)

    def close(self) -> None:
        if self._handle:
            self._kernel32.CloseHandle(self._handle)
            self._handle = 0

    @staticmethod
    def _check(result: int, call: str) -> int:
        if not result:
            raise OSError(f"{call} failed")
        return result
