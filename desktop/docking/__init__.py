"""Where the panel stands at the screen's edge: one file per backend, tried in the order of ``BACKENDS``."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.docking.base import Dock
from desktop.docking.usable import usable_area
from desktop.panel_place import Side
from desktop.registry import Entry
from desktop.registry import choose as _choose

__all__ = ["BACKENDS", "Dock", "Side", "choose", "usable_area"]


def _windows() -> Dock:
    from desktop.docking.windows import WindowsDock

    return WindowsDock()


def _x11() -> Dock:
    from desktop.docking.x11 import X11Dock

    return X11Dock()


def _plain() -> Dock:
    from desktop.docking.plain import PlainDock

    return PlainDock()


BACKENDS: tuple[Entry[Dock], ...] = (
    Entry("windows", _windows, ("win32",)),
    Entry("x11", _x11, ("linux",)),
    Entry("plain", _plain),
)


def choose(name: str, backends: Sequence[Entry[Dock]] = BACKENDS) -> Dock:
    """The backend called ``name``, or with ``auto`` the first that works here.

    Raises:
        BackendUnavailable: it does not work here, or none does; with what to do.
    """
    return _choose("docking", name, backends)
