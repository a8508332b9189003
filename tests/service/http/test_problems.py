"""Errors as clients see them, and what the log keeps of them."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.testclient import TestClient

from core.errors import (
    BackendError,
    Cancelled,
    ContextFull,
    ImageTooLarge,
    InstanceError,
    ModelMissing,
    NothingInClipboard,
    OutOfMemory,
    ProcessDied,
    QueueFull,
    SettingsDamaged,
    UsageError,
    YomitoriError,
    known_errors,
)
from core.service_errors import TokenWrong
from core.vision.errors import RemoteAsksToWait
from service.http.hints import template_of
from service.http.logs import JsonLines
from service.http.problems import openai_json, problem_json
from tests.support.http_service import Parts, app_over

SECRET = "これは秘密"


class Body(BaseModel):
    number: int


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    app = app_over(parts)
    errors: dict[str, Exception] = {
        "busy": QueueFull(count=3, seconds=9),
        "full": QueueFull(count=64),
        "wait": RemoteAsksToWait(host="there", seconds=17),
        "memory": OutOfMemory(device="cuda:0"),
        "odd": ValueError(SECRET),
        "missing": ModelMissing(model="a"),
    }

    def raise_error(name: str) -> None:
        raise errors[name]

    for prefix in ("/test", "/v1/test"):
        app.get(prefix + "/{name}")(raise_error)

    @app.post("/test/body")
    @app.post("/v1/test/body")
    def body(body: Body) -> int:
        return body.number

    return app


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What ``yomitori serve`` would write."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("service")
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


def rows(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_error_is_a_problem_with_its_sentence_and_hint(client: TestClient) -> None:
    answer = client.get("/test/memory", headers={"X-Request-ID": "mine-1"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "mine-1"
    error = OutOfMemory(device="cuda:0")
    assert answer.status_code == 503
    assert answer.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": error.message,
        # Not that of the desktop, where people close programs.
        "hint": "Send a smaller picture or ask for less; or have the operator choose a smaller model.",
        "code": "OutOfMemory",
        "retryable": error.retryable,
        "instance": "mine-1",
    }


def test_below_v1_it_has_the_shape_that_openai_s_clients_read(client: TestClient) -> None:
    answer = client.get("/v1/test/missing")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("server_error", "model_missing", None)
    assert "Get it with POST /models/" in error["message"]


def test_no_hint_speaks_of_the_windows_of_the_desktop() -> None:
    for kind in known_errors().values():
        if issubclass(kind, (BackendError, UsageError, InstanceError, NothingInClipboard, SettingsDamaged)):
            continue
        # Where the token is, for who has the tray's service: there is no other place to tell of.
        if kind is TokenWrong:
            continue
        hint = template_of(kind)
        assert not re.search(r"Settings,|in Settings|the settings\b|the card|clipboard|--accept", hint), kind


@pytest.mark.parametrize(("name", "seconds"), [("busy", "9"), ("full", "5"), ("wait", "17"), ("memory", "5")])
def test_it_says_when_to_come_again(client: TestClient, name: str, seconds: str) -> None:
    assert client.get(f"/test/{name}").headers["retry-after"] == seconds


@pytest.mark.parametrize("prefix", ["/test", "/v1/test"])
def test_what_nobody_expected_is_a_problem_without_details(
    client: TestClient, log: io.StringIO, prefix: str
) -> None:
    answer = client.get(f"{prefix}/odd")
    assert answer.status_code == 500
    assert "log" in answer.text
    for text in (answer.text, log.getvalue()):
        assert SECRET not in text
        assert "secret" not in text
    assert "Traceback" not in answer.text
    assert "ValueError" not in answer.text
    failed, request = rows(log)
    assert (failed["level"], failed["error"]) == ("error", "ValueError")
    assert "raise_error" in failed["frames"][-1]
    assert failed["request_id"] == request["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("prefix", ["/test", "/v1/test"])
def test_a_request_that_does_not_fit_names_its_fields_and_not_what_was_in_them(
    client: TestClient, prefix: str
) -> None:
    answer = client.post(f"{prefix}/body", json={"number": SECRET})
    # OpenAI has one status for whatever is wrong with a request
    status = 400 if prefix.startswith("/v1") else 422
    assert answer.status_code == status
    assert "number: it has to be a whole number" in answer.text
    assert SECRET not in json.dumps(answer.json(), ensure_ascii=False)
    assert client.post(f"{prefix}/body", content=b"{").status_code == status


def test_a_path_with_one_slash_more_leads_nowhere_else(client: TestClient) -> None:
    answer = client.post("/ocr/", follow_redirects=False)
    assert (answer.status_code, answer.json()["code"]) == (404, "PathUnknown")


def test_paths_and_methods_that_are_not_there(client: TestClient) -> None:
    nothing = client.get(f"/{SECRET}")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "PathUnknown")
    assert client.get("/v1/nothing").json()["error"]["code"] == "path_unknown"
    other = client.delete("/health")
    assert (other.status_code, other.json()["code"]) == (405, "MethodUnknown")
    assert "GET" in other.headers["allow"]


@pytest.mark.parametrize(
    "content",
    [b"", b"--x", b"--x\r\nContent-Disposition: form-data; name\r\n\r\nx\r\n--x--\r\n", b"\x00" * 100],
)
@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain"])
def test_a_form_that_is_none_is_the_client_s_fault(client: TestClient, content: bytes, kind: str) -> None:
    answer = client.post("/ocr", content=content, headers={"Content-Type": kind})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["hint"]


def test_every_error_can_be_told_in_both_shapes() -> None:
    for cls in known_errors().values():
        error = cls()
        assert problem_json(error)["title"]
        assert openai_json(error)["error"]["code"]
        assert 400 <= error.http_status < 600


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (ContextFull(tokens=9, limit=8), 422, "invalid_request_error", "context_length_exceeded"),
        (ProcessDied(reason="-9"), 503, "server_error", "process_died"),
        (Cancelled(), 499, "invalid_request_error", "cancelled"),
        (
            ImageTooLarge(name="it", width=1, height=1, limit=1),
            413,
            "invalid_request_error",
            "image_too_large",
        ),
    ],
)
def test_openai_s_names(error: YomitoriError, status: int, kind: str, code: str) -> None:
    told = openai_json(error)["error"]
    assert (error.http_status, told["type"], told["code"]) == (status, kind, code)


# ---- the log


def test_a_request_is_one_row_without_its_content(client: TestClient, log: io.StringIO) -> None:
    answer = client.get(f"/test/busy?{SECRET}=1", headers={b"X-Private": SECRET.encode()})  # type: ignore[dict-item]
    (row,) = rows(log)
    assert SECRET not in log.getvalue()
    assert row["seconds"] >= 0
    assert {name: row[name] for name in ("level", "method", "path", "status", "request_id", "bytes")} == {
        "level": "info",
        "method": "GET",
        "path": "/test/{name}",
        "status": 503,
        "request_id": answer.headers["x-request-id"],
        "bytes": len(answer.content),
    }


def test_a_path_that_is_not_there_is_not_logged(client: TestClient, log: io.StringIO) -> None:
    client.get("/my-private-words")
    client.request("MYWORDS", "/health")
    assert [(row["path"], row["method"]) for row in rows(log)] == [("(none)", "GET"), ("/health", "other")]
    assert "private" not in log.getvalue()


@pytest.mark.parametrize("given", ["a b", "x" * 65, 'a"', "日本"])
def test_an_id_that_could_spoil_the_log_is_replaced(client: TestClient, given: str) -> None:
    answer = client.get("/health", headers={b"X-Request-ID": given.encode()})  # type: ignore[dict-item]
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["x-request-id"] != client.get("/health").headers["x-request-id"]
