"""Loading, reading and unloading again and again leaves nothing behind in the tray.

``make soak`` does it a hundred times.
"""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from core.images import to_png
from tests.support.display_server import wait_until
from tests.support.local_library import TINY_MANGA_OCR
from tests.support.manga_crops import load_crops
from tests.support.snipping import drag, open_overlay, set_clipboard, wait_for_text
from tests.support.tray_app import TrayApp, Viewer
from tests.support.xserver import XServer

pytestmark = pytest.mark.x11

CYCLES = 3
GROWTH = 2_000_000 * CYCLES


def test_cycles_of_mangaocr_leave_no_memory_file_socket_or_process(xserver: XServer, tmp_path: Path) -> None:
    # given the tray with MangaOCR, freed as soon as it has read, and a bubble shown by another program
    crop = next(crop for crop in load_crops("plain") if crop.image.width > 60)
    picture = tmp_path / "bubble.png"
    picture.write_bytes(to_png(crop.image))
    app = TrayApp(xserver.environment(), tmp_path / "home")
    app.paths.settings_file.parent.mkdir(parents=True)
    models = {"idle_unload": 0, "threads": 1, "ocr_model": str(TINY_MANGA_OCR)}
    # The built-in engine's process would stay for a while of its own.
    app.paths.settings_file.write_text(json.dumps({"models": models, "card": {"quick_text": False}}))
    left, top = 700, 200
    with app, Viewer(xserver.environment(), picture, left, top):

        def cycle() -> None:
            set_clipboard(xserver, "what was there before")
            open_overlay(xserver, app)
            drag(xserver, left + 2, top + 2, left + crop.image.width - 2, top + crop.image.height - 2)
            wait_for_text(xserver, crop.text)
            wait_until("the model's process to end", lambda: app.children() == [])

        # when it is used again and again
        cycle()
        before = _look(app)
        for _ in range(CYCLES):
            cycle()
        after = _look(app)
    # then nothing is left of it
    assert len(app.rows()) == CYCLES + 1
    assert after["private"] - before["private"] < GROWTH
    assert after["files"] <= before["files"]
    assert after["sockets"] <= before["sockets"]


def _look(app: TrayApp) -> dict[str, int]:
    """Private memory of the tray in bytes, and how many files and sockets it has open."""
    tray = psutil.Process(app.process.pid)
    return {
        "private": tray.memory_full_info().uss,
        "files": tray.num_fds(),
        "sockets": len(tray.net_connections("all")),
    }
