"""Bodies that are too large or too slow, and connections that are opened and left."""

from __future__ import annotations

import json
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import psutil
import pytest
from fastapi import FastAPI, UploadFile
from starlette.requests import Request
from starlette.responses import StreamingResponse

from core.jobs import Job
from core.types import RgbImage
from service.http.jobs import finished
from service.http.run import Server
from tests.support.http_service import Parts, Serving, app_over, client_of, live, port_of

MB = 1_000_000


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    """Takes 2 MB, and has routes that tell how they were given a body."""
    return with_routes(app_over(parts, body_bytes=2 * MB, body_pause=60.0, body_seconds=60.0))


@pytest.fixture
def hasty(parts: Parts) -> FastAPI:
    """Waits hardly for what is sent."""
    return with_routes(app_over(parts, body_pause=0.2, body_seconds=0.6))


def with_routes(app: FastAPI) -> FastAPI:

    @app.post("/test/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @app.post("/test/form")
    async def form(file: UploadFile) -> bool:
        # Starlette's mark of a part that was written to disk.
        return bool(getattr(file.file, "_rolled", True))

    return app


def chunks(count: int, size: int = 100_000) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * size


def test_a_body_is_refused_by_what_its_head_announces(app: FastAPI) -> None:
    with client_of(app) as client:
        fine = client.post("/test/size", content=b"x" * 2 * MB)
        answer = client.post("/test/size", content=b"x", headers={"Content-Length": str(2 * MB + 1)})
    assert (fine.status_code, fine.json()) == (200, 2 * MB)
    assert (answer.status_code, answer.json()["code"]) == (413, "BodyTooLarge")
    assert "2 MB" in answer.json()["detail"]
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/test/size", "/v1/chat/completions", "/ocr"])
def test_a_body_that_announces_nothing_is_refused_as_it_comes(app: FastAPI, path: str) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for chunk in (head, *chunks(1000)):
            sent += len(chunk)
            yield chunk

    kind = {"Content-Type": "multipart/form-data; boundary=b" if path == "/ocr" else "application/json"}
    with live(app) as server:
        # It closes while we still send.
        try:
            answer = httpx2.post(url(server) + path, content=body(), headers=kind, timeout=30)
        except httpx2.WriteError:
            pass
        else:
            assert answer.status_code == 413
    assert sent < 100 * MB


def url(server: Server) -> str:
    return f"http://127.0.0.1:{port_of(server)}"


def test_parts_of_a_form_stay_in_memory(app: FastAPI) -> None:
    with client_of(app) as client:
        answer = client.post("/test/form", files={"file": ("a.png", b"x" * (2 * MB - 1000))})
    assert (answer.status_code, answer.json()) == (200, False)


def raw(server: Server, head: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port_of(server)), timeout=30)
    connection.sendall(head)
    return connection


def read_all(connection: socket.socket) -> bytes:
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def read_until(connection: socket.socket, end: bytes) -> bytes:
    found = b""
    while not found.endswith(end):
        part = connection.recv(65536)
        assert part, found
        found += part
    return found


HEAD = b"POST /test/size HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"


def test_a_body_that_stops_is_refused_and_its_connection_closed(hasty: FastAPI) -> None:
    with live(hasty) as server, raw(server, HEAD + b"some") as connection:
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_drips_is_refused(hasty: FastAPI) -> None:
    with live(hasty) as server, raw(server, HEAD) as connection:
        connection.settimeout(0.05)
        found = b""
        for _ in range(400):
            try:
                connection.sendall(b"x")
                found += connection.recv(65536)
                break
            except TimeoutError:
                continue
            except OSError:
                break
    assert found.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("head", [b"", b"GET /health HTTP/1.1\r\nHost: loc"])
def test_a_connection_over_which_nothing_is_asked_is_closed(parts: Parts, head: bytes) -> None:
    with live(app_over(parts, header_seconds=0.2)) as server, raw(server, head) as connection:
        assert read_all(connection) == b""


def test_the_next_head_on_a_connection_has_its_time_too(parts: Parts) -> None:
    ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    app = app_over(parts, header_seconds=0.2, keep_alive=60.0)
    with live(app) as server, raw(server, ask) as connection:
        for _ in range(2):
            assert read_until(connection, b"}").startswith(b"HTTP/1.1 200 ")
            connection.sendall(ask)
        read_until(connection, b"}")
        connection.sendall(ask[:20])
        assert read_all(connection) == b""


def test_connections_that_ask_nothing_give_way_to_those_that_do(parts: Parts) -> None:
    with live(app_over(parts, connections=20, header_seconds=60.0)) as server, ExitStack() as left:
        opened = [left.enter_context(raw(server, b"")) for _ in range(60)]
        assert httpx2.get(url(server) + "/health").status_code == 200
        assert len(server.server_state.connections) <= 20
        # The oldest were closed.
        assert read_all(opened[0]) == b""


def test_an_answer_under_way_never_gives_way(parts: Parts) -> None:
    app = app_over(parts, connections=5)
    image = RgbImage(1, 1, b"\x00\x00\x01")
    context = app.state.context

    @app.get("/test/long")
    async def long(request: Request) -> str:
        from service.http.jobs import finished

        return (await finished(context, request, "ocr", lambda: context.engine.recognize(image))).text

    ask = b"GET /test/long HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with live(app) as server, raw(server, ask) as long_one, ExitStack() as left:
        # Its picture is read until it is cancelled.
        while context.gate.held("ocr") == 0:
            httpx2.get(url(server) + "/health")
        for _ in range(20):
            left.enter_context(raw(server, b""))
        assert httpx2.get(url(server) + "/health").status_code == 200
        assert context.gate.held("ocr") == 1
        long_one.setblocking(False)
        with pytest.raises(BlockingIOError):
            long_one.recv(1)


def test_a_client_that_takes_nothing_of_its_answer_is_let_go(parts: Parts) -> None:
    app = app_over(parts, send_pause=0.2)

    @app.get("/test/much")
    async def much() -> StreamingResponse:
        return StreamingResponse(chunks(10_000))

    ask = b"GET /test/much HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with live(app) as server, raw(server, ask) as connection:
        assert connection.recv(1) == b"H"
        while server.server_state.connections:
            threading.Event().wait(0.01)


def test_ten_thousand_connections_opened_and_left(server: Serving) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 10_000 if hard == resource.RLIM_INFINITY else min(10_000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 500, hard))
    try:
        with ExitStack() as left:
            for _ in range(count):
                left.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            assert httpx2.get(server.url + "/health", timeout=30).status_code == 200
            assert len(psutil.Process(server.process.pid).net_connections("tcp")) < 1000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert count > 2000


# ---- clients that send no more


LONG = b"GET /test/long HTTP/1.1\r\nHost: localhost\r\n\r\n"


def with_a_job(app: FastAPI) -> Job[Any]:
    """One that ends when the test says so, or when it is cancelled, behind ``/test/long``."""
    job: Job[Any] = Job("test", {}, (), lambda answer, seconds: answer)
    job.attach(job.drop)

    @app.get("/test/long")
    async def long(request: Request) -> str:
        return str(await finished(app.state.context, request, "ocr", lambda: job))

    return job


def test_a_client_that_has_sent_all_it_will_gets_its_answer(parts: Parts) -> None:
    app = app_over(parts)
    job = with_a_job(app)
    with live(app) as server, raw(server, LONG) as connection:
        connection.shutdown(socket.SHUT_WR)
        # It is asked again and again whether it is still there
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        assert not job.cancel_requested
        job.resolve("done")
        *_, answer = read_all(connection).split(b"HTTP/1.1 ")
    assert answer.startswith(b"200 ")
    assert answer.endswith(b'"done"')


def test_several_requests_and_then_no_more(parts: Parts) -> None:
    ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with live(app_over(parts)) as server, raw(server, 3 * ask) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).count(b"HTTP/1.1 200 ") == 3


def test_a_client_that_has_gone_ends_its_job_all_the_same(parts: Parts) -> None:
    app = app_over(parts)
    job = with_a_job(app)
    with live(app) as server:
        with raw(server, LONG):
            while app.state.context.gate.held("ocr") == 0:
                threading.Event().wait(0.005)
        while not job.cancel_requested:
            threading.Event().wait(0.01)


@pytest.mark.parametrize("half", [HEAD + b"some", b"GET /test/long HTTP/1.0\r\nHost: localhost\r\n\r\n"])
def test_half_a_request_is_none_and_older_clients_have_gone(parts: Parts, half: bytes) -> None:
    app = with_routes(app_over(parts))
    with_a_job(app)
    with live(app) as server, raw(server, half) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert b"200 OK" not in read_all(connection)
        while server.server_state.connections:
            threading.Event().wait(0.01)


# ---- what is no request


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"]
)
def test_what_is_no_request_is_told_with_an_id(parts: Parts, sent: bytes) -> None:
    with live(app_over(parts)) as server, raw(server, sent) as connection:
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    problem = json.loads(body)
    assert headers[b"x-request-id"].decode() == problem["instance"]
    assert headers[b"content-type"] == b"application/problem+json"
    assert (problem["code"], problem["status"]) == ("RequestRefused", 400)
    assert problem["hint"]
