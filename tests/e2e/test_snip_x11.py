"""From the real hotkey to the text in another program's hands, on a real X server.

Given a sample page shown by another program, when the hotkey is pressed and a bubble dragged over, then
``xclip`` in a third process reads the bubble's text.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from core.history import History
from tests.support.display_server import wait_until
from tests.support.snipping import (
    clipboard,
    drag,
    leave,
    open_overlay,
    overlays,
    set_clipboard,
    wait_for_text,
)
from tests.support.tray_app import ROOT, TrayApp, Viewer
from tests.support.xserver import XServer

pytestmark = pytest.mark.x11

PAGE = ROOT / "resources" / "samples" / "page-1.png"
MARGIN = 10


def blocks() -> list[dict[str, Any]]:
    truth: list[dict[str, Any]] = json.loads(PAGE.with_suffix(".json").read_text())["blocks"]
    return truth


def block(text: str) -> dict[str, Any]:
    """The block of the page that reads ``text`` when its lines are joined."""
    return next(b for b in blocks() if joined(b) == text)


def joined(found: dict[str, Any]) -> str:
    return "".join(line["text"] for line in found["lines"])


BUBBLE = "へえー、スーパーの前でギターを忘れたのさ。"
OTHER = "きゃあっ！"


def region(found: dict[str, Any], origin: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a drag around a block, in root coordinates."""
    x, y, width, height = found["box"]
    left, top = origin[0] + x - MARGIN, origin[1] + y - MARGIN
    return left, top, left + width + 2 * MARGIN, top + height + 2 * MARGIN


def model_libraries(app: TrayApp) -> set[str]:
    """Which of the libraries that belong in the model process are mapped into the tray."""
    maps = Path(f"/proc/{app.process.pid}/maps").read_text()
    return {name for name in ("numpy", "onnxruntime", "cv2", "torch") if f"/{name}/" in maps}


@pytest.mark.parametrize("screen", [0, 1], ids=["first screen", "second screen"])
@pytest.mark.parametrize("scale", ["1", "2"])
def test_hotkey_drag_clipboard(xserver: XServer, tmp_path: Path, screen: int, scale: str) -> None:
    origin = [(600, 0), (2000, 20)][screen]
    env = xserver.environment({"QT_SCALE_FACTOR": scale})
    found = block(BUBBLE)
    set_clipboard(xserver, "what was there before")
    with (
        Viewer(xserver.environment(), PAGE, *origin),
        TrayApp(env, tmp_path / "home") as app,
    ):
        open_overlay(xserver, app)
        assert clipboard(xserver) == "what was there before"
        drag(xserver, *region(found, origin))
        wait_for_text(xserver, joined(found))
        assert overlays(xserver) == []
        assert model_libraries(app) == set(), "the GUI's process must not load them"
        app.quit()
    ((state, text, width, height),) = app.rows()
    assert (state, text) == ("done", joined(found))
    assert abs(width - found["box"][2] - 2 * MARGIN) <= 2, "the crop must be in native pixels"
    assert abs(height - found["box"][3] - 2 * MARGIN) <= 2


def test_the_keyboard_alone_is_enough(xserver: XServer, tmp_path: Path) -> None:
    origin = (600, 0)
    found = block(OTHER)
    left, top, right, bottom = region(found, origin)
    with (
        Viewer(xserver.environment(), PAGE, *origin),
        TrayApp(xserver.environment(), tmp_path / "home") as app,
    ):
        xserver.xdotool("mousemove", left - 23, top - 14)
        open_overlay(xserver, app)
        press(xserver, 23, "Right")
        press(xserver, 14, "Down")
        xserver.xdotool("key", "space")
        press(xserver, right - left, "Right")
        press(xserver, bottom - top, "Down")
        xserver.xdotool("key", "Return")
        wait_for_text(xserver, joined(found))


def press(server: XServer, pixels: int, key: str) -> None:
    """Move by native pixels: tens with Shift, the rest one by one."""
    tens, ones = divmod(pixels, 10)
    if tens:
        server.xdotool("key", "--delay", 8, *[f"shift+{key}"] * tens)
    if ones:
        server.xdotool("key", "--delay", 8, *[key] * ones)


def test_capture_reaches_the_running_tray_and_the_focus_comes_back(xserver: XServer, tmp_path: Path) -> None:
    origin = (600, 0)
    found = block(BUBBLE)
    env = xserver.environment()
    with Viewer(env, PAGE, *origin, typing=True) as viewer, TrayApp(env, tmp_path / "home") as app:
        xserver.xdotool("type", "a")
        wait_until("the viewer's keyboard", lambda: "typed a\n" in viewer.said())
        open_overlay(xserver, app, lambda: app.command("capture"))
        leave(xserver)
        xserver.xdotool("type", "b")
        wait_until("the viewer's keyboard again", lambda: "typed ab\n" in viewer.said())
        open_overlay(xserver, app)
        drag(xserver, *region(found, origin))
        wait_for_text(xserver, joined(found))
        xserver.xdotool("type", "c")
        wait_until("the card to leave the focus alone", lambda: "typed abc\n" in viewer.said())


def test_double_click_takes_the_bubble(xserver: XServer, tmp_path: Path) -> None:
    origin = (600, 0)
    found = block(BUBBLE)
    x, y, width, height = found["box"]
    with (
        Viewer(xserver.environment(), PAGE, *origin),
        TrayApp(xserver.environment(), tmp_path / "home") as app,
    ):
        open_overlay(xserver, app)
        xserver.xdotool("mousemove", origin[0] + x + width - 10, origin[1] + y + height // 3)
        xserver.xdotool("click", "--repeat", 2, "--delay", 60, 1)
        wait_for_text(xserver, joined(found))


def test_an_empty_region_leaves_the_clipboard_as_it_was(xserver: XServer, tmp_path: Path) -> None:
    set_clipboard(xserver, "keep me")
    with TrayApp(xserver.environment(), tmp_path / "home") as app:
        open_overlay(xserver, app)
        drag(xserver, 200, 200, 420, 380)
        wait_until("the reading to end", lambda: any(row[0] != "pending" for row in app.rows()))
        assert clipboard(xserver) == "keep me"


def test_capture_with_none_running_starts_one_and_snips(xserver: XServer, tmp_path: Path) -> None:
    with TrayApp(xserver.environment(), tmp_path / "home", ("capture",)) as app:
        wait_until("the overlay", lambda: len(overlays(xserver)) == 2)
        leave(xserver)
        app.quit()


def test_a_second_start_hands_over_and_show_opens_the_history(xserver: XServer, tmp_path: Path) -> None:
    with TrayApp(xserver.environment(), tmp_path / "home") as app:
        app.command()
        wait_until(
            "the history window", lambda: bool(xserver.run("xwininfo", "-root", "-tree").count("History"))
        )
        assert app.process.poll() is None


def test_kill_9_of_the_tray_leaves_no_process_behind(xserver: XServer, tmp_path: Path) -> None:
    origin = (600, 0)
    found = block(BUBBLE)
    with (
        Viewer(xserver.environment(), PAGE, *origin),
        TrayApp(xserver.environment(), tmp_path / "home") as app,
    ):
        open_overlay(xserver, app)
        drag(xserver, *region(found, origin))
        wait_until("the snip in the history", lambda: bool(app.rows()))
        children = app.children()
        app.process.send_signal(signal.SIGKILL)
        app.process.wait()
        end = time.monotonic() + 2.0
        while any(alive(child) for child in children):
            assert time.monotonic() < end, "a process outlived the tray by more than 2 s"
            time.sleep(0.02)
    history = History(app.paths.history_file)
    assert history.count() == 1, "the snip must not be lost"
    assert history.list()[0].state in ("done", "failed"), "an interrupted one offers Retry"
    history.close()


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_tray_shows_an_icon_where_there_is_a_tray(xserver: XServer, tmp_path: Path) -> None:
    with TrayApp(xserver.environment(), tmp_path / "home"):
        wait_until(
            "our icon in the tray",
            lambda: "yomitori" in xserver.run("xwininfo", "-root", "-tree").lower().split("panel")[-1],
        )


def test_a_key_that_is_taken_is_named_and_the_tray_goes_on(xserver: XServer, tmp_path: Path) -> None:
    with TrayApp(xserver.environment(), tmp_path / "one") as first:
        first.wait_for_log("Hotkey for snip: Ctrl+Alt+S")
        with TrayApp(xserver.environment(), tmp_path / "two") as second:
            second.wait_for_log("The key Ctrl+Alt+S is already used by another program")
            open_overlay(xserver, second, lambda: second.command("capture"))
            leave(xserver)


def test_the_text_can_be_pasted_while_the_tray_lives(xserver: XServer, tmp_path: Path) -> None:
    """Another program may ask for the text at any time, also while our GUI is busy with a second snip."""
    origin = (600, 0)
    found = block(BUBBLE)
    with (
        Viewer(xserver.environment(), PAGE, *origin),
        TrayApp(xserver.environment(), tmp_path / "home") as app,
    ):
        open_overlay(xserver, app)
        drag(xserver, *region(found, origin))
        wait_for_text(xserver, joined(found))
        open_overlay(xserver, app)
        assert clipboard(xserver) == joined(found)
        os.kill(app.children()[0].pid, signal.SIGKILL)
        drag(xserver, *region(block(OTHER), origin))
        wait_for_text(xserver, OTHER)


def test_screens_that_change_while_it_runs(tmp_path: Path) -> None:
    """Given a tray that started on one screen, when a portrait screen and one at an odd origin take its
    place, then both are covered and what is dragged over is what is read."""
    found = block(OTHER)
    with XServer(screens=((1920, 1080),)) as server:
        env = server.environment()
        with TrayApp(env, tmp_path / "home") as app:
            app.wait_for_log("Hotkey for snip")
            server.set_monitors(((768, 1024), (1000, 900)), ((0, 30), (800, 100)))
            for origin in ((10, 40), (820, 110)):
                x, y, width, height = found["box"]
                bubble = tmp_path / "bubble.png"
                with Image.open(PAGE) as page:
                    page.crop((x - 40, y - 40, x + width + 40, y + height + 40)).save(bubble)
                with Viewer(env, bubble, *origin):
                    set_clipboard(server, "before")
                    open_overlay(server, app)
                    left, top = origin[0] + 40 - MARGIN, origin[1] + 40 - MARGIN
                    drag(server, left, top, left + width + 2 * MARGIN, top + height + 2 * MARGIN)
                    wait_for_text(server, joined(found))


def test_the_text_outlives_the_tray_where_a_clipboard_manager_keeps_it(tmp_path: Path) -> None:
    origin = (100, 0)
    found = block(BUBBLE)
    with XServer(screens=((1280, 1024),)) as server:
        manager = [sys.executable, str(ROOT / "tests" / "support" / "clipboard_manager.py")]
        server.spawn(manager)
        env = server.environment()
        with Viewer(env, PAGE, *origin), TrayApp(env, tmp_path / "home") as app:
            app.wait_for_log("Hotkey for snip")
            server.xdotool("key", "ctrl+alt+s")
            wait_until("the overlay", lambda: len(overlays(server)) == 1)
            time.sleep(0.3)
            drag(server, *region(found, origin))
            wait_for_text(server, joined(found))
            app.quit()
        assert clipboard(server) == joined(found)
