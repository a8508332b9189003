"""Taking the keyboard's focus for a window of ours and giving it back to the program that had it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


class Focus:
    """One borrower's view of the focus, for systems that give it back by themselves.

    Each window that borrows has one of its own. Nothing here raises: without focus a window can still
    be used with the mouse.
    """

    def take(self, widget: QWidget) -> None:
        """Give the focus to the window of ``widget``, which is on the screen."""
        window = widget.window()
        handle = window.windowHandle()
        if handle is not None and handle.flags() & Qt.WindowType.WindowDoesNotAcceptFocus:
            handle.setFlag(Qt.WindowType.WindowDoesNotAcceptFocus, False)
        window.raise_()
        window.activateWindow()

    def give_back(self) -> None:
        """Return it, if it is still ours; called before the window goes."""

    def forget(self) -> None:
        """The user gave the focus to another window: there is nothing to return."""

    def composited(self) -> bool:
        """Whether windows may be partly transparent."""
        return True
