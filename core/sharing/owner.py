"""The owner's side: other programs of the user have their work done by the engine that is here."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from core import frames
from core.chat import Answer, AnswerPiece, GenerationOptions
from core.engine import Engine
from core.errors import InstanceError, NotRunning, ProtocolError
from core.events import HostState
from core.jobs import Job
from core.local_socket import LocalSocket
from core.settings import Reading
from core.sharing.identity import Identity
from core.sharing.wire import COMMAND, HAND_OVER, ROLES, messages_of, piece_json, shut
from core.types import OcrResult, RgbImage

log = logging.getLogger(__name__)

SOCKET = "engine"
"""The name of the socket in the runtime folder."""
_UNREAD = 10_000
"""Frames that may wait for a program that does not read them; then it is let go."""


class EngineOwner:
    """Listens while it owns the engine. ``identity`` tells for a role what is loaded here."""

    def __init__(
        self,
        socket: LocalSocket,
        engine: Engine,
        identity: Callable[[str], Identity],
        on_hand_over: Callable[[], None] | None = None,
    ) -> None:
        """``on_hand_over``: the engine is owned by another program from now on, which asked for that; None
        refuses it. Called in a thread of its own, when ``close`` was done already."""
        self._socket = socket
        self._engine = engine
        self._identity = identity
        self._on_hand_over = on_hand_over
        self._lock = threading.Lock()
        self._callers: set[_Caller] = set()
        self._closed = False

    def start(self) -> None:
        """Call after ``LocalSocket.acquire``."""
        self._socket.listen(self._serve)

    def close(self) -> None:
        """Listen no more. What callers have asked for goes on."""
        self._socket.close()

    def end(self) -> None:
        """Listen no more, and let every caller go: their jobs are cancelled here, and they do them
        themselves."""
        self.close()
        with self._lock:
            self._closed = True
            callers = tuple(self._callers)
        for caller in callers:
            caller.hang_up()

    def leave(self) -> None:
        """Listen no more, and let each caller go as soon as nothing runs that it has asked for."""
        self.close()
        with self._lock:
            self._closed = True
            callers = tuple(self._callers)
        for caller in callers:
            caller.leave()

    def _serve(self, connection: Connection, header: dict[str, Any]) -> None:
        command = header.get("command")
        if command == HAND_OVER and self._on_hand_over is not None:
            self.close()
            frames.send(connection, {"ok": True, "pid": os.getpid()})
            self._on_hand_over()
        elif command == COMMAND:
            self._attend(connection)
        else:
            frames.send(connection, {"ok": False, "reason": f"it does not know {command!r}"})

    def _attend(self, connection: Connection) -> None:
        caller = _Caller(connection, self._engine, self._identity)
        with self._lock:
            if self._closed:
                return
            self._callers.add(caller)
        try:
            caller.attend()
        finally:
            with self._lock:
                self._callers.discard(caller)


class _Caller:
    """One program that is attached. Frames to it go through a queue, so that no host waits for it."""

    def __init__(self, connection: Connection, engine: Engine, identity: Callable[[str], Identity]) -> None:
        self._connection = connection
        self._engine = engine
        self._identity = identity
        self._outgoing: queue.Queue[dict[str, Any] | None] = queue.Queue(_UNREAD)
        self._lock = threading.Lock()
        self._jobs: dict[int, Job[Any]] = {}
        self._leaving = False

    def attend(self) -> None:
        """Serve until the connection ends; its jobs are cancelled then."""
        self._tell({"ok": True, "pid": os.getpid()})
        writer = threading.Thread(target=self._write, name="engine-caller", daemon=True)
        writer.start()
        forget = self._engine.subscribe(self._tell_state)
        try:
            for role in ROLES:
                self._tell_state(self._engine.state(role))
            while True:
                header, payload = frames.receive(self._connection)
                self._take(header, payload)
        except (EOFError, OSError):
            pass
        except (ProtocolError, KeyError, TypeError, ValueError) as error:
            log.warning("A program that is attached said what cannot be understood: %s", error)
        finally:
            forget()
            with self._lock:
                jobs = tuple(self._jobs.values())
            for job in jobs:
                job.cancel()
            self.hang_up()
            writer.join()

    def hang_up(self) -> None:
        """End the connection, from any thread."""
        self._end_telling()
        shut(self._connection)

    def leave(self) -> None:
        """End the connection when nothing runs any more, and all of it is told. From any thread."""
        with self._lock:
            self._leaving = True
            idle = not self._jobs
        if idle:
            self._end_telling()

    def _end_telling(self) -> None:
        with suppress(queue.Full):
            self._outgoing.put_nowait(None)

    def _take(self, header: dict[str, Any], payload: bytes) -> None:
        if "cancel" in header:
            with self._lock:
                job = self._jobs.get(header["cancel"])
            if job is not None:
                job.cancel()
            return
        do, role = header["do"], header["role"]
        if do in ("load", "unload", "retry_devices"):
            getattr(self._engine, do)(role)
            return
        number = int(header["id"])
        here = self._identity(role)
        if here != header["identity"]:
            self._tell({"id": number, "differs": here})
            return
        images = frames.images_of(header, payload)
        if do == "recognize":
            self._run(number, self._recognize(number, header, images))
        elif do == "ask":
            self._run(number, self._ask(number, header, images))
        else:
            raise ProtocolError(reason=f"nobody knows {do!r}")

    def _recognize(self, number: int, header: dict[str, Any], images: tuple[RgbImage, ...]) -> Job[OcrResult]:
        def came(piece: dict[str, Any]) -> None:
            self._tell({"id": number, "piece": piece})

        (image,) = images
        return self._engine.recognize(image, came, reading=Reading.model_validate(header["reading"]))

    def _ask(self, number: int, header: dict[str, Any], images: tuple[RgbImage, ...]) -> Job[Answer]:
        def came(piece: AnswerPiece) -> None:
            self._tell({"id": number, "piece": piece_json(piece)})

        messages = messages_of(header["messages"], images)
        return self._engine.ask(messages, GenerationOptions.from_json(header["options"]), came)

    def _run(self, number: int, job: Job[Any]) -> None:
        with self._lock:
            self._jobs[number] = job

        def ended(job: Job[Any]) -> None:
            error = job.error()
            if error is None:
                self._tell({"id": number, "done": job.result().to_json()})
            else:
                self._tell({"id": number, "error": error.to_json()})
            with self._lock:
                self._jobs.pop(number, None)
                last = self._leaving and not self._jobs
            if last:
                self._end_telling()

        job.on_done(ended)

    def _tell_state(self, state: HostState) -> None:
        self._tell({"state": state.to_json()})

    def _tell(self, header: dict[str, Any]) -> None:
        try:
            self._outgoing.put_nowait(header)
        except queue.Full:
            log.warning("A program that is attached reads nothing")
            shut(self._connection)

    def _write(self) -> None:
        with suppress(OSError):
            while (header := self._outgoing.get()) is not None:
                frames.send(self._connection, header)
        shut(self._connection)


def take_over(place: LocalSocket, tries: int = 50) -> bool:
    """Acquire the socket, also from a program that has it and hands it over; False when that one does not.

    Raises:
        StorageError: the folder cannot be used.
    """
    for _ in range(tries):
        if place.acquire():
            return True
        try:
            connection, _ = place.call({"command": HAND_OVER})
            connection.close()
        except NotRunning:
            # It holds the lock and does not listen yet, or not any more.
            time.sleep(0.1)
        except InstanceError as error:
            log.info("The engine stays where it is: %s", error)
            return False
    return False
