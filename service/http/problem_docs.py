"""What the description of the service tells of its errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from core.errors import ModelMissing, OutOfMemory, ProcessDied, QueueFull, YomitoriError
from core.service_errors import (
    BodyTooLarge,
    BodyTooSlow,
    DeadlinePassed,
    HostNotAllowed,
    OriginNotAllowed,
    RequestInvalid,
    RequestRefused,
    TokenNotSet,
    TokenWrong,
)
from service.http.problems import Problem, problem_json


class ProblemDetails(BaseModel):
    """Why a request failed (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: `code` tells errors apart.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status.")
    detail: str = Field(description="What is wrong, in a sentence.")
    hint: str = Field(description="What can be done about it.")
    code: str = Field(description="The name of the error; it does not change.")
    retryable: bool = Field(description="Whether the same request may work when it is sent again.")
    instance: str = Field(description="The id of the request, as in its line of the log.")


COMMON: tuple[YomitoriError, ...] = (
    RequestInvalid(reason="temperature: it has to be 2 or less"),
    BodyTooLarge(limit=32),
    QueueFull(count=16),
    ModelMissing(model="llava-1.5-7b"),
    OutOfMemory(device="cuda:0"),
    ProcessDied(reason="signal 9"),
    DeadlinePassed(seconds=300),
)
"""What can come of any request that a model works for."""
TOKEN: tuple[YomitoriError, ...] = (TokenWrong(), TokenNotSet())


def told(*errors: YomitoriError) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route: each status with the errors that have it, as they come."""
    found: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        row = found.setdefault(error.http_status, {})
        name = type(error).__name__
        row["description"] = ", ".join(filter(None, (row.get("description"), name)))
        content = row.setdefault("content", {}).setdefault(
            Problem.media_type, {"schema": ProblemDetails.model_json_schema(), "examples": {}}
        )
        content["examples"][name] = {"summary": error.message, "value": problem_json(error, "a1b2c3")}
    return found


ANY: tuple[YomitoriError, ...] = (
    RequestRefused(reason="There was an error parsing the body"),
    TokenWrong(),
    OriginNotAllowed(),
    BodyTooSlow(seconds=10),
    HostNotAllowed(),
    YomitoriError(detail="Internal Server Error"),
)
"""What can come of any request at all."""
_OPENAI_ERROR = {"$ref": "#/components/schemas/OpenAiError"}
_OPEN = ("/health",)
"""Never asked for the token."""


def with_any(description: dict[str, Any]) -> dict[str, Any]:
    """The description of the service, in which every operation also has what can come of any request."""
    for path, operations in description["paths"].items():
        found = {str(status): row for status, row in told(*ANY).items()}
        if path in _OPEN:
            del found["401"]
        if path.startswith("/v1/"):
            found = {status: _as_openai_tells(row) for status, row in found.items()}
        for operation in operations.values():
            operation["responses"] = {**found, **operation["responses"]}
            if path.startswith("/v1/"):
                # The framework's own, for which there is a 400 here.
                operation["responses"].pop("422", None)
    return description


def _as_openai_tells(row: dict[str, Any]) -> dict[str, Any]:
    return {"description": row["description"], "content": {"application/json": {"schema": _OPENAI_ERROR}}}
