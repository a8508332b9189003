"""Loaded by every Python started with this folder on PYTHONPATH."""

import importlib.util
import os
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location(
    "yomitori_network_guard", Path(__file__).resolve().parent.parent / "network_guard.py"
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
_module.install()

if os.environ.get("YOMITORI_TEST_WITHOUT_QT"):
    # The core must work where Qt cannot even be imported.
    sys.modules["PySide6"] = None
