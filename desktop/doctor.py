"""What of the desktop works here, for ``yomitori doctor``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from core.doctor import Check
from core.errors import BackendUnavailable
from core.settings import SettingsStore
from desktop import capture, clipboard, hotkeys, notify
from desktop.display import display_problem
from desktop.registry import survey

if TYPE_CHECKING:
    from PySide6.QtWidgets import QSystemTrayIcon


def check_desktop(settings: SettingsStore) -> Iterator[Check]:
    """One check per kind of backend, with the one that would be used."""
    problem = display_problem(os.environ)
    if problem is not None:
        yield Check("Display", False, problem.message, problem.advice)
        for name in ("Capture", "Hotkeys", "Clipboard", "Tray", "Notifications"):
            yield Check(name, False, "needs a display", problem.advice)
        return
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication, QSystemTrayIcon

    app = QApplication.instance() or QApplication(["yomitori"])
    screens = ", ".join(
        f"{s.name()} {s.geometry().width()} x {s.geometry().height()} at {s.devicePixelRatio():g}x"
        for s in QGuiApplication.screens()
    )
    yield Check("Display", True, f"{QGuiApplication.platformName()}: {screens}")
    current = settings.current
    chosen: tuple[tuple[str, str, Any], ...] = (
        ("Capture", current.capture.backend, capture),
        ("Hotkeys", current.capture.hotkey_backend, hotkeys),
        ("Clipboard", current.card.clipboard_backend, clipboard),
    )
    for name, setting, kind in chosen:
        yield _check_kind(name, setting, kind)
    tray = QSystemTrayIcon.isSystemTrayAvailable()
    yield Check(
        "Tray",
        tray,
        "an icon can be shown" if tray else "this desktop shows no tray; a small window is used instead",
        "On GNOME install the AppIndicator extension; elsewhere add a tray to the panel.",
    )
    yield _check_kind("Notifications", "auto", _Notify(QSystemTrayIcon()))
    del app


class _Notify:
    """The notification backends, with an icon that is never shown."""

    def __init__(self, icon: QSystemTrayIcon) -> None:
        self._icon = icon
        self.BACKENDS = notify.backends(icon)

    def choose(self, name: str) -> Any:
        return notify.choose(name, self._icon)


def _check_kind(name: str, setting: str, kind: Any) -> Check:
    """Which backend would be used, and why the others would not."""
    others = [
        f"{other}: {problem.params['reason']}"
        for other, problem in survey(kind.BACKENDS)
        if problem is not None
    ]
    try:
        backend = kind.choose(setting)
    except BackendUnavailable as error:
        return Check(name, False, "; ".join(others) or error.message, error.advice)
    detail = backend.name + (f" (not: {'; '.join(others)})" if others else "")
    close = getattr(backend, "close", None)
    if close is not None:
        close()
    return Check(name, True, detail)
