"""Trying the server of the settings: where it is, whether it works, and which models it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from core.engine import Engine
from core.errors import YomitoriError
from core.jobs import Job
from core.server_test import ServerTest
from core.settings import Settings, SettingsStore
from core.vision.address import Lookup
from core.vision.completion import has_model
from core.vision.errors import RemoteModelMissing
from desktop.server_card import Route
from desktop.server_key import ServerKey
from desktop.worker import Bridge


class ServerTrial(QObject):
    """Outlives what shows it, since answers may come later: one for the whole program, in the GUI thread.

    ``result`` or ``error`` are of the last test of this server; ``seconds`` are those for which the one that
    is ``running`` has been waiting.
    """

    changed = Signal()

    def __init__(
        self,
        engine: Engine,
        bridge: Bridge,
        settings: SettingsStore,
        parent: QObject | None = None,
        lookup: Lookup | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """``lookup`` is what knows names, by default the system; ``environ`` may hold a key."""
        super().__init__(parent)
        self._engine = engine
        self._bridge = bridge
        self._settings = settings
        self.route = Route(bridge, self, lookup)
        self.route.changed.connect(self.changed)
        self.key = ServerKey(bridge, self, environ)
        self.key.changed.connect(self.changed)
        self.key.kept.connect(self.forget)
        self._clock = QTimer(self, interval=1000)
        self._clock.timeout.connect(self._tick)
        self._number = 0
        self._job: Job[ServerTest] | None = None
        self._known = settings.current.vision
        self.running = False
        self.seconds = 0
        self.result: ServerTest | None = None
        self.error: YomitoriError | None = None
        self.used_typed_key = False
        self._unsubscribe = settings.subscribe(self._on_settings)

    def close(self) -> None:
        """End a test that runs, and hear of the settings no more."""
        self._unsubscribe()
        self.stop()

    @property
    def url(self) -> str:
        """The address as the settings have it; empty for none."""
        return self._settings.current.vision.server_url.strip()

    # ---- where it is

    def look(self, again: bool = False) -> None:
        """Find out where the server is; ``again``: also when that was known before."""
        if again:
            self.route.look_up("")
        self.route.look_up(self.url)

    def told(self) -> None:
        """The user sees where the server is."""
        if self.route.server is not None and self.route.loopback is not None:
            self._engine.told_where(self.route.server.url, self.route.loopback)

    # ---- whether it works

    def start(self, key: str = "") -> None:
        """Try it, with ``key`` or else the one that is kept."""
        if self.running or not self.url:
            return
        self.forget()
        key = key.strip()
        self.running, self.used_typed_key, self.seconds = True, bool(key), 0
        # Not here: the keyring may ask the user to unlock it first.
        begun = partial(self._begun, self._number)
        self._bridge.run_apart(lambda: self._engine.test_server(key or None), begun)
        self._clock.start()
        self.changed.emit()

    def stop(self) -> None:
        """End the test that runs."""
        if self.running:
            self.forget()

    def forget(self) -> None:
        """What was found out before does not count any more; a test that runs is ended."""
        self._number += 1
        job, self._job = self._job, None
        self.running, self.result, self.error = False, None, None
        self._clock.stop()
        if job is not None:
            job.cancel()
        self.changed.emit()

    def _begun(self, number: int, job: Job[ServerTest] | None, error: YomitoriError | None) -> None:
        if number != self._number:
            if job is not None:
                job.cancel()
        elif job is None:
            self._ended(number, None, error)
        else:
            self._job = job
            self._bridge.when_done(job, partial(self._ended, number))

    def _ended(self, number: int, result: ServerTest | None, error: YomitoriError | None) -> None:
        if number != self._number:
            return
        self._job, self.running = None, False
        self._clock.stop()
        self.result, self.error = result, error
        self.changed.emit()

    def _tick(self) -> None:
        self.seconds += 1
        self.changed.emit()

    # ---- settings

    @property
    def model(self) -> str:
        return self._settings.current.vision.server_model

    @property
    def model_set_by(self) -> str:
        """What sets the model for this run, so that it cannot be chosen; else empty."""
        return self._settings.overridden.get("vision.server_model", "")

    @property
    def in_use(self) -> bool:
        """Whether a server answers questions now."""
        return self._settings.current.vision.backend == "remote"

    def choose_model(self, name: str) -> None:
        """Have this model of the server answer.

        Raises:
            YomitoriError: it cannot be set.
        """
        self._settings.set("vision.server_model", name)

    def _on_settings(self, settings: Settings) -> None:
        before, self._known = self._known, settings.vision
        if settings.vision.server_url != before.server_url:
            self.forget()
        elif settings.vision.server_model != before.server_model and self.result is not None:
            # No need to ask again: what it has is known.
            self.result = replace(
                self.result, notice=self._missing(self.result, settings.vision.server_model)
            )
        self.changed.emit()

    def _missing(self, found: ServerTest, model: str) -> YomitoriError | None:
        server = self.route.server
        if server is None or not model or not found.models or has_model(found.models, model):
            return None
        return RemoteModelMissing(host=server.shown, model=model)
