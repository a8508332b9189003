"""The desktop's part for models without the rest of the desktop: a real library, engine and bridge, a small
checkpoint, and a hub on this machine that serves it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.devices import Device
from core.engine import Engine
from core.engines import EngineSpec
from core.errors import YomitoriError
from core.memory import MemoryJudge
from core.models.catalogue import KnownFile, KnownModel
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from desktop.models_controller import ModelsController
from desktop.tray import Actions
from desktop.worker import Bridge, HostThread
from tests.support.fake_manga_engine import BOTH

REPO = "kha-white/manga-ocr-base"
CPU = Device("cpu", "CPU, 2 cores", 16_000_000_000, 8_000_000_000)
CARD = Device("cuda:0", "A card", 8_000_000_000, 6_000_000_000)
QUICK = {"first_delay": 0.02, "longest_delay": 0.1, "connect": 2.0, "read": 5.0, "attempts": 2}
"""Retries without waiting."""


def known(licence: str = "apache-2.0", licence_open: bool = True, **changed: Any) -> KnownModel:
    """MangaOCR as the catalogue has it, with the revision that a test's hub serves."""
    values: dict[str, Any] = {
        "name": "manga-ocr",
        "role": "ocr",
        "title": "MangaOCR base",
        "what_for": "Reads Japanese text in manga: vertical, with furigana, on drawings.",
        "repo": REPO,
        "revision": "main",
        "files": (KnownFile("config.json"), KnownFile("model.safetensors")),
        "download_size": 444_200_000,
        "parameters": 111_000_000,
        "licence": licence,
        "licence_open": licence_open,
        "licence_url": "https://example.org/licence",
        "memory": {"fp32": 1_100_000_000, "bf16": 850_000_000, "fp16": 850_000_000},
        "devices": ("cpu", "cuda", "mps"),
    }
    return KnownModel(**{**values, **changed})


class Told:
    """Messages to the user, as they would leave."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.errors: list[YomitoriError] = []

    def tell(self, title: str, body: str = "", insist: bool = True) -> None:
        self.messages.append((title, body))

    def tell_error(self, error: YomitoriError) -> None:
        self.errors.append(error)


class ModelsDesk:
    """Close it. ``home`` holds settings, records and the models."""

    def __init__(
        self,
        home: Path,
        settings: SettingsStore,
        catalogue: tuple[KnownModel, ...] | None = None,
        engines: tuple[EngineSpec, ...] = BOTH,
        devices: Callable[[], list[Device]] = lambda: [CPU],
    ) -> None:
        self.settings = settings
        self.root = home / "hub"
        if "models.dir" not in settings.overridden:
            settings.set("models.dir", str(self.root))
        self.asked_in: list[threading.Thread] = []

        def look() -> list[Device]:
            self.asked_in.append(threading.current_thread())
            return devices()

        # What is not among them is not there, whatever this machine has.
        memory = MemoryJudge(lambda: CPU.free, look, lambda _: True)
        self.library = ModelLibrary(
            settings,
            Paths.below(home),
            home / "log",
            runner=HostThread,
            catalogue=(known(),) if catalogue is None else catalogue,
            environ={},
            memory=memory,
            retry=QUICK,
        )
        self.engine = Engine(settings, home / "log", HostThread, engines, library=self.library, memory=memory)
        self.bridge = Bridge()
        self.told = Told()
        self.actions = Actions()
        self.watched = False
        self.controller = ModelsController(
            self.library,
            self.engine,
            settings,
            self.bridge,
            self.told,
            self.actions,
            lambda: self.watched,
        )
        self.tasks = self.controller.tasks
        self.bridge.watch(self.engine)
        self.bridge.state_changed.connect(self.controller.on_state)

    def close(self) -> None:
        self.controller.close()
        self.bridge.close()
        self.engine.close()
        self.library.close()
