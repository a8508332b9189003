"""The GUI process is small: model libraries are loaded in the model process alone."""

from __future__ import annotations

import pytest

from tests.support.imports import CHILD_ONLY, imported_by


@pytest.mark.parametrize("module", ["desktop.app", "desktop.history_window", "desktop.settings_dialog"])
def test_the_desktop_imports_no_model_library(module: str) -> None:
    loaded = imported_by(f"import {module}")
    assert "PySide6" in loaded
    assert loaded & {*CHILD_ONLY} == set()
