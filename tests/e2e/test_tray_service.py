"""The tray offers the HTTP service: one engine, one token, and nobody left behind."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import httpx2
import psutil
import pytest

from core.images import to_png
from tests.support.display_server import wait_until
from tests.support.manga_crops import load_crops
from tests.support.tray_app import TrayApp
from tests.support.xserver import XServer

pytestmark = pytest.mark.x11


def address_of(app: TrayApp, start: int = 1) -> str:
    """Where its service listens; ``start`` counts the starts in this log."""
    wait_until("the service to listen", lambda: app.log().count("service listens at http") == start)
    return app.log().rsplit("service listens at ", 1)[1].split()[0]


def service_of(app: TrayApp) -> psutil.Process:
    (found,) = [child for child in app.children() if "serve" in child.cmdline()]
    return found


def test_the_tray_offers_the_service_with_its_own_engine(xserver: XServer, tmp_path: Path) -> None:
    # given a tray whose service is switched on for this run, and no keyring
    quiet = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    flags = ("--service-enabled=true", "--service-port=0")
    app = TrayApp(xserver.environment(quiet), tmp_path / "home", flags)
    picture = to_png(load_crops("plain")[0].image)
    with app:
        address = address_of(app)
        serve = service_of(app)
        # when a program posts a picture
        answer = httpx2.post(f"{address}/ocr", files={"file": ("a.png", picture)}, timeout=60)
        # then it is read, by a model of the tray's own: the service has no process below it
        assert answer.status_code == 200, answer.text
        assert answer.json()["text"]
        assert serve.children() == []
        (model,) = [child for child in app.children() if child != serve]
        assert model.ppid() == app.process.pid
        # and its log is in the folder of logs, without the text
        log = (app.paths.log / "service.log").read_text("utf-8")
        assert '"path": "/ocr"' in log
        assert answer.json()["text"] not in log
        # and 'yomitori quit' ends all of it
        app.quit()
        assert not serve.is_running()
        assert not model.is_running()

    with app:
        # when the tray is killed, its service ends too
        address_of(app, start=2)
        serve = service_of(app)
        app.process.send_signal(signal.SIGKILL)
        app.process.wait(15)
        wait_until("the service to end", lambda: not serve.is_running())


def test_a_port_that_is_taken_is_told(xserver: XServer, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        app = TrayApp(
            xserver.environment(), tmp_path / "home", ("--service-enabled=true", f"--service-port={port}")
        )
        with app:
            app.wait_for_log(f"AddressUnusable: The service cannot listen at 127.0.0.1, port {port}")
            assert app.children() == []
