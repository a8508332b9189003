"""Engine: the facade that every front end holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from core.alternatives import by_built_in
from core.asking import Asking
from core.batching import Batcher, BatchLimits
from core.chat import Answer, GenerationOptions, Message, OnAnswerPiece
from core.checkpoints import Library, Weights
from core.conversion import Conversions
from core.engines import BUILT_IN, ENGINES, REMOTE, EngineSpec, LoadOptions, find_engine
from core.errors import (
    AlreadyDownloading,
    DeviceFailed,
    LoadFailed,
    ModelUnusable,
    NotEnoughMemory,
    StorageError,
    YomitoriError,
)
from core.events import Events, HostState, Listener, State
from core.host import HostLimits, ModelHost, Plan
from core.images import MAX_PIXELS, too_large
from core.jobs import Job
from core.memory import MemoryJudge
from core.models.entries import OnProgress
from core.models.estimate import memory_needed
from core.models.imported import not_here
from core.ocr.postprocess import compose
from core.process import ModelProcess
from core.reading import Provisional, ReadingJob
from core.server_test import ROLE as SERVER_TEST
from core.server_test import ServerTest, ServerTests
from core.settings import Reading, SettingsStore
from core.types import Box, Direction, OcrResult, RgbImage, TextBlock

QUICK_IDLE = 20.0
"""Seconds for which the built-in engine stays beside another: long enough for the next snip."""
_READ_BY_ANOTHER = (
    LoadFailed,
    ModelUnusable,
    NotEnoughMemory,
    DeviceFailed,
    StorageError,
    AlreadyDownloading,
)
"""Failures of an engine after which the built-in one reads, when the choice was automatic."""


class Runner(Protocol):
    """A thread that executes ``ModelHost.run``."""

    def start(self) -> None: ...
    def join(self) -> None: ...


RunnerFactory = Callable[[ModelHost], Runner]


def thread_runner(host: ModelHost) -> Runner:
    """A plain thread, for front ends without an event loop of their own."""
    return threading.Thread(target=host.run, name=f"host-{host.role}")


class Engine:
    """Reads pictures. Safe to use from any thread; nothing is loaded before it is needed.

    Close it: it joins its threads and ends its model processes.
    """

    def __init__(
        self,
        settings: SettingsStore,
        log_folder: Path | None = None,
        runner: RunnerFactory = thread_runner,
        engines: tuple[EngineSpec, ...] = ENGINES,
        limits: HostLimits | None = None,
        library: Library[Any] | None = None,
        memory: MemoryJudge | None = None,
        server_key: Callable[[str], str] = lambda _: "",
    ) -> None:
        """``server_key`` gives the secret for a server that answers questions, by its address."""
        self._settings = settings
        self._engines = engines
        self._library = library
        self._events = Events()
        self.memory = memory or MemoryJudge()

        def process(role: str) -> ModelProcess:
            return ModelProcess(log_folder / f"model-{role}.log" if log_folder else None)

        def host(role: str, plan: Callable[[], Plan]) -> ModelHost:
            return ModelHost(role, plan, lambda: process(role), self.memory, self._events, limits)

        self._asking = Asking(settings, engines, library, self.memory, server_key)
        # "quick" is the built-in engine beside another one that is still loading, or cannot be loaded.
        self._hosts = {
            "ocr": host("ocr", self._plan_ocr),
            "quick": host("quick", self._plan_quick),
            "vision": host("vision", self._asking.plan),
        }
        self._readings = Batcher(self._hosts["ocr"].submit, BatchLimits(queue=(limits or HostLimits()).queue))
        self._runners = [runner(host) for host in self._hosts.values()]
        self._server_tests = ServerTests(
            lambda: find_engine(REMOTE, "vision", engines), runner, lambda: process(SERVER_TEST), limits
        )
        self._conversions: Conversions[Any] = Conversions(
            self._start_conversion, lambda: self._events.emit(self.state())
        )
        self._asking.serve(self._hosts["vision"], self._answered)
        self._events.subscribe(self._asking.on_state)
        self._forget_settings = settings.subscribe(lambda _: self._wake_all())
        for thread in self._runners:
            thread.start()

    # ---- what to load

    def _plan_ocr(self) -> Plan:
        models = self._settings.current.models
        spec, weights = self._choose_ocr()
        options = LoadOptions(
            models.device, models.threads, models.precision, str(weights.folder) if weights else ""
        )
        if weights is None:
            # The built-in engine has no precision to choose: changing it must not load it anew.
            options = LoadOptions("cpu", models.threads)
            return Plan(spec, options, models.idle_unload)
        if weights.needs_conversion:
            raise ModelUnusable(model=models.ocr_model, reason="its weights are still being converted")

        def need(device: str) -> int:
            return memory_needed(weights.folder, device, models.precision, spec.memory)

        return Plan(spec, options, models.idle_unload, need)

    def _plan_quick(self) -> Plan:
        threads = self._settings.current.models.threads
        return Plan(self._find(BUILT_IN), LoadOptions("cpu", threads), QUICK_IDLE)

    def _find(self, name: str) -> EngineSpec:
        return find_engine(name, "ocr", self._engines)

    def _choose_ocr(self) -> tuple[EngineSpec, Weights | None]:
        """The engine that reads, with its weights.

        Raises:
            ModelMissing: the engine was chosen by name and its weights are not here.
        """
        asked = self._settings.current.reading.engine
        model = self._settings.current.models.ocr_model
        for spec in self._engines:
            if spec.role != "ocr" or asked not in ("auto", spec.name):
                continue
            if not spec.has_checkpoint:
                return spec, None
            weights = self._library.lookup("ocr", model) if self._library is not None else None
            if weights is not None:
                return spec, weights
            if asked != "auto":
                raise not_here(model)
        return self._find(BUILT_IN if asked == "auto" else asked), None

    def reading_engine(self) -> str:
        """The name of the engine that would read now; empty when the one asked for cannot."""
        try:
            return self._choose_ocr()[0].name
        except YomitoriError:
            return ""

    def _wake_all(self) -> None:
        for host in self._hosts.values():
            host.wake()

    # ---- reading

    def recognize(
        self,
        image: RgbImage,
        on_piece: Callable[[dict[str, Any]], None] | None = None,
        on_provisional: Provisional | None = None,
        reading: Reading | None = None,
        looked_at: bool = False,
    ) -> Job[OcrResult]:
        """Read the text of a picture. Pictures that wait for the same model are read together.

        Args:
            reading: how, instead of what the settings say; but for the engine, which is theirs.
            on_piece: hears of progress, in a host's thread: ``lines_done`` of ``lines``; while the weights
                are converted, ``conversion`` with a ``Progress`` as JSON.
            on_provisional: hears what the built-in engine read, while the chosen one is still loading or
                reading; at most once, never after the result, in a host's thread.
            looked_at: somebody waits for it at a screen. It goes before others that wait, and before what is
                left of several that are being read together.
        """
        job = ReadingJob(image, on_piece, on_provisional)
        if image.width * image.height > MAX_PIXELS:
            job.fail(too_large("The picture", image.width, image.height))
            return job
        quick = self._may_be_quick()
        options = reading or self._settings.current.reading
        params = {
            "retry_doubtful": options.retry_doubtful,
            # An engine chosen by name is never replaced.
            "second_engine": self._settings.current.reading.engine == "auto",
            "allow_repeats": options.allow_repeats,
            "quick": on_provisional is not None,
        }
        main = Job(
            "recognize", params, (image,), self._result_of("ocr", options), self._on_piece(job, options)
        )

        def read_by_another(error: YomitoriError) -> bool:
            if not quick or not isinstance(error, _READ_BY_ANOTHER):
                return False
            self._hosts["quick"].submit(job.stand_in(self._quick_job(image, options), error))
            return True

        job.follow(main, read_by_another)
        self._when_loadable(
            "ocr",
            self._weights(),
            main,
            lambda: self._readings.submit(main, first=looked_at),
            job.tell_conversion,
        )
        if quick and on_provisional is not None and self.state("ocr").state not in (State.READY, State.BUSY):
            self._hosts["quick"].submit(job.preview(self._quick_job(image, options)))
        return job

    def _when_loadable(
        self,
        role: str,
        weights: Weights | None,
        job: Job[Any],
        submit: Callable[[], None],
        on_conversion: OnProgress | None,
    ) -> None:
        """``submit`` the job, after the conversion of the weights where that comes first."""

        def begin() -> None:
            if weights is not None and self._library is not None:
                self._library.touch(weights, role)
            submit()

        if weights is None or not weights.needs_conversion:
            begin()
            return

        def converted(conversion: Job[Any]) -> None:
            error = conversion.error()
            if error is not None:
                job.fail(error)
            elif not job.done():
                begin()

        # No host has it yet that would end it when it is cancelled.
        job.attach(job.drop)
        self._convert(role, weights, on_conversion).on_done(converted)

    def _convert(self, role: str, weights: Weights, on_progress: OnProgress | None = None) -> Job[Any]:
        settings = self._settings.current
        model = settings.models.ocr_model if role == "ocr" else settings.vision.model
        return self._conversions.of(weights, role, model, on_progress)

    def _start_conversion(self, role: str, model: str, on_progress: OnProgress) -> Job[Any]:
        assert self._library is not None
        return self._library.convert(role, model, on_progress)

    def _weights(self) -> Weights | None:
        """What would be loaded now; None for the built-in engine and when nothing can be."""
        try:
            return self._choose_ocr()[1]
        except YomitoriError:
            return None

    def _may_be_quick(self) -> bool:
        """Whether the built-in engine may help out: another one was chosen, and not by name."""
        return self._settings.current.reading.engine == "auto" and self.reading_engine() != BUILT_IN

    def _quick_job(self, image: RgbImage, reading: Reading) -> Job[OcrResult]:
        return Job("recognize", {}, (image,), self._result_of("quick", reading))

    def _result_of(self, role: str, reading: Reading) -> Callable[[dict[str, Any], float], OcrResult]:
        def convert(answer: dict[str, Any], seconds: float) -> OcrResult:
            state = self.state(role)
            return _composed(answer["blocks"], seconds, reading, state)

        return convert

    def _on_piece(self, job: ReadingJob, reading: Reading) -> Callable[[dict[str, Any]], None]:
        def on_piece(piece: dict[str, Any]) -> None:
            provisional = piece.get("provisional")
            if provisional is not None:
                seconds = float(provisional.get("seconds", 0.0))
                job.tell_provisional(_composed(provisional["blocks"], seconds, reading))
            elif job.on_piece is not None:
                job.on_piece(piece)

        return on_piece

    def detect(self, image: RgbImage) -> Job[list[tuple[Box, Direction]]]:
        """Find the blocks of a picture without reading them."""

        def convert(answer: dict[str, Any], _seconds: float) -> list[tuple[Box, Direction]]:
            return [(Box.from_json(b["box"]), Direction(b["direction"])) for b in answer["blocks"]]

        job = Job("detect", {}, (image,), convert)
        if image.width * image.height > MAX_PIXELS:
            job.fail(too_large("The picture", image.width, image.height))
        else:
            # The built-in engine finds blocks, whichever reads them: nobody waits for weights here.
            ready = self.state("ocr").state is State.READY
            self._hosts["ocr" if ready or not self._may_be_quick() else "quick"].submit(job)
        return job

    # ---- questions about pictures

    def ask(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        on_piece: OnAnswerPiece | None = None,
    ) -> Job[Answer]:
        """Have the last message of a conversation answered.

        Args:
            on_piece: hears of the answer as it comes, in the host's thread. What it has heard when the job
                fails or is cancelled is all there is of the answer.

        The job fails with ModelMissing, ServerNotSet, ContextFull, OnePictureOnly, or as loading does.
        """
        return self._asking.ask(messages, options, on_piece)

    def prepare_question(self, messages: Sequence[Message]) -> None:
        """Take a conversation in while its next question is still being written, where that costs nobody
        anything: the model is loaded, and runs on this computer. The next question or call ends it."""
        self._asking.prepare(messages)

    def test_server(self, key: str | None = None) -> Job[ServerTest]:
        """Try the server of the settings, whether it is what answers questions or not. Nothing of the user's
        is sent but the key: ``key``, or the one that is kept where that is None.

        It may ask the keyring: not for a thread that draws. The job fails with ServerNotSet,
        RemoteAddressInvalid, KeyringUnavailable, or a RemoteError.
        """
        try:
            server = self._asking.server(key)
        except YomitoriError as error:
            return self._server_tests.failed(error)
        return self._server_tests.start(server)

    def told_where(self, server_url: str, local: bool) -> None:
        """The user sees now whether that server is on this computer. A question to one that was said to be,
        and is not any more, fails with RemoteElsewhere and is not sent.

        Raises:
            RemoteAddressInvalid: no such address.
        """
        self._asking.told_local.tell(server_url, local)

    def _answered(self, weights: Weights | None, job: Job[Answer]) -> None:
        self._when_loadable("vision", weights, job, lambda: self._hosts["vision"].submit(job), None)

    # ---- life in memory

    def load(self, role: str = "ocr") -> None:
        """Get ready in the background, since a job is about to come."""
        wanted = self._settings.current.card.quick_text and self._may_be_quick()
        if role == "ocr" and wanted and self.state("ocr").state is not State.READY:
            self._hosts["quick"].prepare()
        weights = self._weights() if role == "ocr" else None
        if weights is not None and weights.needs_conversion:
            self._convert("ocr", weights)
        else:
            self._hosts[role].prepare()

    def release(self, role: str = "ocr") -> None:
        """The job that ``load`` was called for does not come."""
        for host in self._of(role):
            host.release()

    def unload(self, role: str = "ocr") -> None:
        """Free the memory as soon as nothing runs."""
        for host in self._of(role):
            host.unload()

    def retry_devices(self, role: str = "ocr") -> None:
        """Try a device that failed again, at the next load."""
        self._hosts[role].retry_devices()

    def _of(self, role: str) -> list[ModelHost]:
        return [self._hosts[role], self._hosts["quick"]] if role == "ocr" else [self._hosts[role]]

    def state(self, role: str = "ocr") -> HostState:
        """What its model is doing. One whose weights are being converted is loading."""
        state = self._hosts[role].state
        idle = state.state in (State.UNLOADED, State.FAILED)
        if role == "ocr" and idle and self._conversions.busy:
            return HostState(role, State.LOADING, self.reading_engine())
        return state

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of every change of state, in the host's thread; returns the function that ends it.

        Events of the role ``quick`` are about the built-in engine that helps another one out.
        """
        return self._events.subscribe(listener)

    def close(self) -> None:
        """Cancel what runs, end the model processes, join the threads."""
        self._forget_settings()
        self._readings.close()
        for host in self._hosts.values():
            host.close()
        for thread in self._runners:
            thread.join()
        self._server_tests.close()


def _composed(
    blocks_json: list[Any], seconds: float, reading: Reading, state: HostState | None = None
) -> OcrResult:
    """What was read, as the settings want it; ``state`` is that of the host that read, None for the built-in
    engine that helps another one out."""
    blocks = tuple(TextBlock.from_json(block) for block in blocks_json)
    text = compose(blocks, reading)
    if state is None or by_built_in(blocks):
        return OcrResult(text, blocks, BUILT_IN, "cpu", seconds)
    return OcrResult(text, blocks, state.engine, state.device, seconds, precision=state.precision)
