"""Keyrings for tests, set with ``keyring.set_keyring``."""

from __future__ import annotations

import threading
from typing import ClassVar

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class MemoryKeyring(KeyringBackend):
    """A keyring that works as long as the test runs. ``locked`` makes it refuse; while ``opened`` is cleared
    it lets everybody wait, as one does that asks the user for a password."""

    priority: ClassVar[float] = 9

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.asked_in: set[threading.Thread] = set()
        self.opened = threading.Event()
        self.opened.set()

    def _open(self) -> None:
        self.asked_in.add(threading.current_thread())
        assert self.opened.wait(60.0)
        if self.locked:
            raise KeyringLocked("the keyring is locked")

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        del self.kept[service, username]
