"""Notifications: one file per backend, tried in the order of ``backends``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.notify.base import NotifyBackend
from desktop.registry import Entry
from desktop.registry import choose as _choose

if TYPE_CHECKING:
    from PySide6.QtWidgets import QSystemTrayIcon


def _dbus() -> NotifyBackend:
    from desktop.notify.dbus import DbusNotify

    return DbusNotify()


def _tray(icon: QSystemTrayIcon | None) -> NotifyBackend:
    from desktop.notify.tray import TrayNotify

    return TrayNotify(icon)


def backends(icon: QSystemTrayIcon | None) -> tuple[Entry[NotifyBackend], ...]:
    """The registry, around the tray icon if there is one."""
    return (Entry("dbus", _dbus, ("linux",)), Entry("tray", lambda: _tray(icon)))


def choose(name: str, icon: QSystemTrayIcon | None) -> NotifyBackend:
    """The backend called ``name``, or with ``auto`` the first that works here.

    Raises:
        BackendUnavailable: it does not work here, or none does; with what to do.
    """
    return _choose("notify", name, backends(icon))
