"""``yomitori serve``: the HTTP service, without a window."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import heap
from core.errors import YomitoriError
from core.models.library import ModelLibrary
from core.models.renamed import conversion_of
from core.paths import Paths
from core.service_errors import PartsMissing, TokenRequired
from core.settings import SettingsStore
from service import starter
from service.engines import add_standalone, open_engine
from service.env_file import read_env
from service.start_notes import listening, misspelt, start_notes
from service.token_store import Token, find_token, make_token

_GRACE = 10.0


def add_parser(
    commands: argparse._SubParsersAction[Any], add_flags: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Register ``serve``; ``add_flags`` adds what every command takes."""
    parser = commands.add_parser(
        "serve",
        usage="yomitori serve [SETTINGS] [--host ADDRESS] [--port N] [--env-file FILE]",
        help="offer reading and asking over HTTP",
        description="Offer reading and asking over HTTP, until it is ended with Ctrl+C or SIGTERM. "
        "The log goes to stderr, a JSON object per row.",
        allow_abbrev=False,
    )
    # The short names of two settings.
    for name, key, metavar in (("--host", "service.host", "ADDRESS"), ("--port", "service.port", "N")):
        parser.add_argument(
            name, dest=key, metavar=metavar, default=argparse.SUPPRESS, help=f"short for --service-{name[2:]}"
        )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="variables, one NAME=value per row, for what the environment does not set "
        "(default: .env in the folder of the settings, where there is one)",
    )
    parser.add_argument(
        "--grace",
        type=_seconds,
        metavar="SECONDS",
        default=_GRACE,
        help=f"for answers to finish when the service is ended (default: {_GRACE:.0f})",
    )
    parser.add_argument(
        "--new-token", action="store_true", help="make a new token, print it, and do nothing else"
    )
    # For the tray, which starts it: see service/starter.py.
    parser.add_argument("--until-stdin-ends", action="store_true", help=argparse.SUPPRESS)
    add_standalone(parser)
    add_flags(parser)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 3600:
        raise ValueError(text)
    return value


def run(arguments: argparse.Namespace, open_settings: Callable[[Paths], SettingsStore]) -> int:
    """Serve until told to end, and return the exit code.

    Raises:
        YomitoriError: it could not start.
    """
    try:
        return _run(arguments, open_settings)
    except YomitoriError as error:
        if arguments.until_stdin_ends:
            starter.tell_error(error)
        raise


def _run(arguments: argparse.Namespace, open_settings: Callable[[Paths], SettingsStore]) -> int:
    _read_environment(arguments.env_file)
    paths = Paths.for_user()
    if arguments.new_token:
        return _print_new_token(paths)
    for note in misspelt(os.environ):
        _tell(note)
    settings = open_settings(paths)
    _refuse_wrong(settings)
    renamed = conversion_of(settings.current.vision.model)
    if renamed is not None and settings.current.vision.backend == "local":
        _tell(renamed.why)
    token = _token(settings, paths)

    try:
        # Takes a second, and only those who serve wait for it.
        from service.http.app import create_app
        from service.http.config import ServiceConfig
        from service.http.run import listen, serve
    except ModuleNotFoundError as error:
        raise PartsMissing(name=error.name) from None

    heap.keep_small()
    config = ServiceConfig.of(settings.current.service, token.value, arguments.grace)
    listeners = listen(config.host, config.port)
    _log_as_json(arguments.verbose)
    library = ModelLibrary(settings, paths, paths.log)
    engine = open_engine(settings, paths, library, arguments.standalone, offer=True)

    def on_ready(address: str) -> None:
        if arguments.until_stdin_ends:
            starter.tell_ready(address, token.source)
            return
        for note in start_notes(config, token):
            _tell(note)
        print(listening(config, address), flush=True)

    def until_stdin_ends() -> None:
        starter.obey({"token": lambda: starter.tell_token(token.value), "settings": settings.reread})

    until = until_stdin_ends if arguments.until_stdin_ends else None
    try:
        serve(create_app(engine, library, settings, config), listeners, on_ready, until)
    finally:
        engine.close()
        library.close()
        # Nothing is left to be cut short but the interpreter's own end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return 0


def _refuse_wrong(settings: SettingsStore) -> None:
    """A default in the place of what an operator meant to say could let in whom it was to keep out.

    Raises:
        SettingsError: a setting of the service has a value that is not allowed.
    """
    for warning in settings.warnings:
        if str(warning.params.get("key", "")).startswith("service."):
            raise warning


def _read_environment(named: Path | None) -> None:
    """Also what model processes and the hub's client go by, such as HF_HOME: hence into the environment."""
    if named is not None:
        read_env(named, os.environ)
        return
    own = Paths.for_user().config / ".env"
    if own.is_file():
        read_env(own, os.environ)


def _token(settings: SettingsStore, paths: Paths) -> Token:
    """The token, made where only this computer can ask.

    Raises:
        TokenRequired: others can, and there is none.
        TokenUnusable, StorageError
    """
    from service.http.config import is_loopback

    found = find_token(paths, os.environ)
    if found is not None:
        return found
    host = settings.current.service.host
    if not is_loopback(host):
        raise TokenRequired(host=host)
    return make_token(paths, os.environ, keyring=False)


def _print_new_token(paths: Paths) -> int:
    token = make_token(paths, os.environ)
    print(token.value)
    _tell(f"it is kept in {token.source}, and in force when the service is started again")
    return 0


def _tell(text: str) -> None:
    print(f"yomitori: {text}", file=sys.stderr, flush=True)


def _log_as_json(verbose: bool) -> None:
    from service.http.logs import JsonLines

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # It warns of every request that is none, as often as somebody sends one.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    for name in ("core", "service"):
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
