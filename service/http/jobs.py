"""Jobs of the engine, as requests wait for them: admitted, bounded in time, cancelled with their client.

A job calls back in a host's thread; what it says crosses into the event loop, which never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from core.chat import Answer, AnswerPiece, OnAnswerPiece
from core.errors import Cancelled, YomitoriError
from core.jobs import Job
from core.service_errors import DeadlinePassed, ServiceStopping
from service.http.gate import Place, Share

if TYPE_CHECKING:
    from service.http.context import Context

T = TypeVar("T")

STARTED = "yomitori.started"
"""In a request's scope: when its head had arrived, by the clock of the event loop."""


async def finished(
    context: Context, request: Request, role: str, start: Callable[[], Job[T]], place: Place | None = None
) -> T:
    """Admit, start and await a job. A client that goes away cancels it.

    ``place`` is one that it has already, which is given back when the job has ended.

    Raises:
        QueueFull, DeadlinePassed, ServiceStopping, YomitoriError: as the job failed.
        Cancelled: the client has gone.
    """
    async with _Watched(context, request, role, place) as watched:
        job = await watched.start(start)
        await watched.wait(watched.done)
        return job.result(0)


async def streamed(
    context: Context, request: Request, role: str, start: Callable[[OnAnswerPiece], Job[Answer]]
) -> AsyncIterator[AnswerPiece | Answer]:
    """The same for an answer that is shown as it comes: its pieces, and the Answer last.

    What can be told at once, such as a queue that is full, is raised by the first step. Close it
    (``contextlib.aclosing``) when it is left early: that cancels the job.
    """
    async with _Watched(context, request, role) as watched:
        loop = asyncio.get_running_loop()
        pieces: list[AnswerPiece] = []
        news = asyncio.Event()

        def came(piece: AnswerPiece) -> None:
            pieces.append(piece)
            news.set()

        def on_piece(piece: AnswerPiece) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(came, piece)

        job = await watched.start(lambda: start(on_piece))
        watched.done.add_done_callback(lambda _: news.set())
        while True:
            # All pieces were handed over before the end.
            ended = watched.done.done()
            news.clear()
            some, pieces[:] = pieces[:], ()
            for piece in some:
                yield piece
            if ended:
                break
            if not pieces:
                await watched.wait(news)
        yield job.result(0)


async def placed(context: Context, request: Request, share: Share) -> Place:
    """The next place of a batch, before the deadline of the request.

    Raises:
        DeadlinePassed, ServiceStopping
    """
    try:
        async with asyncio.timeout_at(_deadline(context, request)):
            return await share.place()
    except TimeoutError:
        raise _passed(context) from None


def _deadline(context: Context, request: Request) -> float:
    """By the clock of the event loop."""
    since: float = request.scope.get(STARTED, asyncio.get_running_loop().time())
    return since + context.config.deadline


def _passed(context: Context) -> DeadlinePassed:
    return DeadlinePassed(seconds=f"{context.config.deadline:.0f}")


class _Watched:
    """One job with all that may end the wait for it."""

    def __init__(self, context: Context, request: Request, role: str, place: Place | None = None) -> None:
        self._context = context
        self._request = request
        self._role = role
        self._place = place
        self._lock = threading.Lock()
        self._job: Job[Any] | None = None
        self._starting = False
        self._left = False
        self._since = time.monotonic()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> _Watched:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self.done: asyncio.Future[None] = loop.create_future()
        self._deadline = _deadline(self._context, self._request)
        if self._place is None:
            self._place = self._context.gate.admit(self._role)
        self._stopped = self._stack.enter_context(self._context.gate.until_stopped())
        self._gone = loop.create_task(_gone(self._request))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.cancel()
        await self._stack.aclose()
        with self._lock:
            self._left = True
            job, starting = self._job, self._starting
        if job is not None and not job.done():
            job.cancel()
        if job is None and not starting:
            self._over("cancelled")
        if not self.done.done():
            self.done.cancel()

    async def start(self, start: Callable[[], Job[T]]) -> Job[T]:
        """Looking for the weights reads files: not in the event loop."""
        return await anyio.to_thread.run_sync(self._begin, start)

    def _begin(self, start: Callable[[], Job[T]]) -> Job[T]:
        """In a thread. The wait for it may be given up before, during or after ``start``."""
        with self._lock:
            if self._left:
                raise Cancelled
            self._starting = True
        try:
            job = start()
        except BaseException as error:
            with self._lock:
                self._starting = False
            self._over(type(error).__name__)
            raise
        with self._lock:
            self._starting = False
            self._job = job
            left = self._left
        job.on_done(self._ended)
        if left:
            job.cancel()
        return job

    def _over(self, outcome: str) -> None:
        """Counted once, and its place is free. From any thread."""
        with self._lock:
            place, self._place = self._place, None
        if place is not None:
            self._context.metrics.job_done(self._role, outcome, time.monotonic() - self._since)
            place.release()

    def _ended(self, job: Job[Any]) -> None:
        """In a host's thread. The place is free only now, also when nobody waits any more."""
        error = job.error()
        outcome = "done" if error is None else type(error).__name__
        self._over("cancelled" if isinstance(error, Cancelled) else outcome)
        if error is None:
            value = job.result(0)
            if isinstance(value, Answer):
                self._context.metrics.answered(value.usage)
        # The loop may have ended before the job.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    async def wait(self, what: asyncio.Future[None] | asyncio.Event) -> None:
        """Until ``what``.

        Raises:
            Cancelled: the client has gone first.
            DeadlinePassed, ServiceStopping
        """
        waiter: asyncio.Future[Any] = (
            self._loop.create_task(what.wait()) if isinstance(what, asyncio.Event) else what
        )
        try:
            await asyncio.wait(
                (waiter, self._gone, self._stopped),
                timeout=max(0.0, self._deadline - self._loop.time()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if waiter.done():
                return
            if self._gone.done():
                raise Cancelled
            if self._stopped.done():
                raise ServiceStopping
            raise _passed(self._context)
        finally:
            if waiter is not what:
                waiter.cancel()


async def _gone(request: Request) -> None:
    """Until the client has closed its connection."""
    # A body that no route reads may also be too large or too slow.
    with contextlib.suppress(YomitoriError):
        while (await request.receive())["type"] != "http.disconnect":
            pass
