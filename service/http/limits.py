"""What a client may take of the service: the size of a body and the time for it, connections, silence."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from typing import Any

import h11
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.service_errors import BodyTooLarge, BodyTooSlow, RequestRefused
from service.http.config import MB, ServiceConfig
from service.http.logs import FIELDS
from service.http.problems import Problem, problem, problem_json

log = logging.getLogger(__name__)

_FIRST_ASKED, _LAST_ASKED = 0.1, 5.0
"""Seconds between two looks whether a client that sends no more still waits: the first, and at most."""


class BodyLimit:
    """Refuses a body that is too large, by what its head announces or as it comes, and one that comes too
    slowly. What a route reads raises BodyTooLarge or BodyTooSlow then."""

    def __init__(self, app: ASGIApp, config: ServiceConfig) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self._config.body_bytes:
            await problem(self._too_large(), Request(scope))(scope, receive, send)
            return
        await self._app(scope, _Body(receive, self._config, self._too_large).receive, send)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(limit=self._config.body_bytes // MB)


class _Body:
    def __init__(
        self, receive: Receive, config: ServiceConfig, too_large: Callable[[], BodyTooLarge]
    ) -> None:
        self._receive = receive
        self._config = config
        self._too_large = too_large
        self._received = 0
        self._complete = False
        self._since = asyncio.get_running_loop().time()

    async def receive(self) -> Message:
        if self._complete:
            # What comes now is that the client goes away, whenever that is.
            return await self._receive()
        left = self._since + self._config.body_seconds - asyncio.get_running_loop().time()
        pause = min(self._config.body_pause, left)
        try:
            async with asyncio.timeout(pause):
                message = await self._receive()
        except TimeoutError:
            seconds = self._config.body_seconds if pause == left else self._config.body_pause
            raise BodyTooSlow(seconds=f"{seconds:.0f}") from None
        self._received += len(message.get("body", b""))
        if self._received > self._config.body_bytes:
            raise self._too_large()
        self._complete = not message.get("more_body", False)
        return message


class Connections:
    """The open connections of a server, at most ``limit``. In the event loop.

    Those that wait for nobody's answer give way, the one that did so for longest first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: set[Connection] = set()
        # In the order in which they became idle.
        self._idle: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: Connection) -> None:
        if len(self._open) >= self._limit:
            oldest = next(iter(self._idle), connection)
            self.closed(oldest)
            oldest.transport.abort()
            if oldest is connection:
                return
        self._open.add(connection)
        self._idle[connection] = None

    def closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def busy(self, connection: Connection) -> None:
        self._idle.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        if connection in self._open:
            self._idle.pop(connection, None)
            self._idle[connection] = None


class Connection(H11Protocol):
    """A connection that is closed when no request comes over it in time, or nothing is taken of an answer."""

    def __init__(self, *args: Any, places: Connections, limits: ServiceConfig, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = places
        self._limits = limits
        self._stuck: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sends_no_more = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._places.opened(self)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._places.closed(self)
        self._stop_timer()
        self._taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answering:
            self._stop_timer()
            self._places.busy(self)
        elif self._timer is None:
            # The next head has begun, and the framework waits for its end for ever.
            self._expect_head()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._answering:
            self._places.idle(self)
            if self._sends_no_more:
                self.transport.close()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The client sends no more: it may have gone, or wait for its answer all the same.

        Only writing tells which, so one whose answer has begun counts as gone: nothing can be put into it.
        """
        self._sends_no_more = self._can_be_asked
        if self._sends_no_more:
            self._ask_whether_there(_FIRST_ASKED)
        return self._sends_no_more

    def _ask_whether_there(self, pause: float) -> None:
        """The computer of one that has gone refuses what is sent, and the next writing finds that out. One
        that waits has to understand it, whatever it has sent (RFC 9110, 15.2)."""
        if not self.transport.is_closing() and self._can_be_asked:
            self.transport.write(
                self.conn.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
                or b""
            )
            self.loop.call_later(pause, self._ask_whether_there, min(2 * pause, _LAST_ASKED))

    @property
    def _can_be_asked(self) -> bool:
        """Whether a whole request waits for the beginning of its answer. In HTTP/1.0 nothing comes before
        that."""
        cycle = self.cycle
        return (
            self._answering
            and not cycle.more_body
            and not cycle.response_started
            and cycle.scope["http_version"] == "1.1"
        )

    def send_400_response(self, msg: str) -> None:
        """As errors are told elsewhere: an id, a sentence and a hint."""
        given = uuid.uuid4().hex
        error = RequestRefused(reason="it is not HTTP/1.1")
        body = json.dumps(problem_json(error, given)).encode()
        headers = [
            ("Content-Type", Problem.media_type),
            ("Content-Length", str(len(body))),
            ("X-Request-ID", given),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
        parts = (
            h11.Response(status_code=error.http_status, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(self.conn.send(part) or b"" for part in parts))
        self.transport.close()
        log.info("not a request", extra={FIELDS: {"request_id": given, "status": error.http_status}})

    def pause_writing(self) -> None:
        super().pause_writing()
        # Closing would wait for the client to take what is left: it has to be torn down.
        self._stuck = self.loop.call_later(self._limits.send_pause, self.transport.abort)

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def _taken(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(self._limits.header_seconds, self._no_head)

    def _no_head(self) -> None:
        self._timer = None
        if not self._answering:
            self.transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
