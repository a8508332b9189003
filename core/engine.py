"""Engine: the facade that every front end holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from core.engines import ENGINES, EngineSpec, LoadOptions, find_engine
from core.events import Events, HostState, Listener
from core.host import HostLimits, ModelHost, Plan
from core.images import MAX_PIXELS, too_large
from core.jobs import Job
from core.memory import MemoryJudge
from core.ocr.postprocess import compose
from core.process import ModelProcess
from core.settings import SettingsStore
from core.types import Box, Direction, OcrResult, RgbImage, TextBlock


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
    ) -> None:
        self._settings = settings
        self._engines = engines
        self._events = Events()
        self.memory = MemoryJudge()
        log_file = log_folder / "model-ocr.log" if log_folder else None
        self._hosts = {
            "ocr": ModelHost(
                "ocr",
                self._plan_ocr,
                lambda: ModelProcess(log_file),
                self.memory,
                self._events,
                limits,
            )
        }
        self._runners = [runner(host) for host in self._hosts.values()]
        self._forget_settings = settings.subscribe(lambda _: self._wake_all())
        for thread in self._runners:
            thread.start()

    def _plan_ocr(self) -> Plan:
        current = self._settings.current
        return Plan(
            spec=find_engine(current.reading.engine, "ocr", self._engines),
            options=LoadOptions(current.models.device, current.models.threads),
            idle_seconds=current.models.idle_unload,
        )

    def _wake_all(self) -> None:
        for host in self._hosts.values():
            host.wake()

    def recognize(
        self, image: RgbImage, on_piece: Callable[[dict[str, Any]], None] | None = None
    ) -> Job[OcrResult]:
        """Read the text of a picture. ``on_piece`` hears of progress in the host's thread."""

        def convert(answer: dict[str, Any], seconds: float) -> OcrResult:
            blocks = tuple(TextBlock.from_json(block) for block in answer["blocks"])
            state = self.state("ocr")
            text = compose(blocks, self._settings.current.reading)
            return OcrResult(text, blocks, state.engine, state.device, seconds)

        return self._submit("ocr", Job("recognize", {}, image, convert, on_piece))

    def detect(self, image: RgbImage) -> Job[list[tuple[Box, Direction]]]:
        """Find the blocks of a picture without reading them."""

        def convert(answer: dict[str, Any], _seconds: float) -> list[tuple[Box, Direction]]:
            return [(Box.from_json(b["box"]), Direction(b["direction"])) for b in answer["blocks"]]

        return self._submit("ocr", Job("detect", {}, image, convert))

    def _submit(self, role: str, job: Job[Any]) -> Job[Any]:
        image = job.image
        if image is not None and image.width * image.height > MAX_PIXELS:
            job.fail(too_large("The picture", image.width, image.height))
        else:
            self._hosts[role].submit(job)
        return job

    def load(self, role: str = "ocr") -> None:
        """Get ready in the background, since a job is about to come."""
        self._hosts[role].prepare()

    def release(self, role: str = "ocr") -> None:
        """The job that ``load`` was called for does not come."""
        self._hosts[role].release()

    def unload(self, role: str = "ocr") -> None:
        """Free the memory as soon as nothing runs."""
        self._hosts[role].unload()

    def state(self, role: str = "ocr") -> HostState:
        return self._hosts[role].state

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of every change of state, in the host's thread; returns the function that ends it."""
        return self._events.subscribe(listener)

    def close(self) -> None:
        """Cancel what runs, end the model processes, join the threads."""
        self._forget_settings()
        for host in self._hosts.values():
            host.close()
        for thread in self._runners:
            thread.join()
