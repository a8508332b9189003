"""What a hotkey backend is."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from core.errors import BackendUnavailable


class HotkeyBackend(QObject):
    """Listens for key combinations everywhere, also while another program has the focus.

    ``bind`` may answer at once or later (a desktop portal asks the user): each action ends in one
    ``bound`` or one ``failed``. Binding again replaces everything bound before; an empty combination
    binds nothing for that action. Combinations are written ``Ctrl+Alt+Shift+Super+Key``.
    """

    activated = Signal(str)
    """The action whose key was pressed."""
    bound = Signal(str, str)
    """Action, and the key as the desktop describes it."""
    failed = Signal(str, object)
    """Action, and the ``YomitoriError`` that tells why."""

    name = ""

    def unavailable(self) -> BackendUnavailable | None:
        """Why it cannot work here, with what to do; None when it can. Cheap, asks no user."""
        raise NotImplementedError

    def bind(self, bindings: Mapping[str, str], titles: Mapping[str, str]) -> None:
        """Bind each action to its combination; ``titles`` names the actions for the user."""
        raise NotImplementedError

    def close(self) -> None:
        """Give every key back."""
        raise NotImplementedError
