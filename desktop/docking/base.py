"""What a docking backend is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QWidget

from core.errors import BackendUnavailable
from desktop.panel_place import Side


class Dock(QObject):
    """Puts one window at the side of a screen, and holds it there until it is detached.

    Lives in the GUI thread. Widths are logical pixels, without a frame that the desktop draws around the
    window; they are brought within the bounds of ``desktop.panel_place``.
    """

    width_changed = Signal(int)
    """The user has made the window this wide, told once the dragging pauses. Not told for ``attach``."""
    lost = Signal(object)
    """A ``BackendUnavailable``: the edge can no longer be kept free, and the window has been detached."""

    name = ""
    reserves = False
    """Whether other windows make room. Such a window has no title bar, since it is not to be moved."""

    def unavailable(self) -> BackendUnavailable | None:
        """Why it cannot work here, with what to do; None when it can. Cheap, asks no user."""
        raise NotImplementedError

    def refusal(self, screen: QScreen, side: Side) -> BackendUnavailable | None:
        """Why this one side of ``screen`` cannot be taken though others can; None when it can."""
        return None

    def attach(self, window: QWidget, screen: QScreen, side: Side, width: int) -> None:
        """Put ``window`` there, now or when it is shown. Attaching it again moves or resizes it.

        Raises:
            BackendUnavailable: it does not work here, or not at this side; then nothing has changed.
        """
        raise NotImplementedError

    def detach(self) -> None:
        """Let go of the window and give its place back to others; nothing when there is none."""
        raise NotImplementedError
