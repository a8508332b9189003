"""Memory that was freed goes back to the system. Measured in processes of their own."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from tests.support.environment import child_environment

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not the GNU C library"
)

_START = """
import ctypes, sys
from concurrent.futures import ThreadPoolExecutor
import psutil
from PySide6.QtCore import QCoreApplication, QTimer
from desktop.heap import Heap
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.memset.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def take(size):
    return libc.memset(libc.malloc(size), 1, size)

def private():
    return psutil.Process().memory_full_info().uss / 1e6

app = QCoreApplication([])
"""

_WINDOW = """
heap = Heap()
before = private()
# What a window had, with something behind it that lives on
freed = [take(4000) for _ in range(5000)]
kept = take(4000)
for place in freed:
    libc.free(place)
print(private() - before)
heap.trim_soon()
QTimer.singleShot(1500, app.quit)
app.exec()
print(private() - before)
"""

_GRABS = """
heap = Heap() if sys.argv[1] == "with" else None
before = private()
# Grabs of a screen in threads that stay
libc.free(take(16_000_000))
with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
    for pool in (one, other):
        pool.submit(lambda: libc.free(take(12_000_000))).result()
    print(private() - before)
"""


def run(script: str, *arguments: str) -> list[float]:
    """What the script prints: private memory in MB, more than at the start."""
    done = subprocess.run(
        [sys.executable, "-c", _START + script, *arguments],
        env=child_environment(os.environ),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [float(line) for line in done.stdout.split()]


def test_what_a_window_had_is_returned() -> None:
    held, left = run(_WINDOW)
    assert held > 15
    assert left < 5


def test_threads_keep_no_room_for_pictures_that_are_gone() -> None:
    (usual,) = run(_GRABS, "without")
    (left,) = run(_GRABS, "with")
    assert usual > 20, "what this is about"
    assert left < 3
