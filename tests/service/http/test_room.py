"""Large pictures are let in one after the other; nobody waits for small ones, or for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.errors import QueueFull, YomitoriError
from core.images import pixels_of
from core.service_errors import DeadlinePassed
from core.types import RgbImage
from service.http import pictures
from service.http.pictures import decoded
from service.http.room import LARGE, PIXELS, Room, room
from tests.support.pictures import encoded, png_claiming

MOST = 64_000_000


class Holder:
    """A task that has pictures of these sizes, one after the other, until it is told to end."""

    def __init__(self, room: Room, *pixels: int) -> None:
        self.entered = 0
        self.end = asyncio.Event()
        self._room = room
        self.task = asyncio.create_task(self._run(pixels))

    async def _run(self, pixels: tuple[int, ...]) -> None:
        for size in pixels:
            await self._room.enter(size)
            self.entered += 1
        await self.end.wait()

    async def leave(self) -> None:
        self.end.set()
        await self.task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    asyncio.run(main())


def test_the_next_large_picture_comes_in_when_the_last_one_is_done_with() -> None:
    async def test() -> None:
        place = Room()
        first, second, third = (Holder(place, MOST) for _ in range(3))
        await settle()
        assert [holder.entered for holder in (first, second, third)] == [1, 0, 0]
        await first.leave()
        await settle()
        assert [second.entered, third.entered] == [1, 0]
        await second.leave()
        await third.leave()

    run(test)


def test_small_pictures_never_wait_and_some_photographs_fit_beside_a_large_one() -> None:
    async def test() -> None:
        place = Room()
        large, small, photograph = Holder(place, MOST), Holder(place, LARGE), Holder(place, 12_000_000)
        await settle()
        assert (large.entered, small.entered, photograph.entered) == (1, 1, 1)
        assert MOST + 12_000_000 <= PIXELS
        # But a photograph does not go before a large one that came first.
        waiting, late = Holder(place, MOST), Holder(place, 12_000_000)
        await settle()
        assert (waiting.entered, late.entered) == (0, 0)
        for holder in (large, small, photograph, waiting, late):
            await holder.leave()

    run(test)


def test_a_conversation_with_several_large_pictures_does_not_wait_for_itself() -> None:
    async def test() -> None:
        place = Room()
        one, other = Holder(place, MOST, MOST, MOST), Holder(place, MOST, MOST)
        await settle()
        assert (one.entered, other.entered) == (3, 0)
        await one.leave()
        await settle()
        assert other.entered == 2
        await other.leave()

    run(test)


@pytest.mark.parametrize("waiting", [True, False], ids=["waits", "has room"])
def test_who_gives_up_leaves_room_for_the_next(waiting: bool) -> None:
    async def test() -> None:
        place = Room()
        first, second, third = (Holder(place, MOST) for _ in range(3))
        await settle()
        (second if waiting else first).task.cancel()
        await settle()
        if waiting:
            await first.leave()
            await settle()
            assert third.entered == 1
        else:
            assert second.entered == 1
            await second.leave()
        await third.leave()

    run(test)


def test_too_many_that_wait_are_told_so() -> None:
    async def test() -> None:
        place = Room(waiting=2)
        holders = [Holder(place, MOST) for _ in range(3)]
        await settle()
        with pytest.raises(QueueFull):
            await place.enter(MOST)
        for holder in holders:
            await holder.leave()

    run(test)


# ---- decoding


def test_pixels_are_told_before_anything_is_decoded() -> None:
    assert pixels_of(encoded(9, 8)) == 72
    assert pixels_of(png_claiming(60_000, 60_000)) in (0, 3_600_000_000)
    assert pixels_of(b"hello") == 0


def test_a_large_picture_is_decoded_when_there_is_room_and_not_for_ever_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    picture = RgbImage(1, 1, b"abc")
    monkeypatch.setattr(pictures, "load_image", lambda *_: picture)
    large, small = png_claiming(8000, 8000), encoded(90, 90)

    async def test() -> None:
        holder = Holder(room("ocr"), MOST)
        await settle()
        # given that the room is taken, then small ones and what is refused anyhow come through
        assert await decoded(small, "ocr", 5) is picture
        assert await decoded(png_claiming(8001, 8000), "ocr", 5) is picture
        # and so does a large one for the other model, whose answers may take long
        assert await decoded(large, "vision", 5) is picture
        # and a large one is given up when its time is over
        with pytest.raises(DeadlinePassed):
            await decoded(large, "ocr", 0.05)
        # or comes in
        waits = asyncio.create_task(decoded(large, "ocr", 30))
        await asyncio.sleep(0.05)
        assert not waits.done()
        await holder.leave()
        assert await waits is picture

    run(test)


def test_room_is_given_back_when_a_picture_cannot_be_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pictures, "load_image", fail)

    async def test() -> None:
        for _ in range(3):
            with pytest.raises(YomitoriError):
                await asyncio.create_task(decoded(png_claiming(8000, 8000), "ocr", 5))

    run(test)
