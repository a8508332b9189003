"""Rules of the house that imports and packages must keep."""

from __future__ import annotations

import importlib.metadata

import pytest

from tests.support.environment import ROOT
from tests.support.imports import CHILD_ONLY, imported_by


@pytest.mark.parametrize("code", ["import core.engine", "import core.doctor", "import service.cli"])
def test_front_ends_import_no_model_library_and_no_qt(code: str) -> None:
    assert imported_by(code) & {*CHILD_ONLY, "PySide6"} == set()


def test_no_locked_dependency_ships_a_folder_of_ours() -> None:
    ours = {"core", "desktop", "service", "resources", "main"}
    taken = importlib.metadata.packages_distributions()
    strangers = {name: taken[name] for name in ours & set(taken) if taken[name] != ["yomitori"]}
    assert strangers == {}


def test_no_package_hides_another() -> None:
    for folder in ("packaging", "tests", "tests/core", "tests/desktop", "tests/support"):
        assert not (ROOT / folder / "__init__.py").exists()


def test_the_lock_has_names_and_versions_only() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            assert line.startswith(("#", "-r ")) or line.count("==") == 1, line
            assert "://" not in line
