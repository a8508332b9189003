"""wl-copy and wl-paste: stand-in programs for what goes wrong, headless sway for what goes right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from core.errors import ClipboardFailed
from desktop.clipboard.wl_copy import WlCopyClipboard
from tests.support.desktop_probe import Probe
from tests.support.sway import Sway

HONEST_COPY = 'cat > "$STORE"'
HONEST_PASTE = 'cat "$STORE"'
Results = list[ClipboardFailed | None]


class Programs:
    """Shell scripts in place of wl-copy and wl-paste; they share the file ``store``."""

    def __init__(self, folder: Path, copy: str = HONEST_COPY, paste: str = HONEST_PASTE) -> None:
        self.store = folder / "store"
        for name, script in (("wl-copy", copy), ("wl-paste", paste)):
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        self.environ = {
            "PATH": f"{folder}:/usr/bin:/bin",
            "STORE": str(self.store),
            "COUNT": str(folder / "count"),
            "WAYLAND_DISPLAY": "wayland-none",
        }


def copied(qtbot: QtBot, programs: Programs, limit_ms: int = 20_000) -> Results:
    board = WlCopyClipboard(programs.environ, limit_ms)
    results: Results = []
    board.copy("読む\n", results.append)
    qtbot.waitUntil(lambda: bool(results), timeout=30_000)
    board.hand_over()
    assert len(results) == 1
    return results


def test_what_can_be_read_back_is_copied(qtbot: QtBot, tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    assert copied(qtbot, programs) == [None]
    assert programs.store.read_text() == "読む\n"


def test_a_text_that_is_taken_away_is_put_back(qtbot: QtBot, tmp_path: Path) -> None:
    """Given a program that takes the clipboard twice, then the third try holds."""
    thief = 'echo x >> "$COUNT"; [ $(wc -l < "$COUNT") -ge 3 ] && cat "$STORE" || echo stolen'
    assert copied(qtbot, Programs(tmp_path, paste=thief)) == [None]


@pytest.mark.parametrize(
    ("copy", "paste", "limit", "reason"),
    [
        ("exit 1", HONEST_PASTE, 20_000, "wl-copy failed"),
        ("exec sleep 60", HONEST_PASTE, 100, "wl-copy failed or did not answer in time"),
        (HONEST_COPY, "exit 1", 20_000, "wl-paste failed"),
        (HONEST_COPY, "echo other", 20_000, "another program"),
    ],
)
def test_what_goes_wrong_is_told(
    qtbot: QtBot, tmp_path: Path, copy: str, paste: str, limit: int, reason: str
) -> None:
    (result,) = copied(qtbot, Programs(tmp_path, copy, paste), limit)
    assert isinstance(result, ClipboardFailed)
    assert reason in result.message


def test_a_newer_text_replaces_one_that_is_being_checked(qtbot: QtBot, tmp_path: Path) -> None:
    programs = Programs(tmp_path)
    board = WlCopyClipboard(programs.environ, 20_000)
    first: Results = []
    second: Results = []
    board.copy("one", first.append)
    board.copy("two", second.append)
    qtbot.waitUntil(lambda: bool(second), timeout=30_000)
    assert isinstance(first[0], ClipboardFailed)
    assert (len(first), second, programs.store.read_text()) == (1, [None], "two")


def test_a_paste_that_hangs_means_no_picture(qtbot: QtBot, tmp_path: Path) -> None:
    board = WlCopyClipboard(Programs(tmp_path, paste="exec sleep 60").environ, limit_ms=50)
    assert board.holds_image() is False
    assert board.image() is None


def test_why_it_does_not_work_here(qtbot: QtBot, tmp_path: Path) -> None:
    no_session = WlCopyClipboard({}).unavailable()
    assert no_session is not None
    assert "no Wayland session" in no_session.message
    not_installed = WlCopyClipboard({"WAYLAND_DISPLAY": "x", "PATH": str(tmp_path)}).unavailable()
    assert not_installed is not None
    assert "apt install wl-clipboard" in not_installed.advice
    no_protocol = WlCopyClipboard(Programs(tmp_path).environ).unavailable()
    assert no_protocol is not None
    assert "Choose Qt" in no_protocol.advice


# --- headless sway --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desktop() -> Iterator[Sway]:
    with Sway(outputs=[(800, 600, 1)]) as running:
        yield running


@pytest.mark.wayland
def test_the_text_can_be_pasted_and_outlives_the_program(desktop: Sway) -> None:
    text = "学校で、\n「ちょっと！」\n"
    with Probe(desktop.environment()) as probe:
        probe.do("chosen", kind="clipboard")
        assert probe.wait("chosen")["name"] == "wl-copy"
        probe.do("copy", backend="auto", text=text)
        assert probe.wait("copied")["text"] == ""
        assert desktop.run("wl-paste", "--no-newline") == text
        assert probe.quit() == 0
    assert desktop.run("wl-paste", "--no-newline") == text


@pytest.mark.wayland
def test_a_picture_is_read_and_a_text_is_none(desktop: Sway) -> None:
    picture = QImage(5, 7, QImage.Format.Format_RGB32)
    picture.fill(0xFFFF0000)
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    assert picture.save(buffer, "PNG")  # type: ignore[call-overload]
    desktop.run_detached("wl-copy", "--type", "image/png", input=buffer.data().data())
    with Probe(desktop.environment()) as probe:
        probe.do("picture", backend="wl-copy")
        event = probe.wait("picture")
        assert (event["holds"], event["size"], event["color"]) == (True, [5, 7], "#ff0000")
        probe.do("copy", backend="wl-copy", text="text")
        probe.wait("copied")
        probe.do("picture", backend="wl-copy")
        assert probe.wait("picture")["holds"] is False
