"""Hotkeys on X11: passive key grabs on the root window, over a connection of our own."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import xcffib
import xcffib.xproto as xp
from PySide6.QtCore import QObject, QSocketNotifier

from core.errors import BackendUnavailable, HotkeyTaken, YomitoriError
from desktop.hotkeys.base import HotkeyBackend
from desktop.hotkeys.keys import KeyCombo, Modifier, parse_bindings
from desktop.x11 import x11_problem

log = logging.getLogger(__name__)

_NUM_LOCK, _SCROLL_LOCK = 0xFF7F, 0xFF14
_ALT_KEYSYMS, _SUPER_KEYSYMS = (0xFFE9, 0xFFEA), (0xFFEB, 0xFFEC)
# The modifier bits of an event's state; pointer buttons and the keyboard group lie above.
_MODIFIER_BITS = 0xFF


@dataclass(frozen=True)
class Keyboard:
    """The keyboard as the server maps it now: modifier masks, and the keysyms of each key.

    ``columns[keycode]`` lists keysyms: unshifted and shifted of the first layout, then of the next.
    """

    columns: Mapping[int, tuple[int, ...]]
    alt: int
    super: int
    locks: tuple[int, ...]

    @classmethod
    def build(
        cls, columns: Mapping[int, tuple[int, ...]], modifier_keys: Mapping[int, tuple[int, ...]]
    ) -> Keyboard:
        """``modifier_keys`` maps each modifier mask to the keycodes that set it."""

        def mask_of(keysyms: tuple[int, ...], default: int) -> int:
            for mask, keycodes in modifier_keys.items():
                if any(set(keysyms) & set(columns.get(code, ())) for code in keycodes):
                    return mask
            return default

        alt = mask_of(_ALT_KEYSYMS, xp.ModMask._1)
        win = mask_of(_SUPER_KEYSYMS, xp.ModMask._4)
        locks = {xp.ModMask.Lock, mask_of((_NUM_LOCK,), 0), mask_of((_SCROLL_LOCK,), 0)}
        return cls(columns, alt, win, tuple(sorted(locks - {0, alt, win})))

    def lock_variants(self) -> Iterator[int]:
        """Every sum of lock masks: a grab holds for one exact state, and locks are part of it."""
        for chosen in range(1 << len(self.locks)):
            yield sum(mask for bit, mask in enumerate(self.locks) if chosen >> bit & 1)

    def find(self, combo: KeyCombo) -> tuple[int, int] | None:
        """Keycode and modifier mask, or None when no key of this keyboard types it.

        An unshifted key of any layout comes first, so that Ctrl+Alt+S works while a Cyrillic layout
        is on; a key that needs Shift adds it.
        """
        mask = 0
        for flag, bit in (
            (Modifier.CTRL, xp.ModMask.Control),
            (Modifier.ALT, self.alt),
            (Modifier.SHIFT, xp.ModMask.Shift),
            (Modifier.SUPER, self.super),
        ):
            mask |= bit if flag in combo.modifiers else 0
        for column, extra in ((0, 0), (2, 0), (1, xp.ModMask.Shift), (3, xp.ModMask.Shift)):
            for keycode, keysyms in self.columns.items():
                if column < len(keysyms) and keysyms[column] == combo.key.keysym:
                    return keycode, mask | extra
        return None


class X11Hotkeys(HotkeyBackend):
    """Key grabs on the root window; the keys are consumed, and a conflict is noticed.

    Runs in the GUI thread: a socket notifier on the connection, no polling. Requests to the server are
    local and take well under a millisecond each.

    Args:
        display: the X display, None for ``$DISPLAY``.
        environ: where ``DISPLAY`` and ``WAYLAND_DISPLAY`` are looked up.
    """

    name = "x11"

    def __init__(
        self,
        display: str | None = None,
        environ: Mapping[str, str] = os.environ,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._display = display
        self._environ = environ
        self._connection: xcffib.Connection | None = None
        self._notifier: QSocketNotifier | None = None
        self._keyboard = Keyboard({}, 0, 0, ())
        self._root = 0
        self._combos: dict[str, KeyCombo] = {}
        self._grabs: dict[tuple[int, int], str] = {}
        self._last_release = (0, 0)

    def unavailable(self) -> BackendUnavailable | None:
        if self._connection is not None:
            return None
        reason = x11_problem(self._environ, self._display)
        return self._no(reason) if reason else None

    def _no(self, reason: str) -> BackendUnavailable:
        fix = self.tr("Choose the desktop portal, or bind 'yomitori capture' in the desktop's own settings.")
        return BackendUnavailable(name=self.tr("X11 key grab"), reason=reason, fix=fix)

    def bind(self, bindings: Mapping[str, str], titles: Mapping[str, str]) -> None:
        self._combos, wrong = parse_bindings(bindings)
        for action, error in wrong.items():
            self.failed.emit(action, error)
        try:
            self._open()
            self._grab_all(tell=True)
        except xcffib.ConnectionException:
            self._lost()
        else:
            self._drain()

    def close(self) -> None:
        self._combos = {}
        self._grabs = {}
        self._disconnect()

    def _open(self) -> None:
        if self._connection is not None:
            return
        self._connection = xcffib.connect(display=self._display or self._environ.get("DISPLAY"))
        self._root = self._connection.setup.roots[self._connection.pref_screen].root
        self._keyboard = _read_keyboard(self._connection)
        self._notifier = QSocketNotifier(
            self._connection.get_file_descriptor(), QSocketNotifier.Type.Read, self
        )
        self._notifier.activated.connect(self._drain)

    def _disconnect(self) -> None:
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def _lost(self) -> None:
        actions = list(self._combos)
        self.close()
        error = self._no(self.tr("the connection to the X11 display was lost"))
        log.warning("%s", error.message)
        for action in actions:
            self.failed.emit(action, error)

    def _grab_all(self, tell: bool) -> None:
        """Release everything, then grab each combination; ``tell``: announce what came of it."""
        assert self._connection is not None
        core = self._connection.core
        core.UngrabKey(xp.Grab.Any, self._root, xp.ModMask.Any, is_checked=True).check()
        self._grabs = {}
        results: list[tuple[str, YomitoriError | None]] = []
        for action, combo in self._combos.items():
            found = self._keyboard.find(combo)
            if found is None:
                results.append((action, self._no_such_key(combo)))
            elif self._grab(*found):
                self._grabs[found] = action
                results.append((action, None))
            else:
                results.append((action, HotkeyTaken(key=str(combo))))
        if tell:
            for action, error in results:
                if error is None:
                    self.bound.emit(action, str(self._combos[action]))
                else:
                    self.failed.emit(action, error)
        else:
            for action, error in results:
                if error is not None:
                    log.warning("%s after a change of the keyboard: %s", action, error.message)

    def _no_such_key(self, combo: KeyCombo) -> BackendUnavailable:
        return BackendUnavailable(
            name=str(combo),
            reason=self.tr("this keyboard has no such key"),
            fix=self.tr("Choose another key in Settings, Capture."),
        )

    def _grab(self, keycode: int, mask: int) -> bool:
        """Grab one key in every state of the locks; False, and nothing grabbed, when another has it."""
        assert self._connection is not None
        core = self._connection.core
        variants = [mask | locks for locks in self._keyboard.lock_variants()]
        asynchronous = xp.GrabMode.Async
        cookies = [
            core.GrabKey(False, self._root, state, keycode, asynchronous, asynchronous, is_checked=True)
            for state in variants
        ]
        taken = False
        for cookie in cookies:
            try:
                cookie.check()
            except xp.AccessError:
                taken = True
        if taken:
            for state in variants:
                core.UngrabKey(keycode, self._root, state)
        return not taken

    def _drain(self) -> None:
        """Handle what has arrived, and what xcb read while it waited for replies."""
        try:
            while self._connection is not None:
                changed = self._handle_events()
                if self._connection is None or not changed:
                    return
                self._keyboard = _read_keyboard(self._connection)
                self._grab_all(tell=False)
        except xcffib.ConnectionException:
            self._lost()

    def _handle_events(self) -> bool:
        """True when the keyboard's mapping has changed."""
        changed = False
        while self._connection is not None:
            try:
                event = self._connection.poll_for_event()
            except xcffib.Error as error:
                log.debug("X11: %r", error)
                continue
            if event is None:
                break
            if isinstance(event, xp.MappingNotifyEvent):
                changed = changed or event.request != xp.Mapping.Pointer
            elif isinstance(event, xp.KeyReleaseEvent):
                self._last_release = (event.detail, event.time)
            elif isinstance(event, xp.KeyPressEvent):
                self._pressed(event)
        return changed

    def _pressed(self, event: xp.KeyPressEvent) -> None:
        # A key held down repeats as release and press with one and the same time.
        if (event.detail, event.time) == self._last_release:
            return
        locks = sum(self._keyboard.locks)
        action = self._grabs.get((event.detail, event.state & _MODIFIER_BITS & ~locks))
        if action is not None:
            self.activated.emit(action)


def _read_keyboard(connection: xcffib.Connection) -> Keyboard:
    first, last = connection.setup.min_keycode, connection.setup.max_keycode
    keys = connection.core.GetKeyboardMapping(first, last - first + 1)
    modifiers = connection.core.GetModifierMapping()
    mapping, modifier_map = keys.reply(), modifiers.reply()
    width = mapping.keysyms_per_keycode
    keysyms = list(mapping.keysyms)
    columns = {
        first + index: tuple(keysyms[index * width : (index + 1) * width])
        for index in range(last - first + 1)
    }
    per = modifier_map.keycodes_per_modifier
    codes = list(modifier_map.keycodes)
    by_mask = {1 << bit: tuple(c for c in codes[bit * per : (bit + 1) * per] if c) for bit in range(8)}
    return Keyboard.build(columns, by_mask)
