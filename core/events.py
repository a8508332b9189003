"""What happens inside, for whoever wants to show it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from core.errors import YomitoriError
from core.errors import from_json as error_from_json

log = logging.getLogger(__name__)


class State(StrEnum):
    """``unloaded -> loading -> ready <-> busy -> unloaded``, and ``failed`` until the next job."""

    UNLOADED = "unloaded"
    LOADING = "loading"
    READY = "ready"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HostState:
    """The state of one role's host.

    ``engine`` is the engine's name, ``detail`` what it said of itself when it was loaded. ``memory`` is what
    its process has for itself in RAM, ``vram`` what it took of the graphics card, ``freed`` and
    ``freed_vram`` what the system had more of after it ended (all in bytes, 0 when not known; ``memory`` is
    of when it had loaded: ``core.process.private_memory`` of ``pid`` tells what it has now). ``notice``
    says why it does not run where it was asked to, or what had to be done so that it does.
    """

    role: str
    state: State
    engine: str = ""
    device: str = ""
    precision: str = ""
    memory: int = 0
    vram: int = 0
    freed: int = 0
    freed_vram: int = 0
    error: YomitoriError | None = None
    notice: YomitoriError | None = None
    detail: str = ""
    pid: int = 0

    def to_json(self) -> dict[str, Any]:
        value = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("error", "notice"):
            value[name] = None if value[name] is None else value[name].to_json()
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> HostState:
        errors = {
            name: None if value[name] is None else error_from_json(value[name])
            for name in ("error", "notice")
        }
        return cls(**{**value, **errors, "state": State(value["state"])})


Listener = Callable[[HostState], None]


class Events:
    """Hands events to listeners in the thread in which they happen.

    A listener that raises is logged and costs nobody else anything.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Returns the function that ends the subscription."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def emit(self, event: HostState) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("A listener failed on %s", event)
