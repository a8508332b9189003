"""Keeps the hotkeys bound as the settings say, and knows how each of them fares."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, Signal

from core.errors import BackendUnavailable, SettingsError, YomitoriError
from core.settings import Settings, SettingsStore, find_setting, value_of
from desktop.hotkeys.base import HotkeyBackend

log = logging.getLogger(__name__)

ACTIONS = {
    "snip": "capture.snip_hotkey",
    "repeat": "capture.repeat_hotkey",
    "card": "capture.card_hotkey",
    "panel": "panel.panel_hotkey",
    "ask": "panel.ask_hotkey",
    "ask_clipboard": "panel.clipboard_hotkey",
}
"""Action and the setting that holds its key."""


class HotkeyManager(QObject):
    """Binds again whenever a key or the backend changes."""

    activated = Signal(str)
    changed = Signal()
    """A key was bound or failed; ``notes`` tell."""
    failed = Signal(object)
    """A ``YomitoriError`` the user has not heard of yet."""

    def __init__(
        self,
        settings: SettingsStore,
        choose: Callable[[str], HotkeyBackend],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._choose = choose
        self._backend: HotkeyBackend | None = None
        self._bound_for: tuple[str, ...] = ()
        self._paused = False
        self.keys: dict[str, str] = {}
        """Action and the key that is live, as the desktop describes it."""
        self.problems: dict[str, YomitoriError] = {}
        """Setting key and what is wrong with it."""
        self._forget = settings.subscribe(self._on_settings)

    @property
    def backend_name(self) -> str:
        return self._backend.name if self._backend else ""

    def start(self) -> None:
        self._bind(self._settings.current)

    def pause(self, paused: bool) -> None:
        """Give every key back, or take them again."""
        self._paused = paused
        self._bind(self._settings.current)

    def close(self) -> None:
        self._forget()
        self._drop_backend()

    def _wanted(self, settings: Settings) -> tuple[str, ...]:
        return (settings.capture.hotkey_backend, *(value_of(settings, key) for key in ACTIONS.values()))

    def _on_settings(self, settings: Settings) -> None:
        if self._wanted(settings) != self._bound_for:
            self._bind(settings)

    def _drop_backend(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend.deleteLater()
            self._backend = None

    def _bind(self, settings: Settings) -> None:
        self._drop_backend()
        self._bound_for = self._wanted(settings)
        self.keys = {}
        self.problems = {}
        if not self._paused:
            self._take_keys(settings)
        self.changed.emit()

    def _take_keys(self, settings: Settings) -> None:
        try:
            self._backend = self._choose(settings.capture.hotkey_backend)
        except BackendUnavailable as error:
            self.problems["capture.hotkey_backend"] = error
            self.failed.emit(error)
            return
        self._backend.activated.connect(self.activated)
        self._backend.bound.connect(self._on_bound)
        self._backend.failed.connect(self._on_failed)
        titles = {
            "snip": self.tr("Snip"),
            "repeat": self.tr("Repeat last region"),
            "card": self.tr("Go to the result card"),
            "panel": self.tr("Open the panel"),
            "ask": self.tr("Snip and ask"),
            "ask_clipboard": self.tr("Ask about the clipboard's picture"),
        }
        bindings = {action: value_of(settings, key) for action, key in ACTIONS.items()}
        self._backend.bind(bindings, titles)

    def _on_bound(self, action: str, key: str) -> None:
        log.info("Hotkey for %s: %s", action, key)
        self.keys[action] = key
        self.problems.pop(ACTIONS[action], None)
        self.changed.emit()

    def _on_failed(self, action: str, error: YomitoriError) -> None:
        if isinstance(error, SettingsError) and action in ACTIONS:
            # Backends know actions; the user knows the setting.
            title = QCoreApplication.translate("settings", find_setting(ACTIONS[action]).title)
            error = SettingsError(**{**error.params, "key": title})
        log.warning("Hotkey for %s: %s", action, error)
        self.keys.pop(action, None)
        self.problems[ACTIONS.get(action, "capture.hotkey_backend")] = error
        self.failed.emit(error)
        self.changed.emit()
