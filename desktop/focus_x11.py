"""The focus under X11, where our unmanaged windows have to do what a window manager does for others."""

from __future__ import annotations

import logging

import xcffib
import xcffib.xproto as xp
from PySide6.QtWidgets import QWidget

from desktop.focus import Focus

log = logging.getLogger(__name__)


class X11Focus(Focus):
    """Sets the input focus itself, through a connection of its own.

    Qt would pass the time of the last event that it saw; the hotkey arrived elsewhere, so the server
    would take that request for an outdated one and ignore it.
    """

    def __init__(self, display: str | None = None) -> None:
        self._display = display
        self._connection: xcffib.Connection | None = None
        self._before: int | None = None
        self._taken: set[int] = set()

    def take(self, widget: QWidget) -> None:
        window = int(widget.window().winId())
        try:
            core = self._connect().core
            holder = core.GetInputFocus().reply().focus
            if holder not in self._taken:
                self._before = holder
            self._taken.add(window)
            core.SetInputFocus(xp.InputFocus.Parent, window, xp.Time.CurrentTime, is_checked=True).check()
        except xcffib.XcffibException as error:
            self._failed(error)

    def give_back(self) -> None:
        before, taken = self._before, self._taken
        self.forget()
        if before is None:
            return
        try:
            core = self._connect().core
            if core.GetInputFocus().reply().focus not in taken:
                return
            core.SetInputFocus(
                xp.InputFocus.PointerRoot, before, xp.Time.CurrentTime, is_checked=True
            ).check()
        except xcffib.XcffibException as error:
            self._failed(error)

    def forget(self) -> None:
        self._before, self._taken = None, set()

    def composited(self) -> bool:
        try:
            core = self._connect().core
            name = f"_NET_WM_CM_S{self._connect().pref_screen}"
            atom = core.InternAtom(False, len(name), name).reply().atom
            return bool(core.GetSelectionOwner(atom).reply().owner)
        except xcffib.XcffibException as error:
            self._failed(error)
            return False

    def _connect(self) -> xcffib.Connection:
        if self._connection is None:
            self._connection = xcffib.connect(display=self._display)
        return self._connection

    def _failed(self, error: Exception) -> None:
        log.info("the focus could not be moved: %r", error)
        if isinstance(error, xcffib.ConnectionException):
            self._connection = None
