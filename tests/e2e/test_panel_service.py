"""The side panel asks a ``yomitori serve`` as its server, as it would ask one of another computer."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.models.vision_scenes import arranged
from tests.support.display_server import wait_until
from tests.support.http_service import Serving, serving
from tests.support.panel_window import PanelWindow
from tests.support.tray_app import TrayApp
from tests.support.xserver import XServer

pytestmark = pytest.mark.x11


def asked_of(server: Serving) -> list[dict[str, Any]]:
    """The requests that the service has logged, but for ours."""
    rows = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    return [row for row in rows if "request_id" in row and row["path"] != "/metrics"]


def waiting(server: Serving) -> bool:
    """Whether a question is being answered."""
    text = httpx2.get(f"{server.url}/metrics", trust_env=False, timeout=60).text
    return 'yomitori_queue_depth{role="vision"} 0.0' not in text


def test_a_picture_is_asked_about_streamed_and_stopped(xserver: XServer, tmp_path: Path) -> None:
    picture = tmp_path / "shapes.png"
    arranged("green triangle", "yellow circle").picture().save(picture)
    app = TrayApp(xserver.environment(), tmp_path / "home")
    with serving(tmp_path / "service") as server:
        # given a tray whose questions go to the service, and a picture in the clipboard
        vision = {
            "backend": "remote",
            "server_url": server.url,
            "server_model": "tiny-llava",
            "temperature": 0.0,
        }
        settings = {"vision": vision, "panel": {"give_text": False}, "reading": {"engine": "ppocr"}}
        app.paths.settings_file.parent.mkdir(parents=True)
        app.paths.settings_file.write_text(json.dumps(settings))
        with app:
            panel = PanelWindow(xserver, app)
            app.wait_for_log("Hotkey for ask_clipboard")
            subprocess.run(
                ["xclip", "-selection", "clipboard", "-t", "image/png", "-i", str(picture)],
                env=xserver.environment(), check=True, timeout=20,
            )  # fmt: skip

            # when the panel shows it and a question is typed, then nothing is sent yet
            xserver.xdotool("key", "ctrl+alt+v")
            panel.wait_for_keyboard()
            xserver.xdotool("type", "--delay", 5, "What colour is the right one?")
            time.sleep(1.0)
            assert asked_of(server) == []

            # when it is sent, then the service's model answers it, and what follows from it
            xserver.xdotool("key", "Return")
            wait_until("the answer to end", lambda: [state for state, _ in panel.turns()][1:] == ["done"])
            assert panel.turns()[-1][1] == "Yellow."
            assert panel.ask("And the other one?") == "Green."

            # when an answer without an end is stopped, then what had come of it stays, and its work ends
            xserver.xdotool("key", "ctrl+l")
            xserver.xdotool("type", "--delay", 5, "Say ha without end.")
            xserver.xdotool("key", "Return")
            wait_until("some of it", lambda: panel.turns()[-1][1].startswith("ha ha"))
            assert waiting(server)
            xserver.xdotool("key", "Escape")
            wait_until("it to stop", lambda: panel.turns()[-1][0] == "stopped")
            wait_until("the service to end it", lambda: not waiting(server))

            # and the next one is answered
            assert panel.ask("What shape is the right one?").rstrip(".").endswith("circle")
            assert {row["path"] for row in asked_of(server)} <= {"/v1/chat/completions", "/v1/models"}
            assert [row["path"] for row in asked_of(server)].count("/v1/chat/completions") == 4
            app.quit()
