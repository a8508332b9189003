"""Reading the X11 clipboard from outside Qt, without waiting: what another program would paste."""

from __future__ import annotations

from collections.abc import Callable

import xcffib
import xcffib.xproto as xp
from PySide6.QtCore import QObject, QSocketNotifier, QTimer

_MOST = 1 << 22  # in units of four bytes


class SelectionReader(QObject):
    """Asks the owner of CLIPBOARD for its text over a connection of its own, once per ``read``.

    Args:
        display: the X display, None for ``$DISPLAY``.
        limit_ms: how long the owner may take.
    """

    def __init__(
        self, display: str | None = None, limit_ms: int = 1000, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._display = display
        self._answer: Callable[[str | None], None] | None = None
        self._connection: xcffib.Connection | None = None
        self._notifier: QSocketNotifier | None = None
        self._window = 0
        self._timer = QTimer(self, singleShot=True, interval=limit_ms)
        self._timer.timeout.connect(lambda: self._finish(None))

    def read(self, answer: Callable[[str | None], None]) -> None:
        """Call ``answer`` once, later, with the text, or None when there is none or it does not come.

        A newer ``read`` replaces one that waits; the older one is never answered.
        """
        self._close()
        self._answer = answer
        self._timer.start()
        try:
            self._ask()
        except xcffib.XcffibException:
            self._finish(None)

    def _ask(self) -> None:
        connection = self._connection = xcffib.connect(display=self._display)
        core, screen = connection.core, connection.setup.roots[connection.pref_screen]
        atoms = [
            core.InternAtom(False, len(name), name) for name in ("CLIPBOARD", "UTF8_STRING", "YOMITORI_TEXT")
        ]
        clipboard, utf8, place = (cookie.reply().atom for cookie in atoms)
        self._window = connection.generate_id()
        kind = xp.WindowClass.InputOnly
        core.CreateWindow(0, self._window, screen.root, 0, 0, 1, 1, 0, kind, screen.root_visual, 0, [])
        self._notifier = QSocketNotifier(connection.get_file_descriptor(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._drain)
        core.ConvertSelection(self._window, clipboard, utf8, place, xp.Time.CurrentTime)
        connection.flush()

    def _drain(self) -> None:
        try:
            while self._connection is not None and (event := self._connection.poll_for_event()) is not None:
                if isinstance(event, xp.SelectionNotifyEvent):
                    self._finish(self._fetch(event.property))
        except xcffib.XcffibException:
            self._finish(None)

    def _fetch(self, place: int) -> str | None:
        assert self._connection is not None
        if place == 0:
            return None
        core = self._connection.core
        value = core.GetProperty(False, self._window, place, xp.GetPropertyType.Any, 0, _MOST).reply().value
        return bytes(value.buf()).decode("utf-8", "replace")

    def _finish(self, text: str | None) -> None:
        self._close()
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(text)

    def _close(self) -> None:
        self._timer.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None
