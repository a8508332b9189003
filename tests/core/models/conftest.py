"""A stub hub, and a library that knows no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.models.parts import STALL, Shelf
from tests.support.stub_hub import StubHub

_OURS = ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HTTP_PROXY")


@pytest.fixture(autouse=True)
def _no_hub_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the developer's own token, cache or proxy."""
    for name in (*_OURS, "http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf-home"))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shelf, StubHub]]:
    """One library and one hub for the tests of a file, since starting processes is most of their time."""
    with StubHub() as hub, Shelf(tmp_path_factory.mktemp("bench")) as shelf:
        yield shelf, hub


@pytest.fixture
def hub(bench: tuple[Shelf, StubHub], monkeypatch: pytest.MonkeyPatch) -> StubHub:
    """An empty hub without faults, which every process started from now on asks."""
    hub = bench[1]
    hub.heal()
    # A connection that an earlier test left would count what it still sends.
    for server in hub._servers:
        server.drop_connections()
    deadline = time.monotonic() + STALL
    while any(server._connections for server in hub._servers):
        assert time.monotonic() < deadline, "the hub's connections do not end"
        time.sleep(0.005)
    hub.forget()
    for repo in tuple(hub._repos):
        hub.remove_repo(repo)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    return hub


@pytest.fixture
def own_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubHub]:
    """A hub of the test's own: one that falls silent does so until it is closed."""
    with StubHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


@pytest.fixture
def shelf(bench: tuple[Shelf, StubHub], hub: StubHub) -> Shelf:
    """An empty library. Its processes may have been started by an earlier test: one that changes the
    environment needs a ``fresh`` one."""
    bench[0].clear()
    return bench[0]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf(tmp_path / "home") as shelf:
        yield shelf
