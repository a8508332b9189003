"""Jobs of the engine, as requests wait for them: admitted, bounded in time, cancelled with their client.

A job calls back in a host's thread; what it says crosses into the event loop, which never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request

from core.chat import Answer, AnswerPiece, OnAnswerPiece
from core.errors import Cancelled, QueueFull, YomitoriError
from core.jobs import Job
from core.service_errors import DeadlinePassed, ServiceStopping

if TYPE_CHECKING:
    from service.http.context import Context

T = TypeVar("T")

STARTED = "yomitori.started"
"""In a request's scope: when its head had arrived, by the clock of the event loop."""


class Gate:
    """At most ``limit`` jobs of a role run or wait. Thread-safe: jobs end in other threads.

    A job of weight n counts as n, and is taken whole while there is room for one.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._stopping = False
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def stopping(self) -> bool:
        return self._stopping

    def held(self, role: str) -> int:
        """How many run or wait now."""
        return self._held[role]

    def admit(self, role: str, weight: int = 1) -> None:
        """Count a job in; ``release`` counts it out.

        Raises:
            QueueFull: there is no room.
            ServiceStopping
        """
        with self._lock:
            if self._stopping:
                raise ServiceStopping
            if self._held[role] >= self._limit:
                raise QueueFull(count=self._held[role])
            self._held[role] += weight

    def release(self, role: str, weight: int = 1) -> None:
        with self._lock:
            self._held[role] -= weight

    @contextlib.contextmanager
    def until_stopped(self) -> Iterator[asyncio.Future[None]]:
        """A future of the running loop that is done once ``stop`` was called."""
        stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(stopped)
        if self._stopping:
            stopped.set_result(None)
        try:
            yield stopped
        finally:
            self._waiting.discard(stopped)
            stopped.cancel()

    def stop(self) -> None:
        """Tell everybody who still waits that the service ends. In the event loop."""
        with self._lock:
            self._stopping = True
        for stopped in tuple(self._waiting):
            if not stopped.done():
                stopped.set_result(None)


async def finished(
    context: Context, request: Request, role: str, start: Callable[[], Job[T]], weight: int = 1
) -> T:
    """Admit, start and await a job. A client that goes away cancels it.

    Raises:
        QueueFull, DeadlinePassed, ServiceStopping, YomitoriError: as the job failed.
        Cancelled: the client has gone.
    """
    async with _Watched(context, request, role, weight) as watched:
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
    async with _Watched(context, request, role, 1) as watched:
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


class _Watched:
    """One job with all that may end the wait for it."""

    def __init__(self, context: Context, request: Request, role: str, weight: int) -> None:
        self._context = context
        self._request = request
        self._role = role
        self._weight = weight
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
        limit = self._context.config.deadline
        self._deadline = self._request.scope.get(STARTED, loop.time()) + limit
        self._context.gate.admit(self._role, self._weight)
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
            self._release()
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
        except BaseException:
            with self._lock:
                self._starting = False
                left = self._left
            if left:
                self._release()
            raise
        with self._lock:
            self._starting = False
            self._job = job
            left = self._left
        job.on_done(self._ended)
        if left:
            job.cancel()
        return job

    def _release(self) -> None:
        self._context.gate.release(self._role, self._weight)

    def _ended(self, job: Job[Any]) -> None:
        """In a host's thread. The place is free only now, also when nobody waits any more."""
        self._release()
        error = job.error()
        outcome = "done" if error is None else type(error).__name__
        if isinstance(error, Cancelled):
            outcome = "cancelled"
        self._context.metrics.job_done(self._role, outcome, time.monotonic() - self._since)
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
            raise DeadlinePassed(seconds=f"{self._context.config.deadline:.0f}")
        finally:
            if waiter is not what:
                waiter.cancel()


async def _gone(request: Request) -> None:
    """Until the client has closed its connection."""
    # A body that no route reads may also be too large or too slow.
    with contextlib.suppress(YomitoriError):
        while (await request.receive())["type"] != "http.disconnect":
            pass
