"""Takes the pictures in the documentation: the real windows on a real X server.

``python -m benchmarks.screenshots``; with ``panel`` or ``service`` that one alone.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from core.history import History
from core.images import load_image, to_png
from core.settings import SettingsStore
from core.types import OcrResult
from tests.support.tray_app import ROOT, TrayApp, Viewer
from tests.support.xserver import XServer, wait_until

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "resources" / "samples" / "page-1.png"
BLOCK = 2
MARGIN = 14


def main() -> int:
    IMAGES.mkdir(exist_ok=True)
    if sys.argv[1:] == ["service"]:
        with tempfile.TemporaryDirectory() as folder:
            _service(Path(folder), _application())
        return 0
    _panel()
    if sys.argv[1:] == ["panel"]:
        return 0
    x, y, width, height = json.loads(PAGE.with_suffix(".json").read_text())["blocks"][BLOCK]["box"]
    left, top = x - MARGIN, y - MARGIN
    right, bottom = x + width + MARGIN, y + height + MARGIN
    with tempfile.TemporaryDirectory() as folder, XServer(screens=((1100, 620),)) as server:
        home = Path(folder) / "home"
        env = server.environment()
        with Viewer(env, PAGE, 100, 0), TrayApp(env, home) as app:
            app.wait_for_log("Hotkey for snip")
            server.xdotool("key", "ctrl+alt+s")
            wait_until(
                "the overlay", lambda: "Choose what to read" in server.run("xwininfo", "-root", "-tree")
            )
            time.sleep(0.5)
            server.xdotool("mousemove", 100 + left, top, "mousedown", 1)
            server.xdotool("mousemove", 100 + right - 30, bottom - 30, "mousemove", 100 + right, bottom)
            time.sleep(0.5)
            overlay = server.screenshot()
            server.xdotool("mouseup", 1)
            wait_until("the text", lambda: any(row[0] == "done" for row in app.rows()))
            time.sleep(1.0)
            card = server.screenshot()
        both = Image.new("RGB", (overlay.width * 2 + 20, overlay.height), "white")
        both.paste(overlay, (0, 0))
        both.paste(card, (overlay.width + 20, 0))
        both.quantize(128).save(IMAGES / "snip.png", optimize=True)
        _windows(Path(folder))
    return 0


def _panel() -> None:
    """A snip of coloured shapes, and what the small model of the tests answers about them."""
    from tests.models.vision_scenes import arranged

    shapes = arranged("red circle", "blue square").picture()
    left, top = 120, 150
    with tempfile.TemporaryDirectory() as folder, XServer(screens=((1100, 800),)) as server:
        server.spawn(["trayer", "--edge", "bottom", "--align", "left", "--width", "10", "--height", "24"])
        shapes.save(Path(folder) / "shapes.png")
        app = TrayApp(server.environment(), Path(folder) / "home")
        app.paths.settings_file.parent.mkdir(parents=True)
        vision = {"model": str(ROOT / "tests" / "models" / "tiny-llava"), "temperature": 0.0}
        settings = {"vision": vision, "general": {"theme": "light"}, "panel": {"give_text": False}}
        app.paths.settings_file.write_text(json.dumps(settings))

        def answered(count: int) -> bool:
            with closing(sqlite3.connect(f"file:{app.paths.history_file}?mode=ro", uri=True)) as db:
                done = "SELECT count(*) FROM turns WHERE role = 'assistant' AND state = 'done'"
                return bool(db.execute(done).fetchone()[0] == count)

        with Viewer(server.environment(), Path(folder) / "shapes.png", left, top), app:
            app.wait_for_log("Hotkey for ask_clipboard")
            server.xdotool("key", "ctrl+alt+q")
            tree = lambda: server.run("xwininfo", "-root", "-tree")  # noqa: E731
            wait_until("the overlay", lambda: "Choose what to read" in tree())
            time.sleep(0.5)
            server.xdotool("mousemove", left, top, "mousedown", 1)
            for part in (3, 2, 1):
                server.xdotool("mousemove", left + shapes.width // part - 1, top + shapes.height // part - 1)
            server.xdotool("mouseup", 1)
            wait_until("the panel", lambda: "Ask \u2013 Yomitori" in tree())
            time.sleep(2.0)
            questions = ("What colour is the left one?", "And the other one?", "How many shapes are there?")
            for count, question in enumerate(questions, 1):
                server.xdotool("type", "--delay", 5, question)
                server.xdotool("key", "Return")
                wait_until("the answer", lambda count=count: answered(count))  # type: ignore[misc]
            time.sleep(2.0)
            server.screenshot().quantize(200).save(IMAGES / "panel.png", optimize=True)


def _windows(folder: Path) -> None:
    """History and settings, drawn by the same widgets."""
    from core.paths import Paths
    from desktop.history_window import HistoryWindow
    from desktop.settings_dialog import SettingsDialog
    from desktop.theme import Theme
    from desktop.worker import Bridge

    app = _application()
    history = History(folder / "history.sqlite3")
    bridge = Bridge()
    truths = json.loads((ROOT / "tests" / "data" / "bubbles.json").read_text())
    for name, truth in truths.items():
        image = load_image(ROOT / "tests" / "data" / f"{name}.png")
        row = history.add_pending(to_png(image), image.width, image.height, "snip")
        blocks = OcrResult.from_json(
            {"text": "", "blocks": truth["blocks"], "engine": "", "device": "", "seconds": 0}
        ).blocks
        text = truth["text"].replace("\n", "")
        history.finish(row, OcrResult(text, blocks, "ppocr", "cpu", 0.1))
    for name, dark in (("settings", "light"), ("history", "dark")):
        theme = Theme(app, dark)
        store = SettingsStore(folder / "settings.json", environ={})
        window = (
            SettingsDialog(store, theme, Paths.below(Path("/home/reader/.yomitori")))
            if name == "settings"
            else HistoryWindow(history, theme, bridge)
        )
        window.resize(800, 560)
        if isinstance(window, SettingsDialog):
            window.open_group("Reading")
        _take(window, name, app)
    bridge.close()
    history.close()
    _service(folder, app)
    _download(folder, app)


def _service(folder: Path, app: QApplication) -> None:
    """The page of the HTTP service while the tray offers it."""
    from core.paths import Paths
    from desktop.service_notes import ServiceNotes
    from desktop.service_process import ServiceProcess, State, Status
    from desktop.setting_row import Note
    from desktop.settings_dialog import SettingsDialog
    from desktop.theme import Theme

    store = SettingsStore(folder / "service.json", environ={})
    store.set("service.enabled", True)
    service = ServiceProcess(store, folder / "service.log")
    # What is there after a first start at the default address, with the paths of another computer.
    service.status = Status(State.ON, "http://127.0.0.1:9100", "/home/reader/.config/yomitori/service-token")
    notes = ServiceNotes(service).notes
    window = SettingsDialog(
        store,
        Theme(app, "light"),
        Paths.below(Path("/home/reader/.yomitori")),
        lambda key: notes[key]() if key in notes else Note(),
    )
    # Up to the end of a row.
    window.resize(800, 544)
    window.open_setting("service")
    _take(window, "service", app)
    service.close()


def _application() -> QApplication:
    from PySide6.QtWidgets import QApplication

    return QApplication(["screenshots", "-platform", "offscreen"])


def _take(window: QWidget, name: str, app: QApplication) -> None:
    window.show()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        app.processEvents()
    window.grab().save(str(IMAGES / f"{name}.png"))
    window.close()


def _download(folder: Path, app: QApplication) -> None:
    """The models window while weights of MangaOCR's size come from a hub on this machine."""
    from benchmarks import true_size
    from desktop.models_dialog import ModelsDialog
    from desktop.theme import Theme
    from tests.support.models_desk import REPO, ModelsDesk
    from tests.support.stub_hub import StubHub

    Theme(app, "light")
    true_size.write(folder / "weights")
    with StubHub() as hub:
        hub.add_repo(REPO, folder / "weights")
        hub.slow(20e6, "*.safetensors")
        os.environ["HF_ENDPOINT"] = hub.url
        desk = ModelsDesk(folder / "yomitori", SettingsStore(folder / "other.json", environ={}))
        dialog = ModelsDialog(desk.tasks, desk.settings, lambda repo: None)
        dialog.resize(720, 420)
        dialog.show()
        desk.tasks.download(REPO)
        end = time.monotonic() + 120
        while hub.total_sent < 0.4 * true_size.SIZE and time.monotonic() < end:
            app.processEvents()
            time.sleep(0.01)
        dialog.grab().save(str(IMAGES / "models.png"))
        dialog.close()
        desk.close()


if __name__ == "__main__":
    sys.exit(main())
