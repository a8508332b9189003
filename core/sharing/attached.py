"""The other side: an engine that another program of the user owns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from core import frames
from core.chat import Answer, GenerationOptions, Message, OnAnswerPiece, messages_json, pictures_of
from core.errors import EngineDiffers, EngineGone, PicturesTooLarge, ProtocolError, from_json
from core.events import Events, HostState, Listener, State
from core.jobs import Job
from core.local_socket import LocalSocket
from core.settings import Reading
from core.sharing.identity import Identity
from core.sharing.wire import COMMAND, ROLES, piece_of, shut
from core.types import OcrResult, RgbImage

T = TypeVar("T")


class AttachedEngine:
    """Safe to use from any thread. Callbacks run in the thread that listens to the owner.

    A job fails with EngineGone when the owner ends, and with EngineDiffers when it holds another model than
    the one in ``identity``.
    """

    def __init__(self, socket: LocalSocket) -> None:
        """Attach.

        Raises:
            InstanceError: nobody owns an engine, or it cannot be reached.
        """
        self._connection, _ = socket.call({"command": COMMAND})
        self._events = Events()
        self._states = {role: HostState(role, State.UNLOADED) for role in ROLES}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._waiting: dict[int, Job[Any]] = {}
        self._gone = False
        self._thread = threading.Thread(target=self._listen, name="engine-attached", daemon=True)
        self._thread.start()

    @property
    def gone(self) -> bool:
        """Whether the owner has ended."""
        return self._gone

    def recognize(
        self,
        image: RgbImage,
        on_piece: Callable[[dict[str, Any]], None] | None,
        reading: Reading,
        identity: Identity,
    ) -> Job[OcrResult]:
        """See ``Engine.recognize``."""
        header = {"do": "recognize", "role": "ocr", "reading": reading.model_dump(), "identity": identity}
        return self._start(header, (image,), OcrResult.from_json, on_piece)

    def ask(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        on_piece: OnAnswerPiece | None,
        identity: Identity,
    ) -> Job[Answer]:
        """See ``Engine.ask``."""

        def came(piece: dict[str, Any]) -> None:
            if on_piece is not None:
                on_piece(piece_of(piece))

        header = {
            "do": "ask",
            "role": "vision",
            "messages": messages_json(messages),
            "options": options.to_json(),
            "identity": identity,
        }
        return self._start(header, pictures_of(messages), Answer.from_json, came)

    def tell(self, do: str, role: str) -> None:
        """``load``, ``unload`` or ``retry_devices``; without effect when the owner is gone."""
        with suppress(OSError):
            self._send({"do": do, "role": role})

    def state(self, role: str) -> HostState:
        return self._states[role]

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See ``Engine.subscribe``."""
        return self._events.subscribe(listener)

    def close(self) -> None:
        """Leave; jobs that are not done fail with EngineGone, and are cancelled where they run."""
        shut(self._connection)
        self._thread.join()

    def _start(
        self,
        header: dict[str, Any],
        images: Sequence[RgbImage],
        convert: Callable[[dict[str, Any]], T],
        on_piece: Callable[[dict[str, Any]], None] | None,
    ) -> Job[T]:
        job: Job[T] = Job(header["do"], {}, (), lambda answer, _: convert(answer), on_piece)
        try:
            fields, payload = frames.image_fields(images)
        except PicturesTooLarge as error:
            job.fail(error)
            return job
        job.attach(lambda: self._cancel(job))
        with self._lock:
            gone = self._gone
            if not gone:
                self._waiting[job.id] = job
        if gone:
            job.fail(EngineGone())
            return job
        # A connection that breaks here is noticed by the one who listens as well.
        with suppress(OSError):
            self._send({"id": job.id, **header, **fields}, payload)
        return job

    def _cancel(self, job: Job[Any]) -> None:
        with suppress(OSError):
            self._send({"cancel": job.id})

    def _send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        with self._sending:
            frames.send(self._connection, header, payload)

    def _listen(self) -> None:
        with self._connection, suppress(EOFError, OSError, ProtocolError, KeyError, TypeError, ValueError):
            while True:
                header, _ = frames.receive(self._connection)
                self._take(header)
        with self._lock:
            self._gone = True
            left = tuple(self._waiting.values())
            self._waiting.clear()
        for job in left:
            job.fail(EngineGone())
        for role in ROLES:
            self._set_state(HostState(role, State.UNLOADED))

    def _take(self, header: dict[str, Any]) -> None:
        if "state" in header:
            self._set_state(HostState.from_json(header["state"]))
            return
        with self._lock:
            job = self._waiting.get(header["id"])
            if job is not None and "piece" not in header:
                del self._waiting[job.id]
        if job is None:
            return
        if "piece" in header:
            if job.on_piece is not None and not job.cancel_requested:
                job.on_piece(header["piece"])
        elif "done" in header:
            job.finish(header["done"], 0.0)
        elif "differs" in header:
            job.fail(EngineDiffers())
        else:
            job.fail(from_json(header["error"]))

    def _set_state(self, state: HostState) -> None:
        self._states[state.role] = state
        self._events.emit(state)
