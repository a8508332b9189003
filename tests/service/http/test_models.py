"""``/models``: what there is, loading and unloading, and downloads with their progress."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from core.errors import LicenceNotAccepted
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from service.http.models import DownloadOut, ModelsOut
from tests.core.models.parts import QUICK, REPO, known, write_checkpoint
from tests.service.http.test_analyze import events_of
from tests.support.http_service import (
    TINY_LLAVA,
    TOKEN,
    Parts,
    app_over,
    client_of,
    context_of,
    fake_parts,
    live,
    port_of,
)
from tests.support.pictures import encoded
from tests.support.stub_hub import StubHub

STALL = 60.0
WEIGHTS = "model.safetensors"
SIZE = 2_000_000
CLOSED = "yomitori-tests/closed"


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STALL
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def owner(app: FastAPI) -> Iterator[TestClient]:
    """Has the token."""
    with client_of(app, token=True) as client:
        yield client


# ---- in memory


def roles(client: TestClient) -> dict[str, dict[str, Any]]:
    answer = client.get("/models")
    assert answer.status_code == 200, answer.text
    return {row["role"]: row for row in answer.json()["roles"]}


def test_what_is_in_memory_is_told(client: TestClient) -> None:
    client.post("/ocr", files={"file": encoded()})
    client.post("/analyze_image", files={"file": encoded()})
    found = roles(client)
    assert found.keys() == {"ocr", "vision"}
    assert (found["ocr"]["state"], found["ocr"]["engine"], found["ocr"]["device"]) == (
        "ready",
        "ppocr",
        "cpu",
    )
    assert (found["vision"]["state"], found["vision"]["model"]) == ("ready", "tiny-llava")
    assert found["vision"]["memory"] > 0


def test_a_model_that_is_named_by_its_folder_has_a_row(client: TestClient) -> None:
    answer = client.get("/models")
    (row,) = [row for row in answer.json()["models"] if row["name"] == "tiny-llava"]
    assert (row["role"], row["state"], row["chosen"], row["repo"]) == ("vision", "ready", True, "")
    assert row["disk_bytes"] > 0
    # As /v1/models calls it; where it lies is told to nobody
    assert client.get("/v1/models").json()["data"][0]["id"] == row["name"]
    assert str(TINY_LLAVA.parent) not in answer.text


def test_a_folder_that_holds_no_model_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    parts = fake_parts(tmp_path, **{"vision.model": str(folder)})
    try:
        with client_of(app_over(parts)) as client:
            (row,) = [row for row in client.get("/models").json()["models"] if row["name"] == "empty"]
            assert (row["state"], row["chosen"]) == ("unusable", True)
    finally:
        parts.close()


def test_a_role_is_loaded_and_unloaded_by_who_has_the_token(owner: TestClient) -> None:
    answer = owner.post("/models/vision/unload")
    assert answer.status_code == 202
    assert answer.json()["role"] == "vision"
    until(lambda: roles(owner)["vision"]["state"] == "unloaded")
    assert owner.post("/models/vision/load").status_code == 202
    until(lambda: roles(owner)["vision"]["state"] == "ready")


def test_why_a_model_cannot_be_loaded_is_told(parts: Parts) -> None:
    settings = SettingsStore(Path("none"), environ={}, flags={"vision.model": "nobody/nothing"})
    library = parts.library
    from core.engine import Engine
    from tests.support.fake_vision_engine import FAKE_VISION

    engine = Engine(settings, engines=(FAKE_VISION,), library=library)
    try:
        with client_of(app_over(Parts(engine, library, settings)), token=True) as client:
            client.post("/models/vision/load")
            until(lambda: roles(client)["vision"]["state"] == "failed")
            error = roles(client)["vision"]["error"]
            assert error["code"] == "ModelMissing"
            assert "nobody/nothing" in error["hint"]
    finally:
        engine.close()


CHANGING = [
    "/models/ocr/load", "/models/ocr/unload", "/models/manga-ocr/download", "/models/a/b/download",
    "/models/manga-ocr/download/pause",
]  # fmt: skip


@pytest.mark.parametrize("path", CHANGING)
def test_what_changes_models_needs_the_token_on_loopback_too(client: TestClient, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = client.post(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "TokenWrong")
    for path in ("/models/manga-ocr/download", "/models/manga-ocr/download/events"):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize("path", CHANGING)
def test_without_a_token_nobody_may(parts: Parts, path: str) -> None:
    with client_of(app_over(parts, token=""), token=True) as client:
        assert client.post(path).status_code == 403


def test_a_role_that_does_not_exist_is_told(owner: TestClient) -> None:
    for path in ("/models/nobody/load", "/models/download/unload", "/models/server-test/load"):
        assert owner.post(path).status_code == 422
    assert owner.get("/models/ocr/load").status_code == 405


# ---- downloads


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubHub]:
    source = write_checkpoint(tmp_path_factory.mktemp("source"), SIZE)
    with StubHub() as hub:
        hub.add_repo(REPO, source, "refs/pr/4")
        hub.add_repo(CLOSED, source, licence="cc-by-nc-4.0")
        yield hub


@pytest.fixture(scope="module")
def served(parts: Parts, hub: StubHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """The fake engines with a library of its own, which knows two small models."""
    home = tmp_path_factory.mktemp("library")
    settings = SettingsStore(
        home / "settings.json",
        environ={"YOMITORI_MODELS_DIR": str(home / "hub")},
        flags={"models.ocr_model": "tiny"},
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HF_TOKEN", "HF_HUB_OFFLINE"):
            patch.delenv(name, raising=False)
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(home / "hub-home"))
        catalogue = (
            known(),
            known(CLOSED, "closed", revision="main", licence="cc-by-nc-4.0", licence_open=False),
        )
        library = ModelLibrary(
            settings, Paths.below(home), catalogue=catalogue, environ={}, retry=QUICK, idle_seconds=60.0
        )
        # The process that downloads starts with the first job, and keeps its environment.
        library.plan_download("tiny").result(STALL)
        yield Parts(parts.engine, library, settings)
        library.close()


@pytest.fixture
def served_app(served: Parts, hub: StubHub, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    hub.heal()
    if served.library.model("tiny").state != "missing":
        served.library.remove("tiny").result(STALL)
    return app_over(served)


@pytest.fixture
def downloader(served_app: FastAPI) -> Iterator[TestClient]:
    with client_of(served_app, token=True) as client:
        yield client


def test_a_download_runs_by_itself_and_tells_how_it_stands(downloader: TestClient, hub: StubHub) -> None:
    begun = downloader.post("/models/tiny/download")
    assert begun.status_code == 202
    assert begun.json()["state"] in ("running", "done")
    until(lambda: downloader.get("/models/tiny/download").json()["state"] == "done")
    # By its hub id it is the same one
    row = downloader.get(f"/models/{REPO}/download").json()
    DownloadOut.model_validate(row)
    assert row["result"]["repo"] == REPO
    assert row["result"]["received_bytes"] >= SIZE
    assert row["error"] is None
    models = downloader.get("/models").json()
    (tiny,) = [model for model in models["models"] if model["name"] == "tiny"]
    assert (tiny["state"], tiny["chosen"]) == ("ready", True)
    assert tiny["revisions"][0]["commit"] == row["result"]["commit"]
    assert "folder" not in tiny


def test_a_download_that_could_not_begin_does_not_seem_to_run(
    downloader: TestClient, served: Parts, hub: StubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("nobody has thought of that")

    with monkeypatch.context() as patch:
        patch.setattr(served.library, "download", fail)
        assert downloader.post("/models/tiny/download").status_code == 500
    assert downloader.get("/models/tiny/download").status_code == 404
    downloader.post("/models/tiny/download")
    until(lambda: downloader.get("/models/tiny/download").json()["state"] == "done")


def test_progress_comes_as_events(downloader: TestClient, hub: StubHub) -> None:
    hub.slow(4_000_000, WEIGHTS, times=1)
    answer = downloader.post("/models/tiny/download?stream=true")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events_of(answer.text)
    assert [found[0][0], found[-1][0]] == ["start", "end"]
    assert found[0][1]["state"] == "running"
    progress = [data for name, data in found if name == "progress"]
    assert len(progress) >= 2
    assert [data["done"] for data in progress if data["phase"] == "download"][-1] > 0
    assert all(data["detail"].endswith(".") for data in progress)
    assert found[-1][1]["state"] == "done"
    # Whoever comes later hears how it ended
    later = events_of(downloader.get("/models/tiny/download/events").text)
    assert later[-1] == found[-1]


@pytest.fixture
def serving(served_app: FastAPI) -> Iterator[tuple[FastAPI, httpx2.Client]]:
    """On a socket, since these clients listen and leave."""
    with live(served_app) as running:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"http://127.0.0.1:{port_of(running)}"
        with httpx2.Client(base_url=url, headers=headers, trust_env=False, timeout=STALL) as client:
            yield served_app, client


def wait_for_bytes(lines: Iterator[str]) -> None:
    """Until some of the weights have come."""
    for line in lines:
        if line.startswith("data: "):
            data = json.loads(line[6:])
            if data.get("phase") == "download" and data["done"] >= 0.3 * data["total"] > 0:
                return
    raise AssertionError("it ended before")


def rest_of(lines: Iterator[str]) -> list[tuple[str, Any]]:
    """The events after the one in whose data the lines stand."""
    return events_of("\n".join(lines).strip("\n"))


def test_a_download_goes_on_when_its_listener_leaves_and_is_joined(
    serving: tuple[FastAPI, httpx2.Client], hub: StubHub
) -> None:
    _, client = serving
    hub.slow(1_500_000, WEIGHTS, times=1)
    hub.forget()
    with client.stream("POST", "/models/tiny/download?stream=true") as answer:
        wait_for_bytes(answer.iter_lines())
    assert client.get("/models/tiny/download").json()["state"] == "running"
    # A second request does not fetch it again
    assert client.post("/models/tiny/download").json()["state"] == "running"
    found = events_of(client.get("/models/tiny/download/events").text)
    assert found[-1][1]["state"] == "done"
    assert hub.sent[WEIGHTS] <= SIZE + 1000


def test_a_paused_download_goes_on_from_there(serving: tuple[FastAPI, httpx2.Client], hub: StubHub) -> None:
    _, client = serving
    hub.slow(1_500_000, WEIGHTS, times=1)
    with client.stream("POST", "/models/tiny/download?stream=true") as answer:
        lines = answer.iter_lines()
        wait_for_bytes(lines)
        assert client.post("/models/tiny/download/pause").status_code == 202
        rest = rest_of(lines)
    assert rest[-1][0] == "end"
    assert (rest[-1][1]["state"], rest[-1][1]["error"]) == ("paused", None)
    assert client.get("/models/tiny/download").json()["error"] is None
    found = events_of(client.post("/models/tiny/download?stream=true").text)
    assert found[-1][1]["state"] == "done"
    assert found[-1][1]["result"]["received_bytes"] < SIZE


def test_listeners_are_told_when_the_service_stops(
    serving: tuple[FastAPI, httpx2.Client], hub: StubHub
) -> None:
    app, client = serving
    hub.slow(1_000_000, WEIGHTS, times=1)
    with client.stream("POST", "/models/tiny/download?stream=true") as answer:
        lines = answer.iter_lines()
        wait_for_bytes(lines)
        threading.Thread(target=_stop, args=(app,)).start()
        rest = rest_of(lines)
    assert rest[-1][0] == "error"
    assert rest[-1][1]["code"] == "ServiceStopping"
    client.post("/models/tiny/download/pause")
    until(lambda: client.get("/models/tiny/download").json()["state"] == "paused")


def _stop(app: FastAPI) -> None:
    gate = context_of(app).gate
    (stopped,) = gate._waiting
    stopped.get_loop().call_soon_threadsafe(gate.stop)


def test_a_failed_download_tells_why(downloader: TestClient, hub: StubHub) -> None:
    hub.answer(500, "*", times=50)
    found = events_of(downloader.post(f"/models/{REPO}@no-such-branch/download?stream=true").text)
    assert found[-1][0] == "end"
    assert found[-1][1]["state"] == "failed"
    assert found[-1][1]["error"]["status"] == 502
    assert found[-1][1]["error"]["hint"]
    hub.heal()


def test_a_pause_between_two_tries_says_so(downloader: TestClient, hub: StubHub) -> None:
    hub.answer(503, WEIGHTS, times=1)
    found = events_of(downloader.post("/models/tiny/download?stream=true").text)
    waited = [data for name, data in found if name == "progress" and data["phase"] == "wait"]
    assert waited
    assert waited[0]["detail"] == "Waiting before the next try."
    # When that is
    assert all(data["left"] is not None for data in waited)
    assert found[-1][1]["state"] == "done"


def test_a_licence_that_is_not_open_has_to_be_accepted(downloader: TestClient) -> None:
    answer = downloader.post("/models/closed/download")
    assert (answer.status_code, answer.json()["code"]) == (403, "LicenceNotAccepted")
    # Nothing was begun that could have failed
    assert downloader.get("/models/closed/download").json()["code"] == "NoDownload"
    found = events_of(downloader.post("/models/closed/download?stream=true&accept_license=true").text)
    assert found[-1][1]["state"] == "done"
    assert found[-1][1]["result"]["licence"] == "cc-by-nc-4.0"


def test_a_refusal_does_not_make_unknown_how_the_last_one_ended(
    served: Parts, downloader: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert '"state":"done"' in downloader.post("/models/tiny/download?stream=true").text

    def refuse(*_: object) -> None:
        raise LicenceNotAccepted(model="tiny", licence="other")

    monkeypatch.setattr(served.library, "download", refuse)
    assert downloader.post("/models/tiny/download").status_code == 403
    assert downloader.get("/models/tiny/download").json()["state"] == "done"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("nothing", 422, "ModelUnknown"), ("..", 404, "PathUnknown"), ("../../etc", 404, "PathUnknown"),
     ("a/b/c", 422, "ModelUnknown"), ("local/import-x", 422, None), ("x" * 300, 422, "RequestInvalid"),
     ("%2e%2e%2f%2e%2e", 422, "ModelUnknown"), ("a/b@../c", 422, "ModelUnknown")],
)  # fmt: skip
def test_names_of_no_model_are_told(downloader: TestClient, name: str, status: int, code: str | None) -> None:
    answer = downloader.post(f"/models/{name}/download")
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


def test_a_download_that_nobody_started_is_told(downloader: TestClient) -> None:
    for answer in (
        downloader.get("/models/tiny/download"),
        downloader.get("/models/tiny/download/events"),
        downloader.post("/models/tiny/download/pause"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "NoDownload")
    assert downloader.get("/models/nothing/download").status_code == 422


def test_a_folder_that_cannot_hold_models_is_told_at_once(
    downloader: TestClient, served: Parts, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    settings = SettingsStore(
        tmp_path / "settings.json", environ={}, flags={"models.dir": str(tmp_path / "file" / "hub")}
    )
    library = ModelLibrary(settings, Paths.below(tmp_path), catalogue=(known(),), environ={})
    with client_of(app_over(Parts(served.engine, library, settings)), token=True) as client:
        answer = client.post("/models/tiny/download")
    library.close()
    assert answer.status_code >= 500
    assert answer.json()["code"].endswith(("FolderUnusable", "FolderLocked"))


def test_the_examples_in_the_description_are_true(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    answer = paths["/models"]["get"]["responses"]["200"]["content"]["application/json"]
    ModelsOut.model_validate(answer["example"])
    for path, method, status in (
        ("/models/{name}/download", "post", "202"),
        ("/models/{name}/download", "get", "200"),
    ):
        operation = paths[path][method]
        DownloadOut.model_validate(operation["responses"][status]["content"]["application/json"]["example"])
        assert operation["security"] == [{"token": []}]
        assert {"401", "403"} <= operation["responses"].keys()
