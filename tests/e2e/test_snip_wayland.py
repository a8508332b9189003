"""The same on Wayland: headless sway with outputs of scale 1 and 2, started by ``yomitori capture``,
steered by keyboard, read back with ``wl-paste``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.display_server import wait_until
from tests.support.sway import Sway
from tests.support.tray_app import ROOT, TrayApp

pytestmark = pytest.mark.wayland

OUTPUTS = ((1280, 720, 1), (1600, 1200, 2))
PICTURE = ROOT / "tests" / "data" / "long.png"
MARGIN = 8


@pytest.fixture(scope="module")
def sway() -> Iterator[Sway]:
    with Sway(OUTPUTS) as desktop:
        yield desktop


def titles(sway: Sway, name: str) -> int:
    tree = sway.run("swaymsg", "-t", "get_tree", "--raw")
    return tree.count(f'"name": "{name}"')


def pasted(sway: Sway) -> str:
    command = ["wl-paste", "--no-newline"]
    done = subprocess.run(command, env=sway.environment(), capture_output=True, check=False, timeout=20)
    return done.stdout.decode()


def press(sway: Sway, pixels: int, key: str) -> None:
    """Move by native pixels: tens with Shift, the rest one by one."""
    tens, ones = divmod(pixels, 10)
    if tens:
        sway.run("wtype", "-s", "300", "-M", "shift", *["-k", key] * tens, "-m", "shift")
    if ones:
        sway.run("wtype", "-s", "300", *["-k", key] * ones)


@pytest.mark.parametrize("output", [0, 1], ids=["scale 1", "scale 2"])
def test_capture_keyboard_clipboard(sway: Sway, tmp_path: Path, output: int) -> None:
    width, height, scale = OUTPUTS[output]
    truth = json.loads((PICTURE.parent / "bubbles.json").read_text())["long"]
    (found,) = truth["blocks"]
    x, y, w, h = (scale * value for value in found["box"])
    text = "".join(line["text"] for line in found["lines"])
    sway.run("swaymsg", "focus", "output", f"HEADLESS-{output + 1}")
    viewer = subprocess.Popen(
        [sys.executable, "-P", str(ROOT / "tests" / "support" / "sway_window.py"), str(PICTURE)],
        env=sway.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert viewer.stdout is not None
        assert viewer.stdout.readline() == b"shown\n"
        wait_until("the picture", lambda: titles(sway, "sway_window.py") + titles(sway, "sway-window") > 0)
        with TrayApp(sway.environment(), tmp_path / "home", ("capture",)) as app:
            wait_until("an overlay on each output", lambda: titles(sway, "Choose what to read") == 2)
            if output:
                sway.run("wtype", "-s", "300", "-k", "Tab")
            # Into the corner, whatever the pointer was at, and then by the pixel.
            press(sway, max(width, height), "Left")
            press(sway, max(width, height), "Up")
            press(sway, x - MARGIN, "Right")
            press(sway, y - MARGIN, "Down")
            sway.run("wtype", "-s", "300", "-k", "space")
            press(sway, w + 2 * MARGIN, "Right")
            press(sway, h + 2 * MARGIN, "Down")
            sway.run("wtype", "-s", "300", "-k", "Return")
            wait_until("the reading to end", lambda: any(row[0] != "pending" for row in app.rows()))
            ((state, read, _, _),) = app.rows()
            assert (state, read) == ("done", text)
            wait_until("the text in the clipboard", lambda: pasted(sway) == text)
    finally:
        viewer.kill()
        viewer.wait()
        viewer.stdout.close()
