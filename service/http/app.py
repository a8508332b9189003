"""The application: every route, behind what every request passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp

from core import __version__
from core.models.library import ModelLibrary
from core.settings import SettingsStore
from service.http import analyze, batch, chat, docs_page, health, models, ocr, problems
from service.http.config import ServiceConfig
from service.http.context import Context, EngineApi
from service.http.gate import Gate
from service.http.limits import BodyLimit
from service.http.logs import Told
from service.http.metrics import Metrics, watch
from service.http.problem_docs import with_any
from service.http.security import RightNames, TokenEverywhere, with_cors

_ABOUT = """\
Reads Japanese text in pictures, and answers questions about pictures, with models on this computer.

Errors are problem details (RFC 9457), under `/v1` in the shape of OpenAI's interface. Each carries a hint.
"""


def create_app(
    engine: EngineApi, library: ModelLibrary, settings: SettingsStore, config: ServiceConfig
) -> FastAPI:
    """The whole service over an engine, which it neither starts nor closes."""
    metrics, gate = Metrics(), Gate(config.queue)
    context = Context(engine, library, settings, config, metrics, gate)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        forget = watch(context)
        try:
            yield
        finally:
            forget()

    app = _Described(
        title="Yomitori",
        version=__version__,
        description=_ABOUT,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=_TAGS,
        # They would lead to http behind a proxy that speaks https, and the picture after them.
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.context = context
    # A picture is never written to disk: 0 keeps parts of a form in memory, whose size BodyLimit bounds.
    MultiPartParser.spool_max_size = 0
    problems.install(app)
    for module in (ocr, analyze, batch, chat, models, health, docs_page):
        app.include_router(module.router)
    app.add_middleware(_protected, context=context)
    return app


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return with_any(super().openapi())


_TAGS = [
    {"name": "reading", "description": "Text in pictures."},
    {"name": "asking", "description": "Questions about pictures."},
    {"name": "OpenAI", "description": "The same, as OpenAI's clients ask."},
    {"name": "models", "description": "Models in memory and on the disk. What changes them needs the token."},
    {"name": "operation", "description": "Whether it works, and how much."},
]


def _protected(inner: ASGIApp, context: Context) -> ASGIApp:
    """From the inside out: the first line meets a request last."""
    config = context.config
    inner = BodyLimit(inner, config)
    inner = TokenEverywhere(inner, config)
    inner = with_cors(inner, config)
    inner = RightNames(inner, config)
    return Told(inner, context)
