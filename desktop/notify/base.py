"""What a notification backend is."""

from __future__ import annotations

from typing import Protocol

from core.errors import BackendUnavailable


class NotifyBackend(Protocol):
    """Shows a short message outside our own windows. Called in the GUI thread, never blocks it."""

    name: str

    def unavailable(self) -> BackendUnavailable | None: ...

    def notify(self, title: str, body: str) -> None: ...
