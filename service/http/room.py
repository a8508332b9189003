"""Room for large pictures: few of them are in this process at a time, however many clients send one."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any
from weakref import WeakKeyDictionary

from core.errors import QueueFull

LARGE = 8_000_000
"""Pixels. Smaller ones, such as scans of pages, do not wait for each other: each takes 24 MB at most."""
PIXELS = 96_000_000
"""Of all large ones of a role together: one of the largest and a few photographs, 288 MB."""
_WAITING = 16


class Room:
    """What large pictures for one role take, in the event loop.

    A task that is given room has it until it ends: as long the picture is in memory, waiting for a model or
    its answer. Tasks are let in in the order in which they come. One that has room already is not kept from
    more, or two of them might wait for each other.
    """

    def __init__(self, pixels: int = PIXELS, waiting: int = _WAITING) -> None:
        self._left = pixels
        self._most = waiting
        self._taken: Counter[asyncio.Task[Any]] = Counter()
        self._waiting: deque[tuple[int, asyncio.Task[Any], asyncio.Future[None]]] = deque()

    async def enter(self, pixels: int) -> None:
        """Have room for a picture, for the task that calls.

        Raises:
            QueueFull: too many wait already.
        """
        task = asyncio.current_task()
        if task is None or pixels <= LARGE:
            return
        if task in self._taken or (not self._waiting and self._fits(pixels)):
            self._give(task, pixels)
            return
        if len(self._waiting) >= self._most:
            raise QueueFull(count=len(self._waiting))
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (pixels, task, turn)
        self._waiting.append(entry)
        try:
            await turn
        finally:
            # Where the wait is given up, others may be let in instead.
            if entry in self._waiting:
                self._waiting.remove(entry)
                self._let_in()

    def _fits(self, pixels: int) -> bool:
        return not self._taken or pixels <= self._left

    def _give(self, task: asyncio.Task[Any], pixels: int) -> None:
        if task not in self._taken:
            task.add_done_callback(self._give_back)
        self._taken[task] += pixels
        self._left -= pixels

    def _give_back(self, task: asyncio.Task[Any]) -> None:
        self._left += self._taken.pop(task)
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            pixels, task, turn = self._waiting.popleft()
            self._give(task, pixels)
            if not turn.done():
                turn.set_result(None)


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Room]] = WeakKeyDictionary()


def room(role: str) -> Room:
    """That of the running event loop: memory is the process's, not an application's. Each role has its own,
    since a long answer must not delay a reading."""
    return _rooms.setdefault(asyncio.get_running_loop(), {}).setdefault(role, Room())
