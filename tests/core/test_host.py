"""ModelHost: queue, states, idle unload, cancellation, and what happens when the process misbehaves.

Every test runs a real model process with the fake engine in it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.engines import EngineSpec, LoadOptions
from core.errors import (
    Cancelled,
    ImageDamaged,
    LoadFailed,
    NotEnoughMemory,
    ProcessDied,
    ProtocolError,
    QueueFull,
    ReadFailed,
    YomitoriError,
)
from core.events import Events, HostState, State
from core.host import HostLimits, ModelHost, Plan
from core.jobs import Job
from core.memory import MemoryJudge
from core.process import ModelProcess
from tests.support.fake_engine import FAKE, FORGETFUL

STALL = 30.0


class Bench:
    """A host on a thread, with a record of its states."""

    def __init__(
        self,
        limits: HostLimits,
        memory: MemoryJudge | None = None,
        log: Path | None = None,
        spec: EngineSpec = FAKE,
    ) -> None:
        self.idle_seconds = -1.0
        self.states: list[HostState] = []
        self.changed = threading.Condition()
        events = Events()
        events.subscribe(self._record)
        self.memory = memory or MemoryJudge()
        self.host = ModelHost(
            "ocr",
            lambda: Plan(spec, LoadOptions(), self.idle_seconds),
            lambda: ModelProcess(log),
            self.memory,
            events,
            limits,
        )
        self.thread = threading.Thread(target=self.host.run)
        self.thread.start()

    def _record(self, state: HostState) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def names(self) -> list[State]:
        return [state.state for state in self.states]

    def wait_for(self, state: State, since: int = 0) -> HostState:
        with self.changed:
            assert self.changed.wait_for(lambda: any(s.state == state for s in self.states[since:]), STALL), (
                f"{state} did not come, only {self.names()}"
            )
            return next(s for s in self.states[since:] if s.state == state)

    def job(
        self,
        op: str,
        on_piece: Callable[[dict[str, Any]], None] | None = None,
        gives_way: bool = False,
        **params: Any,
    ) -> Job[Any]:
        job: Job[Any] = Job(op, params, (), lambda result, seconds: result, on_piece, gives_way)
        params["job"] = job.id  # for the operations that answer by themselves
        self.host.submit(job)
        return job

    def started(self, op: str, **params: Any) -> Job[Any]:
        """A job whose first piece has come."""
        first = threading.Event()
        job = self.job(op, lambda _: first.set(), **params)
        assert first.wait(STALL)
        return job

    def close(self) -> None:
        self.host.close()
        self.thread.join(STALL)
        assert not self.thread.is_alive()


def children() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(HostLimits(queue=3, grace=0.5, silence=60.0))
    yield bench
    bench.close()
    assert children() == [], "a model process outlived its host"


def test_nothing_runs_before_it_is_needed(bench: Bench) -> None:
    assert bench.host.state.state == State.UNLOADED
    assert children() == []


def test_a_job_loads_streams_and_leaves_the_host_ready(bench: Bench) -> None:
    pieces: list[int] = []
    job = bench.job("stream", lambda piece: pieces.append(piece["index"]), count=1000)
    assert job.result(STALL)["count"] == 1000
    assert pieces == list(range(1000))
    bench.wait_for(State.BUSY)
    bench.wait_for(State.READY, since=bench.names().index(State.BUSY))
    assert bench.names() == [State.LOADING, State.READY, State.BUSY, State.READY]
    ready = bench.states[1]
    assert ready.engine == FAKE.name
    assert ready.device == "cpu"
    assert ready.memory > 1_000_000


def test_jobs_run_one_after_another_in_one_process(bench: Bench) -> None:
    jobs = [bench.job("stream", count=3) for _ in range(3)]
    pids = {job.result(STALL)["pid"] for job in jobs}
    assert len(pids) == 1


def test_a_running_job_stops_when_it_is_cancelled_and_the_process_stays(bench: Bench) -> None:
    job = bench.started("stream", count=100_000, pause=0.001)
    pid = children()[0].pid
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert bench.job("stream", count=1).result(STALL)["pid"] == pid


@pytest.mark.parametrize("op", ["hang", "spin"])
def test_a_job_that_does_not_react_is_ended_with_its_process(bench: Bench, op: str) -> None:
    job = bench.started(op)
    pid = children()[0].pid
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert not psutil.pid_exists(pid)
    assert bench.job("stream", count=1).result(STALL)["pid"] != pid


def test_what_a_cancelled_job_had_finished_is_told(bench: Bench) -> None:
    # given a job that has finished a picture when it hears that it is cancelled
    pieces: list[dict[str, Any]] = []
    started = threading.Event()
    job = bench.job("ended_late", lambda piece: (pieces.append(piece), started.set()))
    assert started.wait(STALL)
    job.cancel()

    # when it has ended, then that is known, and nothing of what was under way
    with pytest.raises(Cancelled):
        job.result(STALL)
    assert pieces == [{"started": True}, {"page": 0, "ended": {"text": "late"}, "seconds": 0.1}]


def test_a_waiting_job_can_be_cancelled_while_another_runs(bench: Bench) -> None:
    running = bench.started("stream", count=100_000, pause=0.001)
    waiting = bench.job("stream", count=1)
    waiting.cancel()
    running.cancel()
    with pytest.raises(Cancelled):
        waiting.result(STALL)
    with pytest.raises(Cancelled):
        running.result(STALL)


def test_a_killed_process_fails_one_job_and_the_next_gets_a_new_process(bench: Bench) -> None:
    job = bench.started("hang")
    os.kill(children()[0].pid, signal.SIGKILL)
    with pytest.raises(ProcessDied, match="SIGKILL") as caught:
        job.result(STALL)
    assert caught.value.retryable
    assert bench.job("stream", count=1).result(STALL)["count"] == 1


def test_a_process_killed_while_idle_costs_nothing(bench: Bench) -> None:
    bench.job("stream", count=1).result(STALL)
    seen = len(bench.states)
    os.kill(children()[0].pid, signal.SIGKILL)
    bench.wait_for(State.UNLOADED, since=seen)
    assert bench.job("stream", count=1).result(STALL)["count"] == 1


@pytest.mark.parametrize(
    ("op", "error"),
    [
        ("crash", ProcessDied),
        ("crash_mid_frame", ProcessDied),
        ("nonsense", ProtocolError),
        ("raise", ReadFailed),
        ("raise_ours", ImageDamaged),
    ],
)
def test_a_failing_job_tells_why_and_the_queue_goes_on(
    bench: Bench, op: str, error: type[YomitoriError]
) -> None:
    job, following = bench.job(op), bench.job("stream", count=2)
    with pytest.raises(error):
        job.result(STALL)
    assert following.result(STALL)["count"] == 2


def test_an_exception_in_the_engine_keeps_its_words(bench: Bench) -> None:
    with pytest.raises(ReadFailed, match="ValueError: the fake engine failed on purpose"):
        bench.job("raise").result(STALL)


def test_the_queue_has_a_limit(bench: Bench) -> None:
    running = bench.started("hang")
    jobs = [bench.job("stream", count=1) for _ in range(3)]
    with pytest.raises(QueueFull) as caught:
        bench.job("stream", count=1).result(STALL)
    assert caught.value.retryable
    for job in (*jobs, running):
        job.cancel()


def test_prepare_loads_without_a_job(bench: Bench) -> None:
    bench.host.prepare()
    bench.wait_for(State.READY)
    assert len(children()) == 1


def test_idle_zero_unloads_after_each_job_but_waits_for_the_one_it_prepared_for(bench: Bench) -> None:
    bench.idle_seconds = 0.0
    bench.host.prepare()
    bench.wait_for(State.READY)
    time.sleep(0.2)
    assert bench.host.state.state == State.READY, "it must wait for the job it got ready for"
    bench.job("stream", count=1).result(STALL)
    bench.wait_for(State.UNLOADED)
    assert children() == []


def test_release_lets_a_prepared_host_unload(bench: Bench) -> None:
    bench.idle_seconds = 0.0
    bench.host.prepare()
    bench.wait_for(State.READY)
    bench.host.release()
    bench.wait_for(State.UNLOADED)


def test_an_idle_host_unloads_and_never_during_a_job(bench: Bench) -> None:
    bench.idle_seconds = 0.3
    job = bench.job("stream", count=100, pause=0.01)  # a job that takes longer than the idle time
    assert job.result(STALL)["count"] == 100
    assert State.UNLOADED not in bench.names()
    bench.wait_for(State.UNLOADED)
    assert children() == []


def test_a_changed_idle_time_applies_when_the_host_is_woken(bench: Bench) -> None:
    bench.job("stream", count=1).result(STALL)
    bench.idle_seconds = 0.0
    bench.host.wake()
    bench.wait_for(State.UNLOADED)


def test_unload_waits_for_the_jobs_in_the_queue(bench: Bench) -> None:
    running = bench.started("stream", count=50, pause=0.005)
    bench.host.unload()
    assert running.result(STALL)["count"] == 50
    bench.wait_for(State.UNLOADED)


@pytest.mark.parametrize(
    ("how", "error"), [("raise", LoadFailed), ("crash", ProcessDied), ("hang", LoadFailed)]
)
def test_a_failed_load_is_visible_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, how: str, error: type[YomitoriError]
) -> None:
    bench = Bench(HostLimits(load=0.8 if how == "hang" else 60.0))
    monkeypatch.setenv("YOMITORI_FAKE_LOAD", how)
    with pytest.raises(error):
        bench.job("stream", count=1).result(STALL)
    failed = bench.wait_for(State.FAILED)
    assert isinstance(failed.error, error)
    assert children() == []
    monkeypatch.delenv("YOMITORI_FAKE_LOAD")
    bench.host._limits = HostLimits()
    assert bench.job("stream", count=1).result(STALL)["count"] == 1
    bench.close()


def test_a_silent_job_is_ended_after_its_limit() -> None:
    bench = Bench(HostLimits(silence=0.5))
    with pytest.raises(ReadFailed, match="no answer"):
        bench.job("hang").result(STALL)
    assert children() == []
    bench.close()


def test_too_little_memory_is_said_before_anything_starts() -> None:
    bench = Bench(HostLimits(), MemoryJudge(free=lambda: 5_000_000))
    with pytest.raises(NotEnoughMemory, match=r"fake engine needs 10 MB of memory, 5 MB are free"):
        bench.job("stream", count=1).result(STALL)
    assert children() == []
    bench.close()


@pytest.mark.parametrize("op", ["stream", "hang"])
def test_closing_cancels_what_runs_and_drops_what_waits(op: str) -> None:
    bench = Bench(HostLimits())
    running = bench.started(op, count=100_000, pause=0.001)
    waiting = bench.job("stream", count=1)
    bench.close()
    for job in (running, waiting, bench.job("stream", count=1)):
        with pytest.raises(Cancelled):
            job.result(STALL)
    assert children() == []


def test_what_the_engine_prints_goes_to_the_log_and_never_into_the_frames(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "model.log"
    bench = Bench(HostLimits(), log=log)
    assert bench.job("stream", count=1).result(STALL)["count"] == 1
    bench.close()
    assert "says hello on stdout" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_listener_that_raises_reaches_nobody(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_piece: dict[str, Any]) -> None:
        raise RuntimeError("listener")

    assert bench.job("stream", broken, count=2).result(STALL)["count"] == 2
    assert "A listener failed" in caplog.text


def test_a_job_cancelled_while_its_engine_loads_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOMITORI_FAKE_LOAD", "hang")
    bench = Bench(HostLimits())
    job, waiting = bench.job("stream", count=1), bench.job("stream", count=1)
    bench.wait_for(State.LOADING)
    for cancelled in (job, waiting):
        cancelled.cancel()
        with pytest.raises(Cancelled):
            cancelled.result(STALL)
    bench.close()


def test_a_waiting_job_is_dropped_at_once_while_another_runs_on(bench: Bench) -> None:
    running = bench.started("hang")
    waiting = bench.job("stream", count=1)
    waiting.cancel()
    with pytest.raises(Cancelled):
        waiting.result(STALL)
    assert not running.done()
    running.cancel()


@pytest.mark.parametrize("op", ["done_without_result", "error_without_error"])
def test_a_frame_that_is_not_what_it_should_be_costs_one_job(
    bench: Bench, op: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ProtocolError):
        bench.job(op).result(STALL)
    assert bench.job("stream", count=1).result(STALL)["count"] == 1
    assert "KeyError" in caplog.text


def test_a_plan_that_cannot_be_unloads_and_the_next_good_one_works(bench: Bench) -> None:
    bench.job("stream", count=1).result(STALL)
    good = bench.host._plan

    def bad() -> Plan:
        raise YomitoriError(detail="no such engine")

    bench.host._plan = bad
    bench.host.wake()
    bench.wait_for(State.UNLOADED)
    with pytest.raises(YomitoriError, match="no such engine"):
        bench.job("stream", count=1).result(STALL)
    bench.host._plan = good
    assert bench.job("stream", count=1).result(STALL)["count"] == 1


def test_preparing_right_after_an_unload_counts(bench: Bench) -> None:
    bench.host.unload()
    bench.host.prepare()
    bench.wait_for(State.READY)


# --- giving memory back


@pytest.fixture
def forgetful() -> Iterator[Bench]:
    bench = Bench(HostLimits(grace=0.5, forget=1.0, silence=60.0), spec=FORGETFUL)
    yield bench
    bench.close()
    assert children() == [], "a model process outlived its host"


def test_a_cache_is_given_back_and_the_model_stays(forgetful: Bench) -> None:
    # given an engine that remembers something
    pid = forgetful.job("keep", what="a conversation").result(STALL)["pid"]
    seen = len(forgetful.states)
    # when it is told to forget
    assert forgetful.host.forget(STALL)
    # then it has, in the same process, and nobody was told that it works
    assert State.BUSY not in forgetful.names()[seen:]
    assert forgetful.job("kept").result(STALL) == {"kept": "", "pid": pid}


def test_an_engine_that_keeps_nothing_is_not_asked_to_forget(bench: Bench) -> None:
    # It would crash.
    bench.job("keep", what="nothing that counts", forgets="crash").result(STALL)
    assert not bench.host.forget(STALL)
    assert bench.job("kept").result(STALL)["kept"] == "nothing that counts"


def test_who_has_nothing_to_forget_is_not_asked(forgetful: Bench) -> None:
    assert not forgetful.host.forget(STALL), "nothing is loaded"
    forgetful.host.prepare()
    forgetful.wait_for(State.READY)
    assert not forgetful.host.forget(STALL), "no job has run"
    forgetful.job("keep", what="a conversation").result(STALL)
    assert forgetful.host.forget(STALL)
    assert not forgetful.host.forget(STALL), "it has done so already"


def test_while_somebody_waits_for_an_answer_nothing_is_given_back(forgetful: Bench) -> None:
    forgetful.job("keep", what="a conversation").result(STALL)
    running = forgetful.started("stream", count=100_000, pause=0.001)
    assert not forgetful.host.forget(STALL)
    assert not forgetful.host.give_way(STALL)
    assert not running.done()
    running.cancel()
    assert forgetful.job("kept").result(STALL)["kept"] == "a conversation"


@pytest.mark.parametrize("way", ["forget", "give_way"])
def test_work_ahead_of_need_is_stopped_when_memory_is_wanted(forgetful: Bench, way: str) -> None:
    # given work that nobody waits for, and more of it
    forgetful.job("keep", what="a conversation").result(STALL)
    running = forgetful.started("stream", gives_way=True, count=100_000, pause=0.001)
    waiting = forgetful.job("kept", gives_way=True)
    # when another host needs the memory, then it is had
    assert getattr(forgetful.host, way)(STALL)
    for job in (running, waiting):
        with pytest.raises(Cancelled):
            job.result(STALL)
    assert forgetful.host.outstanding() == 0
    assert forgetful.job("kept").result(STALL)["kept"] == ""
    assert (State.UNLOADED in forgetful.names()) is (way == "give_way")


def test_a_job_that_waits_behind_such_work_keeps_the_memory(forgetful: Bench) -> None:
    forgetful.job("keep", what="a conversation").result(STALL)
    ahead = forgetful.started("stream", gives_way=True, count=100_000, pause=0.001)
    question = forgetful.job("kept")
    assert not forgetful.host.forget(STALL)
    assert not forgetful.host.give_way(STALL)
    ahead.cancel()
    assert question.result(STALL)["kept"] == "a conversation"


def test_a_job_that_comes_first_keeps_its_cache(forgetful: Bench) -> None:
    # given a host that would forget, were it not for something that does not stop at once
    forgetful.job("keep", what="a conversation").result(STALL)
    forgetful.started("deaf", gives_way=True, seconds=0.4)
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(forgetful.host.forget(STALL)))
    asking.start()
    while forgetful.host._forgetting is None and asking.is_alive():
        time.sleep(0.001)
    # when a job comes meanwhile
    question = forgetful.job("kept")
    # then that goes first, and whoever asked knows at once
    assert question.result(STALL)["kept"] == "a conversation"
    asking.join(STALL)
    assert answers == [False]


@pytest.mark.parametrize("how", ["crash", "hang", "raise", "raise_ours", "nonsense", "done_without_result"])
def test_a_process_that_cannot_forget_is_ended(forgetful: Bench, how: str) -> None:
    forgetful.job("keep", what="a conversation", forgets=how).result(STALL)
    assert forgetful.host.forget(STALL), "the memory is free, one way or the other"
    forgetful.wait_for(State.UNLOADED)
    assert forgetful.job("kept").result(STALL)["kept"] == ""


def test_a_process_killed_before_it_forgets_costs_nothing(forgetful: Bench) -> None:
    os.kill(forgetful.job("keep", what="a conversation").result(STALL)["pid"], signal.SIGKILL)
    forgetful.host.forget(STALL)
    forgetful.wait_for(State.UNLOADED)
    assert forgetful.job("kept").result(STALL)["kept"] == ""


def test_whoever_waits_for_a_host_that_closes_is_answered(forgetful: Bench) -> None:
    forgetful.job("keep", what="a conversation").result(STALL)
    forgetful.started("deaf", gives_way=True, seconds=60)
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(forgetful.host.forget(STALL)))
    asking.start()
    while forgetful.host._forgetting is None and asking.is_alive():
        time.sleep(0.001)
    forgetful.host.close()
    asking.join(STALL)
    assert answers == [False]
    assert not forgetful.host.forget(STALL)


def test_what_was_promised_counts_until_it_is_used_or_the_model_is_gone() -> None:
    # given a model that may take 5 GB and has not yet
    bench = Bench(HostLimits(), MemoryJudge(lambda: 8 * 10**9), spec=replace(FAKE, memory=5 * 10**9))
    try:
        pid = bench.job("stream", count=1).result(STALL)["pid"]
        taken = psutil.Process(pid).memory_info().rss
        assert 5 * 10**9 - taken <= bench.host.outstanding() < 5 * 10**9
        assert bench.memory.available() == pytest.approx(3 * 10**9, abs=taken)
        with pytest.raises(NotEnoughMemory):
            bench.memory.reserve("vision", "x", 9 * 10**9)
        # when it has gone for another, then nothing is kept for it
        assert (bench.host.outstanding(), bench.memory.available()) == (0, 8 * 10**9)
    finally:
        bench.close()
