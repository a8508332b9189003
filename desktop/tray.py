"""The icon in the tray with its menu; a small window with the same actions where there is no tray."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QLabel,
    QMenu,
    QPushButton,
    QSystemTrayIcon,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.keyboard import press_button, presses
from desktop.theme import STEP, Theme, set_kind, set_role

TRAY_WAIT_MS = 5000
"""At login the tray often starts after us."""


class Actions(QObject):
    """What the user can ask for, as actions shared by the tray's menu and the small window."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.snip = QAction(self.tr("Snip"), self)
        self.repeat = QAction(self.tr("Repeat last region"), self)
        self.clipboard = QAction(self.tr("Read clipboard image"), self)
        self.open_image = QAction(self.tr("Open image…"), self)
        self.panel = QAction(self.tr("Ask…"), self)
        self.ask_snip = QAction(self.tr("Snip and ask"), self)
        self.ask_clipboard = QAction(self.tr("Ask about clipboard image"), self)
        self.history = QAction(self.tr("History"), self)
        self.settings = QAction(self.tr("Settings"), self)
        self.models = QAction(self.tr("Models…"), self)
        # Shown, with its text, by who knows whether there is anything to download.
        self.download = QAction(self.tr("Download a model…"), self, visible=False)
        self.unload = QAction(self.tr("Free memory now"), self)
        self.pause_hotkeys = QAction(self.tr("Pause hotkeys"), self, checkable=True)
        self.pause_history = QAction(self.tr("Pause history"), self, checkable=True)
        # Shown with the address while the service is on.
        self.service = QAction(self.tr("HTTP service"), self, visible=False)
        self.quit = QAction(self.tr("Quit"), self)
        self.groups: tuple[tuple[QAction, ...], ...] = (
            (self.snip, self.repeat, self.clipboard, self.open_image),
            (self.panel, self.ask_snip, self.ask_clipboard),
            (self.history, self.settings, self.models, self.download),
            (self.unload, self.pause_hotkeys, self.pause_history, self.service),
            (self.quit,),
        )

    def show_keys(self, keys: dict[str, str]) -> None:
        """Write each hotkey beside its action; an empty one shows nothing."""
        shown = (
            ("snip", self.snip),
            ("repeat", self.repeat),
            ("panel", self.panel),
            ("ask", self.ask_snip),
            ("ask_clipboard", self.ask_clipboard),
        )
        for name, action in shown:
            action.setShortcut(QKeySequence(keys.get(name, "").replace("Super+", "Meta+")))

    def show_service(self, address: str) -> None:
        """Where the HTTP service listens; empty while it does not."""
        self.service.setText(
            self.tr("HTTP service: {0}").format(address) if address else self.tr("HTTP service")
        )
        self.service.setVisible(bool(address))

    def fill(self, menu: QMenu) -> None:
        for group in self.groups:
            menu.addActions(group)
            if group is not self.groups[-1]:
                menu.addSeparator()


class _ActionButton(QPushButton):
    """Shows an action as a menu would: its text, whether it is there and can be chosen."""

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self._action = action
        self.clicked.connect(action.trigger)
        action.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.setText(self._action.text())
        self.setEnabled(self._action.isEnabled())
        self.setVisible(self._action.isVisible())


class SmallWindow(QWidget):
    """Shown where the desktop has no tray, so that Yomitori is never invisible. Closing it quits."""

    closed = Signal()

    def __init__(self, actions: Actions, theme: Theme) -> None:
        super().__init__()
        self.setWindowTitle(self.tr("Yomitori"))
        self.setWindowIcon(theme.app_icon)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(5 * STEP, 4 * STEP, 5 * STEP, 4 * STEP)
        layout.setSpacing(2 * STEP)
        title = QLabel(self.tr("Yomitori is running"))
        set_role(title, "title")
        note = QLabel(self.tr("This desktop shows no tray, so here is what the tray's menu would hold."))
        note.setWordWrap(True)
        set_role(note, "muted")
        self.state = QLabel()
        self.state.setWordWrap(True)
        set_role(self.state, "muted")
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.hide()
        layout.addWidget(title)
        layout.addWidget(note)
        layout.addWidget(self.message)
        layout.addSpacing(2 * STEP)
        for group in actions.groups[:3]:
            for action in group:
                button = _ActionButton(action)
                if action is actions.snip:
                    set_kind(button, "primary")
                layout.addWidget(button)
        more = QToolButton()
        more.setText(self.tr("More"))
        more.setAccessibleName(self.tr("More actions"))
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        set_kind(more, "ghost")
        menu = QMenu(more)
        for group in actions.groups[3:]:
            menu.addActions(group)
        more.setMenu(menu)
        layout.addWidget(more)
        layout.addWidget(self.state)
        layout.addStretch()
        self.setMinimumWidth(80 * STEP)
        # It comes some seconds after the start, when the user may be doing something else.
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)

    def show_message(self, text: str) -> None:
        """Say what could not be said in a notification."""
        self.message.setText(text)
        self.message.show()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            # A label that wraps does not make a shown window grow by itself.
            self.setMinimumHeight(self.layout().heightForWidth(self.width()))
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not (presses(event) and press_button(self)):
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()


class Tray(QObject):
    """The icon, or after a while without a tray the small window; not while ``busy`` says so."""

    no_tray = Signal()
    """There is no tray; the small window is shown. Said once."""

    def __init__(
        self,
        actions: Actions,
        theme: Theme,
        wait_ms: int = TRAY_WAIT_MS,
        busy: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._theme = theme
        self._busy = busy
        self._menu = QMenu()
        actions.fill(self._menu)
        self.icon = QSystemTrayIcon(theme.tray_icon, self)
        self.icon.setContextMenu(self._menu)
        self.icon.activated.connect(self._on_activated)
        self.window: SmallWindow | None = None
        self._watch = QTimer(self, interval=wait_ms)
        self._watch.timeout.connect(self._look)
        self._text = ""
        self._message = ""
        self._told = False

    def show(self) -> None:
        """Show the icon, and the window whenever there is no tray; trays come late and die, too."""
        self.icon.show()
        self._watch.start()

    def set_state(self, text: str) -> None:
        """The state of the models, as the tooltip and the window show it."""
        self._text = text
        self.icon.setToolTip(f"Yomitori\n{text}")
        if self.window is not None:
            self.window.state.setText(text)

    def show_message(self, text: str) -> None:
        """Show a message in the small window, now or as soon as there is one."""
        self._message = text
        if self.window is not None:
            self.window.show_message(text)

    def close(self) -> None:
        self._watch.stop()
        self.icon.hide()
        self._drop_window()
        self._menu.deleteLater()

    def _look(self) -> None:
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._drop_window()
        elif self.window is None and not self._busy():
            # Not while selecting: a new window would take the keyboard.
            self._show_window()

    def _show_window(self) -> None:
        self.window = SmallWindow(self._actions, self._theme)
        self.window.state.setText(self._text)
        if self._message:
            self.window.show_message(self._message)
        self.window.closed.connect(self._actions.quit.trigger)
        self.window.show()
        if not self._told:
            self._told = True
            self.no_tray.emit()

    def _drop_window(self) -> None:
        if self.window is not None:
            self.window.closed.disconnect()
            self.window.close()
            self.window.deleteLater()
            self.window = None

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._actions.history.trigger()
        elif reason == QSystemTrayIcon.ActivationReason.MiddleClick:
            self._actions.snip.trigger()
