"""Hotkeys through the desktop's GlobalShortcuts portal: KDE 6, GNOME 48 and later, Hyprland."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QCoreApplication, QObject

from core.errors import BackendUnavailable, SettingsError, YomitoriError
from desktop.hotkeys.base import HotkeyBackend
from desktop.hotkeys.keys import KeyCombo, Modifier, parse_bindings
from desktop.mailbox import Mailbox
from desktop.portal import (
    PORTAL_PATH,
    Bus,
    BusError,
    Denied,
    Interrupted,
    new_token,
    portal_problem,
)

log = logging.getLogger(__name__)
translate = QCoreApplication.translate

_INTERFACE = "org.freedesktop.portal.GlobalShortcuts"
_SESSION_LIMIT = 10.0
_TRIGGER_MODIFIERS = (
    (Modifier.CTRL, "CTRL"),
    (Modifier.ALT, "ALT"),
    (Modifier.SHIFT, "SHIFT"),
    (Modifier.SUPER, "LOGO"),
)


def trigger(combo: KeyCombo) -> str:
    """The combination as the XDG shortcuts specification writes it, such as ``CTRL+ALT+s``."""
    names = [name for flag, name in _TRIGGER_MODIFIERS if flag in combo.modifiers]
    return "+".join([*names, combo.key.keysym_name])


class PortalHotkeys(HotkeyBackend):
    """The desktop asks the user for the keys, keeps them and tells when they are pressed.

    The waiting is done in a thread of its own, one per ``bind``; ``close`` ends and joins it.

    Args:
        address: the session bus, None for the user's own.
    """

    name = "portal"

    def __init__(self, address: str | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._address = address
        self._mail: Mailbox | None = None
        self._listener: _Listener | None = None

    def unavailable(self) -> BackendUnavailable | None:
        reason = portal_problem(_INTERFACE, self._address)
        return self._no(reason) if reason else None

    def _no(self, reason: str) -> BackendUnavailable:
        return BackendUnavailable(
            name=self.tr("The desktop's shortcut portal"),
            reason=reason,
            fix=self.tr("Bind the command 'yomitori capture' to a key in the desktop's own settings."),
        )

    def bind(self, bindings: Mapping[str, str], titles: Mapping[str, str]) -> None:
        self.close()
        combos, wrong = parse_bindings(bindings)
        for action, error in wrong.items():
            self.failed.emit(action, error)
        if not combos:
            return
        self._mail = Mailbox(self)
        self._listener = _Listener(self._address, combos, titles, self, self._mail.post)
        self._listener.start()

    def close(self) -> None:
        listener, self._listener = self._listener, None
        mail, self._mail = self._mail, None
        if listener is not None:
            listener.stop()
        if mail is not None:
            # What the listener had still queued is not ours any more.
            mail.close()
            mail.deleteLater()

    def refused(self, action: str, error: YomitoriError | str) -> None:
        log.warning("%s: %s", action, error)
        self.failed.emit(action, self._no(error) if isinstance(error, str) else error)


class _Listener(threading.Thread):
    """One portal session from its request to its end. What it hears is told to ``owner`` by way of ``post``,
    in the owner's thread."""

    def __init__(
        self,
        address: str | None,
        combos: Mapping[str, KeyCombo],
        titles: Mapping[str, str],
        owner: PortalHotkeys,
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        super().__init__(name="shortcuts", daemon=True)
        self._address = address
        self._combos = dict(combos)
        self._titles = dict(titles)
        self._owner = owner
        self._post = post
        self._lock = threading.Lock()
        self._bus: Bus | None = None
        self._stopping = False

    def stop(self) -> None:
        """End the session and join the thread."""
        with self._lock:
            self._stopping = True
            if self._bus is not None:
                self._bus.interrupt()
        self.join()

    def run(self) -> None:
        try:
            bus = Bus(self._address)
        except BusError as error:
            self._refuse_all(str(error))
            return
        with self._lock:
            self._bus = bus
            if self._stopping:
                bus.interrupt()
        try:
            self._listen(bus)
        except Interrupted:
            pass
        except Denied as denied:
            self._refuse_all(
                translate("_Listener", "you declined the shortcuts")
                if denied.code == 1
                else translate("_Listener", "the desktop ended the request")
            )
        except BusError as error:
            self._refuse_all(str(error))
        finally:
            with self._lock:
                self._bus = None
            # The portal ends the session with the connection that made it.
            bus.close()

    def _refuse_all(self, reason: str) -> None:
        for action in self._combos:
            self._refuse(action, reason)

    def _refuse(self, action: str, error: YomitoriError | str) -> None:
        self._post(partial(self._owner.refused, action, error))

    def _listen(self, bus: Bus) -> None:
        bus.register()
        options = {"session_handle_token": ("s", new_token())}
        created = bus.request(f"{_INTERFACE}.CreateSession", "a{sv}", (), options, _SESSION_LIMIT)
        session = str(created["session_handle"])
        presses = bus.subscribe(interface=_INTERFACE, member="Activated", path=PORTAL_PATH)
        endings = bus.subscribe(interface="org.freedesktop.portal.Session", member="Closed", path=session)
        shortcuts = [
            (
                action,
                {
                    "description": ("s", self._titles.get(action, action)),
                    "preferred_trigger": ("s", trigger(combo)),
                },
            )
            for action, combo in self._combos.items()
        ]
        answer = bus.request(
            f"{_INTERFACE}.BindShortcuts", "oa(sa{sv})sa{sv}", (session, shortcuts, ""), {}, None
        )
        self._announce(answer.get("shortcuts", []))
        while True:
            bus.wait(lambda: bool(presses or endings), None)
            while presses:
                handle, action = presses.popleft().body[:2]
                if handle == session and action in self._combos:
                    self._post(partial(self._owner.activated.emit, action))
            if endings:
                raise BusError(translate("_Listener", "the desktop ended the session"))

    def _announce(self, shortcuts: list[tuple[str, dict[str, tuple[str, str]]]]) -> None:
        given = dict(shortcuts)
        for action, combo in self._combos.items():
            if action in given:
                key = given[action].get("trigger_description", ("s", ""))[1]
                self._post(partial(self._owner.bound.emit, action, key))
            else:
                reason = translate("_Listener", "the desktop did not give it this key")
                self._refuse(action, SettingsError(key=action, value=str(combo), reason=reason))
