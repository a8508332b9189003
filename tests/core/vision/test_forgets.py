"""A real model's cache, when another host needs the memory: it is the first to go, and only it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.chat import GenerationOptions
from core.engines import EngineSpec, LoadOptions
from core.events import Events, State
from core.host import ModelHost, Plan
from core.jobs import Job
from core.memory import MemoryJudge
from core.process import ModelProcess
from core.types import RgbImage
from core.vision.estimate import cache_bytes, shape_of
from tests.support.fake_engine import FAKE
from tests.support.probed_llava import PROBED
from tests.support.random_vision import WORDS, Size, write

STALL = 120.0
SIZE = Size(width=256, layers=4, heads=4, inner=256)
"""8 kB of keys and values for each token."""
PICTURE = RgbImage(90, 120, bytes(range(240)) * 135)
SPARE = 1_000_000


class Room:
    """A machine with so much memory beside what the vision model's process takes."""

    def __init__(self) -> None:
        self.beside = 10**12
        self.pid = -1

    def taken(self) -> int:
        if not psutil.pid_exists(self.pid):
            return 0
        info = psutil.Process(self.pid).memory_info()
        return int(info.rss - getattr(info, "shared", 0))

    def free(self) -> int:
        return self.beside - self.taken()


class Hosts:
    def __init__(self, folder: Path) -> None:
        self.room = Room()
        self.states: list[State] = []
        events = Events()
        events.subscribe(lambda state: self.states.append(state.state) if state.role == "vision" else None)
        judge = MemoryJudge(self.room.free)

        def host(role: str, spec: EngineSpec, options: LoadOptions) -> ModelHost:
            return ModelHost(role, lambda: Plan(spec, options, -1), self._start(role), judge, events)

        self.vision = host("vision", PROBED, LoadOptions(threads=1, checkpoint=str(folder)))
        self.ocr = host("ocr", FAKE, LoadOptions())
        self._threads = [threading.Thread(target=one.run) for one in (self.vision, self.ocr)]
        for thread in self._threads:
            thread.start()

    def _start(self, role: str) -> Any:
        def start() -> ModelProcess:
            process = ModelProcess()
            if role == "vision":
                self.room.pid = process.pid
            return process

        return start

    def ask(self, text: str, picture: RgbImage) -> dict[str, Any]:
        options = GenerationOptions(temperature=0.0, max_tokens=20).to_json()
        messages = [{"role": "user", "text": text, "images": 1}]
        job: Job[dict[str, Any]] = Job(
            "ask", {"messages": messages, "options": options}, (picture,), lambda result, seconds: result
        )
        self.vision.submit(job)
        return job.result(STALL)

    def read(self) -> str:
        job: Job[str] = Job(
            "recognize",
            {},
            (RgbImage(5, 4, bytes(60)),),
            lambda result, _: result["blocks"][0]["lines"][0]["text"],
        )
        self.ocr.submit(job)
        return job.result(STALL)

    def close(self) -> None:
        for host in (self.vision, self.ocr):
            host.close()
        for thread in self._threads:
            thread.join(STALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("forgets") / "model", "llava", SIZE)


@pytest.fixture(scope="module")
def hosts(folder: Path) -> Iterator[Hosts]:
    hosts = Hosts(folder)
    yield hosts
    hosts.close()


def test_the_cache_makes_room_for_reading_and_the_model_stays(hosts: Hosts, folder: Path) -> None:
    # given a long conversation, with the last bytes of memory in use
    question = " ".join([WORDS] * 80)
    first = hosts.ask(question, PICTURE)
    again = hosts.ask(question, PICTURE)
    assert again["usage"]["reused"] > 1000
    shape = shape_of(folder)
    assert shape is not None
    cache = cache_bytes(shape, 4, first["usage"]["prompt"])
    assert cache > 2 * FAKE.memory
    hosts.room.beside = hosts.room.taken() + SPARE
    held = hosts.room.taken()

    # when a snip is to be read, then there is room
    assert hosts.read() == "5x4"

    # because the process has given back what it remembered, and nothing else
    assert held - hosts.room.taken() > 0.7 * cache
    assert State.UNLOADED not in hosts.states
    hosts.room.beside = 10**12
    fresh = hosts.ask(question, PICTURE)
    assert fresh["usage"]["reused"] == 0
    assert fresh["text"] == first["text"] == again["text"]


def test_where_the_cache_is_not_enough_the_model_goes(hosts: Hosts) -> None:
    hosts.ocr.give_way(STALL)
    hosts.ask("What is this?", PICTURE)
    # given no room as long as there is a process of that model
    hosts.room.beside = 2 * FAKE.memory
    assert hosts.read() == "5x4"
    assert hosts.states[-1] is State.UNLOADED
