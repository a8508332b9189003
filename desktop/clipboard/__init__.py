"""Clipboard: one file per backend, tried in the order of ``BACKENDS``."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.clipboard.base import ClipboardBackend
from desktop.registry import Entry
from desktop.registry import choose as _choose


def _qt() -> ClipboardBackend:
    from PySide6.QtGui import QGuiApplication

    from desktop.clipboard.qt import QtClipboard

    if QGuiApplication.platformName() != "xcb":
        return QtClipboard(QGuiApplication.clipboard())
    from desktop.clipboard.x11_selection import SelectionReader

    return QtClipboard(QGuiApplication.clipboard(), read_back=SelectionReader().read)


def _wl_copy() -> ClipboardBackend:
    from desktop.clipboard.wl_copy import WlCopyClipboard

    return WlCopyClipboard()


BACKENDS: tuple[Entry[ClipboardBackend], ...] = (
    Entry("wl-copy", _wl_copy, ("linux",)),
    Entry("qt", _qt),
)


def choose(name: str, backends: Sequence[Entry[ClipboardBackend]] = BACKENDS) -> ClipboardBackend:
    """The backend called ``name``, or with ``auto`` the first that works here.

    Needs a QGuiApplication.

    Raises:
        BackendUnavailable: it does not work here, or none does; with what to do.
    """
    return _choose("clipboard", name, backends)
