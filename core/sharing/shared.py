"""The engine of programs without a window: the one that runs already, or one of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from core.chat import Answer, AnswerPiece, GenerationOptions, Message, OnAnswerPiece
from core.engine import Engine
from core.errors import EngineDiffers, EngineGone, InstanceError, YomitoriError
from core.events import Events, HostState, Listener, State
from core.jobs import Job
from core.local_socket import LocalSocket
from core.settings import SettingsStore
from core.sharing.attached import AttachedEngine
from core.sharing.identity import Folders, identity, may_share
from core.sharing.owner import EngineOwner
from core.types import OcrResult, RgbImage

log = logging.getLogger(__name__)

T = TypeVar("T")
_TRIES = 3


class SharedEngine:
    """As ``Engine``, for what a program without a window needs of it. Close it; ``engine`` is closed with it.

    With ``offer``, others may attach to it while nobody else owns an engine; the tray takes over when it
    starts. Without, it only attaches: a program that ends soon is of no use to others.
    """

    def __init__(
        self,
        engine: Engine,
        settings: SettingsStore,
        library: Folders,
        socket: LocalSocket,
        offer: bool = False,
    ) -> None:
        self._own = engine
        self._settings = settings
        self._library = library
        self._socket = socket
        self._offer = offer
        self._events = Events()
        self._lock = threading.Lock()
        self._attached: AttachedEngine | None = None
        self._owner: EngineOwner | None = None
        self.closed = False
        # By role: whether its last job was done by somebody else's engine.
        self._elsewhere: dict[str, bool] = {}
        self._forget_own = engine.subscribe(lambda state: self._on_state(state, elsewhere=False))
        self._place()

    @property
    def attached(self) -> bool:
        """Whether it uses the engine of another program."""
        return self._attached is not None and not self._attached.gone

    # ---- whose engine

    def _place(self) -> AttachedEngine | None:
        """The engine of another program; None when there is none, or when others use ours."""
        with self._lock:
            if self._attached is not None and self._attached.gone:
                log.info("The program that owned the engine has ended")
                self._attached = None
            if self._attached is None and self._owner is None:
                self._find_place()
            return self._attached

    def _find_place(self) -> None:
        if self._offer and self._try_to_own():
            return
        try:
            self._attached = AttachedEngine(self._socket)
        except InstanceError as error:
            log.debug("No engine to attach to: %s", error)
            return
        self._attached.subscribe(lambda state: self._on_state(state, elsewhere=True))
        log.info("Attached to the engine of another program")

    def _try_to_own(self) -> bool:
        try:
            if not self._socket.acquire():
                return False
        except YomitoriError as error:
            log.warning("Nobody can share this engine: %s", error)
            return True
        self._owner = EngineOwner(self._socket, self._own, self._identity, self._handed_over)
        self._owner.start()
        return True

    def _handed_over(self) -> None:
        log.info("Another program owns the engine now")
        with self._lock:
            owner, self._owner = self._owner, None
        if owner is not None:
            # Else those that use this engine would have it load all that the other one has.
            owner.leave()
        # As soon as what runs here is done.
        for role in ("ocr", "vision"):
            self._own.unload(role)

    def _identity(self, role: str) -> dict[str, str]:
        return identity(self._settings, self._library, role)

    # ---- work

    def recognize(
        self,
        image: RgbImage,
        on_piece: Callable[[dict[str, Any]], None] | None = None,
    ) -> Job[OcrResult]:
        """See ``Engine.recognize``."""
        reading = self._settings.current.reading

        def elsewhere(engine: AttachedEngine) -> Job[OcrResult]:
            return engine.recognize(image, on_piece, reading, self._identity("ocr"))

        return _Followed(self, "ocr", elsewhere, lambda: self._own.recognize(image, on_piece))

    def ask(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        on_piece: OnAnswerPiece | None = None,
    ) -> Job[Answer]:
        """See ``Engine.ask``."""

        def elsewhere(engine: AttachedEngine) -> Job[Answer]:
            return engine.ask(messages, options, on_piece, self._identity("vision"))

        def again() -> None:
            if on_piece is not None:
                on_piece(AnswerPiece(again=True))

        return _Followed(self, "vision", elsewhere, lambda: self._own.ask(messages, options, on_piece), again)

    def reread(self, role: str) -> bool:
        """Look whether the other program has changed the settings that both read; whether that changes what
        is to be loaded."""
        before = self._identity(role)
        return self._settings.reread() and self._identity(role) != before

    def engine_for(self, role: str) -> AttachedEngine | None:
        """The engine of another program for a job of that role, None for our own."""
        engine = self._place() if may_share(self._settings, role) else None
        self._elsewhere[role] = engine is not None
        return engine

    def reading_engine(self) -> str:
        """See ``Engine.reading_engine``."""
        return self._own.reading_engine()

    # ---- life in memory

    def load(self, role: str = "ocr") -> None:
        """See ``Engine.load``."""
        engine = self.engine_for(role)
        if engine is not None:
            engine.tell("load", role)
        else:
            self._own.load(role)

    def unload(self, role: str = "ocr") -> None:
        """See ``Engine.unload``; where another program's engine is used, that one."""
        engine = self.engine_for(role)
        if engine is not None:
            engine.tell("unload", role)
        self._own.unload(role)

    def retry_devices(self, role: str = "ocr") -> None:
        """See ``Engine.retry_devices``; where another program's engine is used, that one."""
        engine = self.engine_for(role)
        if engine is not None:
            engine.tell("retry_devices", role)
        self._own.retry_devices(role)

    def state(self, role: str = "ocr") -> HostState:
        """See ``Engine.state``."""
        attached = self._attached
        if attached is not None and self._elsewhere.get(role, True) and may_share(self._settings, role):
            return attached.state(role)
        return self._own.state(role)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See ``Engine.subscribe``."""
        return self._events.subscribe(listener)

    def _on_state(self, state: HostState, elsewhere: bool) -> None:
        if self._elsewhere.get(state.role, self.attached) == elsewhere or state.state is State.UNLOADED:
            self._events.emit(self.state(state.role) if state.role != "quick" else state)

    def close(self) -> None:
        """Let those go that use this engine, and end it."""
        with self._lock:
            self.closed = True
            owner, self._owner = self._owner, None
            attached, self._attached = self._attached, None
        if owner is not None:
            owner.end()
        if attached is not None:
            attached.close()
        self._forget_own()
        self._own.close()


class _Followed(Job[T]):
    """A job that is done elsewhere where that can be, and here when the other program ends meanwhile, or
    holds another model."""

    def __init__(
        self,
        engine: SharedEngine,
        role: str,
        elsewhere: Callable[[AttachedEngine], Job[T]],
        here: Callable[[], Job[T]],
        again: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(role, {}, (), _no_answer)
        self._engine = engine
        self._role = role
        self._run_elsewhere = elsewhere
        self._run_here = here
        self._again = again
        self._tries = 0
        self._behind: Job[T] | None = None
        self.attach(self._cancel_behind)
        self._run()

    def _run(self, may_leave: bool = True) -> None:
        if self._engine.closed:
            self.drop()
            return
        self._tries += 1
        attached = self._engine.engine_for(self._role) if may_leave and self._tries <= _TRIES else None
        job = self._run_here() if attached is None else self._run_elsewhere(attached)
        self._behind = job
        if self.cancel_requested:
            job.cancel()
        job.on_done(self._ended)

    def _ended(self, job: Job[T]) -> None:
        error = job.error()
        if error is None:
            self.resolve(job.result())
        elif self.cancel_requested:
            self.drop()
        elif isinstance(error, EngineGone):
            self._again()
            self._run()
        elif isinstance(error, EngineDiffers) and self._engine.reread(self._role):
            self._run()
        elif isinstance(error, EngineDiffers):
            log.info("%s: the running Yomitori holds another model, so this one is loaded here", self._role)
            self._run(may_leave=False)
        else:
            self.fail(error)

    def _cancel_behind(self) -> None:
        if self._behind is not None:
            self._behind.cancel()

    def _let_go(self) -> None:
        # They hold the pictures.
        self._run_elsewhere = self._run_here = _never


def _never(*_: Any) -> Any:
    raise NotImplementedError("it has ended")


def _no_answer(answer: dict[str, Any], seconds: float) -> Any:
    raise NotImplementedError("its result comes from the job behind it")
