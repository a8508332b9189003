"""Many clients at once against a ``yomitori serve``, with model processes that are killed meanwhile.

::

    load = Load(server, clients=8, seed=1)
    load.prime()
    load.run(60.0, kill_every=10.0)
    load.count()                    # how many of each Verdict
    load.idle(quiet=20.0)           # waits until nothing runs; the front process then
"""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import httpx2
import psutil

from benchmarks.memory import private_mb
from benchmarks.service_asks import KINDS, Asker, Reply
from tests.support.http_service import Serving

DEADLINE_S = 300.0
BODY_BYTES = 32_000_000
"""The service's own defaults, by which it is asked."""
_MARGIN_S = 15.0
_NOTICED_S = 2.0
"""After a kill: until then the service may not have seen yet that the process is gone."""
_IDLE_S = 60.0


class Verdict(StrEnum):
    """What became of a request. The last three must never be."""

    ANSWERED = "answered"
    FULL = "told that the queue is full"
    LEFT = "left by their client"
    KILLED = "told of a killed process"
    LOST = "without an answer"
    FAILED = "failed for no reason"
    WRONG = "wrong answer"


BAD = (Verdict.LOST, Verdict.FAILED, Verdict.WRONG)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it; times by the monotonic clock."""

    request_id: str
    kind: str
    begun: float
    ended: float
    reply: Reply

    def verdict(self, kills: Sequence[float]) -> Verdict:
        """``kills``: when processes were killed. Only requests that ran then may be told of it."""
        reply = self.reply
        if reply.left:
            return Verdict.LEFT
        if reply.status is None:
            return Verdict.LOST
        if reply.wrong:
            return Verdict.WRONG
        if reply.status < 500:
            return Verdict.ANSWERED
        if reply.code in ("QueueFull", "queue_full"):
            return Verdict.FULL
        return Verdict.KILLED if self.kill_among(kills) is not None else Verdict.FAILED

    def kill_among(self, kills: Sequence[float]) -> float | None:
        """The last one that it ran at, if any."""
        return max((kill for kill in kills if self.begun - _NOTICED_S <= kill <= self.ended), default=None)


@dataclass(frozen=True, slots=True)
class Front:
    """The front process: private memory in MB, open files but for the pipes to model processes, threads."""

    memory: float
    files: int
    threads: int

    def __str__(self) -> str:
        return f"{self.memory:.1f} MB, {self.files} files, {self.threads} threads"

    @classmethod
    def of(cls, server: Serving) -> Front:
        process = psutil.Process(server.process.pid)
        # One that helps out, such as the built-in engine, may or may not be there.
        files = process.num_fds() - len(process.children())
        return cls(private_mb(process.pid), files, process.num_threads())


class Load:
    """``exchanges`` and ``kills`` grow with every ``run``.

    Args:
        seed: of all that is drawn. What meets what is left to the machine.
        slow: also kinds that take ten seconds each.
    """

    def __init__(self, server: Serving, clients: int, seed: int = 1, slow: bool = True) -> None:
        self.clients = clients
        self._server = server
        self._random = random.Random(seed)
        self._kinds = [kind for kind in KINDS if slow or not KINDS[kind].slow]
        self._lock = threading.Lock()
        self.exchanges: list[Exchange] = []
        self.kills: list[float] = []
        self._askers = [
            Asker(server, f"{seed} {number}", DEADLINE_S + _MARGIN_S, BODY_BYTES) for number in range(clients)
        ]

    def prime(self, count: int = 40) -> None:
        """Find which bubbles are read right alone: under load they must be, too. Only those are asked for.

        Raises:
            RuntimeError: the service does not work.
        """
        readable = self._askers[0].read_alone(count)
        if len(readable) < count / 2:
            raise RuntimeError(f"only {len(readable)} of {count} bubbles are read right")
        for asker in self._askers:
            asker.readable = readable

    def run(self, seconds: float, kill_every: float | None = None) -> None:
        """All clients ask for so long, one request after the other, and finish what they have begun."""
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._client, args=(number, asker, end, self._random.getrandbits(32)))
            for number, asker in enumerate(self._askers)
        ]
        if kill_every is not None:
            threads.append(threading.Thread(target=self._kill, args=(kill_every, end)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for asker in self._askers:
            asker.close()

    def _client(self, number: int, asker: Asker, end: float, seed: int) -> None:
        weights = [KINDS[kind].weight for kind in self._kinds]
        # Each its own, so that what one draws does not hang on how fast another is.
        draw = random.Random(seed)
        asked = 0
        while time.monotonic() < end:
            (kind,) = draw.choices(self._kinds, weights)
            asked += 1
            request_id = f"{number}-{asked}-{int(end)}"
            begun = time.monotonic()
            try:
                reply = asker.ask(kind, request_id)
            except Exception as error:
                # An answer that cannot be understood is a wrong one, and the others go on.
                reply = Reply(200, wrong=f"{type(error).__name__}: {error}")
            exchange = Exchange(request_id, kind, begun, time.monotonic(), reply)
            with self._lock:
                self.exchanges.append(exchange)

    def _kill(self, every: float, end: float) -> None:
        """One or all of the model processes, every so often, give or take the half."""
        serve = psutil.Process(self._server.process.pid)
        while (due := time.monotonic() + every * self._random.uniform(0.5, 1.5)) < end:
            time.sleep(due - time.monotonic())
            models = serve.children()
            if not models:
                continue
            victims = models if self._random.random() < 0.2 else [self._random.choice(models)]
            self.kills.append(time.monotonic())
            for victim in victims:
                # It may have been unloaded since.
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()

    def idle(self, quiet: float) -> Front:
        """The front process ``quiet`` seconds after everything was over, with both models loaded.

        Raises:
            RuntimeError: jobs or requests go on though nobody waits for any, or the service does not work.
        """
        end = time.monotonic() + _IDLE_S
        while left := _under_way(self._server):
            if time.monotonic() > end:
                raise RuntimeError(f"{left} requests and jobs go on")
            time.sleep(0.1)
        self._askers[0].wake()
        self._askers[0].close()
        time.sleep(quiet)
        return Front.of(self._server)

    def front(self) -> Front:
        return Front.of(self._server)

    # ---- what became of it

    def count(self) -> Counter[Verdict]:
        return Counter(exchange.verdict(self.kills) for exchange in self.exchanges)

    def told_at_most(self) -> int:
        """How many requests were told of one kill, for the kill of which most were."""
        told = Counter(
            exchange.kill_among(self.kills)
            for exchange in self.exchanges
            if exchange.verdict(self.kills) is Verdict.KILLED
        )
        return max(told.values(), default=0)

    def bad(self) -> Iterator[str]:
        """A row for each request that had no answer, or not the one it must have."""
        for exchange in self.exchanges:
            verdict = exchange.verdict(self.kills)
            if verdict in BAD:
                reply, took = exchange.reply, exchange.ended - exchange.begun
                kill = max((kill for kill in self.kills if kill <= exchange.ended), default=exchange.begun)
                yield (
                    f"{verdict}: {exchange.kind} (id {exchange.request_id}, {took:.1f} s, begun "
                    f"{exchange.begun - kill:.1f} s after a kill): {reply.status} {reply.code} {reply.wrong}"
                )


def _under_way(server: Serving) -> int:
    """Jobs, and requests beside the one that asks."""
    text = httpx2.get(f"{server.url}/metrics", timeout=60, trust_env=False).text
    found = re.findall(r"^yomitori_(?:queue_depth\{.*\}|requests_in_flight) (\S+)$", text, re.MULTILINE)
    return int(sum(map(float, found))) - 1
