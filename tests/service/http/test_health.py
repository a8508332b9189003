"""Whether it lives, whether it can work, and the page with its operations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.errors import LoadFailed
from core.events import HostState, State
from tests.support.http_service import Parts, app_over, client_of, fake_parts


def readiness(tmp_path: Path, path: str = "/ready", state: HostState | None = None, **settings: Any) -> Any:
    parts = fake_parts(tmp_path, **settings)
    try:
        if state is not None:
            parts.engine.state = lambda role="ocr": state  # type: ignore[method-assign]
        with client_of(app_over(parts)) as client:
            return client.get(path)
    finally:
        parts.close()


def test_it_says_that_it_lives(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/docs"])
def test_it_can_be_asked_without_a_body(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.headers["content-type"]) == (200, whole.headers["content-type"])


def test_its_address_alone_leads_to_the_page(client: TestClient) -> None:
    answer = client.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "docs")
    for path in (answer.json()["docs"], answer.json()["openapi"], answer.json()["health"]):
        assert client.get(path).status_code == 200
    assert client.get("/").headers["content-type"].startswith("text/html")
    assert client.head("/", follow_redirects=False).status_code == 307


def test_it_is_ready_when_the_models_of_the_settings_are_here(client: TestClient) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "roles": ["ocr", "vision"]})


@pytest.mark.parametrize("model", ["auto", "someone/else"])
def test_it_is_not_ready_while_a_model_is_missing_and_says_which(tmp_path: Path, model: str) -> None:
    answer = readiness(tmp_path, **{"vision.model": model})
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"]
    assert (problem["status"], problem["code"]) == (503, "ModelMissing")
    (reason,) = problem["reasons"]
    assert reason["role"] == "vision"
    assert "POST /models/" in reason["hint"]


def test_a_role_that_nobody_needs_can_be_left_out(tmp_path: Path) -> None:
    assert readiness(tmp_path, "/ready?role=ocr", **{"vision.model": "someone/else"}).status_code == 200


def test_an_engine_chosen_by_name_must_have_its_weights(tmp_path: Path) -> None:
    answer = readiness(tmp_path, "/ready?role=ocr", **{"reading.engine": "manga-ocr"})
    assert [reason["role"] for reason in answer.json()["reasons"]] == ["ocr"]


def test_a_server_that_answers_must_be_named(tmp_path: Path) -> None:
    answer = readiness(tmp_path, **{"vision.backend": "remote"})
    assert answer.json()["code"] == "ServerNotSet"
    named = {"vision.server_url": "http://localhost:8000/v1", "vision.server_model": "big"}
    assert readiness(tmp_path, **{"vision.backend": "remote", **named}).status_code == 200


def test_a_model_that_could_not_be_loaded_tells_why(tmp_path: Path) -> None:
    failed = HostState("ocr", State.FAILED, error=LoadFailed(engine="fake", reason="it is broken"))
    answer = readiness(tmp_path, "/ready?role=ocr", failed)
    assert (answer.status_code, answer.json()["detail"]) == (
        503, "The fake engine could not be loaded: it is broken.",
    )  # fmt: skip


def test_a_role_that_is_not_there_is_refused(client: TestClient) -> None:
    assert client.get("/ready?role=quick").status_code == 422


# ---- /docs


def test_the_page_takes_nothing_from_another_server(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert [source for source in sources if not source.startswith(("/docs/files/", "data:"))] == []
    for source in sources:
        if source.startswith("/"):
            answer = client.get(source)
            assert answer.status_code == 200, source
            assert answer.content
            # Nor do the style sheets and the script that starts it.
            if not source.endswith("bundle.js"):
                assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", answer.text)
    assert '"/openapi.json"' in client.get("/docs/files/start.js").text


@pytest.mark.parametrize("name", ["redoc.standalone.js", "..%2F..%2Fcore.py", "nothing"])
def test_only_the_files_of_the_page_are_given_out(client: TestClient, name: str) -> None:
    assert client.get(f"/docs/files/{name}").status_code == 404


def test_the_description_of_the_operations_is_whole(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["info"]["title"] == "Yomitori"
    tags = {tag["name"] for tag in schema["tags"]}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert set(operation["tags"]) <= tags, (method, path)
    for used in set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema))):
        assert used in schema["components"]["schemas"]


def test_a_state_counts_before_the_folders_are_looked_at(parts: Parts, tmp_path: Path) -> None:
    """What is loaded can work, also where its files have been moved since."""
    ready = HostState("vision", State.READY)
    answer = readiness(tmp_path, "/ready?role=vision", ready, **{"vision.model": "someone/else"})
    assert answer.status_code == 200
