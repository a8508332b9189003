"""Hotkeys: one file per backend, tried in the order of ``BACKENDS``."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.hotkeys.base import HotkeyBackend
from desktop.registry import Entry
from desktop.registry import choose as _choose


def _x11() -> HotkeyBackend:
    from desktop.hotkeys.x11 import X11Hotkeys

    return X11Hotkeys()


def _portal() -> HotkeyBackend:
    from desktop.hotkeys.portal import PortalHotkeys

    return PortalHotkeys()


def _windows() -> HotkeyBackend:
    from desktop.hotkeys.windows import WindowsHotkeys

    return WindowsHotkeys()


def _macos() -> HotkeyBackend:
    from desktop.hotkeys.macos import MacHotkeys

    return MacHotkeys()


BACKENDS: tuple[Entry[HotkeyBackend], ...] = (
    Entry("windows", _windows, ("win32",)),
    Entry("macos", _macos, ("darwin",)),
    Entry("x11", _x11, ("linux",)),
    Entry("portal", _portal, ("linux",)),
)


def choose(name: str, backends: Sequence[Entry[HotkeyBackend]] = BACKENDS) -> HotkeyBackend:
    """The backend called ``name``, or with ``auto`` the first that works here.

    Raises:
        BackendUnavailable: it does not work here, or none does; with what to do.
    """
    return _choose("hotkeys", name, backends)
