"""Places in the queue: how many there are, how batches share them, and when to come again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from core.errors import QueueFull
from core.service_errors import ServiceStopping
from service.http.gate import LONGEST_WAIT, Gate, Place, Share


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))  # type: ignore[arg-type]


async def settled(share: Share, count: int) -> list[asyncio.Task[Place]]:
    """``count`` pictures that have asked for a place; those that can have one have it."""
    asked = [asyncio.create_task(share.place()) for _ in range(count)]
    await turns()
    return asked


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def got(asked: list[asyncio.Task[Place]]) -> int:
    return sum(task.done() for task in asked)


def test_one_role_that_is_full_leaves_the_other_alone() -> None:
    gate = Gate(2)
    first, _ = gate.admit("vision"), gate.admit("vision")
    with pytest.raises(QueueFull):
        gate.admit("vision")
    gate.admit("ocr")
    first.release()
    first.release()
    assert gate.held("vision") == 1
    gate.admit("vision")


def test_a_batch_leaves_half_of_the_queue_to_others() -> None:
    async def test() -> None:
        gate = Gate(6)
        with gate.batch("ocr") as share:
            asked = await settled(share, 10)
            assert (got(asked), gate.held("ocr")) == (3, 3)
            singles = [gate.admit("ocr") for _ in range(3)]
            with pytest.raises(QueueFull):
                gate.admit("ocr")
            # While others wait, one of its pictures goes on after the other
            for task in asked[:3]:
                task.result().release()
            await turns()
            assert (got(asked), gate.held("ocr")) == (4, 4)
            for place in singles:
                place.release()
            await turns()
            assert (got(asked), gate.held("ocr")) == (6, 3)
            # Pictures end in threads of the engine
            ended = [task.result() for task in asked if task.done()]
            thread = threading.Thread(target=lambda: [place.release() for place in ended])
            thread.start()
            thread.join()
            while got(asked) < 9:
                await asyncio.sleep(0)
            for task in asked[:9]:
                task.result().release()
            (await asked[9]).release()
        assert gate.held("ocr") == 0

    run(test)


def test_a_batch_alone_in_a_small_queue_gets_on() -> None:
    async def test() -> None:
        gate = Gate(1)
        with gate.batch("ocr") as share:
            asked = await settled(share, 3)
            for number, task in enumerate(asked):
                assert got(asked) == number + 1
                (await task).release()
                await turns()
        assert gate.held("ocr") == 0

    run(test)


def test_batches_take_turns() -> None:
    async def test() -> None:
        gate = Gate(8)
        with gate.batch("ocr") as one, gate.batch("ocr") as other:
            first = await settled(one, 4)
            second = await settled(other, 4)
            # The second was there, so the first could not have what belongs to it
            assert (got(first), got(second)) == (3, 1)
            first[1].result().release()
            await turns()
            assert got(first) + got(second) == 5
            first[2].result().release()
            await turns()
            assert (got(first), got(second)) == (4, 2)
            for task in (*first, *second):
                (await task).release()
        assert gate.held("ocr") == 0

    run(test)


def test_a_batch_that_ends_early_gives_back_what_it_has_when_its_jobs_end() -> None:
    async def test() -> None:
        gate = Gate(4)
        with gate.batch("ocr") as share:
            asked = await settled(share, 5)
            for task in asked[2:]:
                task.cancel()
            await turns()
        assert gate.held("ocr") == 2
        for task in asked[:2]:
            task.result().release()
        assert gate.held("ocr") == 0

    run(test)


def test_a_place_given_to_a_picture_that_is_just_cancelled_is_not_lost() -> None:
    async def test() -> None:
        gate = Gate(1)
        with gate.batch("ocr") as share:
            asked = await settled(share, 2)
            asked[0].result().release()
            # Given in this turn of the loop, and cancelled before the picture has noticed
            await asyncio.sleep(0)
            asked[1].cancel()
            await turns()
        assert gate.held("ocr") == 0

    run(test)


def test_pictures_that_wait_are_told_that_the_service_ends() -> None:
    async def test() -> None:
        gate = Gate(1)
        with gate.batch("ocr") as share:
            asked = await settled(share, 2)
            gate.stop()
            with pytest.raises(ServiceStopping):
                await asked[1]
            asked[0].result().release()
            with pytest.raises(ServiceStopping):
                await share.place()
        with pytest.raises(ServiceStopping):
            gate.admit("ocr")
        assert gate.held("ocr") == 0

    run(test)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def told(gate: Gate) -> int:
    with pytest.raises(QueueFull) as raised:
        gate.admit("ocr")
    seconds = raised.value.params["seconds"]
    assert isinstance(seconds, int)
    return seconds


def test_who_is_refused_is_told_when_a_place_may_be_free() -> None:
    clock = Clock()
    gate = Gate(1, clock)
    place = gate.admit("ocr")
    assert told(gate) == 1
    # Nothing is known yet but that it takes so long
    clock.now += 7.2
    assert told(gate) == 8
    place.release()
    # An idle time does not count
    clock.now += 1000
    place = gate.admit("ocr")
    assert told(gate) == 8
    for _ in range(40):
        clock.now += 2.5
        place.release()
        place = gate.admit("ocr")
    assert told(gate) == 3
    clock.now += 4000
    assert told(gate) == LONGEST_WAIT
