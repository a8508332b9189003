"""The contract that every engine passes, the fake one and the real ones alike.

A new engine is one more row in ``ENGINES``; it is then held to all of this.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.engine import Engine
from core.engines import ENGINES, EngineSpec
from core.errors import Cancelled, ProcessDied
from core.events import HostState, State
from core.settings import SettingsStore
from core.types import OcrResult, RgbImage
from tests.support.fake_engine import FAKE
from tests.support.local_library import LocalLibrary

STALL = 120.0


def endless_picture(spec: EngineSpec) -> RgbImage:
    """A picture that takes the engine long enough to be interrupted."""
    if spec is FAKE:
        return RgbImage(2, 2, b"\x00\x00\x01" * 4)
    stripes = (b"\x00" * 3 * 6 + b"\xff" * 3 * 18) * 200
    rows = b"".join((stripes if (y // 24) % 2 else b"\xff" * len(stripes)) for y in range(4000))
    return RgbImage(4800, 4000, rows)


WHITE = RgbImage(80, 60, b"\xff" * (80 * 60 * 3))
TINY = RgbImage(1, 1, b"\x00\xff\x00")


class Subject:
    """An Engine with one registered engine in it."""

    def __init__(self, spec: EngineSpec, settings: SettingsStore, log: Path) -> None:
        self.spec = spec
        self.settings = settings
        self.states: list[HostState] = []
        self.changed = threading.Condition()
        library = LocalLibrary() if spec.has_checkpoint else None
        self.engine = Engine(settings, log, engines=(spec,), library=library)
        self.engine.subscribe(self._record)

    def _record(self, state: HostState) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def wait_for(self, test: Callable[[HostState], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: any(map(test, self.states)), STALL), self.states


def model_processes() -> list[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


READING = [FAKE, *(spec for spec in ENGINES if spec.role == "ocr")]


@pytest.fixture(scope="module", params=READING, ids=lambda spec: spec.title)
def spec(request: pytest.FixtureRequest) -> EngineSpec:
    found: EngineSpec = request.param
    return found


@pytest.fixture(scope="class")
def kept(spec: EngineSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    folder = tmp_path_factory.mktemp("kept")
    subject = Subject(spec, SettingsStore(folder / "settings.json", environ={}), folder / "log")
    yield subject
    subject.engine.close()
    assert model_processes() == [], "close() must leave no process"


@pytest.fixture
def loaded(kept: Subject) -> Subject:
    """The same engine for every test of a class; each leaves it able to read."""
    with kept.changed:
        kept.states.clear()
    return kept


class TestOneEngine:
    """In this order, on one engine: loading is most of the time."""

    def test_a_result_names_engine_device_and_time_and_round_trips(self, loaded: Subject) -> None:
        result = loaded.engine.recognize(WHITE).result(STALL)
        assert result.engine == loaded.spec.name
        assert result.device
        assert result.seconds >= 0
        assert OcrResult.from_json(result.to_json()).to_json() == result.to_json()

    def test_one_pixel_is_read_without_an_error(self, loaded: Subject) -> None:
        assert isinstance(loaded.engine.recognize(TINY).result(STALL), OcrResult)

    def test_lines_lie_inside_the_picture_and_confidences_match_the_text(self, loaded: Subject) -> None:
        for block in loaded.engine.recognize(WHITE).result(STALL).blocks:
            for line in block.lines:
                assert 0 <= line.box.x <= line.box.right <= WHITE.width
                assert 0 <= line.box.y <= line.box.bottom <= WHITE.height
                assert len(line.confidences) in (0, len(line.text))

    def test_a_running_job_can_be_cancelled_and_the_next_is_read(self, loaded: Subject) -> None:
        job = loaded.engine.recognize(endless_picture(loaded.spec))
        loaded.wait_for(lambda state: state.state == State.BUSY)
        job.cancel()
        with pytest.raises(Cancelled):
            job.result(STALL)
        assert isinstance(loaded.engine.recognize(WHITE).result(STALL), OcrResult)

    def test_kill_9_in_the_middle_of_a_job_costs_that_job_only(self, loaded: Subject) -> None:
        job = loaded.engine.recognize(endless_picture(loaded.spec))
        loaded.wait_for(lambda state: state.state == State.BUSY)
        first = model_processes()[0].pid
        os.kill(first, signal.SIGKILL)
        with pytest.raises(ProcessDied) as caught:
            job.result(STALL)
        assert caught.value.retryable
        assert isinstance(loaded.engine.recognize(WHITE).result(STALL), OcrResult)
        assert model_processes()[0].pid != first

    def test_changed_threads_load_the_engine_anew(self, loaded: Subject) -> None:
        loaded.engine.recognize(WHITE).result(STALL)
        first = model_processes()[0].pid
        loaded.settings.set("models.threads", 1)
        loaded.engine.recognize(WHITE).result(STALL)
        assert model_processes()[0].pid != first

    def test_it_is_unloaded_and_comes_back_and_leaves_no_file_or_process(self, loaded: Subject) -> None:
        # when it is unloaded by hand
        loaded.engine.recognize(WHITE).result(STALL)
        loaded.engine.unload()
        loaded.wait_for(lambda state: state.state == State.UNLOADED)
        assert model_processes() == []
        before = left_open()
        with loaded.changed:
            loaded.states.clear()
        # and then comes back for a picture, and is unloaded because its idle time is over
        loaded.settings.set("models.idle_unload", 0)
        assert isinstance(loaded.engine.recognize(WHITE).result(STALL), OcrResult)
        loaded.wait_for(lambda state: state.state == State.UNLOADED)
        # then nothing is left of it
        assert left_open() == before

    def test_closing_in_the_middle_of_a_job_cancels_it(self, loaded: Subject) -> None:
        job = loaded.engine.recognize(endless_picture(loaded.spec))
        loaded.wait_for(lambda state: state.state == State.BUSY)
        loaded.engine.close()
        with pytest.raises(Cancelled):
            job.result(STALL)
        assert model_processes() == []


def left_open() -> tuple[int, int, int]:
    """Files, sockets and child processes of this process."""
    me = psutil.Process()
    return me.num_fds(), len(me.net_connections("all")), len(model_processes())
