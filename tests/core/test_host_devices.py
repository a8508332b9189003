"""Where a model runs: what was asked for, and what happens when that device fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psutil
import pytest

from core.devices import Device, candidates
from core.engines import LoadOptions
from core.errors import DeviceFailed, FellBack, FellBackForGood, NotEnoughMemory, OutOfMemory
from core.events import Events, HostState, State
from core.host import ModelHost, Plan
from core.jobs import Job
from core.memory import MemoryJudge
from core.process import ModelProcess
from tests.support.fake_gpu_engine import CARD, CPU, FAKE_GPU, HOW

STALL = 30.0


class Bench:
    """A host for the fake card, on a machine whose devices the test chooses."""

    def __init__(self) -> None:
        self.look: Callable[[], list[Device]] = lambda: [CPU, CARD]
        self.asked = "auto"
        self.need: dict[str, int] = {}
        self.states: list[HostState] = []
        events = Events()
        events.subscribe(self.states.append)
        self.absent: set[str] = set()
        self.starts = 0
        memory = MemoryJudge(lambda: CPU.free, lambda: self.look(), lambda name: name in self.absent)
        self.host = ModelHost("ocr", self._plan, self._start, memory, events)
        self.thread = threading.Thread(target=self.host.run)
        self.thread.start()

    def _start(self) -> ModelProcess:
        self.starts += 1
        return ModelProcess(None)

    def _plan(self) -> Plan:
        return Plan(FAKE_GPU, LoadOptions(self.asked), -1, lambda device: self.need.get(device, 1_000_000))

    def job(self, op: str) -> Job[Any]:
        job: Job[Any] = Job(op, {}, (), lambda result, seconds: result)
        self.host.submit(job)
        return job

    def where(self) -> str:
        return str(self.job("where").result(STALL)["device"])

    def close(self) -> None:
        self.host.close()
        self.thread.join(STALL)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# --- which device


@pytest.mark.parametrize(
    ("asked", "kinds", "there", "order"),
    [
        ("auto", ("cuda", "cpu"), [CPU, CARD], ["cuda:0", "cpu"]),
        ("auto", ("cuda", "cpu"), [CPU], ["cpu"]),
        ("auto", ("cpu",), [CPU, CARD], ["cpu"]),
        ("cpu", ("cuda", "cpu"), [CPU, CARD], ["cpu"]),
        ("cuda", ("cuda", "cpu"), [CPU], ["cuda:0", "cpu"]),
        ("cuda:1", ("cuda", "cpu"), [CPU, CARD], ["cuda:1", "cpu"]),
        ("mps", ("cuda", "cpu"), [CPU], ["cpu"]),
        ("auto", ("cuda", "mps", "cpu"), [CPU, Device("mps", "Apple GPU", 1, 1)], ["mps", "cpu"]),
    ],
)
def test_the_order_in_which_devices_are_tried(
    asked: str, kinds: tuple[str, ...], there: list[Device], order: list[str]
) -> None:
    assert candidates(asked, kinds, there) == order


def test_automatic_takes_the_card_with_most_room() -> None:
    second = Device("cuda:1", "A larger card", 24_000_000_000, 20_000_000_000)
    assert candidates("auto", ("cuda", "cpu"), [CPU, CARD, second]) == ["cuda:1", "cuda:0", "cpu"]


def test_a_card_with_room_is_used_and_nothing_is_said(bench: Bench) -> None:
    assert bench.where() == "cuda:0"
    assert bench.host.state.precision == "fp16"
    assert bench.host.state.notice is None


def test_the_memory_it_took_from_the_card_is_told_and_what_came_back(bench: Bench) -> None:
    def devices() -> list[Device]:
        """The card has 2 GB less while a model process is there."""
        used = 2_000_000_000 * len(psutil.Process().children())
        return [CPU, replace(CARD, free=CARD.free - used)]

    bench.look = devices
    assert bench.where() == "cuda:0"
    assert bench.host.state.vram == 2_000_000_000
    bench.host.unload()
    wait_until(lambda: bench.host.state.state is State.UNLOADED)
    assert bench.host.state.freed_vram == 2_000_000_000


def wait_until(test: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(int(STALL / 0.01)):
        if test():
            return
        done.wait(0.01)
    raise AssertionError("it did not come")


# --- falling back


@pytest.mark.parametrize("how", ["oom", "fails"])
def test_a_card_that_fails_at_load_gives_way_to_the_cpu_with_a_notice(
    bench: Bench, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOW, how)
    assert bench.where() == "cpu"
    notice = bench.host.state.notice
    assert type(notice) is FellBack
    assert notice.params["asked"] == "cuda:0"
    assert notice.params["used"] == "cpu"
    expected = {"oom": "ran out of memory", "fails": "the driver is too old"}[how]
    assert expected in notice.message


def test_what_had_to_be_done_to_have_it_on_a_card_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOW, "short")
    assert bench.where() == "cuda:0"
    assert str(bench.host.state.notice) == (
        "cuda:0 had too little memory, so 1 of 4 layers of fake wait in RAM. Answers take longer."
    )
    # and is said no longer once it is not so
    bench.host.unload()
    wait_until(lambda: bench.host.state.state is State.UNLOADED)
    assert bench.host.state.notice is None


@pytest.mark.parametrize("op", ["oom", "fault"])
def test_a_job_that_breaks_the_card_is_done_on_the_cpu_and_not_lost(bench: Bench, op: str) -> None:
    first = bench.job("where").result(STALL)
    answer = bench.job(op).result(STALL)
    assert answer["device"] == "cpu"
    assert answer["pid"] != first["pid"], "memory of a failed card comes back with the process's end only"
    assert isinstance(bench.host.state.notice, FellBack)


def test_a_card_that_is_not_there_is_told_and_costs_no_process(bench: Bench) -> None:
    # given a card that was asked for by name and is surely not there
    bench.asked = "cuda:1"
    bench.absent = {"cuda:1"}
    # then the CPU's is the only process, and trying again is not what is advised
    assert bench.where() == "cpu"
    assert bench.starts == 1
    notice = bench.host.state.notice
    assert isinstance(notice, FellBackForGood)
    assert notice.message == (
        "cuda:1 cannot be used: it is not on this computer. fake runs on cpu instead of cuda:1."
    )
    assert "Try again" not in notice.advice
    # when it is plugged in, the next load takes it
    bench.absent = set()
    bench.look = lambda: [CPU, replace(CARD, name="cuda:1")]
    bench.host.unload()
    wait_until(lambda: bench.host.state.state is State.UNLOADED)
    assert bench.where() == "cuda:1"
    assert bench.host.state.notice is None


def test_a_card_that_is_not_listed_and_may_be_there_is_tried(bench: Bench) -> None:
    bench.asked = "cuda:1"
    assert bench.where() == "cuda:1"
    assert bench.host.state.notice is None


def test_the_fallback_is_remembered_until_the_user_retries(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOW, "oom")
    assert bench.where() == "cpu"
    monkeypatch.delenv(HOW)
    bench.host.unload()
    wait_until(lambda: bench.host.state.state is State.UNLOADED)
    assert isinstance(bench.host.state.notice, FellBack)
    assert bench.where() == "cpu"
    bench.host.retry_devices()
    wait_until(lambda: bench.host.state.state is State.UNLOADED)
    assert bench.host.state.notice is None
    assert bench.where() == "cuda:0"


def test_asking_for_another_device_forgets_the_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOW, "fails")
    assert bench.where() == "cpu"
    monkeypatch.delenv(HOW)
    bench.asked = "cuda:0"
    assert bench.where() == "cuda:0"
    assert bench.host.state.notice is None


def test_a_card_without_room_is_not_tried_and_tried_again_when_it_has_some(bench: Bench) -> None:
    bench.need["cuda:0"] = CARD.free + 1
    assert bench.where() == "cpu"
    assert "are free" in str(bench.host.state.notice)
    bench.need["cuda:0"] = CARD.free
    bench.host.unload()
    wait_until(lambda: bench.host.state.state is State.UNLOADED)
    assert bench.where() == "cuda:0"


def test_the_cpu_is_no_way_out_when_it_would_take_most_of_the_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOW, "oom")
    bench.need["cpu"] = int(0.81 * CPU.free)
    with pytest.raises(NotEnoughMemory):
        bench.job("where").result(STALL)
    assert bench.host.state.state is State.FAILED


def test_on_the_cpu_a_job_that_runs_out_of_memory_fails_and_the_next_is_done(bench: Bench) -> None:
    bench.asked = "cpu"
    first, second = bench.job("oom_everywhere"), bench.job("where")
    with pytest.raises(OutOfMemory):
        first.result(STALL)
    assert second.result(STALL)["device"] == "cpu"


def test_out_of_memory_everywhere_ends_with_the_last_word(bench: Bench) -> None:
    with pytest.raises(DeviceFailed) as caught:
        bench.job("oom_everywhere").result(STALL)
    assert caught.value.params["device"] == "cpu"
    assert bench.where() == "cpu"
