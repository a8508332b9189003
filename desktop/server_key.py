"""The key of the server, as the system's keyring has it. The keyring is never asked in the GUI thread: it may
wait for the user to unlock it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from core.errors import YomitoriError
from core.vision.keys import VARIABLE, delete_key, get_key, set_key
from desktop.worker import Bridge


class ServerKey(QObject):
    """Knows whether there is a key, never the key itself. Outlives what shows it.

    ``stored`` is None while nobody knows; ``busy`` while the keyring is asked, ``changing`` while that is to
    change something; ``problem`` is why it failed.
    """

    changed = Signal()
    kept = Signal()
    """What ``store`` was given is in the keyring."""

    def __init__(
        self, bridge: Bridge, parent: QObject | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._environ = os.environ if environ is None else environ
        self._url = ""
        self._number = 0
        self.stored: bool | None = None
        self.busy = self.changing = False
        self.problem: YomitoriError | None = None

    @property
    def set_by(self) -> str:
        """The environment variable whose key is taken before that of the keyring; empty when not set."""
        return VARIABLE if self._environ.get(VARIABLE, "").strip() else ""

    def look(self, url: str, again: bool = False) -> None:
        """Find out about the key for this address: once, or ``again``."""
        if url == self._url and not (again and not self.busy):
            return
        if url != self._url:
            self.stored, self.problem = None, None
        self._url = url
        if url:
            self._ask(None)
        else:
            # What is still on its way is about another address.
            self._number += 1
            self.busy = self.changing = False
            self.changed.emit()

    def store(self, key: str) -> None:
        """Keep this key, in the place of one that is there."""
        url = self._url
        if url and key.strip() and not self.busy:
            self._ask(lambda: set_key(url, key), keeps=True)

    def remove(self) -> None:
        """Forget the key that is kept."""
        url = self._url
        if url and not self.busy:
            self._ask(lambda: delete_key(url))

    def _ask(self, change: Callable[[], None] | None, keeps: bool = False) -> None:
        self._number += 1
        url, self.busy, self.changing, self.problem = self._url, True, change is not None, None

        def work() -> bool:
            if change is not None:
                change()
            # What the keyring has; that of the environment is another matter.
            return bool(get_key(url, {}))

        self._bridge.run_apart(work, partial(self._answered, self._number, keeps))
        self.changed.emit()

    def _answered(self, number: int, keeps: bool, stored: bool | None, error: YomitoriError | None) -> None:
        if number != self._number:
            return
        self.busy, self.changing, self.problem = False, False, error
        if error is None:
            self.stored = stored
            if keeps:
                self.kept.emit()
        self.changed.emit()
