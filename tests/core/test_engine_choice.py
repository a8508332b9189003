"""Which engine reads: the chosen one when it can, the built-in one until then."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.engine import Engine
from core.errors import Cancelled, LoadFailed, ModelMissing, ModelUnusable, NotEnoughMemory, YomitoriError
from core.events import HostState, State
from core.memory import MemoryJudge
from core.models.entries import Progress
from core.settings import SettingsStore
from core.types import OcrResult, RgbImage
from tests.support.fake_manga_engine import BOTH, FAILS, TEXT, WAIT_FOR
from tests.support.local_library import LocalLibrary

STALL = 60.0
PICTURE = RgbImage(40, 30, b"\xff" * (40 * 30 * 3))
BUILT_IN_TEXT = "40x30"


class Subject:
    """An Engine with both fakes, a library whose weights come and go, and a record of what was told."""

    def __init__(self, settings: SettingsStore, weights: Path, free: Callable[[], int] | None) -> None:
        self.settings = settings
        self.weights = weights
        self.library = LocalLibrary(weights)
        memory = MemoryJudge(free, lambda: []) if free else None
        self.engine = Engine(settings, None, engines=BOTH, library=self.library, memory=memory)
        self.provisional: list[OcrResult] = []
        self.came = threading.Event()
        self.states: list[HostState] = []
        self.engine.subscribe(self.states.append)

    def on_provisional(self, result: OcrResult) -> None:
        self.provisional.append(result)
        self.came.set()

    def read(self) -> OcrResult:
        return self.engine.recognize(PICTURE, on_provisional=self.on_provisional).result(STALL)


@pytest.fixture
def subject(settings: SettingsStore, tmp_path: Path) -> Iterator[Subject]:
    subject = Subject(settings, tmp_path, None)
    yield subject
    subject.engine.close()
    assert psutil.Process().children() == []


# --- automatic


def test_without_weights_the_built_in_engine_reads_and_says_so(subject: Subject) -> None:
    subject.library.folder = None
    result = subject.read()
    assert (result.engine, result.text, result.notice) == ("ppocr", BUILT_IN_TEXT, None)
    assert subject.provisional == []
    assert subject.engine.reading_engine() == "ppocr"


def test_with_weights_the_one_that_has_them_reads(subject: Subject) -> None:
    result = subject.read()
    assert (result.engine, result.text) == ("manga-ocr", TEXT)
    assert subject.library.touched == 1
    assert subject.engine.reading_engine() == "manga-ocr"


def test_weights_that_come_while_it_runs_are_used_for_the_next_snip(subject: Subject) -> None:
    subject.library.folder = None
    assert subject.read().engine == "ppocr"
    subject.library.folder = subject.weights
    assert subject.read().engine == "manga-ocr"


def test_the_first_text_comes_from_the_built_in_engine_while_the_other_is_loading(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "loaded"
    monkeypatch.setenv(WAIT_FOR, str(gate))
    job = subject.engine.recognize(PICTURE, on_provisional=subject.on_provisional)
    assert subject.came.wait(STALL)
    assert not job.done()
    gate.touch()
    assert job.result(STALL).engine == "manga-ocr"
    assert [(r.engine, r.text) for r in subject.provisional] == [("ppocr", BUILT_IN_TEXT)]


def test_a_loaded_engine_tells_its_first_text_itself(subject: Subject) -> None:
    subject.engine.recognize(PICTURE).result(STALL)
    pids = {child.pid for child in psutil.Process().children()}
    assert subject.read().text == TEXT
    assert [r.text for r in subject.provisional] == ["はやい"]
    assert {child.pid for child in psutil.Process().children()} == pids, "no second process was needed"


def test_nobody_who_does_not_ask_gets_a_first_text(subject: Subject) -> None:
    pieces: list[dict[str, object]] = []
    subject.engine.recognize(PICTURE, pieces.append).result(STALL)
    assert not any("provisional" in piece for piece in pieces)


@pytest.mark.parametrize("how", ["raise", "unusable", "memory"])
def test_when_it_cannot_be_loaded_the_built_in_engine_reads_and_the_reason_is_told(
    subject: Subject, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FAILS, how)
    result = subject.read()
    assert (result.engine, result.text) == ("ppocr", BUILT_IN_TEXT)
    assert isinstance(result.notice, YomitoriError)
    assert subject.engine.state().state is State.FAILED
    assert OcrResult.from_json(result.to_json()).to_json() == result.to_json()
    monkeypatch.delenv(FAILS)
    assert subject.read().engine == "manga-ocr", "the next snip tries again"


def test_when_it_does_not_fit_into_memory_the_built_in_engine_reads(
    settings: SettingsStore, tmp_path: Path
) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [500, 1000, 1000], "data_offsets": [0, 2 * 10**9]}})
    weights = struct.pack("<Q", len(header)) + header.encode()
    (tmp_path / "model.safetensors").write_bytes(weights)
    subject = Subject(settings, tmp_path, lambda: 1_000_000_000)
    try:
        result = subject.read()
    finally:
        subject.engine.close()
    assert result.engine == "ppocr"
    assert isinstance(result.notice, NotEnoughMemory)


def test_where_to_find_bubbles_is_answered_while_the_other_is_loading(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "loaded"
    monkeypatch.setenv(WAIT_FOR, str(gate))
    reading = subject.engine.recognize(PICTURE)
    assert len(subject.engine.detect(PICTURE).result(STALL)) == 1
    assert not reading.done()
    gate.touch()
    assert reading.result(STALL).engine == "manga-ocr"


def test_cancelling_while_it_is_loading_ends_the_reading_at_once(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WAIT_FOR, str(tmp_path / "never"))
    job = subject.engine.recognize(PICTURE, on_provisional=subject.on_provisional)
    assert subject.came.wait(STALL)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)


def test_unload_takes_the_helper_away_too(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "loaded"
    monkeypatch.setenv(WAIT_FOR, str(gate))
    job = subject.engine.recognize(PICTURE, on_provisional=subject.on_provisional)
    assert subject.came.wait(STALL)
    gate.touch()
    job.result(STALL)
    subject.engine.unload()
    wait = threading.Event()
    for _ in range(int(STALL / 0.02)):
        if not psutil.Process().children():
            return
        wait.wait(0.02)
    raise AssertionError("a model process is left")


def test_old_weights_are_converted_once_before_they_are_loaded(subject: Subject) -> None:
    subject.library.needs_conversion = True
    jobs = [subject.engine.recognize(PICTURE, on_provisional=subject.on_provisional) for _ in range(2)]
    assert subject.came.wait(STALL), "meanwhile the built-in engine reads"
    (conversion,) = subject.library.conversions
    assert not any(job.done() for job in jobs)
    subject.library.needs_conversion = False
    conversion.finish({}, 0.0)
    assert [job.result(STALL).engine for job in jobs] == ["manga-ocr", "manga-ocr"]
    assert subject.library.touched == 2, "that they were used is remembered"


def test_a_model_whose_weights_are_converted_is_loading(subject: Subject) -> None:
    # given weights that must be converted first
    subject.library.needs_conversion = True
    # when a snip is about to come
    subject.engine.load()

    # then it is told until the conversion has failed
    def told() -> list[tuple[State, str]]:
        return [(state.state, state.engine) for state in subject.states if state.role == "ocr"]

    assert told() == [(State.LOADING, "manga-ocr")]
    assert subject.engine.state().state is State.LOADING
    subject.library.conversions[0].fail(ModelUnusable(model="manga", reason="it is damaged"))
    assert told()[1:] == [(State.UNLOADED, "")]
    # or has ended, when the next one asks for it
    job = subject.engine.recognize(PICTURE)
    assert subject.engine.state().state is State.LOADING
    subject.library.needs_conversion = False
    subject.library.conversions[1].finish({}, 0.0)
    assert job.result(STALL).engine == "manga-ocr"


def test_all_who_wait_for_a_conversion_hear_how_far_it_is(subject: Subject) -> None:
    # given a snip that waits for a conversion, which was begun when the region was still being selected
    subject.library.needs_conversion = True
    subject.engine.load()
    (conversion,) = subject.library.conversions
    told: list[list[dict[str, Any]]] = [[], [], []]
    first = subject.engine.recognize(PICTURE, told[0].append)
    assert subject.library.on_progress is not None
    subject.library.on_progress(Progress("convert", "pytorch_model.bin", 25, 100))
    # when another one comes, and it gets further
    second = subject.engine.recognize(PICTURE, told[1].append)
    given_up = subject.engine.recognize(PICTURE, told[2].append)
    given_up.cancel()
    subject.library.on_progress(Progress("convert", "pytorch_model.bin", 50, 100))
    # then both know at every moment how far it is, and who has given up hears no more
    seen = [[Progress.from_json(piece["conversion"]).done_bytes for piece in pieces] for pieces in told]
    assert seen == [[25, 50], [25, 50], [25]]
    subject.library.needs_conversion = False
    conversion.finish({}, 0.0)
    assert [job.result(STALL).engine for job in (first, second)] == ["manga-ocr", "manga-ocr"]
    assert not any("conversion" in piece for pieces in told for piece in pieces[2:])


def test_cancelling_while_weights_are_converted_ends_the_reading_at_once(subject: Subject) -> None:
    subject.library.needs_conversion = True
    job = subject.engine.recognize(PICTURE)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(STALL)
    # and the conversion goes on for the next one
    subject.library.needs_conversion = False
    subject.library.conversions[0].finish({}, 0.0)
    assert subject.read().engine == "manga-ocr"


def test_a_conversion_that_failed_is_tried_again_by_the_next_snip(subject: Subject) -> None:
    subject.library.needs_conversion = True
    first = subject.engine.recognize(PICTURE)
    subject.library.conversions[0].fail(ModelUnusable(model="manga", reason="it is damaged"))
    first.result(STALL)
    second = subject.engine.recognize(PICTURE)
    assert len(subject.library.conversions) == 2
    subject.library.needs_conversion = False
    subject.library.conversions[1].finish({}, 0.0)
    assert second.result(STALL).engine == "manga-ocr"


def test_when_the_conversion_fails_the_built_in_engine_reads(subject: Subject) -> None:
    subject.library.needs_conversion = True
    job = subject.engine.recognize(PICTURE)
    subject.library.conversions[0].fail(ModelUnusable(model="manga", reason="it is damaged"))
    result = job.result(STALL)
    assert result.engine == "ppocr"
    assert isinstance(result.notice, ModelUnusable)


# --- by name


def test_by_name_and_without_weights_it_is_said_and_not_read_by_another(subject: Subject) -> None:
    subject.library.folder = None
    subject.settings.set("reading.engine", "manga-ocr")
    with pytest.raises(ModelMissing) as caught:
        subject.read()
    assert "yomitori models download manga-ocr" in caught.value.advice
    assert subject.engine.reading_engine() == ""


def test_by_name_a_failure_is_a_failure(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FAILS, "raise")
    subject.settings.set("reading.engine", "manga-ocr")
    with pytest.raises(LoadFailed):
        subject.read()


def test_the_built_in_engine_by_name_reads_although_the_weights_are_there(subject: Subject) -> None:
    subject.settings.set("reading.engine", "ppocr")
    assert subject.read().engine == "ppocr"


def test_changing_the_precision_does_not_load_the_built_in_engine_anew(subject: Subject) -> None:
    subject.settings.set("reading.engine", "ppocr")
    subject.read()
    pid = psutil.Process().children()[0].pid
    subject.settings.set("models.precision", "bf16")
    subject.read()
    assert [child.pid for child in psutil.Process().children()] == [pid]


def test_changing_the_precision_loads_the_other_anew(subject: Subject) -> None:
    subject.settings.set("reading.engine", "manga-ocr")
    subject.read()
    pid = psutil.Process().children()[0].pid
    subject.settings.set("models.precision", "bf16")
    subject.read()
    assert [child.pid for child in psutil.Process().children()] != [pid]
