"""The clipboard through Qt: checked, retried, handed over."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QTimer
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from core.errors import ClipboardFailed
from desktop.clipboard.qt import QtClipboard
from tests.support import clipboard_manager
from tests.support.desktop_probe import Probe
from tests.support.xserver import XServer


class FakeClipboard:
    """Qt's clipboard on a desktop where another program takes it away ``thefts`` times."""

    def __init__(self, thefts: int = 0, image: QImage | None = None) -> None:
        self.thefts = thefts
        self.texts: list[str] = []
        self._image = image or QImage()

    def setText(self, text: str) -> None:
        self.texts.append(text)

    def ownsClipboard(self) -> bool:
        self.thefts -= 1
        return self.thefts < 0

    def mimeData(self) -> QMimeData:
        data = QMimeData()
        if not self._image.isNull():
            data.setImageData(self._image)
        return data

    def image(self) -> QImage:
        return self._image


Results = list[ClipboardFailed | None]


def copied(qtbot: QtBot, fake: FakeClipboard, text: str = "読む") -> Results:
    results: Results = []
    board = QtClipboard(fake, settle_ms=1)  # type: ignore[arg-type]
    board.copy(text, results.append)
    assert results == [], "it answers only after the event loop has turned"
    qtbot.waitUntil(lambda: bool(results))
    return results


def test_a_text_that_stays_is_done_at_the_first_try(qtbot: QtBot) -> None:
    fake = FakeClipboard()
    assert copied(qtbot, fake) == [None]
    assert fake.texts == ["読む"]


@pytest.mark.parametrize("thefts", [1, 2])
def test_a_text_that_is_taken_away_is_put_back(qtbot: QtBot, thefts: int) -> None:
    fake = FakeClipboard(thefts)
    assert copied(qtbot, fake) == [None]
    assert fake.texts == ["読む"] * (thefts + 1)


def test_after_three_tries_it_fails_with_a_reason(qtbot: QtBot) -> None:
    fake = FakeClipboard(thefts=9)
    (result,) = copied(qtbot, fake)
    assert isinstance(result, ClipboardFailed)
    assert "another program" in result.message
    assert len(fake.texts) == 3


@pytest.mark.parametrize(
    ("found", "tries", "good"), [("読む", 1, True), ("other", 3, False), (None, 3, False)]
)
def test_what_another_program_would_paste_is_what_counts(
    qtbot: QtBot, found: str | None, tries: int, good: bool
) -> None:
    def read_back(answer: Callable[[str | None], None]) -> None:
        QTimer.singleShot(0, lambda: answer(found))

    fake = FakeClipboard(thefts=9 if good else 0)
    results: Results = []
    board = QtClipboard(fake, 1, read_back)  # type: ignore[arg-type]
    board.copy("読む", results.append)
    qtbot.waitUntil(lambda: bool(results))
    assert (results == [None], len(fake.texts)) == (good, tries)


def test_a_newer_text_replaces_one_that_is_being_checked(qtbot: QtBot) -> None:
    """Given two copies in a row, then each is answered once and the newer one holds."""
    fake, first, second = FakeClipboard(), [], []
    board = QtClipboard(fake, settle_ms=1)  # type: ignore[arg-type]
    board.copy("one", first.append)
    board.copy("two", second.append)
    qtbot.waitUntil(lambda: bool(second))
    assert isinstance(first[0], ClipboardFailed)
    assert (len(first), second, fake.texts[-1]) == (1, [None], "two")


def test_pictures_are_found_and_texts_are_none(qtbot: QtBot) -> None:
    picture = QImage(4, 3, QImage.Format.Format_RGB32)
    picture.fill(0)
    board = QtClipboard(FakeClipboard(image=picture))  # type: ignore[arg-type]
    found = board.image()
    assert board.holds_image()
    assert found is not None
    assert (found.width(), found.height()) == (4, 3)
    empty = QtClipboard(FakeClipboard())  # type: ignore[arg-type]
    assert (empty.holds_image(), empty.image()) == (False, None)


# --- a real X server ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[XServer]:
    with XServer([(640, 480)]) as running:
        yield running


def paste(server: XServer) -> str:
    return server.run("xclip", "-o", "-selection", "clipboard")


@pytest.mark.x11
def test_another_program_pastes_what_was_copied(server: XServer) -> None:
    text = "学校で、\n「ちょっと！」"
    with Probe(server.environment()) as probe:
        probe.do("copy", backend="auto", text=text)
        assert probe.wait("copied")["text"] == ""
        assert paste(server) == text
        assert probe.quit() == 0


@pytest.mark.x11
def test_a_picture_another_program_copied_is_read(server: XServer, tmp_path: Path) -> None:
    picture = QImage(5, 7, QImage.Format.Format_RGB32)
    picture.fill(0xFFFF0000)
    file = tmp_path / "picture.png"
    assert picture.save(str(file))
    server.run_detached("xclip", "-selection", "clipboard", "-t", "image/png", "-i", str(file))
    with Probe(server.environment()) as probe:
        probe.do("picture", backend="qt")
        event = probe.wait("picture")
    assert (event["holds"], event["size"], event["color"]) == (True, [5, 7], "#ff0000")


@contextmanager
def manager(server: XServer, *options: str) -> Iterator[None]:
    """A clipboard manager runs on the server."""
    with subprocess.Popen(
        [sys.executable, "-P", clipboard_manager.__file__, *options],
        env=server.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


@pytest.mark.x11
def test_a_clipboard_manager_keeps_the_text_when_the_program_quits(server: XServer) -> None:
    """Given a clipboard manager, when the program quits after a copy, then the text can still be pasted."""
    with manager(server):
        with Probe(server.environment()) as probe:
            probe.do("copy", backend="qt", text="残る")
            probe.wait("copied")
            assert probe.quit() == 0
        assert paste(server) == "残る"


@pytest.mark.x11
def test_a_manager_that_takes_over_our_text_is_a_success(server: XServer) -> None:
    """Given a manager that takes the clipboard at once but keeps the text, then the copy has worked."""
    with manager(server, "--greedy"), Probe(server.environment()) as probe:
        probe.do("patient_clipboard", settle_ms=400)
        for text in ("一つ目", "二つ目"):
            probe.do("copy", backend="qt", text=text)
            assert probe.wait("copied")["text"] == ""
            assert paste(server) == text


@pytest.mark.x11
def test_a_program_that_takes_the_clipboard_for_itself_is_told(server: XServer) -> None:
    with manager(server, "--thief"), Probe(server.environment()) as probe:
        probe.do("patient_clipboard", settle_ms=400)
        probe.do("copy", backend="qt", text="読む")
        assert "another program holds on to it" in probe.wait("copied")["text"]
        assert paste(server) == "stolen"
