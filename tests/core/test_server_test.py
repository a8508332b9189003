"""Trying a server: what comes back, what can go wrong, and that nothing else is disturbed by it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.chat import GenerationOptions, Message, Role
from core.engine import Engine
from core.engines import find_engine
from core.errors import Cancelled, ServerNotSet, YomitoriError
from core.events import HostState, State
from core.host import HostLimits
from core.memory import MemoryJudge
from core.settings import SettingsStore
from core.vision.errors import (
    KeyringUnavailable,
    RemoteAddressInvalid,
    RemoteElsewhere,
    RemoteFailed,
    RemoteModelMissing,
    RemoteNotSecure,
    RemoteNotUnderstood,
    RemotePathWrong,
    RemoteRefused,
    RemoteUnreachable,
)
from core.vision.told import ToldLocal
from tests.support.chat_server import ChatServer, closed_port
from tests.support.fake_vision_engine import FAKE_VISION
from tests.support.local_library import LocalLibrary

STALL = 60.0
KEY = "sk-hunter2"
QUESTION = [Message(Role.USER, "What is this?")]


class Subject:
    """An Engine whose local questions the fake answers, and what was told of its states."""

    def __init__(self, settings: SettingsStore, weights: Path) -> None:
        self.settings = settings
        settings.set("vision.model", str(weights))
        self.states: list[HostState] = []
        self.key: Callable[[str], str] = lambda url: KEY
        self.free = 8_000_000_000
        self.engine = Engine(
            settings,
            engines=(FAKE_VISION, find_engine("remote", "vision")),
            library=LocalLibrary(weights),
            memory=MemoryJudge(lambda: self.free, lambda: []),
            limits=HostLimits(grace=0.5, silence=STALL),
            server_key=lambda url: self.key(url),
        )
        self.engine.subscribe(self.states.append)

    def use(self, url: str, model: str = "tiny") -> None:
        self.settings.set("vision.server_url", url)
        self.settings.set("vision.server_model", model)

    def failure(self, url: str) -> YomitoriError:
        """Why a test of this server fails."""
        self.use(url)
        with pytest.raises(YomitoriError) as caught:
            self.engine.test_server().result(STALL)
        return caught.value


@pytest.fixture
def subject(settings: SettingsStore, tmp_path: Path) -> Iterator[Subject]:
    subject = Subject(settings, tmp_path)
    yield subject
    subject.engine.close()
    assert psutil.Process().children() == []


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(models=("tiny", "large")) as server:
        yield server


def test_a_server_that_works_says_what_it_has(subject: Subject, server: ChatServer) -> None:
    subject.use(server.base_url)
    found = subject.engine.test_server().result(STALL)
    assert found.models == ("tiny", "large")
    assert (found.address, found.loopback, found.proxy, found.notice) == ("127.0.0.1", True, "", None)
    assert 0 < found.seconds < STALL
    # And it was sent the key and nothing else
    (request,) = server.requests
    assert (request.method, request.path, request.body, request.key) == ("GET", "/v1/models", b"", KEY)


def test_no_model_has_to_be_chosen_before(subject: Subject, server: ChatServer) -> None:
    subject.use(server.base_url, "")
    assert subject.engine.test_server().result(STALL).models == ("tiny", "large")


def test_a_model_that_the_server_lacks_is_told(subject: Subject, server: ChatServer) -> None:
    subject.use(server.base_url, "small")
    found = subject.engine.test_server().result(STALL)
    assert isinstance(found.notice, RemoteModelMissing)
    assert found.models == ("tiny", "large")


def test_a_key_can_be_tried_that_is_not_kept(subject: Subject, server: ChatServer) -> None:
    subject.use(server.base_url)
    subject.engine.test_server("another").result(STALL)
    subject.engine.test_server("").result(STALL)
    assert [request.key for request in server.requests] == ["another", ""]


@pytest.mark.parametrize(
    ("status", "kind"), [(401, RemoteRefused), (404, RemotePathWrong), (500, RemoteFailed)]
)
def test_a_server_that_refuses_is_told(
    subject: Subject, server: ChatServer, status: int, kind: type[YomitoriError]
) -> None:
    server.reply_models(status, {"error": {"message": "no"}})
    assert type(subject.failure(server.base_url)) is kind


def test_what_is_no_such_server_is_told(subject: Subject, server: ChatServer) -> None:
    server.reply_models(200, b"<html>")
    assert isinstance(subject.failure(server.base_url), RemoteNotUnderstood)
    assert isinstance(subject.failure(f"http://127.0.0.1:{closed_port()}/v1"), RemoteUnreachable)
    assert isinstance(subject.failure("ftp://localhost"), RemoteAddressInvalid)
    assert isinstance(subject.failure(""), ServerNotSet)


def test_a_keyring_that_does_not_open_is_told(subject: Subject, server: ChatServer) -> None:
    def locked(url: str) -> str:
        raise KeyringUnavailable(reason="it is locked")

    subject.key = locked
    assert isinstance(subject.failure(server.base_url), KeyringUnavailable)
    assert server.connections == 0


def test_a_test_that_stalls_can_be_cancelled(subject: Subject, server: ChatServer) -> None:
    server.stall_models()
    subject.use(server.base_url)
    job = subject.engine.test_server()
    server.wait_for_requests(1)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert server.gone.wait(STALL)


def test_closing_ends_a_test_that_stalls(subject: Subject, server: ChatServer) -> None:
    server.stall_models()
    subject.use(server.base_url)
    job = subject.engine.test_server()
    server.wait_for_requests(1)
    subject.engine.close()
    with pytest.raises(Cancelled):
        job.result(0)
    # And what comes afterwards ends at once
    with pytest.raises(Cancelled):
        subject.engine.test_server().result(0)


def test_a_model_that_is_loaded_stays_so(subject: Subject, server: ChatServer) -> None:
    # Given a model of this computer that has answered, and hardly any memory left
    subject.engine.ask(QUESTION, GenerationOptions()).result(STALL)
    (process,) = psutil.Process().children()
    subject.free = 1_000_000
    told = len(subject.states)
    # When a server is tried
    subject.use(server.base_url)
    assert subject.engine.test_server().result(STALL).models
    # Then the model's process is the same, and nobody was told of another one
    assert process.is_running()
    assert subject.engine.state("vision").state is State.READY
    assert subject.states[told:] == []
    subject.free = 8_000_000_000
    assert subject.engine.ask(QUESTION, GenerationOptions()).result(STALL).engine == "llava"
    assert process.is_running()


def test_a_test_does_not_wait_for_an_answer(subject: Subject, server: ChatServer) -> None:
    # Given a server that is answering a question
    gate = threading.Event()
    server.stream(gate)
    subject.use(server.base_url)
    subject.settings.set("vision.backend", "remote")
    question = subject.engine.ask(QUESTION, GenerationOptions())
    server.wait_for_requests(1)
    # Then it can be tried meanwhile
    assert subject.engine.test_server().result(STALL).models
    question.cancel()
    gate.set()


def test_nothing_runs_before_the_first_test(subject: Subject) -> None:
    assert not [thread for thread in threading.enumerate() if "server-test" in thread.name]
    assert psutil.Process().children() == []


# ---- what the user was told


def server_of(subject: Subject) -> dict[str, Any]:
    told: dict[str, Any] = subject.engine.test_server().params["server"]
    return told


def test_only_those_that_were_told_to_be_here_must_be() -> None:
    told = ToldLocal()
    assert told.was_told("localhost:8000")
    assert told.was_told("http://127.0.0.1:1234/v1")
    assert told.was_told("http://[::1]:1234")
    assert not told.was_told("http://box:8000")
    assert not told.was_told("http://192.0.2.7:8000")
    # Whatever way it is written
    told.tell("box:8000", True)
    assert told.was_told("HTTP://Box:8000/v1/")
    assert not told.was_told("http://box:8001")
    told.tell("http://box:8000/", False)
    assert not told.was_told("box:8000")


def test_a_server_that_was_told_to_be_here_gets_nothing_when_it_is_elsewhere(subject: Subject) -> None:
    # Given an address of another computer, of which the user was told that it is this one
    subject.use("http://192.0.2.7:9/v1")
    subject.engine.told_where("http://192.0.2.7:9", True)
    subject.settings.set("vision.backend", "remote")
    # Then neither a test nor a question goes there
    with pytest.raises(RemoteElsewhere):
        subject.engine.test_server("").result(STALL)
    with pytest.raises(RemoteElsewhere):
        subject.engine.ask(QUESTION, GenerationOptions()).result(STALL)
    # And not before the user was told that it is another one; a key never goes there unencrypted
    subject.engine.told_where("http://192.0.2.7:9/v1/", False)
    with pytest.raises(RemoteNotSecure):
        subject.engine.test_server().result(STALL)


def test_a_job_says_what_was_told(subject: Subject, server: ChatServer) -> None:
    subject.use(server.base_url)
    assert server_of(subject)["loopback"] is True
    subject.use("http://192.0.2.7:9/v1")
    assert server_of(subject)["loopback"] is False
