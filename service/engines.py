"""The engine of a command: the one that runs already, or one of its own."""

from __future__ import annotations

import argparse

from core.engine import Engine
from core.local_socket import LocalSocket
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from core.sharing.owner import SOCKET
from core.sharing.shared import SharedEngine
from core.vision.keys import get_key

AnyEngine = Engine | SharedEngine


def open_engine(
    settings: SettingsStore,
    paths: Paths,
    library: ModelLibrary,
    standalone: bool = False,
    offer: bool = False,
) -> AnyEngine:
    """Close it.

    Args:
        standalone: never use that of another program, and let none use this one.
        offer: let others use it; for programs that run for long.
    """
    engine = Engine(settings, paths.log, library=library, server_key=get_key)
    if standalone:
        return engine
    return SharedEngine(engine, settings, library, LocalSocket(paths.runtime, SOCKET), offer)


def add_standalone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--standalone",
        action="store_true",
        help="load models here, although a running Yomitori may hold them already",
    )
