"""What every route works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from starlette.requests import Request

from core.chat import Answer, GenerationOptions, Message, OnAnswerPiece
from core.events import HostState, Listener
from core.jobs import Job
from core.models.library import ModelLibrary
from core.settings import SettingsStore
from core.types import OcrResult, RgbImage
from service.http.config import ServiceConfig
from service.http.gate import Gate
from service.http.metrics import Metrics


class EngineApi(Protocol):
    """The part of ``core.engine.Engine`` and ``core.sharing.shared.SharedEngine`` that the service uses."""

    def recognize(
        self,
        image: RgbImage,
        on_piece: Callable[[dict[str, Any]], None] | None = None,
    ) -> Job[OcrResult]: ...
    def ask(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        on_piece: OnAnswerPiece | None = None,
    ) -> Job[Answer]: ...
    def load(self, role: str = "ocr") -> None: ...
    def unload(self, role: str = "ocr") -> None: ...
    def retry_devices(self, role: str = "ocr") -> None: ...
    def state(self, role: str = "ocr") -> HostState: ...
    def subscribe(self, listener: Listener) -> Callable[[], None]: ...
    def reading_engine(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Context:
    engine: EngineApi
    library: ModelLibrary
    settings: SettingsStore
    config: ServiceConfig
    metrics: Metrics
    gate: Gate


def context_of(request: Request) -> Context:
    """What ``create_app`` was given."""
    return cast(Context, request.app.state.context)


async def context(request: Request) -> Context:
    """The same for ``Depends``. Not a plain function, for which each request would go through a thread."""
    return context_of(request)
