"""The remote engine in a real model process, through the host that every engine has."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.chat import Answer, GenerationOptions
from core.engines import EngineSpec, LoadOptions
from core.errors import Cancelled, ReadFailed, from_json
from core.events import Events, State
from core.host import HostLimits, ModelHost, Plan
from core.jobs import Job
from core.memory import MemoryJudge
from core.process import ModelProcess
from core.types import RgbImage
from core.vision.errors import RemoteAsksToWait, RemoteEndedEarly, RemoteModelMissing, RemoteRefused
from tests.support.chat_server import CUT, STALL, ChatServer, chunk, event
from tests.support.imports import imported_by

STALL_GUARD = 30.0
GRACE = 3.0
KEY = "sk-hunter2"
RED = RgbImage(2, 1, bytes([255, 0, 0] * 2))
REMOTE = EngineSpec("remote", "vision", "a server", "core.vision.remote:RemoteEngine", 100 * 1024 * 1024)


class Bench:
    """A host on a thread, and the log of its process."""

    def __init__(self, log: Path, silence: float = 60.0) -> None:
        self.log = log
        self.host = ModelHost(
            "vision",
            lambda: Plan(REMOTE, LoadOptions(), -1.0),
            lambda: ModelProcess(log),
            MemoryJudge(),
            Events(),
            HostLimits(grace=GRACE, silence=silence),
        )
        self.pieces: list[dict[str, Any]] = []
        self.text_came = threading.Event()
        self._thread = threading.Thread(target=self.host.run)
        self._thread.start()

    def ask(self, server: ChatServer, op: str = "ask", model: str = "tiny") -> Job[dict[str, Any]]:
        params = {
            "server": {"base_url": server.base_url, "model": model, "key": KEY, "loopback": True},
            "messages": [{"role": "user", "text": "What is it?", "images": 1}],
            "options": GenerationOptions().to_json(),
            "model_title": model,
        }
        images = (RED,) if op == "ask" else ()
        job: Job[dict[str, Any]] = Job(
            op, params, images, lambda result, seconds: {**result, "seconds": seconds}, self._take
        )
        self.host.submit(job)
        return job

    def _take(self, piece: dict[str, Any]) -> None:
        self.pieces.append(piece)
        if "text" in piece:
            self.text_came.set()

    @property
    def text(self) -> str:
        return "".join(piece.get("text", "") for piece in self.pieces)

    def close(self) -> None:
        self.host.close()
        self._thread.join(STALL_GUARD)
        assert not self._thread.is_alive()


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "model.log")
    yield bench
    bench.close()
    assert children() == [], "a model process outlived its host"


def test_an_answer_comes_through_the_model_process(bench: Bench, server: ChatServer) -> None:
    # Given a host that is ready
    bench.host.prepare()
    server.answer(["赤", "い"], logprobs=[-0.1, -0.1])
    # When a question is asked
    result = bench.ask(server).result(STALL_GUARD)
    # Then it streams, and the result becomes an answer
    assert bench.text == "赤い"
    answer = Answer.from_json({**result, "engine": "remote", "model": "tiny"})
    assert answer.text == "赤い"
    assert 0 < answer.first_seconds <= answer.seconds
    assert len(server.requests[0].images) == 1
    # And the process is small
    assert bench.host.state.memory < REMOTE.memory


def test_a_loaded_process_has_asked_nobody(bench: Bench, server: ChatServer) -> None:
    bench.host.prepare()
    deadline = time.monotonic() + STALL_GUARD
    while bench.host.state.state != State.READY:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert server.connections == 0


def test_errors_keep_their_kind_across_the_process(bench: Bench, server: ChatServer) -> None:
    server.reply(401)
    with pytest.raises(RemoteRefused):
        bench.ask(server).result(STALL_GUARD)
    server.reply(429, {}, {"Retry-After": "7"})
    with pytest.raises(RemoteAsksToWait, match="for 7 s") as caught:
        bench.ask(server).result(STALL_GUARD)
    assert caught.value.retryable


def test_what_had_come_of_an_answer_is_with_the_caller(bench: Bench, server: ChatServer) -> None:
    server.stream(event(chunk("so far")), b"data: {", CUT)
    with pytest.raises(RemoteEndedEarly):
        bench.ask(server).result(STALL_GUARD)
    assert bench.text == "so far"


def test_a_test_of_the_server(bench: Bench, server: ChatServer) -> None:
    result = bench.ask(server, op="test", model="other").result(STALL_GUARD)
    assert result["models"] == ["tiny"]
    assert isinstance(from_json(result["notice"]), RemoteModelMissing)
    assert [request.method for request in server.requests] == ["GET"]


def test_a_stop_at_a_stalled_server_leaves_the_process(bench: Bench, server: ChatServer) -> None:
    server.stream(event(chunk("so far")), STALL)
    job = bench.ask(server)
    assert bench.text_came.wait(STALL_GUARD)
    (process,) = children()
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL_GUARD)
    assert server.gone.wait(STALL_GUARD)
    # And the same process answers the next question
    server.answer(["yes"])
    assert bench.ask(server).result(STALL_GUARD)["text"] == "yes"
    assert children() == [process]


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be frozen there")
def test_a_process_that_is_stuck_at_a_stalled_server_is_ended(bench: Bench, server: ChatServer) -> None:
    # Given a process that waits for a stalled server and reacts to nothing any more
    server.stream(event(chunk("so far")), STALL)
    job = bench.ask(server)
    assert bench.text_came.wait(STALL_GUARD)
    (process,) = children()
    process.send_signal(signal.SIGSTOP)
    # When it is stopped, then it ends with its process when the time of grace is over
    start = time.monotonic()
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL_GUARD)
    assert GRACE * 0.9 < time.monotonic() - start < STALL_GUARD
    assert not psutil.pid_exists(process.pid)
    # And the server learns of it
    assert server.gone.wait(STALL_GUARD)
    server.answer(["yes"])
    assert bench.ask(server).result(STALL_GUARD)["text"] == "yes"


def test_closing_ends_a_process_at_a_stalled_server_at_once(tmp_path: Path, server: ChatServer) -> None:
    bench = Bench(tmp_path / "model.log")
    server.stream(STALL)
    job = bench.ask(server)
    server.wait_for_requests(1)
    bench.close()
    with pytest.raises(Cancelled):
        job.result(0)
    assert children() == []
    assert server.gone.wait(STALL_GUARD)


def test_a_host_gives_up_by_itself_on_a_process_that_says_nothing(tmp_path: Path, server: ChatServer) -> None:
    # Given a host that is less patient than the engine
    bench = Bench(tmp_path / "model.log", silence=1.0)
    server.stream(STALL)
    try:
        with pytest.raises(ReadFailed, match="no answer for 1 s"):
            bench.ask(server).result(STALL_GUARD)
    finally:
        bench.close()
    assert server.gone.wait(STALL_GUARD)


def test_the_log_of_the_process_has_no_key(bench: Bench, server: ChatServer) -> None:
    # Given a server that quotes the key in an error, one that breaks off, and one that answers
    server.reply(500, {"error": {"message": f"no {KEY}"}})
    server.stream(event(chunk(KEY)), CUT)
    server.answer(["yes"])
    jobs = [bench.ask(server) for _ in range(3)]
    jobs[-1].result(STALL_GUARD)
    errors = [job.error() for job in jobs[:2]]
    # Then neither the errors nor the log tell it
    assert all(errors)
    assert KEY not in str([error.to_json() for error in errors if error])
    assert KEY not in bench.log.read_text("utf-8", "replace")


def test_the_front_end_needs_no_http_library_to_know_the_engine() -> None:
    code = "import core.vision.errors, core.vision.address, core.engines, core.host, core.chat"
    assert imported_by(code) & {"http", "ssl", "truststore", "httpx2", "PIL"} == set()


def test_an_error_is_known_before_anything_of_the_engine_is_imported() -> None:
    # Given a front end that has only just started, when such an error comes, then it keeps its words
    code = (
        "from core.errors import from_json\n"
        "error = from_json({'error': 'RemoteRefused', 'params': {'host': 'h'}})\n"
        "assert type(error).__name__ == 'RemoteRefused', error"
    )
    imported_by(code)
