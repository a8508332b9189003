"""The tray's engine, for the user's other programs: the command line and the service."""

from __future__ import annotations

import logging
import threading
from functools import partial
from pathlib import Path

from core.engine import Engine
from core.errors import YomitoriError
from core.local_socket import LocalSocket
from core.models.library import ModelLibrary
from core.settings import SettingsStore
from core.sharing.identity import identity
from core.sharing.owner import SOCKET, EngineOwner, take_over

log = logging.getLogger(__name__)


class EngineSharing:
    """``start`` returns at once: a service that owns an engine may take a moment to hand over."""

    def __init__(self, folder: Path, settings: SettingsStore, library: ModelLibrary, engine: Engine) -> None:
        self._socket = LocalSocket(folder, SOCKET)
        self._owner = EngineOwner(self._socket, engine, partial(identity, settings, library))
        self._thread = threading.Thread(target=self._take_over, name="engine-sharing", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Before the engine: programs that use it do the rest of their work themselves."""
        if self._thread.ident is not None:
            self._thread.join()
        self._owner.end()

    def _take_over(self) -> None:
        try:
            if take_over(self._socket):
                self._owner.start()
            else:
                log.warning("Another program owns an engine and keeps it")
        except (YomitoriError, OSError) as error:
            log.warning("Nobody can share the engine: %s", error)
