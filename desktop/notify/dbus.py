"""Notifications through org.freedesktop.Notifications."""

from __future__ import annotations

import html
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QCoreApplication

from core.errors import BackendUnavailable
from desktop.portal import APP_ID, Bus, BusError, service_problem

log = logging.getLogger(__name__)

_SERVICE = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"


class DbusNotify:
    """One notification at a time: a newer one replaces the one before. Sent from a thread of its own.

    Args:
        address: the session bus, None for the user's own.
    """

    name = "dbus"

    def __init__(self, address: str | None = None) -> None:
        self._address = address
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="notify")
        self._last_id = 0

    def unavailable(self) -> BackendUnavailable | None:
        reason = service_problem(_SERVICE, self._address)
        if reason is None:
            return None
        return BackendUnavailable(
            name=QCoreApplication.translate("DbusNotify", "Notifications over D-Bus"),
            reason=reason,
            fix=QCoreApplication.translate(
                "DbusNotify", "Start a notification service, such as dunst or mako."
            ),
        )

    def notify(self, title: str, body: str) -> None:
        self._pool.submit(self._send, title, body)

    def close(self) -> None:
        """Send what waits (each within seconds) and join the thread."""
        self._pool.shutdown(wait=True)

    def _send(self, title: str, body: str) -> None:
        try:
            with Bus(self._address) as bus:
                abilities = bus.call(_SERVICE, _PATH, f"{_SERVICE}.GetCapabilities")[0]
                text = html.escape(body, quote=False) if "body-markup" in abilities else body
                hints = {"desktop-entry": ("s", APP_ID)}
                arguments: tuple[Any, ...] = ("Yomitori", self._last_id, "", title, text, [], hints, -1)
                self._last_id = bus.call(_SERVICE, _PATH, f"{_SERVICE}.Notify", "susssasa{sv}i", arguments)[0]
        except BusError as error:
            log.warning("a notification could not be shown: %s", error)
