"""Docked where that works, an ordinary window where it does not."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from core.errors import BackendUnavailable
from desktop.docking.base import Dock
from desktop.panel_place import Side


class PanelDock(QObject):
    """One window at an edge: reserved if that is wanted and works, else put there without reserving.

    Args:
        choose: makes the backend for a name, as ``desktop.docking.choose`` does.
    """

    width_changed = Signal(int)
    """The user has made the window this wide, in logical pixels."""
    docked_changed = Signal(bool)
    """Whether the window now stands there without a title bar, and others make room."""

    def __init__(self, choose: Callable[[str], Dock], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choose = choose
        self._docks: dict[str, Dock] = {}
        self._current: Dock | None = None
        self._attached: tuple[QWidget, QScreen, Side, int] | None = None
        self.problem: BackendUnavailable | None = None
        """Why the place is not kept free although that was wanted."""

    @property
    def docked(self) -> bool:
        return self._current is not None and self._current.reserves

    def attach(self, window: QWidget, screen: QScreen, side: Side, width: int, keep_free: bool) -> None:
        """Put ``window`` at that side, ``width`` logical pixels wide; then ``problem`` is up to date."""
        self._attached = (window, screen, side, width)
        self.problem = None
        if keep_free:
            try:
                dock = self._dock("auto")
                self._use(dock)
            except BackendUnavailable as error:
                self.problem = error
            else:
                self.problem = None if dock.reserves else self._not_here()
                return
        self._use(self._dock("plain"))

    def _not_here(self) -> BackendUnavailable:
        return BackendUnavailable(
            name=self.tr("Keeping the panel's place free"),
            reason=self.tr("this desktop does not let windows do that"),
            fix=self.tr("Turn off 'Keep its place free' in Settings."),
        )

    def detach(self) -> None:
        """Let go of the window, and give its place back."""
        was = self.docked
        if self._current is not None:
            self._current.detach()
        self._current = self._attached = None
        if was:
            self.docked_changed.emit(False)

    def _use(self, dock: Dock) -> None:
        assert self._attached is not None
        was, before = self.docked, self._current
        if before is not None and before is not dock:
            self._current = None
            before.detach()
        dock.attach(*self._attached)
        self._current = dock
        if self.docked != was:
            self.docked_changed.emit(self.docked)

    def _dock(self, name: str) -> Dock:
        if name not in self._docks:
            dock = self._choose(name)
            dock.setParent(self)
            dock.width_changed.connect(self._on_width)
            dock.lost.connect(self._on_lost)
            self._docks[name] = dock
        return self._docks[name]

    def _on_width(self, width: int) -> None:
        if self._attached is not None:
            self._attached = (*self._attached[:3], width)
        self.width_changed.emit(width)

    def _on_lost(self, problem: BackendUnavailable) -> None:
        self.problem = problem
        if self._attached is None:
            return
        window, screen, side, width = self._attached
        if not isValid(screen):
            self._attached = (window, window.screen(), side, width)
        self._use(self._dock("plain"))
