"""A talk of the side panel with the real store, host and bridge; both models are registered fakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from core.conversation_types import Turn, TurnState
from core.conversations import Conversations
from core.engine import Engine
from core.errors import YomitoriError
from core.history import History
from core.settings import SettingsStore
from core.types import RgbImage
from desktop.talk import Talk
from desktop.worker import Bridge, HostThread
from tests.support.fake_engine import FAKE
from tests.support.fake_vision_engine import FAKE_VISION
from tests.support.local_library import LocalLibrary

STALL = 30_000
PICTURE = RgbImage(6, 4, b"\x80" * 72)
"""The fake engine reads its size in it: 6x4."""


class Desk:
    """A talk and all that it needs."""

    def __init__(self, qtbot: QtBot, settings: SettingsStore, folder: Path, kept: bool = True) -> None:
        self.qtbot, self.settings = qtbot, settings
        settings.set("vision.model", str(folder))
        self.library = LocalLibrary(folder)
        self.engine = Engine(settings, folder / "log", HostThread, (FAKE, FAKE_VISION), library=self.library)
        self.bridge = Bridge()
        self.history = History(folder / "data" / "history.sqlite3")
        self.talk = Talk(self.engine, self.bridge, settings, self.history, "en", keeps=lambda: kept)
        self.problems: list[YomitoriError] = []
        self.talk.problem.connect(self.problems.append)

    @property
    def store(self) -> Conversations:
        return self.history.conversations

    def add(self, image: RgbImage = PICTURE) -> int:
        """A picture, once it is kept and read."""
        before = len(self.talk.pictures)
        self.talk.add_picture(image, "snip")
        self.until(lambda: len(self.talk.pictures) == before + 1 and not self.talk.pictures[-1].reading)
        return self.talk.pictures[-1].picture.id

    def ask(self, text: str) -> Turn:
        """The answer, once it has ended."""
        self.begin(text)
        self.until_quiet()
        return self.talk.turns[-1]

    def begin(self, text: str) -> Turn:
        """The answer, as soon as it is begun."""
        with self.qtbot.waitSignal(self.talk.accepted, timeout=STALL):
            self.talk.ask(text)
        return self.talk.turns[-1]

    def until(self, right: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(right, timeout=STALL)

    def until_quiet(self) -> None:
        """Nothing is being answered, and the last turn's end is shown."""
        self.until(
            lambda: (
                not self.talk.busy
                and bool(self.talk.turns)
                and self.talk.turns[-1].state is not TurnState.STREAMING
            )
        )

    def wait_for_text(self, turn: int) -> str:
        def text() -> str:
            progress = self.talk.progress(turn)
            return progress.text if progress is not None else ""

        self.until(lambda: bool(text()))
        return text()

    def close(self) -> None:
        self.talk.close()
        self.bridge.close()
        self.engine.close()
        self.talk.forget()
        self.history.close()
