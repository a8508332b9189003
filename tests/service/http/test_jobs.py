"""Jobs as requests wait for them, over jobs that the test ends by hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request

from core.chat import Answer, AnswerPiece, Finish, OnAnswerPiece, Usage
from core.errors import Cancelled, ImageDamaged, QueueFull, YomitoriError
from core.jobs import Job
from core.service_errors import DeadlinePassed, ServiceStopping
from service.http.config import ServiceConfig
from service.http.context import Context
from service.http.gate import Gate
from service.http.jobs import STARTED, finished, streamed
from service.http.metrics import Metrics

ANSWER = Answer("yes", Finish.STOP, "fake", "fake", usage=Usage(prompt=7, answer=3))


def context(**config: Any) -> Context:
    settled = replace(ServiceConfig(queue=1), **config)
    nothing: Any = None
    return Context(nothing, nothing, nothing, settled, Metrics(), Gate(settled.queue))


class Client:
    """Asks, and may go away."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self._sent = False
        self.request = Request({"type": "http", "headers": [], "method": "GET", "path": "/"}, self.receive)

    async def receive(self) -> dict[str, Any]:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}


class ByHand(Job[Any]):
    """Ends as soon as it is cancelled, as a waiting one does."""

    def __init__(self) -> None:
        super().__init__("test", {}, (), lambda answer, seconds: answer)
        self.attach(self.drop)


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.001)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))  # type: ignore[arg-type]


def value(context: Context, name: str, **labels: str) -> float | None:
    return context.metrics.registry.get_sample_value(name, labels)


def test_a_job_that_ends_in_a_thread_is_the_result() -> None:
    async def test() -> None:
        here, client, job = context(), Client(), ByHand()
        waiting = asyncio.create_task(finished(here, client.request, "ocr", lambda: job))
        await until(lambda: here.gate.held("ocr") == 1)
        threading.Thread(target=job.resolve, args=("text",)).start()
        assert await waiting == "text"
        assert here.gate.held("ocr") == 0
        assert value(here, "yomitori_job_seconds_count", role="ocr", outcome="done") == 1

    run(test)


def test_starting_does_not_hold_up_the_event_loop() -> None:
    async def test() -> None:
        here, client = context(), Client()
        threads = []

        def start() -> ByHand:
            threads.append(threading.current_thread())
            job = ByHand()
            job.resolve(1)
            return job

        assert await finished(here, client.request, "ocr", start) == 1
        assert threads != [threading.current_thread()]

    run(test)


def test_an_error_of_the_job_is_raised_and_counted() -> None:
    async def test() -> None:
        here, client, job = context(), Client(), ByHand()
        job.fail(ImageDamaged(name="it"))
        with pytest.raises(ImageDamaged):
            await finished(here, client.request, "ocr", lambda: job)
        assert here.gate.held("ocr") == 0
        assert value(here, "yomitori_job_seconds_count", role="ocr", outcome="ImageDamaged") == 1

    run(test)


def test_a_start_that_raises_leaves_no_place_taken() -> None:
    def start() -> ByHand:
        raise ImageDamaged(name="it")

    async def test() -> None:
        here, client = context(), Client()
        with pytest.raises(ImageDamaged):
            await finished(here, client.request, "ocr", start)
        assert here.gate.held("ocr") == 0
        assert value(here, "yomitori_job_seconds_count", role="ocr", outcome="ImageDamaged") == 1

    run(test)


def test_a_client_that_goes_away_cancels_its_job() -> None:
    async def test() -> None:
        here, client, job = context(), Client(), ByHand()
        waiting = asyncio.create_task(finished(here, client.request, "ocr", lambda: job))
        await until(lambda: here.gate.held("ocr") == 1)
        client.left.set()
        with pytest.raises(Cancelled):
            await waiting
        assert job.cancel_requested
        assert value(here, "yomitori_job_seconds_count", role="ocr", outcome="cancelled") == 1

    run(test)


def test_a_request_that_is_given_up_while_it_starts_cancels_its_job() -> None:
    async def test() -> None:
        here, client, job = context(), Client(), ByHand()
        begun, go = threading.Event(), threading.Event()

        def start() -> ByHand:
            begun.set()
            assert go.wait(30)
            return job

        waiting = asyncio.create_task(finished(here, client.request, "ocr", start))
        await until(begun.is_set)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert here.gate.held("ocr") == 1
        go.set()
        await until(lambda: job.cancel_requested)
        await until(lambda: here.gate.held("ocr") == 0)

    run(test)


def test_what_is_not_done_by_the_deadline_is_given_up() -> None:
    async def test() -> None:
        here, client, job = context(deadline=0.05), Client(), ByHand()
        with pytest.raises(DeadlinePassed):
            await finished(here, client.request, "ocr", lambda: job)
        assert job.cancel_requested

    run(test)


def test_the_deadline_counts_from_the_arrival_of_the_request() -> None:
    async def test() -> None:
        here, client, job = context(deadline=1000.0), Client(), ByHand()
        client.request.scope[STARTED] = asyncio.get_running_loop().time() - 1001.0
        with pytest.raises(DeadlinePassed):
            await finished(here, client.request, "ocr", lambda: job)

    run(test)


def test_a_place_is_free_only_when_its_job_has_ended() -> None:
    async def test() -> None:
        here, client = context(deadline=0.02), Client()
        stubborn: Job[Any] = Job("test", {}, (), lambda answer, seconds: answer)
        with pytest.raises(DeadlinePassed):
            await finished(here, client.request, "ocr", lambda: stubborn)
        with pytest.raises(QueueFull):
            await finished(here, client.request, "ocr", ByHand)
        stubborn.drop()
        assert here.gate.held("ocr") == 0

    run(test)


def test_who_waits_is_told_that_the_service_ends_and_nobody_else_gets_in() -> None:
    async def test() -> None:
        here, client, job = context(), Client(), ByHand()
        waiting = asyncio.create_task(finished(here, client.request, "ocr", lambda: job))
        await until(lambda: here.gate.held("ocr") == 1)
        here.gate.stop()
        with pytest.raises(ServiceStopping):
            await waiting
        assert job.cancel_requested
        with pytest.raises(ServiceStopping):
            await finished(here, client.request, "ocr", ByHand)

    run(test)


# ---- answers as they come


def words(*texts: str, end: YomitoriError | None = None) -> Callable[[OnAnswerPiece], Job[Answer]]:
    """An answer told from another thread."""

    def start(on_piece: OnAnswerPiece) -> Job[Answer]:
        job = ByHand()

        def tell() -> None:
            for text in texts:
                on_piece(AnswerPiece(text))
            if end is not None:
                job.fail(end)
            else:
                job.resolve(ANSWER)

        threading.Thread(target=tell).start()
        return job

    return start


def test_pieces_come_in_order_and_the_answer_last() -> None:
    async def test() -> None:
        here, client = context(), Client()
        texts = [str(number) for number in range(200)]
        got = [piece async for piece in streamed(here, client.request, "vision", words(*texts))]
        assert got == [*(AnswerPiece(text) for text in texts), ANSWER]
        assert here.gate.held("vision") == 0
        assert value(here, "yomitori_tokens_total", kind="answer") == 3

    run(test)


def test_pieces_before_an_error_come_all_the_same() -> None:
    async def test() -> None:
        here, client, got = context(), Client(), []
        pieces = streamed(here, client.request, "vision", words("a", "b", end=ImageDamaged(name="it")))
        got.extend([await anext(pieces), await anext(pieces)])
        with pytest.raises(ImageDamaged):
            await anext(pieces)
        assert got == [AnswerPiece("a"), AnswerPiece("b")]

    run(test)


def test_what_can_be_told_at_once_is_raised_by_the_first_step() -> None:
    async def test() -> None:
        here, client = context(), Client()
        here.gate.admit("vision")
        with pytest.raises(QueueFull):
            await anext(streamed(here, client.request, "vision", words("a")))

    run(test)


def test_leaving_an_answer_early_cancels_it() -> None:
    async def test() -> None:
        here, client, job = context(), Client(), ByHand()

        def start(on_piece: OnAnswerPiece) -> Job[Answer]:
            on_piece(AnswerPiece("a"))
            return job

        async with aclosing(streamed(here, client.request, "vision", start)) as pieces:
            assert await anext(pieces) == AnswerPiece("a")
        assert job.cancel_requested
        assert here.gate.held("vision") == 0

    run(test)


@pytest.mark.parametrize("how", ["gone", "deadline", "stop"])
def test_a_long_answer_ends_with_its_client_its_deadline_or_the_service(how: str) -> None:
    expected = {"gone": Cancelled, "deadline": DeadlinePassed, "stop": ServiceStopping}[how]

    async def test() -> None:
        here, client, job = context(deadline=0.05 if how == "deadline" else 100.0), Client(), ByHand()

        def start(on_piece: OnAnswerPiece) -> Job[Answer]:
            on_piece(AnswerPiece("a"))
            return job

        pieces = streamed(here, client.request, "vision", start)
        assert await anext(pieces) == AnswerPiece("a")
        if how == "gone":
            client.left.set()
        if how == "stop":
            here.gate.stop()
        with pytest.raises(expected):
            await anext(pieces)
        assert job.cancel_requested

    run(test)
