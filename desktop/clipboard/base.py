"""What a clipboard backend is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtGui import QImage

from core.errors import BackendUnavailable, ClipboardFailed


class ClipboardBackend(Protocol):
    """Puts text where other programs paste from. Called in the GUI thread, never blocks it."""

    name: str

    def unavailable(self) -> BackendUnavailable | None:
        """Why it cannot work here, with what to install; None when it can."""
        ...

    def copy(self, text: str, done: Callable[[ClipboardFailed | None], None]) -> None:
        """Copy, verify that it holds, retry; then call ``done`` once in the GUI thread."""
        ...

    def holds_image(self) -> bool:
        """Whether a picture is in the clipboard, as far as it can be known without blocking."""
        ...

    def image(self) -> QImage | None:
        """The picture in the clipboard, or None."""
        ...

    def hand_over(self) -> None:
        """At quit: let the text outlive this process where the desktop allows it (bounded time)."""
        ...
