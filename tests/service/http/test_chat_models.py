"""The names under which the model that answers may be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.events import HostState, State
from core.models.library import ModelLibrary
from core.paths import Paths
from core.service_errors import ModelNotFound
from core.settings import SettingsStore
from service import models_choice
from service.http.chat_models import served, served_as
from service.http.config import ServiceConfig
from service.http.context import Context
from service.http.gate import Gate
from service.http.metrics import Metrics
from tests.support.http_service import TINY_LLAVA

OTHER, KNOWN = "someone/other-llava", "llava-hf/llava-1.5-7b-hf"


class NotLoaded:
    """As far as names are concerned: an engine that tells what it has loaded."""

    def __init__(self, state: HostState) -> None:
        self._state = state

    def state(self, role: str) -> HostState:
        return self._state


def context_with(home: Path, *repos: str, loaded: str = "", **vision: Any) -> Context:
    """With models of these hub ids on this computer, all of them the tiny one."""
    hub = home / "hub" / "hub"
    for repo in repos:
        folder = hub / f"models--{repo.replace('/', '--')}"
        snapshot = folder / "snapshots" / ("a" * 40)
        snapshot.mkdir(parents=True)
        for file in TINY_LLAVA.iterdir():
            (snapshot / file.name).symlink_to(file)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("a" * 40)
    flags = {f"vision.{name}": value for name, value in vision.items()}
    settings = SettingsStore(home / "settings.json", environ={}, flags=flags)
    library = ModelLibrary(settings, Paths.below(home), environ={"HF_HOME": str(home / "hub")})
    for repo in repos:
        library.records.touch(repo, "a" * 40, "vision")
    state = HostState(
        "vision", State.READY if loaded else State.UNLOADED, "llava" if loaded else "", detail=loaded
    )
    engine: Any = NotLoaded(state)
    return Context(engine, library, settings, ServiceConfig(), Metrics(), Gate(1))


def test_a_model_of_the_list_goes_by_its_name_and_its_hub_id(tmp_path: Path) -> None:
    context = context_with(tmp_path, KNOWN, model="llava-1.5-7b")
    found = served(context)
    assert found is not None
    assert (found.name, found.owner) == ("llava-1.5-7b", "llava-hf")
    assert found.created > 1_700_000_000
    # and by the id of its original
    for name in ("llava-1.5-7b", KNOWN, "liuhaotian/llava-v1.5-7b", "default", "auto", "", None):
        assert served_as(context, name) == found
    for name in ("llava-1.5-13b", OTHER, "gpt-4o", "../etc/passwd"):
        with pytest.raises(ModelNotFound) as caught:
            served_as(context, name)
        assert "llava-1.5-7b" in caught.value.advice
        assert name not in f"{caught.value.message} {caught.value.advice}"


def test_an_old_id_in_the_settings_stands_for_its_conversion(tmp_path: Path) -> None:
    context = context_with(tmp_path, KNOWN, model="liuhaotian/llava-v1.5-7b")
    found = served_as(context, KNOWN)
    assert found is not None
    assert found.name == "llava-1.5-7b"


def test_a_model_outside_of_the_list_goes_by_its_hub_id(tmp_path: Path) -> None:
    context = context_with(tmp_path, OTHER, model=OTHER)
    found = served_as(context, OTHER)
    assert found is not None
    assert (found.name, found.owner) == (OTHER, "someone")


def test_a_folder_goes_by_its_name(tmp_path: Path) -> None:
    context = context_with(tmp_path, model=str(TINY_LLAVA))
    found = served_as(context, "tiny-llava")
    assert found is not None
    assert (found.name, found.owner) == ("tiny-llava", "yomitori")


def test_what_is_chosen_automatically_is_what_is_loaded_else_what_would_be(tmp_path: Path) -> None:
    context = context_with(tmp_path / "one", KNOWN, OTHER, loaded=OTHER)
    found = served(context)
    assert found is not None
    assert found.name == OTHER
    # given two of the same size, and nothing loaded
    context = context_with(tmp_path / "two", KNOWN, OTHER)
    found = served(context)
    assert found is not None
    assert found.name in ("llava-1.5-7b", OTHER)
    assert served_as(context, found.name) == found


def test_nothing_is_served_where_nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> Any:
        raise AssertionError("no driver is to be asked without a model")

    monkeypatch.setattr(models_choice, "list_devices", asked)
    for number, model in enumerate(("auto", "llava-1.5-7b", OTHER, str(tmp_path), "no such name")):
        context = context_with(tmp_path / str(number), model=model)
        assert served(context) is None
        assert served_as(context, "default") is None
        with pytest.raises(ModelNotFound):
            served_as(context, "llava-1.5-7b")


def test_a_server_that_answers_gives_its_models_name(tmp_path: Path) -> None:
    context = context_with(tmp_path / "one", backend="remote", server_model="qwen")
    found = served_as(context, "qwen")
    assert found is not None
    assert (found.name, found.owner) == ("qwen", "server")
    with pytest.raises(ModelNotFound):
        served_as(context, "tiny-llava")
    assert served(context_with(tmp_path / "two", backend="remote")) is None
