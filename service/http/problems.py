"""Errors as clients see them: RFC 9457 problem details, and OpenAI's shape under ``/v1``."""

from __future__ import annotations

import re
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import Cancelled, QueueFull, YomitoriError
from core.service_errors import MethodUnknown, PathUnknown, RequestInvalid, RequestRefused, TokenWrong
from core.vision.errors import RemoteAsksToWait
from service.http.hints import hint_of
from service.http.invalid import reason_of

REQUEST_ID = "yomitori.request_id"
"""In a request's scope."""

_MEDIA_TYPE = "application/problem+json"
_OPENAI_CODES = {"ModelUnknown": "model_not_found", "ContextFull": "context_length_exceeded"}
_WAIT = 5
"""Seconds after which to try again where nothing better is known."""


class Problem(JSONResponse):
    media_type = _MEDIA_TYPE


def request_id(request: Request) -> str:
    return str(request.scope.get(REQUEST_ID, ""))


def problem_json(error: YomitoriError, instance: str = "") -> dict[str, Any]:
    """RFC 9457, and besides: the hint, the name of the error's class, whether to try again."""
    return {
        "type": "about:blank",
        "title": _title(error.http_status),
        "status": error.http_status,
        "detail": error.message,
        "hint": hint_of(error),
        "code": type(error).__name__,
        "retryable": error.retryable,
        "instance": instance,
    }


def openai_json(error: YomitoriError) -> dict[str, Any]:
    """How OpenAI's clients expect to be told."""
    status, name = error.http_status, type(error).__name__
    kind = "server_error" if status >= 500 else "invalid_request_error"
    if status == 401:
        kind = "authentication_error"
    return {
        "error": {
            "message": f"{error.message} {hint_of(error)}".strip(),
            "type": kind,
            "param": error.params.get("param"),
            "code": _OPENAI_CODES.get(name) or re.sub(r"(?<=.)(?=[A-Z])", "_", name).lower(),
        }
    }


def problem(error: YomitoriError, request: Request) -> Response:
    """The answer to a request that failed with ``error``."""
    headers = headers_of(error)
    if request.url.path == "/v1" or request.url.path.startswith("/v1/"):
        # OpenAI has one status for whatever is wrong with a request.
        status = 400 if error.http_status == 422 else error.http_status
        return JSONResponse(openai_json(error), status, headers)
    return Problem(problem_json(error, request_id(request)), error.http_status, headers)


def headers_of(error: YomitoriError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.http_status in (429, 503):
        headers["Retry-After"] = str(_seconds_to_wait(error))
    if isinstance(error, TokenWrong):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodUnknown):
        headers["Allow"] = str(error.params["allowed"])
    if isinstance(error, RequestRefused) and error.http_status in (408, 413):
        # What else of the body may come is nothing that could be understood.
        headers["Connection"] = "close"
    return headers


def _seconds_to_wait(error: YomitoriError) -> int:
    if isinstance(error, (RemoteAsksToWait, QueueFull)):
        with suppress(KeyError, ValueError):
            return max(1, round(float(error.params["seconds"])))
    return _WAIT


def _title(status: int) -> str:
    if status == Cancelled.http_status:
        return "Client Closed Request"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def install(app: FastAPI) -> None:
    """Have every error that a route raises answered by ``problem``."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, YomitoriError)
        return problem(error, request)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem(RequestInvalid(reason=_reason(error)), request)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(_of_http(error, request), request)

    app.add_exception_handler(YomitoriError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _reason(error: RequestValidationError) -> str:
    """Which fields are wrong and why, never what was in them."""
    reasons = []
    for found in error.errors()[:5]:
        where = ".".join(str(part) for part in found["loc"] if part != "body")
        text = reason_of(found)
        reasons.append(f"{where}: {text}" if where else f"its body: {text}")
    return "; ".join(reasons)


def _of_http(error: HTTPException, request: Request) -> YomitoriError:
    """What the framework refuses by itself."""
    cause = error.__cause__
    if isinstance(cause, YomitoriError):
        # It wraps what is raised while a body is read.
        return cause
    if error.status_code == 404:
        return PathUnknown()
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return MethodUnknown(method=request.method, allowed=allowed or "another method")
    if error.status_code < 500:
        return RequestRefused(reason=str(error.detail).rstrip("."))
    return YomitoriError(detail=_title(error.status_code))
