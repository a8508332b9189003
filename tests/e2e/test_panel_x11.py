"""Asking about what is on the screen, in the real panel of the real tray on a real X server.

The pictures are coloured shapes, which ``tiny-llava`` was trained to answer questions about: an answer is
right or wrong, not only there.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.models.vision_scenes import arranged
from tests.support.display_server import wait_until
from tests.support.panel_window import PanelWindow
from tests.support.snipping import drag, overlays
from tests.support.tray_app import ROOT, TrayApp, Viewer
from tests.support.xserver import XServer

pytestmark = pytest.mark.x11

TINY_LLAVA = ROOT / "tests" / "models" / "tiny-llava"
ORIGIN = (300, 200)


def tray(server: XServer, home: Path) -> TrayApp:
    app = TrayApp(server.environment(), home)
    app.paths.settings_file.parent.mkdir(parents=True, exist_ok=True)
    settings = {
        "vision": {"model": str(TINY_LLAVA), "temperature": 0.0},
        # Whatever is read into the shapes would be no help to the model.
        "panel": {"give_text": False},
        "reading": {"engine": "ppocr"},
    }
    app.paths.settings_file.write_text(json.dumps(settings))
    return app


def model_processes(app: TrayApp) -> list[psutil.Process]:
    return app.children()


def test_snip_ask_follow_up_stop_and_find_it_after_a_restart(xserver: XServer, tmp_path: Path) -> None:
    # given a picture shown by another program
    picture = tmp_path / "shapes.png"
    shapes = arranged("red circle", "blue square").picture()
    shapes.save(picture)
    with Viewer(xserver.environment(), picture, *ORIGIN):
        with tray(xserver, tmp_path / "home") as app:
            panel = PanelWindow(xserver, app)
            app.wait_for_log("Hotkey for ask_clipboard")

            # when it is snipped to ask about, then the panel opens with the keyboard in it
            xserver.xdotool("key", "ctrl+alt+q")
            wait_until("the overlay on both screens", lambda: len(overlays(xserver)) == 2)
            time.sleep(0.3)
            left, top = ORIGIN
            drag(xserver, left, top, left + shapes.width - 1, top + shapes.height - 1)
            panel.wait_for_keyboard()

            # and the answers are right, also to a question that needs the one before it
            assert panel.ask("What colour is the left one?") == "Red."
            assert panel.ask("And the other one?") == "Blue."
            assert panel.copied_from_widget("Blue.") == "Blue."

            # when an answer without an end is stopped, then what had come of it stays
            xserver.xdotool("key", "ctrl+l")
            xserver.xdotool("type", "--delay", 5, "Say ha without end.")
            xserver.xdotool("key", "Return")
            wait_until("some of it", lambda: panel.turns()[-1][1].startswith("ha ha"))
            xserver.xdotool("key", "Escape")
            wait_until("it to stop", lambda: panel.turns()[-1][0] == "stopped")
            assert panel.windows()

            # and "yomitori unload" ends the model's process
            app.command("unload")
            wait_until("the models to go", lambda: app.children() == [])
            app.quit()

        # when Yomitori is started again, then the conversation is found and goes on
        with tray(xserver, tmp_path / "home") as app:
            panel = PanelWindow(xserver, app)
            app.command("panel")
            panel.wait_for_keyboard()
            xserver.xdotool("key", "ctrl+h")
            time.sleep(0.5)
            xserver.xdotool("type", "--delay", 5, "left one")
            time.sleep(0.5)
            xserver.xdotool("key", "Down", "Return")
            time.sleep(0.5)
            assert panel.ask("What shape is the right one?").rstrip(".").endswith("square")
            app.quit()


def test_a_picture_in_the_clipboard_is_asked_about(xserver: XServer, tmp_path: Path) -> None:
    picture = tmp_path / "shapes.png"
    arranged("green triangle", "yellow circle").picture().save(picture)
    with tray(xserver, tmp_path / "home") as app:
        panel = PanelWindow(xserver, app)
        app.wait_for_log("Hotkey for ask_clipboard")
        subprocess.run(
            ["xclip", "-selection", "clipboard", "-t", "image/png", "-i", str(picture)],
            env=xserver.environment(), check=True, timeout=20,
        )  # fmt: skip

        xserver.xdotool("key", "ctrl+alt+v")
        panel.wait_for_keyboard()

        assert panel.ask("What colour is the right one?") == "Yellow."
        # A model process that is killed costs nothing but that.
        for child in app.children():
            child.kill()
        assert panel.ask("And the other one?") == "Green."
        app.quit()
