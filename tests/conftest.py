"""What every test gets: no network beyond this machine, folders of its own, and the programs it needs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

from core.settings import SettingsStore
from tests.support import network_guard
from tests.support.environment import child_environment
from tests.support.requirements import skip_or_fail

network_guard.install()
# So that every Python that a test starts is guarded too, however the tests were started.
os.environ.update(child_environment({}, root=False))
# A busy machine may take its time.
hypothesis.settings.register_profile("yomitori", deadline=None)
hypothesis.settings.load_profile("yomitori")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that is marked as needing a display server or a bus has all that is for it, or does not run."""
    if item.get_closest_marker("x11"):
        from tests.support.xserver import missing_programs

        missing = missing_programs()
        skip_or_fail(f"not installed: {', '.join(missing)}" if missing else "")
    if item.get_closest_marker("wayland"):
        from tests.support.sway import no_sway

        skip_or_fail(no_sway())
    if item.get_closest_marker("dbus"):
        skip_or_fail("" if shutil.which("dbus-daemon") else "not installed: dbus-daemon")


@pytest.fixture
def settings(tmp_path: Path) -> SettingsStore:
    """A store with defaults, kept in the test's own folder, blind to the environment."""
    return SettingsStore(tmp_path / "config" / "settings.json", environ={})


@pytest.fixture(autouse=True)
def _private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the developer's own settings, history or models."""
    monkeypatch.setenv("YOMITORI_HOME", str(tmp_path / "home"))
    for name in (
        "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE", "MANGAOCR_MODEL_PATH", "HF_HUB_CACHE", "LLAVA_MODEL_ID",
        "LLAVA_DEVICE", "TRANSFORMERS_CACHE", "YOMITORI_SERVICE_TOKEN_FILE",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
