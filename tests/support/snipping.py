"""Snipping as a user does it on a real X server: keys, pointer and clipboard of other programs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.support.display_server import wait_until
from tests.support.tray_app import TrayApp
from tests.support.xserver import XServer


def clipboard(server: XServer) -> str:
    done = subprocess.run(
        ["xclip", "-o", "-selection", "clipboard"],
        env=server.environment(), capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return done.stdout


def set_clipboard(server: XServer, text: str) -> None:
    subprocess.run(
        ["xclip", "-selection", "clipboard"],
        env=server.environment(), input=text, text=True, check=True, timeout=20,
    )  # fmt: skip


def overlays(server: XServer) -> list[str]:
    done = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", "^Choose what to read"],
        env=server.environment(), capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return done.stdout.split()


def open_overlay(server: XServer, app: TrayApp, ask: Callable[[], None] | None = None) -> None:
    """Press the hotkey (or ``ask`` otherwise) and wait until both screens are covered."""
    if ask is None:
        app.wait_for_log("Hotkey for snip")
        server.xdotool("key", "ctrl+alt+s")
    else:
        ask()
    wait_until("the overlay on both screens", lambda: len(overlays(server)) == 2)
    time.sleep(0.3)


def drag(server: XServer, left: int, top: int, right: int, bottom: int) -> None:
    server.xdotool("mousemove", left, top, "mousedown", 1)
    for step in range(1, 5):
        server.xdotool("mousemove", left + (right - left) * step // 4, top + (bottom - top) * step // 4)
    server.xdotool("mouseup", 1)


def leave(server: XServer) -> None:
    """Esc until the overlay is gone: it may be seen a moment before it has the keyboard."""

    def gone() -> bool:
        server.xdotool("key", "Escape")
        return overlays(server) == []

    wait_until("the overlay to go", gone)


def wait_for_text(server: XServer, text: str) -> None:
    wait_until(f"{text!r} in the clipboard, not {clipboard(server)!r}", lambda: clipboard(server) == text)
