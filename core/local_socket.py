"""A place where programs of one user meet: who holds its lock listens, the others call.

The socket lies in a folder that only the user may enter, callers carry a secret from a file there, and on
Linux the kernel is asked who is at the other end. Frames are those of ``core.frames``, so they are versioned.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import IO, Any

from core import frames
from core.errors import InstanceError, NotRunning, ProtocolError, StorageError
from core.paths import ensure_private_folder

log = logging.getLogger(__name__)

OnCaller = Callable[[Connection, dict[str, Any]], None]
_ANSWER_LIMIT = 10.0
_SOCKET_PATH_LIMIT = 100


class LocalSocket:
    """``name`` tells several in one folder apart."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._lock_file: IO[str] | None = None
        self._listener: Listener | None = None
        self._thread: threading.Thread | None = None
        self._token = ""
        self._on_caller: OnCaller = lambda connection, header: None

    # ---- who listens

    def acquire(self) -> bool:
        """Become the one that listens. False when another does.

        Raises:
            StorageError: the folder cannot be used.
        """
        ensure_private_folder(self._folder)
        if sys.platform != "win32":
            self._folder.chmod(0o700)
        try:
            lock_file = self._file("lock").open("a+")
        except OSError as error:
            raise StorageError(path=self._folder, reason=error.strerror or str(error)) from error
        if not _try_lock(lock_file):
            lock_file.close()
            return False
        self._lock_file = lock_file
        return True

    @property
    def acquired(self) -> bool:
        return self._lock_file is not None

    def listen(self, on_caller: OnCaller) -> None:
        """Hand over every caller with the secret, and the header of its first frame, each in a thread of
        its own; the connection is closed when ``on_caller`` returns."""
        assert self._lock_file is not None, "acquire first"
        self._on_caller = on_caller
        self._token = secrets.token_hex(32)
        token_file = self._file("token")
        token_file.unlink(missing_ok=True)
        with os.fdopen(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._token)
        address = self._address()
        if sys.platform != "win32":
            # We hold the lock, so a socket that is still there belongs to nobody.
            Path(address).unlink(missing_ok=True)
        self._listener = Listener(address)
        self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and let another do. Callers that were handed over keep their connection."""
        if self._listener is not None:
            listener, self._listener = self._listener, None
            # accept() only returns for a caller: be one.
            with suppress(OSError):
                Client(self._address()).close()
            if self._thread is not None:
                self._thread.join(2)
            listener.close()
            self._file("token").unlink(missing_ok=True)
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    # ---- who calls

    def call(self, header: dict[str, Any]) -> tuple[Connection, dict[str, Any]]:
        """Send a first frame to the one that listens: the connection, to be closed, and its answer.

        Raises:
            NotRunning: nobody listens.
            InstanceError: it does not answer, or it refused.
        """
        try:
            token = self._file("token").read_text()
            connection = Client(self._address())
        except OSError:
            raise NotRunning from None
        try:
            frames.send(connection, {**header, "token": token})
            if not connection.poll(_ANSWER_LIMIT):
                raise InstanceError(reason="it does not answer")
            answer, _ = frames.receive(connection)
            if not answer.get("ok"):
                raise InstanceError(reason=str(answer.get("reason", "it refused")))
        except (EOFError, OSError, ProtocolError):
            connection.close()
            raise InstanceError(reason="it is of another version or was ending") from None
        except InstanceError:
            connection.close()
            raise
        return connection, answer

    # ---- inside

    def _file(self, kind: str) -> Path:
        return self._folder / f"{self._name}.{kind}"

    def _address(self) -> str:
        if sys.platform == "win32":
            name = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
            return rf"\\.\pipe\yomitori-{self._name}-{name}"
        path = self._file("sock")
        if len(os.fsencode(path)) > _SOCKET_PATH_LIMIT:
            # A socket's path has a limit of some 108 bytes; use a short private folder instead.
            name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
            short = ensure_private_folder(Path(f"/tmp/yomitori-{os.getuid()}"))
            if short.stat().st_uid != os.getuid():
                raise StorageError(path=short, reason="it belongs to another user")
            short.chmod(0o700)
            return str(short / f"{name}.sock")
        return str(path)

    def _serve(self) -> None:
        while (listener := self._listener) is not None:
            try:
                connection = listener.accept()
            except (OSError, EOFError):
                continue
            if self._listener is None:
                connection.close()
                return
            # A caller that says nothing must not keep the next one waiting.
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: Connection) -> None:
        with connection, suppress(OSError, EOFError, ProtocolError):
            if not _same_user(connection):
                log.warning("A caller of another user was refused")
                return
            if not connection.poll(_ANSWER_LIMIT):
                return
            header, _ = frames.receive(connection)
            if not hmac.compare_digest(str(header.get("token", "")).encode(), self._token.encode()):
                frames.send(connection, {"ok": False, "reason": "the secret does not match"})
            else:
                self._on_caller(connection, header)


def _try_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _same_user(connection: Connection) -> bool:
    """Linux: the kernel's word for it. Elsewhere the folder and the secret have to do."""
    if sys.platform != "linux":
        return True
    with socket.socket(fileno=os.dup(connection.fileno())) as peer:
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _pid, uid, _gid = struct.unpack("3i", credentials)
    return bool(uid == os.getuid())
