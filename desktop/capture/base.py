"""What a capture backend is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from core.errors import BackendUnavailable


@dataclass(frozen=True)
class ScreenInfo:
    """One screen as Qt describes it, copied so that it can be read in another thread.

    ``geometry`` is in Qt's logical coordinates, ``native`` in the pixels of the platform.
    """

    name: str
    geometry: QRect
    scale: float
    native: QRect


@dataclass(frozen=True)
class Shot:
    """The frozen picture of one screen: ``image`` in native pixels (device pixel ratio 1)."""

    screen: ScreenInfo
    image: QImage


class CaptureBackend(Protocol):
    """A way to photograph the screens. ``grab`` is called in a worker thread, never in the GUI's."""

    name: str

    def unavailable(self) -> BackendUnavailable | None:
        """Why it cannot work here, with what to install; None when it can. Cheap, asks no user."""
        ...

    def grab(self, screens: Sequence[ScreenInfo]) -> list[Shot]:
        """One shot per screen, in the same order.

        Raises:
            CaptureFailed: refused, or no answer in time.
        """
        ...
