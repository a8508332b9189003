"""Notifications as messages of the tray icon."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QSystemTrayIcon

from core.errors import BackendUnavailable


class TrayNotify:
    """Messages of ``icon``; None where there is no tray."""

    name = "tray"

    def __init__(self, icon: QSystemTrayIcon | None) -> None:
        self._icon = icon

    def unavailable(self) -> BackendUnavailable | None:
        if self._icon is not None and self._icon.isSystemTrayAvailable() and self._icon.supportsMessages():
            return None
        return BackendUnavailable(
            name=QCoreApplication.translate("TrayNotify", "Notifications of the tray icon"),
            reason=QCoreApplication.translate("TrayNotify", "there is no tray that shows messages"),
            fix=QCoreApplication.translate("TrayNotify", "Start a panel with a tray."),
        )

    def notify(self, title: str, body: str) -> None:
        if self._icon is not None:
            self._icon.showMessage(title, body, self._icon.icon())
