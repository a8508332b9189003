"""The server: where it listens, and how it ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from core.jobs import Job
from core.service_errors import AddressUnusable
from core.types import RgbImage
from service.http.config import ServiceConfig
from service.http.jobs import finished
from service.http.run import address_of, listen
from tests.support.http_service import Parts, app_over, context_of, live, port_of

HANGS = RgbImage(1, 1, b"\x00\x00\x01")
"""The fake engine reads it until it is cancelled."""


def with_job(app: FastAPI, start: Callable[[], Job[Any]]) -> FastAPI:
    @app.get("/test/job")
    async def job(request: Request) -> str:
        await finished(context_of(app), request, "ocr", start)
        return "done"

    return app


def shut_down_under_way(app: FastAPI, then: Callable[[], None] = lambda: None) -> httpx2.Response:
    """The answer to a request that is under way while the service is shut down."""
    with live(app) as server, ThreadPoolExecutor(1) as pool:
        address = f"http://127.0.0.1:{port_of(server)}"
        answer = pool.submit(httpx2.get, address + "/test/job", timeout=60)
        while context_of(app).gate.held("ocr") == 0:
            httpx2.get(address + "/health")
        server.should_exit = True
        # It listens no more.
        while True:
            try:
                httpx2.get(address + "/health", timeout=60)
            except httpx2.TransportError:
                break
        then()
        return answer.result(60)


def test_an_answer_under_way_is_finished(parts: Parts) -> None:
    job: Job[Any] = Job("test", {}, (), lambda answer, seconds: answer)
    app = with_job(app_over(parts, grace=30.0), lambda: job)
    answer = shut_down_under_way(app, lambda: job.resolve("text"))
    assert (answer.status_code, answer.json()) == (200, "done")


def test_an_answer_that_takes_longer_is_told(parts: Parts) -> None:
    app = app_over(parts, grace=0.1)
    app = with_job(app, lambda: parts.engine.recognize(HANGS))
    answer = shut_down_under_way(app)
    assert (answer.status_code, answer.json()["code"]) == (503, "ServiceStopping")
    assert answer.headers["retry-after"]


def test_a_client_that_goes_away_ends_its_job(parts: Parts) -> None:
    ended = threading.Event()

    def start() -> Job[Any]:
        job = parts.engine.recognize(HANGS)
        job.on_done(lambda _: ended.set())
        return job

    app = with_job(app_over(parts), start)
    with live(app) as server:
        with socket.create_connection(("127.0.0.1", port_of(server))) as client:
            client.sendall(b"GET /test/job HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while context_of(app).gate.held("ocr") == 0:
                httpx2.get(f"http://127.0.0.1:{port_of(server)}/health")
        assert ended.wait(30)
    assert context_of(app).gate.held("ocr") == 0


def test_no_server_header_tells_what_answers(parts: Parts) -> None:
    with live(app_over(parts)) as server:
        answer = httpx2.get(f"http://127.0.0.1:{port_of(server)}/health")
    assert "server" not in answer.headers


# ---- addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1", "[::1]"])
def test_addresses_of_this_computer(host: str) -> None:
    try:
        listeners = listen(host, 0)
    except AddressUnusable:
        if ":" not in host:
            raise
        pytest.skip("no IPv6 here")
    try:
        assert len({listener.getsockname()[1] for listener in listeners}) == 1
        address = address_of(ServiceConfig(host=host), listeners[0])
        assert address.startswith("http://[::1]:" if ":" in host else f"http://{host}:")
    finally:
        for listener in listeners:
            listener.close()


def test_a_port_that_is_taken_is_told() -> None:
    (first,) = listen("127.0.0.1", 0)
    with first, pytest.raises(AddressUnusable, match=r"port \d+: Address already in use"):
        listen("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("host", ["::ffff:1:2:3:4:5:6:7", "127.0.0.300.1", "localhost."])
def test_an_address_that_is_none_of_ours_is_told(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(AddressUnusable, match="Name or service not known"):
        listen(host, 0)
