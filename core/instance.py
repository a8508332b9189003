"""One tray per user: who holds the lock owns a local socket on which the commands reach it."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core import frames
from core.local_socket import LocalSocket

COMMANDS = ("capture", "show", "panel", "quit", "unload", "ping")


class Instance:
    """The place where the running tray and those who call it meet."""

    def __init__(self, folder: Path) -> None:
        self._socket = LocalSocket(folder, "instance")

    def acquire(self) -> bool:
        """Become the one instance. False when another runs.

        Raises:
            StorageError: the folder cannot be used.
        """
        return self._socket.acquire()

    def listen(self, on_command: Callable[[str], None]) -> None:
        """Answer callers; ``on_command`` is called in threads of their own."""

        def answer(connection: Connection, header: dict[str, Any]) -> None:
            command = header.get("command")
            if command not in COMMANDS:
                frames.send(connection, {"ok": False, "reason": f"it does not know {command!r}"})
                return
            frames.send(connection, {"ok": True, "pid": os.getpid()})
            if command != "ping":
                on_command(command)

        self._socket.listen(answer)

    def call(self, command: str) -> dict[str, Any]:
        """Ask the running instance.

        Raises:
            InstanceError: none runs, it does not answer, or it refused.
        """
        connection, answer = self._socket.call({"command": command})
        connection.close()
        return answer

    def close(self) -> None:
        """Stop listening and let the next instance start."""
        self._socket.close()
