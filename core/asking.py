"""Questions about pictures: which model answers, what it is given, and what comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.chat import (
    Answer,
    AnswerPiece,
    Finish,
    GenerationOptions,
    Message,
    OnAnswerPiece,
    Phase,
    Token,
    Usage,
    messages_json,
    pictures_of,
)
from core.checkpoints import Library, Weights
from core.engines import LLAVA, REMOTE, EngineSpec, LoadOptions, find_engine
from core.errors import ModelMissing, ModelUnusable, ServerNotSet, YomitoriError, from_json
from core.events import HostState, State
from core.host import ModelHost, Plan
from core.images import MAX_PIXELS, too_large
from core.jobs import Job
from core.memory import MemoryJudge
from core.models.catalogue import find_model, load_catalogue
from core.models.imported import not_here
from core.settings import SettingsStore, Vision
from core.vision.choice import choose, needs, recommend, with_held
from core.vision.told import ToldLocal


class Asking:
    """The role ``vision`` of an Engine. Safe to use from any thread, once ``serve`` was called."""

    def __init__(
        self,
        settings: SettingsStore,
        engines: tuple[EngineSpec, ...],
        library: Library[Any] | None,
        memory: MemoryJudge,
        server_key: Callable[[str], str],
    ) -> None:
        """``server_key`` gives the secret for a server, by its address; empty when it needs none."""
        self._settings = settings
        self._engines = engines
        self._library = library
        self._memory = memory
        self._server_key = server_key
        self.told_local = ToldLocal()
        self._lock = threading.Lock()
        self._preparing: Job[None] | None = None
        self._wanted: tuple[Message, ...] = ()

    def serve(self, host: ModelHost, submit: Callable[[Weights | None, Job[Answer]], None]) -> None:
        """``submit`` hands a job to the host, as soon as the weights can be loaded."""
        self._host = host
        self._submit = submit

    @property
    def _vision(self) -> Vision:
        return self._settings.current.vision

    @property
    def _remote(self) -> bool:
        return self._vision.backend == "remote"

    # ---- what to load

    def plan(self) -> Plan:
        """What a host loads for the settings in force.

        Raises:
            ModelMissing: the chosen model is not on this computer.
        """
        vision = self._vision
        if self._remote:
            return Plan(find_engine(REMOTE, "vision", self._engines), LoadOptions(), vision.idle_unload)
        weights = self._weights()
        if weights.needs_conversion:
            raise ModelUnusable(model=vision.model, reason="its weights are still being converted")
        threads = self._settings.current.models.threads
        options = LoadOptions(vision.device, threads, vision.precision, str(weights.folder))
        return Plan(
            self._llava, options, vision.idle_unload, lambda device: self._need(weights.folder, device)
        )

    @property
    def _llava(self) -> EngineSpec:
        return find_engine(LLAVA, "vision", self._engines)

    def _need(self, folder: Path, device: str) -> int:
        """Bytes that a model takes on a device, quantized where it fits only so."""
        return needs(self._memory.devices(), self._vision, self._llava)(folder, device)

    def _weights(self) -> Weights:
        """What the settings choose.

        Raises:
            ModelMissing: it is not on this computer.
        """
        name: str | None = self._vision.model
        found: Weights | None = None
        if self._library is not None:
            if name == "auto":
                state = self._host.state
                # What the loaded model has itself is there for it: it must not seem too large then.
                held = {state.device: state.vram or state.memory} if state.device else {}
                models, devices = self._library.models("vision"), with_held(self._memory.devices(), held)
                need = needs(devices, self._vision, self._llava)
                name = choose(models, devices, self._vision.device, self._llava.devices, need)
            found = self._library.lookup("vision", name) if name is not None else None
        if found is None:
            raise self._not_here(name)
        return found

    def _not_here(self, name: str | None) -> ModelMissing:
        """``name`` is None for an automatic choice where none is here: it is the one that is offered then."""
        catalogue = load_catalogue()
        if name is None:
            vision, devices = self._vision, self._memory.devices()
            best = recommend(catalogue, devices, vision.device, self._llava.devices, vision.precision)
            assert best is not None, "the catalogue has one; a test says so"
            name = best.name
        known = find_model(name, catalogue)
        return not_here(name, known.title if known is not None else "")

    # ---- questions

    def ask(
        self, messages: Sequence[Message], options: GenerationOptions, on_piece: OnAnswerPiece | None
    ) -> Job[Answer]:
        """See ``Engine.ask``."""
        pictures = pictures_of(messages)
        notices: list[YomitoriError] = []
        tokens: list[Token] = []

        def came(piece: dict[str, Any]) -> None:
            told = _piece(piece)
            if told.notice is not None:
                notices.append(told.notice)
            if told.again:
                tokens.clear()
            tokens.extend(told.tokens)
            if on_piece is not None:
                on_piece(told)

        def convert(answer: dict[str, Any], seconds: float) -> Answer:
            return self._answer(answer, seconds, notices, tokens)

        job = Job("ask", {**_params(messages), "options": options.to_json()}, pictures, convert, came)
        weights: Weights | None = None
        try:
            for picture in pictures:
                if picture.width * picture.height > MAX_PIXELS:
                    raise too_large("The picture", picture.width, picture.height)
            if self._remote:
                if not self._vision.server_model:
                    raise ServerNotSet
                job.params["server"] = self.server()
            else:
                weights = self._weights()
        except YomitoriError as error:
            job.fail(error)
            return job
        self._stop_preparing()
        if on_piece is not None and self._host.state.state not in (State.READY, State.BUSY):
            on_piece(AnswerPiece(phase=Phase.LOADING))
        self._submit(weights, job)
        return job

    def prepare(self, messages: Sequence[Message]) -> None:
        """See ``Engine.prepare_question``. A server is sent nothing before the question."""
        self._stop_preparing()
        if self._remote:
            return
        with self._lock:
            self._wanted = tuple(messages)
        self.on_state(self._host.state)

    def on_state(self, state: HostState) -> None:
        """The host's state has changed: what is to be taken in may be, now."""
        if state.role != self._host.role or state.state is not State.READY:
            return
        with self._lock:
            wanted, self._wanted = self._wanted, ()
            if not wanted:
                return
            job = Job(
                "prepare", _params(wanted), pictures_of(wanted), lambda answer, seconds: None, gives_way=True
            )
            self._preparing = job
        self._host.submit(job)

    def _stop_preparing(self) -> None:
        """What was taken in so far stays in the model's memory, for the question that comes."""
        with self._lock:
            job, self._preparing = self._preparing, None
            self._wanted = ()
        if job is not None:
            job.cancel()

    def server(self, key: str | None = None) -> dict[str, Any]:
        """How a job names the server of the settings; ``key`` instead of the one that is kept.

        Raises:
            ServerNotSet: it has no address.
            RemoteAddressInvalid, KeyringUnavailable
        """
        vision = self._vision
        if not vision.server_url:
            raise ServerNotSet
        return {
            "base_url": vision.server_url,
            "model": vision.server_model,
            "key": self._server_key(vision.server_url) if key is None else key,
            "loopback": self.told_local.was_told(vision.server_url),
        }

    def _answer(
        self, answer: dict[str, Any], seconds: float, notices: list[YomitoriError], tokens: list[Token]
    ) -> Answer:
        state = self._host.state
        local = state.engine == LLAVA
        if state.notice is not None:
            notices.append(state.notice)
        return Answer(
            answer["text"],
            Finish(answer["finish"]),
            state.engine,
            state.detail if local else self._vision.server_model,
            state.device if local else "",
            answer.get("precision", state.precision) if local else "",
            seconds,
            answer["first_seconds"],
            answer["confidence"],
            Usage.from_json(answer["usage"]),
            tuple(notices),
            tuple(tokens),
        )


def _params(messages: Sequence[Message]) -> dict[str, Any]:
    return {"messages": messages_json(messages)}


def _piece(piece: dict[str, Any]) -> AnswerPiece:
    notice = piece.get("notice")
    return AnswerPiece(
        piece.get("text", ""),
        Phase(piece["phase"]) if "phase" in piece else None,
        piece.get("done", 0),
        piece.get("total", 0),
        None if notice is None else from_json(notice),
        "again" in piece,
        tuple(Token.from_json(token) for token in piece.get("tokens", ())),
    )
