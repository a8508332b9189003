"""What every test gets: no network beyond this machine, folders of its own, and the programs it needs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from core.settings import SettingsStore
from tests.support import network_guard
from tests.support.environment import child_environment
from tests.support.requirements import skip_or_fail

network_guard.install()
LONGEST = (
    "test_manga_ocr", "test_llava", "test_generated", "test_engine_contract", "test_tiny_llava",
    "test_batching", "test_download", "test_ppocr", "test_conversations",
    "test_cli", "test_models_cli", "test_serve", "test_docs_examples", "test_chat_openai", "test_container",
    "test_snip_x11", "test_panel_x11", "test_load_cycles", "test_docking_x11", "test_models_dialog",
    "test_server_rows", "test_asking_models", "test_panel", "test_settings_dialog", "test_snip_wayland",
    "test_tray_service", "test_one_engine",
)  # fmt: skip
"""Files that take longest, of each group of tests: they come first, so that all workers end together."""
TOGETHER = {
    "torch": (
        "test_llava", "test_generated", "test_offload", "test_quantized", "test_forgets", "test_cache",
        "test_estimate", "test_torch_faults", "test_vision_layout", "test_vision_download", "test_renamed",
    ),
    "server": ("test_serve", "test_docs_examples", "test_chat_openai", "test_routes_real"),
}  # fmt: skip
"""Files that one worker runs, so that only that one imports torch, or starts the real service."""

# So that every Python that a test starts is guarded too, however the tests were started.
os.environ.update(child_environment({}, root=False))
# Threads of torch that wait for each other sleep instead of turning in circles, which the processors that run
# several tests at a time have no time for. To be said before torch is imported, here and in every child.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """For ``--dist loadfile``: the same, but for what is better ``TOGETHER``."""
    return _Together(config, log) if config.getvalue("dist") == "loadfile" else None


class _Together(LoadFileScheduling):
    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._lots = {name: lot for lot, names in TOGETHER.items() for name in names}

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return self._lots.get(Path(file).stem, file)


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
