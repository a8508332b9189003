"""Checkpoints with random weights, written once for all tests, and a process that loads them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models.lock import locked
from tests.support.environment import ROOT, child_environment
from tests.support.probed_llava import PROBED
from tests.support.random_others import KINDS as OTHERS
from tests.support.running import Running

KINDS = ("llava", "llava_next", "llava_onevision", *OTHERS)
_LIMIT = 600.0


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By type, each in a folder of that name. The first process that needs them writes them for all."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, unfinished = base / "vision-checkpoints", base / "vision-checkpoints.part"
    with locked(base / "vision-checkpoints.lock", _LIMIT) as alone:
        assert alone, "another process has not written them"
        if not folder.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            subprocess.run(
                [sys.executable, "-m", "tests.support.random_vision", str(unfinished), *KINDS],
                cwd=ROOT, env=child_environment(os.environ), check=True, timeout=170,
            )  # fmt: skip
            unfinished.rename(folder)
    return {kind: folder / kind for kind in KINDS}


@pytest.fixture(scope="module")
def probed() -> Iterator[Running]:
    """A model process of ``ProbedLlavaEngine``; each test loads what it needs."""
    running = Running(PROBED)
    yield running
    running.end()
