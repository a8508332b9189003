"""Server-sent events: an answer that is told as it comes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

PAUSE = 15.0
"""Seconds without an event after which a comment is sent, so that nothing between here and the client takes
the connection for dead."""
KEEP_ALIVE = b": keep-alive\n\n"


_BREAKS = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})
"""What JSON leaves as it is and some readers take for the end of a line."""


def event(name: str, data: Any) -> bytes:
    """One event with JSON in a single line."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_BREAKS)
    return f"event: {name}\ndata: {text}\n\n".encode("utf-8", "replace")


def described(example: str, *names: str) -> dict[str, Any]:
    """The media type of a stream with these events, for the description of an operation."""
    data = {"type": "string", "contentMediaType": "application/json", "description": "JSON in one line."}
    item = {
        "type": "object",
        "properties": {"event": {"type": "string", "enum": list(names)}, "data": data},
        "required": ["event", "data"],
    }
    return {EventStream.media_type: {"itemSchema": item, "example": example}}


async def event_stream(events: AsyncGenerator[bytes, None], pause: float = PAUSE) -> EventStream:
    """The response that sends ``events``.

    What they raise before the first of them is raised here, so that it can decide the status, unless that
    takes longer than ``pause`` seconds. They are closed whatever happens.
    """
    kept = _kept_alive(events, pause)
    try:
        first = await anext(kept, None)
    except BaseException:
        await kept.aclose()
        raise
    return EventStream(kept, first)


def silence() -> Callable[[], bool]:
    """Whether a stream that begins now, and has told nothing, has sent nothing yet: then an error can still
    decide its status, which goes with the first comment."""
    clock = asyncio.get_running_loop().time
    until = clock() + PAUSE - 1
    return lambda: clock() < until


class EventStream(StreamingResponse):
    """Closes its source when it ends, also when the client has gone."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None], first: bytes | None) -> None:
        self._events = events
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(_with_first(first, events), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._events.aclose()


async def _with_first(
    first: bytes | None, events: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    if first is not None:
        yield first
    async for each in events:
        yield each


async def _kept_alive(events: AsyncGenerator[bytes, None], pause: float) -> AsyncGenerator[bytes, None]:
    step: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            # A step is waited for again and again: giving it up would give up what it waits for.
            step = step or asyncio.ensure_future(_step(events))
            await asyncio.wait((step,), timeout=pause)
            if not step.done():
                yield KEEP_ALIVE
                continue
            ended, step = step, None
            got = ended.result()
            if got is None:
                return
            yield got
    finally:
        # The client's going away cancels all of this, again and again while it is not over.
        with anyio.CancelScope(shield=True):
            if step is not None:
                step.cancel()
                await asyncio.wait((step,))
                if not step.cancelled():
                    # Looked at, or its loss would be logged.
                    step.exception()
            await events.aclose()


async def _step(events: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(events, None)
