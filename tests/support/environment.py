"""What the Pythons that a test starts find in their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUARD = ROOT / "tests" / "support" / "guard"


def python_path(root: bool) -> str:
    """A PYTHONPATH with the network guard, and with the repository when ``root`` is set."""
    return os.pathsep.join(str(folder) for folder in ((GUARD, ROOT) if root else (GUARD,)))


def child_environment(base: Mapping[str, str], root: bool = True) -> dict[str, str]:
    """``base`` for a child that refuses the network; with ``root`` it can import the repository's code."""
    return {**base, "PYTHONPATH": python_path(root)}
