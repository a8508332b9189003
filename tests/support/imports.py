"""What a fresh Python has loaded after some code."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.environment import child_environment

CHILD_ONLY = ("numpy", "onnxruntime", "rapidocr", "cv2", "torch", "transformers", "huggingface_hub")
"""Packages that only a model process may load."""


def imported_by(code: str) -> set[str]:
    """The top-level names of every module that is loaded once ``code`` has run."""
    program = f"{code}\nimport sys\nprint(*[name for name, module in sys.modules.items() if module])"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=child_environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in run.stdout.split()}
