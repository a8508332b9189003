"""Many clients at once, and model processes that are killed under them.

Half an hour of it is ``make soak``; here are a few seconds, and what happens at a kill, step by step.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx2
import psutil
import pytest
from fastapi import FastAPI

from benchmarks.report import Report
from benchmarks.service_load import Load
from benchmarks.service_soak import soak
from core.engine import Engine
from core.images import to_png
from core.types import RgbImage
from service.http import analyze
from service.http import events as sent_events
from service.http.events import event_stream
from tests.support.http_service import Parts, Serving, app_over, context_of, live, port_of

STALL = 60.0
CLIENTS = 8
GROWTH_MB = 60.0
"""Generous: a few seconds are mostly caches that fill."""
PICTURE = to_png(RgbImage(3, 2, bytes(18)))
UNTIL_CANCELLED = to_png(RgbImage(3, 2, bytes([0, 0, 1] * 6)))
"""The fake engine reads it for as long as it is let."""


def test_a_few_seconds_of_everything_at_once_lose_no_request(
    server: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    report, load = Report(), Load(server, clients=6, seed=3, slow=False)
    load.prime(8)
    soak(report, load, seconds=3.0, kill_every=2.0, quiet=0.2, growth_mb=GROWTH_MB)
    assert load.kills
    assert len({exchange.kind for exchange in load.exchanges}) > 5
    assert report.failed == [], capsys.readouterr().out
    assert "Traceback" not in server.log


# ---- over fake engines, in real model processes


class Service:
    """The application at a port, and the model processes behind it."""

    def __init__(self, engine: Engine, client: httpx2.Client, queued: Callable[[str], int]) -> None:
        self.engine = engine
        self.client = client
        self.queued = queued

    def read(self, picture: bytes = PICTURE) -> httpx2.Response:
        return self.client.post("/ocr", files={"file": ("a.png", picture)})

    @contextmanager
    def asked(self, prompt: str) -> Iterator[Iterator[tuple[str, Any]]]:
        """Names and data of the events of a streamed answer."""
        form = {"prompt": prompt, "stream": "true"}
        with self.client.stream("POST", "/analyze_image", files={"file": PICTURE}, data=form) as response:
            assert response.status_code == 200, response.read()
            yield self._events(response)

    def _events(self, response: httpx2.Response) -> Iterator[tuple[str, Any]]:
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))

    def model(self, role: str) -> psutil.Process:
        """The process of a role's model, which is loaded; the other role's is ended."""
        self.engine.unload({"ocr": "vision", "vision": "ocr"}[role])
        until("one model process", lambda: len(_models()) == 1)
        (found,) = _models()
        return found


def _models() -> list[psutil.Process]:
    children = psutil.Process(os.getpid()).children()
    return [child for child in children if any("core.child" in word for word in _words(child))]


def _words(process: psutil.Process) -> list[str]:
    """Of its command line; none once it is gone, or has been killed and not been waited for yet."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def until(what: str, true: Callable[[], bool]) -> None:
    end = time.monotonic() + STALL
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


@contextmanager
def serving(app: FastAPI, parts: Parts) -> Iterator[Service]:
    with live(app) as running:
        url = f"http://127.0.0.1:{port_of(running)}"
        with httpx2.Client(base_url=url, trust_env=False, timeout=STALL) as client:
            yield Service(parts.engine, client, context_of(app).gate.held)


@pytest.fixture
def service(parts: Parts) -> Iterator[Service]:
    with serving(app_over(parts), parts) as service:
        yield service


def test_a_reading_process_killed_under_load_is_one_error_and_then_all_is_well(service: Service) -> None:
    # given a picture that is being read, and clients that wait behind it
    assert service.read().status_code == 200
    model = service.model("ocr")
    answers: list[httpx2.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(service.read(UNTIL_CANCELLED)))]
    threads += [threading.Thread(target=lambda: answers.append(service.read())) for _ in range(CLIENTS - 1)]
    for held, thread in enumerate(threads, start=1):
        thread.start()
        until("it to be admitted", lambda held=held: service.queued("ocr") == held)  # type: ignore[misc]
    # when the process is killed
    model.kill()
    for thread in threads:
        thread.join(STALL)
    # then all have an answer, and only who was being read for is told so
    assert sorted(answer.status_code for answer in answers) == [200] * (CLIENTS - 1) + [503]
    (failed,) = [answer for answer in answers if answer.status_code == 503]
    problem = failed.json()
    assert failed.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["retryable"]) == ("ProcessDied", True)
    assert "SIGKILL" in problem["detail"]
    assert "Try again" in problem["hint"]
    assert int(failed.headers["retry-after"]) > 0
    # and a new process has read what was waiting, and reads on
    assert service.read().status_code == 200
    assert service.queued("ocr") == 0
    assert service.model("ocr") != model


def test_an_answering_process_killed_in_mid_answer_is_told_and_the_next_answer_comes(
    service: Service,
) -> None:
    with service.asked("stream 100000 every 0.02") as events:
        assert next(data for name, data in events if name == "text") == {"text": "word0 "}
        service.model("vision").kill()
        *_, (name, problem) = events
    assert (name, problem["status"], problem["code"]) == ("error", 503, "ProcessDied")
    assert "SIGKILL" in problem["detail"]
    assert "Try again" in problem["hint"]
    with service.asked("next") as events:
        *_, (name, answer) = events
    assert (name, answer["analysis"]) == ("done", "next [1]")


def test_reading_does_not_wait_for_an_answer_that_takes_long(service: Service) -> None:
    # given an answer that would go on for longer than any test
    with service.asked("stream 100000 every 0.02") as events:
        assert next(data for name, data in events if name == "text")
        # when pictures are read meanwhile, alone and many at once
        assert service.read().json()["text"] == "3x2"
        batch = service.client.post("/batch/ocr", files=[("files", ("a.png", PICTURE))] * 9)
        assert [row["text"] for row in batch.json()["results"]] == ["3x2"] * 9
        # then they come before its end
        assert service.queued("vision") == 1
        assert next(events)[0] == "text"
    until("the answer to end", lambda: service.queued("vision") == 0)


def test_who_waits_in_silence_is_told_at_last_that_it_was_in_vain(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given streams that keep their connection alive early, and a model that is busy until the deadline
    monkeypatch.setattr(sent_events, "PAUSE", 1.0)
    monkeypatch.setattr(analyze, "event_stream", partial(event_stream, pause=0.05))
    with (
        serving(app_over(parts), parts) as service,
        serving(app_over(parts, deadline=0.5), parts) as hasty,
        # when another answer goes on meanwhile, so that there is nothing to tell of the one that waits
        service.asked("stream 100000 every 0.02") as answer,
    ):
        assert next(data for name, data in answer if name == "text")
        with hasty.asked("next") as events:
            ((name, problem),) = events
    # then its only event is why it was given up
    assert (name, problem["status"], problem["code"]) == ("error", 504, "DeadlinePassed")
    until("both to end", lambda: not service.queued("vision") and not hasty.queued("vision"))
