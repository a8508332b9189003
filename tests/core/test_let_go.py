"""A picture is in memory no longer than somebody needs it: nobody has to look for circles."""

from __future__ import annotations

import gc
import sys
import time
import weakref
from collections.abc import Iterator

import psutil
import pytest

from core.child import _LARGE
from core.engine import Engine
from core.errors import ReadFailed
from core.jobs import Job
from core.settings import SettingsStore
from core.types import RgbImage
from tests.core.test_sharing import PICTURE, Programs
from tests.core.test_sharing import programs as programs
from tests.support.fake_engine import FAKE
from tests.support.running import Running

STALL = 30.0


@pytest.fixture
def no_circles() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held(data: bytes, more_than: int) -> bool:
    """Whether somebody still has it a moment later: a thread may be about to return."""
    end = time.monotonic() + STALL / 6
    while sys.getrefcount(data) > more_than + 1:
        if time.monotonic() > end:
            return True
        time.sleep(0.01)
    return False


class Kept:
    """Stands for what a listener holds."""


@pytest.mark.usefixtures("no_circles")
@pytest.mark.parametrize("how", ["resolve", "fail", "drop"])
def test_a_job_that_has_ended_holds_nothing(how: str) -> None:
    # given a job with a picture, and a listener with something large
    job: Job[int] = Job("recognize", {}, (RgbImage(1, 1, b"abc"),), lambda result, seconds: 1)
    kept = Kept()
    gone = weakref.ref(kept)
    heard: list[object] = []
    job.on_done(lambda job, kept=kept: heard.append((job, kept)))  # type: ignore[misc]
    del kept
    # when it ends, then the listener was called once, and nothing of it is left with the job
    {"resolve": lambda: job.resolve(1), "fail": lambda: job.fail(ReadFailed()), "drop": job.drop}[how]()
    job.resolve(2)
    assert len(heard) == 1
    assert job.images == ()
    heard.clear()
    assert gone() is None
    # And who comes late is called as well.
    job.on_done(heard.append)
    assert heard == [job]


@pytest.mark.usefixtures("no_circles")
def test_a_picture_that_was_read_is_let_go(settings: SettingsStore) -> None:
    data = bytes(3 * 40 * 30)
    before = sys.getrefcount(data)
    engine = Engine(settings, engines=(FAKE,))
    try:
        # given several at once, so that some are read together
        jobs = [engine.recognize(RgbImage(40, 30, data)) for _ in range(6)]
        assert {job.result(STALL).text for job in jobs} == {"40x30"}
        # then nobody has it any more, though the jobs are kept
        assert not held(data, before)
    finally:
        engine.close()


@pytest.mark.usefixtures("no_circles")
def test_a_picture_that_another_program_has_read_is_let_go(programs: Programs) -> None:
    programs.tray()
    other = programs.program()
    other.recognize(PICTURE).result(STALL)
    assert other.attached
    data = bytes(3 * 40 * 30)
    before = sys.getrefcount(data)
    job = other.recognize(RgbImage(40, 30, data))
    assert job.result(STALL).text == "40x30"
    assert not held(data, before)


@pytest.mark.skipif(sys.platform != "linux", reason="how private memory is counted")
def test_a_model_process_keeps_nothing_of_a_large_picture() -> None:
    process = Running(FAKE)
    try:
        process.load()
        pid = process.run("keep", {"what": "nothing"})[0]["pid"]
        process.run("recognize", {}, (RgbImage(40, 30, bytes(3600)),))
        before = psutil.Process(pid).memory_full_info().uss
        # when it has read one of 60 MB
        side = 4472
        assert 3 * side * side > _LARGE
        process.run("recognize", {}, (RgbImage(side, side, b"\xff" * (3 * side * side)),))
        # then it soon is as small as before
        end = time.monotonic() + STALL / 6
        while psutil.Process(pid).memory_full_info().uss > before + 5_000_000:
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        process.end()
