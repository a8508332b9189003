"""The GUI process is small: model libraries are loaded in the model process alone. Its threads are few."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.imports import CHILD_ONLY, imported_by


@pytest.mark.parametrize("module", ["desktop.app", "desktop.history_window", "desktop.settings_dialog"])
def test_the_desktop_imports_no_model_library(module: str) -> None:
    loaded = imported_by(f"import {module}")
    assert "PySide6" in loaded
    assert loaded & {*CHILD_ONLY} == set()


def test_work_in_other_threads_comes_back_through_the_bridge() -> None:
    # Qt's pools have no other way back than signals, and those may wait for ever (see desktop.worker).
    files = list((Path(__file__).resolve().parents[2] / "desktop").rglob("*.py"))
    assert len(files) > 50
    assert [
        file.name for file in files if "QThreadPool" in file.read_text() or "QRunnable" in file.read_text()
    ] == []
