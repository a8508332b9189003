"""What every test gets: no network beyond this machine, and folders of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import SettingsStore
from tests.support import network_guard

network_guard.install()


@pytest.fixture
def settings(tmp_path: Path) -> SettingsStore:
    """A store with defaults, kept in the test's own folder, blind to the environment."""
    return SettingsStore(tmp_path / "config" / "settings.json", environ={})


@pytest.fixture(autouse=True)
def _private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the developer's own settings or history."""
    monkeypatch.setenv("YOMITORI_HOME", str(tmp_path / "home"))
    return
