"""What Prometheus is given."""

from __future__ import annotations

import subprocess
import sys

from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from core.chat import Usage
from core.events import HostState, State
from service.http.metrics import memory_of
from tests.support.http_service import context_of
from tests.support.pictures import encoded


def values(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_the_path_of_their_route(client: TestClient) -> None:
    for path in ("/ready?role=ocr", "/ready?role=vision", "/this", "/that"):
        client.get(path)
    found = values(client)
    ready = (("method", "GET"), ("path", "/ready"), ("status", "200"))
    assert found["yomitori_requests_total", ready] == 2
    assert found["yomitori_requests_total", (("method", "GET"), ("path", "(none)"), ("status", "404"))] == 2
    assert found["yomitori_request_seconds_count", (("method", "GET"), ("path", "/ready"))] == 2
    assert found["yomitori_requests_in_flight", ()] == 1


def test_routes_are_named_as_the_documentation_names_them(client: TestClient) -> None:
    client.get("/v1/models/some/model")
    client.get("/models/some/model/download")
    paths = {dict(labels).get("path") for name, labels in values(client) if name == "yomitori_requests_total"}
    assert {"/v1/models/{model}", "/models/{name}/download"} <= paths


def test_queues_models_and_memory_are_told(app: FastAPI, client: TestClient) -> None:
    for _ in range(3):
        context_of(app).gate.admit("vision")
    found = values(client)
    assert found["yomitori_queue_depth", (("role", "vision"),)] == 3
    assert found["yomitori_queue_depth", (("role", "ocr"),)] == 0
    for role in ("ocr", "vision"):
        states = {
            dict(labels)["state"]: value
            for (name, labels), value in found.items()
            if name == "yomitori_model_state" and dict(labels)["role"] == role
        }
        assert set(states) == {"unloaded", "loading", "ready", "busy", "failed"}
        assert sum(states.values()) == 1
        assert ("yomitori_model_ram_bytes", (("role", role),)) in found
        assert ("yomitori_model_vram_bytes", (("role", role),)) in found
    total = found["yomitori_device_memory_bytes", (("device", "cpu"),)]
    assert 0 < found["yomitori_device_memory_free_bytes", (("device", "cpu"),)] <= total
    assert found["yomitori_process_resident_bytes", ()] > 1_000_000


def test_tokens_are_counted_also_where_some_are_not_told(app: FastAPI, client: TestClient) -> None:
    metrics = context_of(app).metrics
    metrics.answered(Usage(prompt=10, answer=4, images=None, reused=2))
    metrics.answered(Usage(answer=1))
    found = values(client)
    tokens = {
        kind: found["yomitori_tokens_total", (("kind", kind),)] for kind in ("prompt", "answer", "reused")
    }
    assert tokens == {"prompt": 10, "answer": 5, "reused": 2}


_GROWS = """
import sys
print(flush=True)
sys.stdin.readline()
kept = bytearray(b"x") * 60_000_000
print(flush=True)
sys.stdin.readline()
"""


def test_the_memory_of_a_model_is_looked_at_when_it_is_asked_for() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _GROWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        state = HostState("ocr", State.READY, memory=5, pid=process.pid)
        process.stdout.readline()
        before = memory_of(state)
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        assert memory_of(state) - before > 55_000_000
        process.kill()
    # What was seen when it had loaded, where nothing can be seen now
    assert memory_of(state) == 5
    assert memory_of(HostState("ocr", State.UNLOADED)) == 0


def test_a_loaded_model_has_its_memory_told(app: FastAPI, client: TestClient) -> None:
    assert client.post("/ocr", files={"file": encoded()}).status_code == 200
    state = context_of(app).engine.state("ocr")
    assert state.pid
    assert values(client)["yomitori_model_ram_bytes", (("role", "ocr"),)] > 1_000_000
