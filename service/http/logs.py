"""One line of log for each request: what was asked by whom it was asked, never with what."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import traceback
import uuid
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Cancelled, YomitoriError
from core.service_errors import ServiceStopping
from service.http.context import Context
from service.http.jobs import STARTED
from service.http.problems import REQUEST_ID, problem

log = logging.getLogger(__name__)

FIELDS = "yomitori_fields"
"""On a log record: what stands beside its message, as a dict."""
NO_ROUTE = "(none)"

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class JsonLines(logging.Formatter):
    """A JSON object for each record. Of an exception only its class and where it was raised: nobody knows
    what its words quote."""

    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            row |= where(record.exc_info[1])
        return json.dumps(row, ensure_ascii=False, default=str)


def where(error: BaseException) -> dict[str, Any]:
    """The class of an error and the lines through which it came."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


class Told:
    """The outermost: names each request, counts it, logs it, and answers for what nobody expected."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Told(scope, send, self._context)
        self._context.metrics.in_flight.inc()
        try:
            await self._app(scope, receive, answer.send)
        except asyncio.CancelledError:
            # The server's last step while it is shut down.
            if not self._context.gate.stopping:
                raise
            await answer.instead(ServiceStopping())
        except Exception as error:
            answer.failed(error)
            await answer.instead(error if isinstance(error, YomitoriError) else YomitoriError(detail=_ODD))
        finally:
            self._context.metrics.in_flight.dec()
            answer.tell()


_ODD = "the service failed on this request"


class _Told:
    def __init__(self, scope: Scope, send: Send, context: Context) -> None:
        self._scope = scope
        self._send = send
        self._context = context
        self._loop = asyncio.get_running_loop()
        given = Headers(scope=scope).get("x-request-id", "")
        self._id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        self._since = self._loop.time()
        scope[REQUEST_ID] = self._id
        scope[STARTED] = self._since
        self._status = 0
        self._sent = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._id
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers.setdefault("Cache-Control", "no-store")
        else:
            self._sent += len(message.get("body", b""))
        await self._send(message)

    async def instead(self, error: YomitoriError) -> None:
        """Answer with ``error`` where no answer has begun; one that has ends where it is."""
        if not self._status:
            request = Request(self._scope)
            await problem(error, request)(self._scope, request.receive, self.send)

    def failed(self, error: Exception) -> None:
        if not isinstance(error, Cancelled):
            log.error("A request failed", extra={FIELDS: {"request_id": self._id, **where(error)}})

    def tell(self) -> None:
        seconds = self._loop.time() - self._since
        method = self._scope["method"] if self._scope["method"] in _METHODS else "other"
        # The template of the route, since a path may hold anything; without what its parts may look like.
        path = getattr(self._scope.get("route"), "path_format", NO_ROUTE)
        status = self._status or Cancelled.http_status
        self._context.metrics.request_done(method, path, status, seconds)
        fields = {
            "request_id": self._id,
            "method": method,
            "path": path,
            "status": status,
            "seconds": round(seconds, 4),
            "bytes": self._sent,
        }
        log.info("request", extra={FIELDS: fields})
