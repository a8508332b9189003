"""Pictures that wait are read together, and each is a job of its own all the same."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from core.batching import Batcher, BatchLimits
from core.engine import Engine
from core.engines import BUILT_IN, EngineSpec, find_engine
from core.errors import (
    Cancelled,
    DeviceFailed,
    ImageDamaged,
    LoadFailed,
    OutOfMemory,
    ProcessDied,
    QueueFull,
    YomitoriError,
    from_json,
)
from core.jobs import Job
from core.ocr.in_step import Looks, Page, look, read_in_step
from core.ocr.manga_text import Read
from core.ocr.many import one_by_one
from core.settings import SettingsStore
from core.types import OcrResult, RgbImage, TextBlock
from tests.support.fake_engine import FAKE
from tests.support.fake_manga_engine import BOTH, FAILS, WAIT_FOR
from tests.support.local_library import TINY_MANGA_OCR, LocalLibrary
from tests.support.manga_crops import Crop, inverted, load_crops
from tests.support.running import Running

STALL = 60.0
PATIENT = BatchLimits(gather=STALL)
"""A test that would wait for nothing is seen to."""


class Host:
    """Takes jobs as a host does; the test ends them."""

    def __init__(self, limits: BatchLimits | None = None) -> None:
        self.jobs: list[Job[Any]] = []
        # Of each job: those let go of them that have ended.
        self.pictures: list[tuple[RgbImage, ...]] = []
        self.batcher = Batcher(self._take, limits or BatchLimits(gather=0.0))

    def _take(self, job: Job[Any]) -> None:
        self.jobs.append(job)
        self.pictures.append(job.images)

    def read(self, width: int = 10, first: bool = False, **params: Any) -> Job[OcrResult]:
        image = RgbImage(width, 1, bytes(3 * width))
        job = Job("recognize", params, (image,), read_as)
        self.batcher.submit(job, first)
        return job

    def end(self, seconds: float = 0.1, errors: dict[int, YomitoriError] | None = None) -> None:
        """The last job has read the widths of its pictures."""
        job = self.jobs[-1]
        pages: list[dict[str, Any]] = [{"text": str(image.width)} for image in self.pictures[-1]]
        for number, error in (errors or {}).items():
            pages[number] = {"error": error.to_json()}
        if job.op == "recognize_many":
            for number, page in enumerate(pages):
                self.tell(number, page, seconds / len(pages))
        job.finish({} if job.op == "recognize_many" else pages[0], seconds)

    def tell(self, number: int, page: dict[str, Any], seconds: float = 0.1) -> None:
        """A picture of the last job has come to its end."""
        hear = self.jobs[-1].on_piece
        assert hear is not None
        hear({"page": number, "ended": page, "seconds": seconds})

    def widths(self) -> list[list[int]]:
        """Of the pictures of each job so far."""
        return [[image.width for image in images] for images in self.pictures]


def read_as(answer: dict[str, Any], seconds: float) -> OcrResult:
    return OcrResult(answer["text"], (), "fake", "cpu", seconds)


# ---- collecting


def test_a_picture_that_finds_the_model_idle_goes_as_it_is() -> None:
    # given a model that has read one picture alone and several together
    host = Host(PATIENT)
    job = host.read()
    assert host.jobs == [job]
    host.end()

    # when another one comes, then it is on its way, too
    again = host.read()
    assert host.jobs == [job, again]
    assert host.jobs[-1].op == "recognize"


def test_pictures_that_come_meanwhile_are_read_together() -> None:
    # given a model that is busy, and three pictures that come
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3, 4)]
    assert host.widths() == [[1]]

    # when it is free, then they go through it as one job, and each has its own text and its share of the time
    host.end()
    assert host.widths() == [[1], [2, 3, 4]]
    host.end(seconds=0.6)
    assert [job.result().text for job in jobs] == ["2", "3", "4"]
    assert [job.result().seconds for job in jobs] == pytest.approx([0.2] * 3)


def test_who_has_a_text_does_not_wait_for_those_beside_it() -> None:
    # given a batch of three
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3, 4)]
    host.end()

    # when one of them has been read, then it is done, with its time, and the others are not
    host.tell(1, {"text": "3"}, 0.25)
    assert [job.done() for job in jobs] == [False, True, False]
    assert (jobs[1].result().text, jobs[1].result().seconds) == ("3", 0.25)

    # and if the batch fails then, only the others are read again
    host.jobs[-1].fail(OutOfMemory(device="cpu"))
    host.end()
    host.end()
    assert host.widths()[2:] == [[2], [4]]
    assert [job.result().text for job in jobs] == ["2", "3", "4"]


def test_only_what_is_read_in_the_same_way_is_read_together() -> None:
    # given pictures that wait, one of them to be read otherwise
    host = Host()
    host.read(1)
    for width, retry in ((2, True), (3, False), (4, True)):
        host.read(width, retry=retry)

    # when they are read, then that one by itself
    host.end()
    host.end()
    assert host.widths() == [[1], [2, 4], [3]]
    assert host.jobs[1].params == {"retry": True}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (BatchLimits(pictures=2, gather=0.0), [[10, 10], [20, 10]]),
        (BatchLimits(pixels=30, gather=0.0), [[10, 10, 10], [20]]),
        (BatchLimits(pixels=5, gather=0.0), [[10], [10], [20], [10]]),
        (BatchLimits(seconds=0.35, gather=0.0), [[10, 10, 20], [10]]),
        (BatchLimits(seconds=0.05, gather=0.0), [[10], [10], [20], [10]]),
    ],
    ids=["pictures", "pixels", "one that is too large", "seconds", "one that is too slow"],
)
def test_a_batch_is_no_longer_than_it_may_be(limits: BatchLimits, expected: list[list[int]]) -> None:
    # given a model that takes 0.1 s for a picture, and four that wait
    host = Host(limits)
    host.read()
    jobs = [host.read(width) for width in (10, 10, 20, 10)]

    # when they are read
    while not all(job.done() for job in jobs):
        host.end(seconds=0.1 * len(host.pictures[-1]))

    # then in batches within the limit, and all of them
    assert host.widths()[1:] == expected


def test_a_slow_first_picture_does_not_make_batches_short_for_long() -> None:
    # given a picture that took long, as the first after a load does, and a quick one
    host = Host()
    host.read()
    host.read()
    host.end(seconds=5.0)
    for width in (1, 2, 3):
        host.read(width)
    host.end(seconds=0.01)

    # when the next ones wait, then they are read together
    assert host.widths()[-1] == [1, 2, 3]


def test_what_somebody_looks_at_goes_first() -> None:
    host = Host(BatchLimits(pictures=1, gather=0.0))
    host.read(1)
    host.read(2)
    host.read(3, first=True)
    host.read(4, first=True)
    for _ in range(4):
        host.end()
    assert host.widths() == [[1], [3], [4], [2]]


def test_who_comes_again_at_once_is_in_the_next_batch() -> None:
    # given four programs that have the next picture read as soon as they have a text
    host = Host(PATIENT)

    def come_again(job: Job[OcrResult]) -> None:
        if len(host.jobs) < 4:
            host.read(int(job.result().text)).on_done(come_again)

    for width in (1, 2, 3, 4):
        host.read(width).on_done(come_again)

    # when texts are there, then they are not kept waiting for each other, and all are read together
    for _ in range(3):
        host.end()
    assert [sorted(widths) for widths in host.widths()] == [[1], [2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]]


def test_who_looks_does_not_wait_for_those_who_may_come_again() -> None:
    # given a batch, and somebody who looks and comes while the model waits for others
    host = Host(PATIENT)
    host.read(1)
    host.read(2)
    host.read(3)
    host.end()
    ending = threading.Thread(target=host.end)
    ending.start()

    # when it comes, then it is read at once
    host.read(4, first=True)
    ending.join(STALL / 2)
    assert host.widths() == [[1], [2, 3], [4]]


def test_a_batch_gives_way_to_who_looks() -> None:
    # given a batch of three, one of which has been read
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3, 4)]
    host.end()
    host.tell(0, {"text": "2"})
    later = host.read(5)

    # when somebody looks, then the batch is told to end, and the one that is looked at is read at once
    looked_at = host.read(6, first=True)
    batch = host.jobs[-1]
    assert batch.cancel_requested
    batch.drop()
    host.end()
    assert looked_at.result().text == "6"

    # and then the others of the batch, before what has come since
    host.end()
    host.end()
    assert host.widths() == [[1], [2, 3, 4], [6], [3, 4], [5]]
    assert [job.result().text for job in (*jobs, later)] == ["2", "3", "4", "5"]


def test_a_batch_gives_way_once() -> None:
    # given a batch that has given way
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3)]
    host.end()
    host.read(4, first=True)
    host.jobs[-1].drop()
    host.end()

    # when somebody looks while it is read again, then it comes to its end first
    host.read(5, first=True)
    assert not host.jobs[-1].cancel_requested
    host.end()
    assert [job.result().text for job in jobs] == ["2", "3"]
    host.end()
    assert host.widths() == [[1], [2, 3], [4], [2, 3], [5]]


def test_what_gave_way_is_read_again_in_shorter_batches() -> None:
    # given five pictures of a second each that give way
    host = Host(BatchLimits(gather=0.0))
    host.read(1)
    for width in range(2, 7):
        host.read(width)
    host.end(1.0)
    host.read(7, first=True)
    host.jobs[-1].drop()

    # when they are read again, then who looks next waits for no more than two seconds of them
    host.end(1.0)
    host.end(2.0)
    assert host.widths() == [[1], [2, 3, 4, 5, 6], [7], [2, 3], [4, 5]]


def test_a_batch_that_ends_while_it_is_told_to_give_way_is_not_read_again() -> None:
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3)]
    host.end()
    host.read(4, first=True)
    host.end()
    assert [job.result().text for job in jobs] == ["2", "3"]
    host.end()
    assert host.widths() == [[1], [2, 3], [4]]


def test_one_of_a_batch_that_gives_way_can_be_cancelled() -> None:
    # given a batch that was told to give way
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3)]
    host.end()
    host.read(4, first=True)

    # when one of its pictures is not wanted any more, then only the other one is read again
    jobs[0].cancel()
    host.jobs[-1].drop()
    host.end()
    host.end()
    assert isinstance(jobs[0].error(), Cancelled)
    assert host.widths() == [[1], [2, 3], [4], [3]]


def test_closing_ends_a_batch_that_gives_way() -> None:
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3)]
    host.end()
    looked_at = host.read(4, first=True)
    host.batcher.close()
    host.jobs[-1].drop()
    assert all(isinstance(job.error(), Cancelled) for job in (*jobs, looked_at))


def test_too_many_are_refused() -> None:
    # given as many as may wait
    host = Host(BatchLimits(queue=2, gather=0.0))
    taken = [host.read() for _ in range(3)]

    # when one more comes, then it is told, and the others are read
    with pytest.raises(QueueFull):
        host.read().result(0)
    host.end()
    host.end()
    assert all(job.error() is None for job in taken)


def test_closing_cancels_what_waits() -> None:
    host = Host()
    running, waiting = host.read(1), host.read(2)
    host.batcher.close()
    assert isinstance(waiting.error(), Cancelled)
    assert isinstance(host.read(3).error(), Cancelled)
    # and what runs is the host's
    assert not running.done()
    running.drop()
    assert host.widths() == [[1]]


# ---- each its own job


def test_one_that_is_cancelled_while_it_waits_is_not_read() -> None:
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3, 4)]
    jobs[1].cancel()
    assert isinstance(jobs[1].error(), Cancelled)
    host.end()
    assert host.widths() == [[1], [2, 4]]


def test_one_that_is_cancelled_in_a_batch_ends_at_once_and_the_others_are_read() -> None:
    # given a batch of three
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3, 4)]
    host.end()

    # when one is cancelled, then it ends, the batch goes on
    jobs[0].cancel()
    assert isinstance(jobs[0].error(), Cancelled)
    assert not host.jobs[-1].cancel_requested
    host.end()
    assert [job.result().text for job in jobs[1:]] == ["3", "4"]


def test_a_batch_of_which_nobody_wants_anything_any_more_is_cancelled() -> None:
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3)]
    host.end()
    for job in jobs:
        job.cancel()
    assert host.jobs[-1].cancel_requested
    # and what comes then is read
    later = host.read(4)
    host.jobs[-1].drop()
    host.end()
    assert later.result().text == "4"


def test_progress_goes_to_the_picture_it_is_about() -> None:
    # given two pictures in a batch, one listener of which fails
    host = Host()
    told: list[list[dict[str, Any]]] = [[], []]
    host.read()

    def failing(piece: dict[str, Any]) -> None:
        told[0].append(piece)
        raise RuntimeError("on purpose")

    for listener in (failing, told[1].append):
        job = Job("recognize", {}, (RgbImage(1, 1, bytes(3)),), read_as, listener)
        host.batcher.submit(job)
    host.end()

    # when there is progress with one and with the other, and another device begins anew
    hear = host.jobs[-1].on_piece
    assert hear is not None
    hear({"page": 1, "lines_done": 1, "lines": 2})
    hear({"page": 0, "lines_done": 1, "lines": 1})
    hear({"again": True})

    # then each hears of its own, and both of what concerns both
    assert told == [
        [{"lines_done": 1, "lines": 1}, {"again": True}],
        [{"lines_done": 1, "lines": 2}, {"again": True}],
    ]


# ---- failures


def test_one_that_cannot_be_read_costs_only_itself() -> None:
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3, 4)]
    host.end()
    host.end(errors={1: ImageDamaged(name="the second")})
    assert isinstance(jobs[1].error(), ImageDamaged)
    assert [jobs[0].result().text, jobs[2].result().text] == ["2", "4"]


@pytest.mark.parametrize("error", [ProcessDied(engine="fake", log=""), OutOfMemory(device="cpu")])
def test_a_batch_that_fails_as_a_whole_is_read_one_by_one(error: YomitoriError) -> None:
    # given a batch, one picture of which is too much for the model, and another picture that waits
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3, 4)]
    host.end()
    host.read(5)
    looked_at = host.read(6, first=True)
    jobs[2].cancel()

    # when it fails
    host.jobs[-1].fail(error)

    # then each is read alone, before what came later, but for what somebody looks at
    assert host.widths()[2:] == [[6]]
    host.end()
    host.jobs[-1].fail(error)
    host.end()
    host.end()
    assert host.widths()[2:] == [[6], [2], [3], [5]]
    assert looked_at.result().text == "6"
    assert jobs[0].error() is error
    assert jobs[1].result().text == "3"


@pytest.mark.parametrize("error", [DeviceFailed(device="cpu", reason="it is broken"), LoadFailed()])
def test_what_no_picture_is_to_blame_for_is_told_to_all(error: YomitoriError) -> None:
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3)]
    host.end()
    host.jobs[-1].fail(error)
    assert [job.error() for job in jobs] == [error, error]
    later = host.read(4)
    host.end()
    assert later.result().text == "4"


def test_too_few_answers_are_as_none() -> None:
    host = Host()
    host.read(1)
    jobs = [host.read(width) for width in (2, 3)]
    host.end()
    host.tell(0, {"text": "2"})
    host.jobs[-1].finish({}, 0.1)
    host.end()
    host.end()
    assert [job.result().text for job in jobs] == ["2", "3"]


# ---- with a process


def picture(width: int, height: int = 2, endless: bool = False) -> RgbImage:
    return RgbImage(width, height, (b"\x00\x00\x01" if endless else b"\xff" * 3) * width * height)


class Busy:
    """An engine that reads a picture without end, behind which others wait."""

    def __init__(self, settings: SettingsStore, engines: tuple[EngineSpec, ...] = (FAKE,)) -> None:
        self.engine = Engine(settings, engines=engines, library=LocalLibrary())
        self.first = self.started(picture(1, endless=True))

    def started(self, image: RgbImage) -> Job[OcrResult]:
        began = threading.Event()
        job = self.engine.recognize(image, lambda _: began.set())
        assert began.wait(STALL)
        return job


@pytest.fixture
def busy(settings: SettingsStore) -> Iterator[Busy]:
    busy = Busy(settings)
    yield busy
    busy.engine.close()
    assert psutil.Process().children() == []


def test_what_waits_at_an_engine_is_read_in_one_job(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    # given five pictures that wait
    submit = busy.engine._readings._submit
    given: list[tuple[str, int]] = []
    monkeypatch.setattr(
        busy.engine._readings, "_submit", lambda job: (given.append((job.op, len(job.images))), submit(job))
    )
    jobs = [busy.engine.recognize(picture(width)) for width in range(2, 7)]

    # when the engine is free, then each has its own text
    busy.first.cancel()
    assert [job.result(STALL).text for job in jobs] == [f"{width}x2" for width in range(2, 7)]
    assert given == [("recognize_many", 5)]


def test_a_process_that_dies_costs_only_the_picture_it_dies_of(busy: Busy) -> None:
    # given a batch in which one is read without end
    began = threading.Event()
    before = busy.engine.recognize(picture(2))
    endless = busy.engine.recognize(picture(3, endless=True), lambda _: began.set())
    after = busy.engine.recognize(picture(4))
    busy.first.cancel()
    assert began.wait(STALL)

    # when the process is killed, then the others are read all the same
    (process,) = psutil.Process().children()
    os.kill(process.pid, signal.SIGKILL)
    assert before.result(STALL).text == "2x2"
    endless.cancel()
    assert after.result(STALL).text == "4x2"
    with pytest.raises(Cancelled):
        endless.result(STALL)


def test_who_looks_does_not_wait_for_a_batch_of_an_engine(busy: Busy) -> None:
    # given a batch in which one is read without end
    began = threading.Event()
    endless = busy.engine.recognize(picture(3, endless=True), lambda _: began.set())
    after = busy.engine.recognize(picture(4))
    busy.first.cancel()
    assert began.wait(STALL)

    # when somebody looks, then that picture is read by the same process, then what is left of the batch
    (process,) = psutil.Process().children()
    endless.cancel()
    looked_at = busy.engine.recognize(picture(5), looked_at=True)
    assert looked_at.result(STALL).text == "5x2"
    assert after.result(STALL).text == "4x2"
    assert psutil.Process().children() == [process]


def test_when_the_chosen_engine_cannot_be_loaded_all_that_wait_are_read_by_the_built_in_one(
    settings: SettingsStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given pictures that wait for an engine that will not load
    gate = tmp_path / "gate"
    monkeypatch.setenv(WAIT_FOR, str(gate))
    monkeypatch.setenv(FAILS, "unusable")
    engine = Engine(settings, engines=BOTH, library=LocalLibrary(tmp_path))
    try:
        jobs = [engine.recognize(picture(width)) for width in (2, 3, 4)]

        # when that is known, then all have been read, and the reason is told
        gate.touch()
        results = [job.result(STALL) for job in jobs]
        assert [(result.engine, result.text) for result in results] == [
            (BUILT_IN, f"{width}x2") for width in (2, 3, 4)
        ]
        assert all(result.notice is not None for result in results)
    finally:
        engine.close()


def test_closing_an_engine_ends_all_that_wait(busy: Busy) -> None:
    jobs = [busy.engine.recognize(picture(width)) for width in (2, 3)]
    busy.engine.close()
    for job in (busy.first, *jobs):
        with pytest.raises(Cancelled):
            job.result(STALL)


# ---- in the model process


def read_text(picture: Image.Image) -> Read:
    return Read(f"{picture.width}", (0.9,))


def reads_in_batches(size: int, seen: list[list[int]]) -> Callable[[Sequence[Image.Image]], Any]:
    def read(pictures: Sequence[Image.Image]) -> Iterator[list[Read]]:
        for start in range(0, len(pictures), size):
            part = pictures[start : start + size]
            seen.append([picture.width for picture in part])
            yield [read_text(picture) for picture in part]

    return read


def way(*rungs: Sequence[int], fails: bool = False) -> Callable[[], tuple[int, Looks]]:
    """The way of a picture that has pictures of those widths read, one rung after the other."""

    def looks() -> Looks:
        texts = []
        for rung in rungs:
            reads = yield from look([Image.new("L", (width, 1)) for width in rung])
            texts.append([read.text for read in reads])
        if fails:
            raise ValueError("on purpose")
        return {"texts": texts}

    return lambda: (len(rungs[0]) if rungs else 0, looks())


def test_bubbles_of_several_pictures_share_batches() -> None:
    # given pictures that want different numbers of looks, and one that fails on its way
    pages = [
        Page(0, way([1, 2], [], [3])),
        Page(1, way()),
        Page(2, way([4], fails=True)),
        Page(3, way([5, 6], [7])),
    ]

    # when they are read, then what each wants is read with what the others want
    seen: list[list[int]] = []
    pieces = list(read_in_step(pages, reads_in_batches(4, seen)))
    assert seen == [[1, 2, 4, 5], [6], [7], [3]]
    assert [page.outcome for page in pages if page.number != 2] == [
        {"texts": [["1", "2"], [], ["3"]]},
        {"texts": []},
        {"texts": [["5", "6"], ["7"]]},
    ]
    assert isinstance(pages[2].outcome, ValueError)
    # and each one's progress is told, never more than there is
    assert [piece for piece in pieces if piece["page"] == 3] == [
        {"page": 3, "lines_done": 1, "lines": 2},
        {"page": 3, "lines_done": 2, "lines": 2},
        {"page": 3, "lines_done": 2, "lines": 2},
    ]


def test_an_engine_that_reads_one_by_one_tells_each_ones_failure() -> None:
    # given an engine that cannot read the second picture, and dies of those that are wider
    def run(op: str, params: Any, images: Any, cancelled: Any) -> Generator[dict[str, Any], None, Any]:
        (image,) = images
        yield {"lines_done": 0, "lines": 1}
        if image.width == 3:
            raise ImageDamaged(name="it")
        if image.width > 3:
            raise OutOfMemory(device="cpu")
        return {"blocks": [image.width]}

    # when it reads, then that one's error stands in its place
    def read(*widths: int) -> Generator[dict[str, Any], None, dict[str, Any]]:
        return one_by_one(run, "it", {}, tuple(map(picture, widths)), lambda: False)

    pieces = list(read(2, 3, 2))
    assert [piece["page"] for piece in pieces] == [0, 0, 1, 1, 2, 2]
    first, second, third = (piece["ended"] for piece in pieces if "ended" in piece)
    assert first == third == {"blocks": [2]}
    assert isinstance(from_json(second["error"]), ImageDamaged)
    # and what is nobody's fault is raised
    with pytest.raises(OutOfMemory):
        list(read(2, 4))


@pytest.fixture(scope="module", params=["manga-ocr", "ppocr"])
def engine(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = Running(find_engine(request.param, "ocr"), checkpoint=str(TINY_MANGA_OCR))
    running.load()
    yield running
    running.end()


@pytest.fixture(scope="module")
def crops() -> list[Crop]:
    """Crops as the tiny model knows them, some in negative, which is read in several ways."""
    plain = load_crops("plain")[:9] + load_crops("pair")[:4]
    return [*plain, *(inverted(crop) for crop in plain[:3])]


def blocks_of(page: dict[str, Any]) -> list[TextBlock]:
    return [TextBlock.from_json(block) for block in page["blocks"]]


def test_several_pictures_are_read_as_one_by_one(engine: Running, crops: list[Crop]) -> None:
    # given pictures, with and without text, each read alone
    images = [*(crop.image for crop in crops), picture(30, 30), picture(1, 1)]
    alone = [blocks_of(engine.run("recognize", {}, (image,))[0]) for image in images]

    # when they are read together
    _, pieces = engine.run("recognize_many", {}, images)
    ended = {piece["page"]: piece["ended"] for piece in pieces if "ended" in piece}
    together = [blocks_of(ended[number]) for number in range(len(images))]

    # then the same is read, where it was and as surely
    assert [block.text for page in together for block in page] == [b.text for page in alone for b in page]
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, other, strict=True):
            assert (a.box, a.direction, a.how) == (b.box, b.direction, b.how)
            for mine, its in zip(a.lines, b.lines, strict=True):
                assert its.confidences == pytest.approx(mine.confidences, abs=1e-4)
                assert its.furigana == mine.furigana
    # and of each there was progress
    assert {piece["page"] for piece in pieces if "ended" not in piece} >= set(range(len(crops)))


def test_several_pictures_have_their_quick_texts(engine: Running, crops: list[Crop]) -> None:
    # given pictures, and who wants the built-in engine's text first; the built-in engine has no other
    params = {"quick": True, "retry_doubtful": False}
    images = [crop.image for crop in crops[:3]]

    def quick(pieces: list[dict[str, Any]], page: int | None = None) -> list[dict[str, Any]]:
        return [p["provisional"] for p in pieces if "provisional" in p and p.get("page") == page]

    # when they are read together, then each has the same quick text as alone
    _, pieces = engine.run("recognize_many", params, images)
    for number, image in enumerate(images):
        alone = quick(engine.run("recognize", params, (image,))[1])
        assert quick(pieces, number) == alone
        assert len(alone) == (1 if "tiny-manga-ocr" in engine.loaded["detail"] else 0)


def test_several_pictures_are_cancelled_together(engine: Running, crops: list[Crop]) -> None:
    engine.start("recognize_many", {}, [crop.image for crop in crops] * 3)
    engine.piece()
    engine.cancel()
    with pytest.raises(Cancelled):
        engine.finish()
    assert engine.run("recognize", {}, (crops[0].image,))[0]["blocks"]


def test_no_pictures_are_no_job(engine: Running) -> None:
    with pytest.raises(YomitoriError):
        engine.run("recognize_many", {})
