"""Who gets in: at most so many jobs of a role run or wait, and batches leave room for others."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from core.errors import QueueFull
from core.service_errors import ServiceStopping

LONGEST_WAIT = 60
"""Seconds after which to come again, at most."""
_REMEMBERED = 16


class Place:
    """One place in the queue. Given back once, from any thread."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._give_back: Callable[[], None] | None = give_back

    def release(self) -> None:
        """Give it back; without effect the second time."""
        with self._lock:
            give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


class Gate:
    """At most ``limit`` jobs of a role have a place. Thread-safe: jobs end in other threads.

    A batch has one place while it lasts, and further ones while fewer than half of all are taken, so that
    single requests get in beside it. Batches take these by turns.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._for_batches = (limit + 1) // 2
        self._clock = clock
        self._lock = threading.Lock()
        self._held: defaultdict[str, int] = defaultdict(int)
        self._paces: defaultdict[str, _Pace] = defaultdict(_Pace)
        self._stopping = False
        self._waiting: set[asyncio.Future[None]] = set()
        # Those with a picture that waits, the one whose turn it is first.
        self._shares: defaultdict[str, deque[Share]] = defaultdict(deque)

    @property
    def stopping(self) -> bool:
        return self._stopping

    def held(self, role: str) -> int:
        """How many places are taken."""
        with self._lock:
            return self._held[role]

    def admit(self, role: str) -> Place:
        """A place for a job.

        Raises:
            QueueFull: there is none; ``seconds`` tells when there may be one.
            ServiceStopping
        """
        with self._lock:
            if self._stopping:
                raise ServiceStopping
            if self._held[role] >= self._limit:
                raise QueueFull(count=self._held[role], seconds=self._paces[role].wait(self._clock()))
            return self._take(role)

    def batch(self, role: str) -> Share:
        """The places of a batch; close it. In the event loop. Raises what ``admit`` does."""
        return Share(self, role)

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
            shares = [share for turns in self._shares.values() for share in turns]
        for stopped in tuple(self._waiting):
            if not stopped.done():
                stopped.set_result(None)
        for share in shares:
            share.stop()

    def _take(self, role: str) -> Place:
        """With the lock held."""
        if not self._held[role]:
            self._paces[role].begin(self._clock())
        self._held[role] += 1
        return Place(lambda: self._release(role))

    def _release(self, role: str) -> None:
        with self._lock:
            self._held[role] -= 1
            self._paces[role].freed(self._clock())
            next_one = self._shares[role][0] if self._shares[role] else None
        if next_one is not None:
            next_one.soon(lambda: self.deal(role))

    # ---- for Share, in the event loop

    def wait_for(self, share: Share, role: str) -> None:
        """Have it take its turn."""
        with self._lock:
            if share not in self._shares[role]:
                self._shares[role].append(share)

    def deal(self, role: str) -> None:
        """Give out the places that batches may have now, by turns."""
        while True:
            with self._lock:
                turns = self._shares[role]
                while turns and not turns[0].wants():
                    turns.popleft()
                if not turns or self._stopping or self._held[role] >= self._for_batches:
                    return
                share = turns.popleft()
                turns.append(share)
                place = self._take(role)
            share.give(place)


class Share:
    """The places of one batch. In the event loop, but for places that are given back."""

    def __init__(self, gate: Gate, role: str) -> None:
        self._gate = gate
        self._role = role
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._first = gate.admit(role)
        self._first_free = True
        self._closed = False
        self._pictures: deque[asyncio.Future[Place]] = deque()

    def __enter__(self) -> Share:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            free, self._first_free = self._first_free, False
        if free:
            self._first.release()

    async def place(self) -> Place:
        """A place for the next picture, when there is one.

        Raises:
            ServiceStopping
        """
        if self._gate.stopping:
            raise ServiceStopping
        picture: asyncio.Future[Place] = self._loop.create_future()
        self._pictures.append(picture)
        self._look()
        self._gate.wait_for(self, self._role)
        self._gate.deal(self._role)
        try:
            return await picture
        except asyncio.CancelledError:
            # It may have been given one just before.
            if picture.done() and not picture.cancelled() and picture.exception() is None:
                picture.result().release()
            raise
        finally:
            if picture in self._pictures:
                self._pictures.remove(picture)

    def wants(self) -> bool:
        """Whether one of its pictures waits."""
        return any(not picture.done() for picture in self._pictures)

    def give(self, place: Place) -> None:
        """To the picture that waits for longest."""
        while self._pictures:
            picture = self._pictures.popleft()
            if not picture.done():
                picture.set_result(place)
                return
        place.release()

    def stop(self) -> None:
        """No picture gets in any more."""
        for picture in tuple(self._pictures):
            if not picture.done():
                picture.set_exception(ServiceStopping())

    def soon(self, what: Callable[[], None]) -> None:
        """Do it in the event loop. From any thread."""
        # The loop may have ended before the last job.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)

    def _first_is_back(self) -> None:
        """From any thread: it goes to the next picture, or back to the queue when the batch is over."""
        with self._lock:
            closed = self._closed
            self._first_free = not closed
        if closed:
            self._first.release()
        else:
            self.soon(self._look)

    def _look(self) -> None:
        if not self.wants() or self._gate.stopping:
            return
        with self._lock:
            free, self._first_free = self._first_free, False
        if free:
            self.give(Place(self._first_is_back))


class _Pace:
    """How fast places become free while some are taken. With the gate's lock held; times in seconds."""

    def __init__(self) -> None:
        self._since = 0.0
        self._times: deque[float] = deque(maxlen=_REMEMBERED)

    def begin(self, now: float) -> None:
        """The first place was taken."""
        self._since = now

    def freed(self, now: float) -> None:
        self._times.append(now - self._since)
        self._since = now

    def wait(self, now: float) -> int:
        """After how long a place may be free: as lately, or as long as it takes already."""
        mean = sum(self._times) / len(self._times) if self._times else 0.0
        return max(1, min(LONGEST_WAIT, math.ceil(max(mean, now - self._since))))
