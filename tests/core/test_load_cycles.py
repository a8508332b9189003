"""Loading and unloading again and again leaves nothing behind. ``make soak`` does it a hundred times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.environment import ROOT, child_environment

GROWTH = 10_000_000


def test_five_cycles_of_mangaocr_leave_no_memory_file_socket_or_process(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.load_cycles", str(tmp_path), "6"],
        cwd=ROOT, env=child_environment(os.environ), capture_output=True, text=True, timeout=170, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    first, *others = [json.loads(row) for row in run.stdout.splitlines()]
    assert len(others) == 5
    last = others[-1]
    assert last["private"] - first["private"] < GROWTH
    assert (last["files"], last["sockets"]) == (first["files"], first["sockets"])
    assert last["processes"] == 0
