"""Whether the service lives, whether it can work, and how much it does."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from core import __version__
from core.errors import YomitoriError
from core.events import State
from service.http.context import Context, context
from service.http.hints import hint_of
from service.http.problems import Problem, problem_json
from service.models_choice import check_weights

router = APIRouter(tags=["operation"])

Role = Literal["ocr", "vision"]
ROLES: tuple[Role, ...] = ("ocr", "vision")


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"
    roles: list[Role] = Field(examples=[["ocr", "vision"]])


@router.head("/", include_in_schema=False)
@router.get("/", include_in_schema=False)
async def beginning() -> Response:
    """A browser is led to the page to read and to try; programs are told where things are."""
    return JSONResponse(
        {
            "name": "Yomitori",
            "version": __version__,
            "docs": "/docs",
            "openapi": "/openapi.json",
            "health": "/health",
        },
        307,
        {"Location": "docs"},
    )


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Whether the service is alive")
async def health() -> Alive:
    return Alive()


@router.head("/ready", include_in_schema=False)
@router.get(
    "/ready",
    summary="Whether the models of the settings can be loaded",
    response_model=Ready,
    responses={503: {"description": "Not yet; the reasons say why.", "content": {Problem.media_type: {}}}},
)
def ready(
    context: Annotated[Context, Depends(context)],
    role: Annotated[Role | None, Query(description="Only this one, for who needs no other.")] = None,
) -> Any:
    """Nothing is loaded for it. A role that was not asked for does not count."""
    roles = ROLES if role is None else (role,)
    reasons = [(name, why) for name in roles if (why := _why_not(context, name)) is not None]
    if not reasons:
        return Ready(roles=list(roles))
    first = reasons[0][1]
    body = problem_json(first) | {
        "title": "Service Unavailable",
        "status": 503,
        "reasons": [
            {"role": name, "code": type(why).__name__, "detail": why.message, "hint": hint_of(why)}
            for name, why in reasons
        ],
    }
    return Problem(body, 503, {"Retry-After": "5"})


def _why_not(context: Context, role: Role) -> YomitoriError | None:
    """Why the next job of a role could not be done; None where nothing is known to stand in its way."""
    state = context.engine.state(role)
    if state.state in (State.READY, State.BUSY, State.LOADING):
        return None
    try:
        check_weights(context.library, context.settings.current, role, context.engine.reading_engine())
    except YomitoriError as error:
        return error
    return state.error if state.state is State.FAILED else None


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    summary="Counters and gauges for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(context: Annotated[Context, Depends(context)]) -> Response:
    return Response(context.metrics.render(), media_type=CONTENT_TYPE_LATEST)
