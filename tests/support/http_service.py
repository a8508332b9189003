"""The HTTP service for tests: as an application over fake engines, and as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from core.engine import Engine
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingsStore
from service.http.app import create_app
from service.http.config import ServiceConfig
from service.http.context import Context
from service.http.run import Server, listen
from service.http.run import serving as run_of
from tests.support.environment import ROOT, child_environment
from tests.support.fake_engine import FAKE
from tests.support.fake_vision_engine import FAKE_VISION

TOKEN = "a-token-that-only-tests-know"
OWN = "http://127.0.0.1:9100"
TINY_LLAVA = ROOT / "tests" / "models" / "tiny-llava"
TINY_MANGA_OCR = ROOT / "tests" / "models" / "tiny-manga-ocr"


@dataclass(frozen=True)
class Parts:
    """What a service is built over; closed by who built it."""

    engine: Engine
    library: ModelLibrary
    settings: SettingsStore

    def close(self) -> None:
        self.engine.close()
        self.library.close()


def fake_parts(home: Path, **settings: Any) -> Parts:
    """Fake engines for both roles, in real model processes that start with their first job.

    The fake that answers questions takes any folder for its weights: the tiny LLaVA's.
    """
    flags = {"vision.model": str(TINY_LLAVA), "models.device": "cpu", "vision.device": "cpu", **settings}
    store = SettingsStore(home / "settings.json", environ={}, flags=flags)
    library = ModelLibrary(store, Paths.below(home), environ={"HF_HOME": str(home / "hub")})
    return Parts(Engine(store, engines=(FAKE, FAKE_VISION), library=library), library, store)


def app_over(parts: Parts, **config: Any) -> FastAPI:
    """The application with a token; ``config`` are other fields of ``ServiceConfig``."""
    defaults = replace(ServiceConfig(), token=TOKEN, body_pause=2.0)
    return create_app(parts.engine, parts.library, parts.settings, replace(defaults, **config))


def context_of(app: FastAPI) -> Context:
    context: Context = app.state.context
    return context


def client_of(app: FastAPI, token: bool = False, **headers: str) -> TestClient:
    """Speaks to the application without a socket, as a program on this computer does."""
    if token:
        headers["Authorization"] = f"Bearer {TOKEN}"
    return TestClient(app, base_url=OWN, headers=headers, raise_server_exceptions=False)


@contextmanager
def live(app: FastAPI) -> Iterator[Server]:
    """The application at a free port of this computer, in a thread of this process. ``port_of`` tells it."""
    listeners = listen("127.0.0.1", 0)
    started = threading.Event()
    server = run_of(app, listeners, lambda address: started.set())
    thread = threading.Thread(target=server.run, kwargs={"sockets": listeners}, name="live-service")
    thread.start()
    try:
        assert started.wait(30)
        yield server
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def port_of(server: Server) -> int:
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@dataclass
class Serving:
    """A ``yomitori serve`` that runs. ``log`` is what it has written to standard error so far."""

    url: str
    token: str
    process: subprocess.Popen[str]
    log_file: Path

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def privileged(self) -> dict[str, str]:
        """The header with the token."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8")

    def end(self, how: int = signal.SIGTERM, seconds: float = 60.0) -> int:
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(seconds)


@contextmanager
def serving(
    home: Path, *arguments: str, environ: Mapping[str, str] | None = None, token: str = TOKEN
) -> Iterator[Serving]:
    """``yomitori serve`` on a free port of this computer, with the tiny trained models on the CPU."""
    home.mkdir(parents=True, exist_ok=True)
    token_file, log_file = home / "token", home / "serve.log"
    token_file.write_text(token)
    env = child_environment(
        {
            **os.environ,
            "YOMITORI_HOME": str(home),
            "HF_HOME": str(home / "hub"),
            "MANGAOCR_MODEL_PATH": str(TINY_MANGA_OCR),
            "LLAVA_MODEL_ID": str(TINY_LLAVA),
            "YOMITORI_MODELS_DEVICE": "cpu",
            "YOMITORI_MODELS_THREADS": "1",
            "LLAVA_DEVICE": "cpu",
            "YOMITORI_SERVICE_TOKEN_FILE": str(token_file),
            **(environ or {}),
        }
    )
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", "0", *arguments]
    with log_file.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
        )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", first)
        assert found is not None, log_file.read_text("utf-8")
        yield Serving(found[0], token, process, log_file)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.stdout is not None
        process.stdout.close()
