"""The pipeline from hotkey to text, with the real overlay, card, history and host; screens, clipboard and
model are registered fakes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTextEdit
from pytestqt.qtbot import QtBot

from core.engine import Engine
from core.engines import EngineSpec
from core.errors import (
    BackendUnavailable,
    CaptureFailed,
    ClipboardFailed,
    DiskFull,
    ImageTooLarge,
    LoadFailed,
    NotAnImage,
    NothingInClipboard,
    ProcessDied,
    YomitoriError,
)
from core.events import State
from core.history import History, HistoryRow
from core.host import ModelHost
from core.images import to_png
from core.models.entries import Progress
from core.settings import SettingsStore
from core.types import RgbImage
from desktop.capture.base import CaptureBackend, ScreenInfo, Shot
from desktop.clipboard.base import ClipboardBackend
from desktop.focus import Focus
from desktop.overlay import Overlay
from desktop.result import ResultCard
from desktop.snip import Reading, SnipController
from desktop.theme import Theme
from desktop.worker import Bridge, HostThread
from tests.support.fake_doubtful_engine import CRASHES, DOUBTFUL_AND_BUILT_IN, OTHERS
from tests.support.fake_engine import FAKE
from tests.support.fake_manga_engine import BOTH, FAILS, TEXT, WAIT_FOR
from tests.support.local_library import LocalLibrary

STALL = 30_000
ENDLESS = QColor(0, 0, 1)
"""The fake engine reads a picture that begins with this colour until it is stopped."""

READ = "121x81"
"""What the fake engine reads from ``Rig.snip``: the size, both ends of the drag included."""


class FakeCapture:
    name = "fake"

    def __init__(self) -> None:
        self.colour = QColor("white")
        self.refuse = False
        self.nothing = False
        self.grabbed = 0

    def unavailable(self) -> BackendUnavailable | None:
        return None

    def grab(self, screens: Sequence[ScreenInfo]) -> list[Shot]:
        if self.refuse:
            raise CaptureFailed(reason="the user said no")
        self.grabbed += 1
        if self.nothing:
            return []
        shots = []
        for screen in screens:
            image = QImage(screen.native.size(), QImage.Format.Format_RGB32)
            image.fill(self.colour)
            shots.append(Shot(screen, image))
        return shots


class FakeClipboard:
    name = "fake"

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.picture: QImage | None = None
        self.error: ClipboardFailed | None = None

    def unavailable(self) -> BackendUnavailable | None:
        return None

    def copy(self, text: str, done: Callable[[ClipboardFailed | None], None]) -> None:
        if self.error is None:
            self.texts.append(text)
        done(self.error)

    def holds_image(self) -> bool:
        return self.picture is not None

    def image(self) -> QImage | None:
        return self.picture

    def hand_over(self) -> None:
        pass


class Told:
    def __init__(self) -> None:
        self.titles: list[str] = []
        self.errors: list[YomitoriError] = []

    def tell(self, title: str, body: str = "") -> None:
        self.titles.append(title)

    def tell_error(self, error: YomitoriError) -> None:
        self.errors.append(error)


class Rig:
    """A controller with everything around it."""

    def __init__(
        self,
        qtbot: QtBot,
        app: QApplication,
        settings: SettingsStore,
        folder: Path,
        stays_open: bool = False,
        engines: tuple[EngineSpec, ...] = (FAKE,),
    ) -> None:
        self.qtbot = qtbot
        self.settings = settings
        self.host_threads: list[HostThread] = []
        self.library = LocalLibrary(folder)
        self.engine = Engine(settings, folder / "log", self._new_thread, engines, library=self.library)
        self.bridge = Bridge()
        self.history = History(folder / "data" / "history.sqlite3")
        self.capture = FakeCapture()
        self.clipboard = FakeClipboard()
        self.told = Told()
        self.overlay = Overlay(Focus(), stays_open=stays_open)
        self.card = ResultCard(Theme(app, "light"), Focus())
        capture: CaptureBackend = self.capture
        clipboard: ClipboardBackend = self.clipboard
        self.controller = SnipController(
            self.engine,
            self.bridge,
            settings,
            self.history,
            lambda: capture,
            lambda: clipboard,
            self.overlay,
            self.card,
            self.told,
        )

    def _new_thread(self, host: ModelHost) -> HostThread:
        self.host_threads.append(HostThread(host))
        return self.host_threads[-1]

    def open_overlay(self) -> None:
        with self.qtbot.waitSignal(self.overlay.painted, timeout=STALL):
            self.controller.snip()

    def drag(self, start: QPoint, end: QPoint) -> None:
        window = self.overlay.windows[0]
        self.qtbot.mousePress(window, Qt.MouseButton.LeftButton, pos=start)
        self.qtbot.mouseMove(window, end)
        self.qtbot.mouseRelease(window, Qt.MouseButton.LeftButton, pos=end)

    def snip(self) -> tuple[object, object]:
        """A whole snip of 120 x 80 logical pixels; what ``finished`` said."""
        self.open_overlay()
        with self.qtbot.waitSignal(self.controller.finished, timeout=STALL) as finished:
            self.drag(QPoint(40, 60), QPoint(160, 140))
        return tuple(finished.args)  # type: ignore[return-value]

    def row(self, state: str, text: str = "") -> HistoryRow:
        """The one row of the history, once it is as it should be."""

        def right() -> bool:
            rows = self.history.list()
            return [(row.state, row.text) for row in rows] == [(state, text)]

        self.qtbot.waitUntil(right, timeout=STALL)
        return self.history.list()[0]

    def close(self) -> None:
        self.controller.close()
        self.engine.close()
        self.bridge.close()
        self.history.close()
        self.card.deleteLater()


@pytest.fixture
def rig(qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(qtbot, qapp, settings, tmp_path)
    yield rig
    rig.close()


def test_a_snip_ends_in_clipboard_card_and_history(rig: Rig) -> None:
    _, error = rig.snip()
    assert error is None
    assert rig.clipboard.texts == [READ]
    assert rig.card.isVisible()
    assert not rig.overlay.is_open
    rig.row("done", READ)
    assert rig.told.errors == []


def test_the_engine_loads_while_the_user_still_drags(rig: Rig) -> None:
    rig.open_overlay()
    rig.qtbot.waitUntil(lambda: rig.engine.state().state == State.READY, timeout=STALL)
    assert rig.overlay.is_open


def test_a_second_hotkey_press_changes_nothing(rig: Rig) -> None:
    rig.open_overlay()
    rig.controller.snip()
    rig.qtbot.wait(50)
    assert rig.capture.grabbed == 1


def test_cancelling_leaves_everything_as_it_was(rig: Rig) -> None:
    rig.open_overlay()
    rig.qtbot.keyClick(rig.overlay.windows[0], Qt.Key.Key_Escape)
    assert not rig.overlay.is_open
    assert rig.clipboard.texts == []
    assert rig.history.count() == 0
    rig.snip()
    assert rig.history.count() == 1


def test_a_selection_that_is_too_small_gets_a_hint(rig: Rig) -> None:
    rig.open_overlay()
    with rig.qtbot.waitSignal(rig.overlay.cancelled, timeout=STALL):
        rig.drag(QPoint(10, 10), QPoint(13, 200))
    assert rig.told.titles == ["That was too small to read"]


def test_repeat_reads_the_same_place_as_it_is_now(rig: Rig) -> None:
    rig.controller.repeat()
    assert rig.told.titles == ["Nothing to repeat yet"]
    rig.snip()
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL):
        rig.controller.repeat()
    assert rig.clipboard.texts == [READ] * 2
    assert not rig.overlay.is_open


def test_a_refused_capture_is_told_and_the_next_snip_works(rig: Rig) -> None:
    rig.capture.refuse = True
    rig.controller.snip()
    rig.qtbot.waitUntil(lambda: bool(rig.told.errors), timeout=STALL)
    assert isinstance(rig.told.errors[0], CaptureFailed)
    rig.capture.refuse = False
    assert rig.snip()[1] is None


def test_a_killed_model_process_keeps_the_snip_and_the_clipboard_and_offers_retry(rig: Rig) -> None:
    rig.clipboard.texts.append("what the user had")
    rig.capture.colour = ENDLESS
    rig.open_overlay()
    rig.drag(QPoint(40, 60), QPoint(160, 140))
    rig.qtbot.waitUntil(lambda: rig.engine.state().state == State.BUSY, timeout=STALL)
    (child,) = psutil.Process().children()
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL) as finished:
        os.kill(child.pid, signal.SIGKILL)
    assert isinstance(finished.args[1], ProcessDied)
    assert rig.clipboard.texts == ["what the user had"]
    assert rig.history.image(rig.row("failed").id)
    rig.capture.colour = QColor("white")
    assert rig.snip()[1] is None, "the next snip starts a new process"


def test_read_again_on_the_card_reads_into_the_same_row(rig: Rig) -> None:
    rig.snip()
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL):
        rig.card.reread_requested.emit()
    assert rig.history.count() == 1
    assert len(rig.clipboard.texts) == 2


def test_an_edit_goes_to_the_history_and_the_clipboard(rig: Rig) -> None:
    rig.snip()
    rig.card.edited.emit("直した")
    assert rig.clipboard.texts[-1] == "直した"
    rig.row("done", "直した")


@pytest.mark.parametrize(("mode", "copied"), [("always", 1), ("keep_images", 0), ("never", 0)])
def test_a_picture_in_the_clipboard_is_left_alone_when_asked(rig: Rig, mode: str, copied: int) -> None:
    rig.settings.set("card.copy_text", mode)
    rig.clipboard.picture = QImage(2, 2, QImage.Format.Format_RGB32)
    rig.snip()
    assert len(rig.clipboard.texts) == copied


def test_without_the_card_a_message_tells_the_text(rig: Rig) -> None:
    rig.settings.set("card.show_card", False)
    rig.snip()
    assert not rig.card.isVisible()
    assert rig.told.titles == ["Text read"]


def test_a_failing_clipboard_is_told_and_the_text_stays_on_the_card(rig: Rig) -> None:
    rig.clipboard.error = ClipboardFailed(reason="another program holds it")
    rig.snip()
    assert rig.told.errors == [rig.clipboard.error]
    assert rig.card.isVisible()


def test_the_clipboard_s_picture_is_read(rig: Rig) -> None:
    rig.controller.read_clipboard()
    assert isinstance(rig.told.errors[0], NothingInClipboard)
    picture = QImage(33, 21, QImage.Format.Format_ARGB32)
    picture.fill(QColor(0, 0, 0, 0))
    rig.clipboard.picture = picture
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL) as finished:
        rig.controller.read_clipboard()
    assert finished.args[0].text == "33x21"


def test_a_file_is_read_and_a_bad_one_told(rig: Rig, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(to_png(RgbImage(7, 5, b"\xff" * 105)))
    bad.write_text("no picture")
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL) as finished:
        rig.controller.read_file(good)
    assert finished.args[0].text == "7x5"
    rig.controller.read_file(bad)
    rig.qtbot.waitUntil(lambda: bool(rig.told.errors), timeout=STALL)
    assert isinstance(rig.told.errors[0], NotAnImage)


def test_a_snip_of_the_history_is_read_again(rig: Rig) -> None:
    rig.snip()
    row = rig.row("done", READ)
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL):
        rig.controller.read_again(row.id)
    rig.row("done", READ)


def test_a_paused_or_switched_off_history_keeps_nothing(rig: Rig) -> None:
    rig.controller.history_paused = True
    rig.snip()
    rig.controller.history_paused = False
    rig.settings.set("storage.history", False)
    rig.snip()
    assert rig.history.count() == 0
    assert len(rig.clipboard.texts) == 2


def test_a_full_disk_costs_the_record_but_not_the_text(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise DiskFull(path="history")

    monkeypatch.setattr(rig.history, "add_pending", full)
    rig.snip()
    assert isinstance(rig.told.errors[0], DiskFull)
    assert rig.clipboard.texts == [READ]


def test_a_double_click_takes_the_block_under_the_pointer(rig: Rig) -> None:
    rig.open_overlay()
    window = rig.overlay.windows[0]
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL) as finished:
        rig.qtbot.mouseDClick(window, Qt.MouseButton.LeftButton, pos=QPoint(300, 200))
    screen = QGuiApplication.primaryScreen().geometry()
    # The fake engine finds one block, the whole screen.
    assert finished.args[0].text == f"{screen.width()}x{screen.height()}"


def python_threads() -> set[threading.Thread]:
    """Those that Python started: it also lists Qt's once they have run Python, and then for ever."""
    return {t for t in threading.enumerate() if not isinstance(t, threading._DummyThread)}


def test_quitting_in_the_middle_of_everything_leaves_no_process_and_no_thread(
    qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path
) -> None:
    processes, threads = psutil.Process().children(), python_threads()
    rig = Rig(qtbot, qapp, settings, tmp_path)
    rig.capture.colour = ENDLESS
    rig.open_overlay()
    rig.drag(QPoint(40, 60), QPoint(160, 140))
    rig.qtbot.waitUntil(lambda: rig.engine.state().state == State.BUSY, timeout=STALL)
    assert rig.host_threads
    assert all(thread.isRunning() for thread in rig.host_threads)
    rig.close()
    assert psutil.Process().children() == processes
    assert all(thread.isFinished() for thread in rig.host_threads)
    assert python_threads() == threads
    again = History(tmp_path / "data" / "history.sqlite3")
    (row,) = again.list()
    assert row.state == "failed", "an interrupted reading can be tried again"
    again.close()


def close_button(card: ResultCard) -> QPushButton:
    return next(b for b in card.findChildren(QPushButton) if b.text() == "×")


def test_closing_the_card_before_the_text_came_cancels_the_reading(rig: Rig) -> None:
    rig.capture.colour = ENDLESS
    rig.clipboard.texts.append("what the user had")
    rig.open_overlay()
    rig.drag(QPoint(40, 60), QPoint(160, 140))
    rig.qtbot.waitUntil(lambda: rig.engine.state().state == State.BUSY, timeout=STALL)
    with rig.qtbot.waitSignal(rig.controller.finished, timeout=STALL):
        rig.qtbot.mouseClick(close_button(rig.card), Qt.MouseButton.LeftButton)
    assert not rig.card.isVisible()
    assert rig.clipboard.texts == ["what the user had"]
    rig.row("failed")
    assert rig.told.errors == []
    rig.qtbot.waitUntil(lambda: rig.engine.state().state == State.READY, timeout=STALL)


def test_where_the_overlay_stays_open_a_second_snip_takes_its_place(
    qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path
) -> None:
    """Given Wayland, where the card lives inside the overlay that stays open; when the hotkey is pressed
    again; then the old overlay goes and a new selection begins."""
    rig = Rig(qtbot, qapp, settings, tmp_path, stays_open=True)
    rig.snip()
    assert rig.overlay.is_open
    rig.snip()
    assert len(rig.clipboard.texts) == 2
    settings.set("card.show_card", False)
    rig.snip()
    assert not rig.overlay.is_open
    rig.close()


def test_an_overlay_that_cannot_open_does_not_block_the_next_snip(rig: Rig) -> None:
    rig.capture.nothing = True
    rig.controller.snip()
    rig.qtbot.waitUntil(lambda: not rig.controller._opening, timeout=STALL)
    rig.capture.nothing = False
    assert rig.snip()[1] is None


def test_a_huge_picture_in_the_clipboard_is_refused_before_it_is_converted(rig: Rig) -> None:
    rig.clipboard.picture = QImage(20_000, 20_000, QImage.Format.Format_Mono)
    rig.controller.read_clipboard()
    assert isinstance(rig.told.errors[0], ImageTooLarge)


def test_an_anchor_lies_on_the_screen_in_logical_pixels(rig: Rig) -> None:
    rig.snip()
    geometry = QGuiApplication.primaryScreen().geometry()
    anchor = rig.card._anchor
    expected = QRect(geometry.topLeft() + QPoint(40, 60), anchor.size())
    assert (anchor.topLeft() - expected.topLeft()).manhattanLength() <= 2


# ---- a quick reading first, while the chosen engine is still loading


class QuickRig(Rig):
    """The chosen engine loads until ``let_in`` is called; the built-in one reads meanwhile."""

    gate: Path

    def snip_until_quick(self) -> None:
        """A snip, up to the moment when the card shows what the built-in engine read."""
        self.open_overlay()
        self.drag(QPoint(40, 60), QPoint(160, 140))
        self.qtbot.waitUntil(lambda: self.shown() == READ, timeout=STALL)

    def let_in(self) -> tuple[object, object]:
        with self.qtbot.waitSignal(self.controller.finished, timeout=STALL) as finished:
            self.gate.touch()
        return tuple(finished.args)  # type: ignore[return-value]

    def shown(self) -> str:
        (text,) = self.card.findChildren(QTextEdit)
        return text.toPlainText() if self.card.isVisible() else ""

    def words(self) -> list[str]:
        return [label.text() for label in self.card.findChildren(QLabel) if label.isVisible()]

    def click(self, name: str) -> None:
        buttons = (b for b in self.card.findChildren(QPushButton) if b.isVisible())
        found = next(b for b in buttons if name in (b.text(), b.accessibleName()))
        self.qtbot.mouseClick(found, Qt.MouseButton.LeftButton)

    def type(self, keys: str) -> None:
        (text,) = self.card.findChildren(QTextEdit)
        QTest.keyClicks(text, keys)


@pytest.fixture
def quick(
    request: pytest.FixtureRequest,
    qtbot: QtBot,
    qapp: QApplication,
    settings: SettingsStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[QuickRig]:
    gate = tmp_path / "loaded"
    monkeypatch.setenv(WAIT_FOR, str(gate))
    rig = QuickRig(qtbot, qapp, settings, tmp_path, engines=getattr(request, "param", BOTH))
    rig.gate = gate
    yield rig
    # A process that still waits is ended by closing, whatever it waits for.
    rig.close()


doubtful = pytest.mark.parametrize("quick", [DOUBTFUL_AND_BUILT_IN], indirect=True, ids=["doubtful"])


def test_a_quick_reading_is_shown_and_goes_nowhere_else(quick: QuickRig) -> None:
    quick.snip_until_quick()
    assert "Quick reading. MangaOCR is still reading…" in quick.words()
    assert quick.clipboard.texts == []
    quick.row("pending")
    _, error = quick.let_in()
    assert error is None
    assert quick.shown() == TEXT
    assert quick.clipboard.texts == [TEXT]
    assert not quick.history.result(quick.row("done", TEXT).id).notice  # type: ignore[union-attr]
    assert quick.told.errors == []


def test_a_text_that_comes_while_the_next_region_is_selected_does_not_lie_over_the_screen(
    quick: QuickRig,
) -> None:
    quick.snip_until_quick()
    quick.open_overlay()
    assert not quick.card.isVisible()
    quick.let_in()
    assert quick.overlay.is_open
    assert not quick.card.isVisible()
    quick.qtbot.waitUntil(lambda: quick.clipboard.texts == [TEXT], timeout=STALL)
    quick.row("done", TEXT)


@pytest.mark.parametrize("switch", ["card.quick_text", "card.show_card"])
def test_no_quick_reading_where_none_is_wanted(
    quick: QuickRig, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    recognize = quick.engine.recognize

    def listening(
        image: RgbImage, on_piece: object = None, on_provisional: object = None, looked_at: bool = False
    ) -> object:
        asked.append((on_provisional, looked_at))
        return recognize(image)

    monkeypatch.setattr(quick.engine, "recognize", listening)
    quick.settings.set(switch, False)
    quick.gate.touch()
    quick.snip()
    # Somebody waits for it all the same
    assert asked == [(None, True)]
    assert quick.clipboard.texts == [TEXT]


def test_what_the_user_copied_stays_in_the_clipboard_and_on_the_card(quick: QuickRig) -> None:
    quick.snip_until_quick()
    quick.click("Copy")
    quick.let_in()
    assert quick.clipboard.texts == [READ]
    assert quick.shown() == READ
    assert "MangaOCR reads it differently." in quick.words()
    quick.row("done", TEXT)
    # When the user goes to the other reading, it is what they wanted
    quick.click("Next reading")
    assert quick.shown() == TEXT
    assert quick.clipboard.texts == [READ, TEXT]
    assert not quick.row("done", TEXT).edited
    quick.click("Previous reading")
    assert quick.clipboard.texts == [READ, TEXT, READ]
    quick.row("done", READ)


def test_what_the_user_copied_stays_when_another_picture_is_being_read(
    quick: QuickRig, tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(to_png(RgbImage(7, 5, b"\xff" * 105)))
    quick.snip_until_quick()
    quick.click("Copy")
    quick.controller.read_file(other)
    quick.qtbot.waitUntil(lambda: quick.shown() == "7x5", timeout=STALL)
    quick.let_in()
    quick.qtbot.waitUntil(lambda: quick.shown() == TEXT, timeout=STALL)
    assert quick.clipboard.texts == [READ, TEXT], "the second text is that of the other picture"


def test_what_the_user_changed_stays_everywhere(quick: QuickRig) -> None:
    quick.snip_until_quick()
    quick.click("Edit")
    quick.type("x")
    quick.click("Done")
    quick.row("pending", READ + "x")
    quick.let_in()
    assert quick.shown() == READ + "x"
    assert quick.clipboard.texts == [READ + "x"]
    row = quick.row("done", READ + "x")
    assert row.edited
    assert row.engine == "manga-ocr"
    assert quick.history.result(row.id).text == TEXT  # type: ignore[union-attr]


def test_a_result_waits_for_the_end_of_an_edit(quick: QuickRig) -> None:
    quick.snip_until_quick()
    quick.click("Edit")
    quick.type("x")
    quick.let_in()
    assert quick.shown() == READ + "x"
    assert quick.clipboard.texts == []
    quick.row("done", TEXT)
    quick.click("Done")
    assert quick.clipboard.texts == [READ + "x"]
    assert quick.row("done", READ + "x").edited


def test_a_result_comes_in_after_an_edit_that_was_given_up(quick: QuickRig) -> None:
    quick.snip_until_quick()
    quick.click("Edit")
    quick.type("x")
    quick.let_in()
    quick.click("Cancel")
    assert quick.shown() == TEXT
    assert quick.clipboard.texts == [TEXT]
    assert not quick.row("done", TEXT).edited


@doubtful
def test_a_failure_leaves_the_quick_reading_on_the_card_and_in_the_history(
    quick: QuickRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CRASHES, "1")
    quick.snip_until_quick()
    _, error = quick.let_in()
    assert isinstance(error, ProcessDied)
    assert quick.shown() == READ
    assert any(text.startswith("The model process ended") for text in quick.words())
    assert quick.clipboard.texts == [], "nothing is copied that was not read to the end"
    quick.row("failed", READ)
    # When it is tried again and works
    monkeypatch.delenv(CRASHES)
    with quick.qtbot.waitSignal(quick.controller.finished, timeout=STALL):
        quick.click("Try again")
    assert quick.shown() == TEXT
    quick.row("done", TEXT)


@doubtful
def test_a_failure_does_not_put_the_quick_reading_over_an_earlier_one(
    quick: QuickRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.gate.touch()
    quick.snip()
    row = quick.row("done", TEXT)
    quick.gate.unlink()
    quick.engine.unload()
    quick.qtbot.waitUntil(lambda: quick.engine.state().state == State.UNLOADED, timeout=STALL)
    monkeypatch.setenv(CRASHES, "1")
    quick.controller.read_again(row.id)
    quick.qtbot.waitUntil(lambda: quick.shown() == READ, timeout=STALL)
    _, error = quick.let_in()
    assert isinstance(error, ProcessDied)
    assert quick.row("failed", TEXT).engine == "manga-ocr"


def test_closing_the_card_during_a_quick_reading_cancels(quick: QuickRig) -> None:
    quick.snip_until_quick()
    with quick.qtbot.waitSignal(quick.controller.finished, timeout=STALL):
        quick.click("Close")
    assert quick.clipboard.texts == []
    quick.row("failed")
    quick.gate.touch()
    assert quick.snip()[1] is None


@pytest.mark.parametrize("edits", [False, True], ids=["copied", "changed"])
def test_what_the_user_took_is_kept_when_they_close_the_card(quick: QuickRig, edits: bool) -> None:
    quick.snip_until_quick()
    if edits:
        quick.click("Edit")
        quick.type("x")
        quick.click("Done")
    else:
        quick.click("Copy")
    with quick.qtbot.waitSignal(quick.controller.finished, timeout=STALL):
        quick.click("Close")
    row = quick.row("done", READ + "x" * edits)
    assert row.engine == "ppocr"
    assert row.edited == edits


def test_why_the_built_in_engine_has_read_is_on_the_card(
    quick: QuickRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FAILS, "raise")
    quick.gate.touch()
    result, _ = quick.snip()
    assert isinstance(result.notice, LoadFailed)  # type: ignore[attr-defined]
    assert quick.shown() == READ
    assert any(text.endswith("The built-in engine read this.") for text in quick.words())
    assert quick.clipboard.texts == [READ]


# ---- other readings


@doubtful
def test_going_through_the_readings_takes_clipboard_and_history_along(quick: QuickRig) -> None:
    quick.gate.touch()
    quick.snip()
    assert quick.shown() == TEXT
    assert {"Tab", "1/3"} <= set(quick.words())
    quick.click("Next reading")
    assert quick.shown() == OTHERS[0]
    assert quick.clipboard.texts == [TEXT, OTHERS[0]]
    assert quick.row("done", OTHERS[0]).edited
    quick.click("Previous reading")
    assert quick.clipboard.texts == [TEXT, OTHERS[0], TEXT]
    assert not quick.row("done", TEXT).edited, "what the engine kept is no edit"


@doubtful
@pytest.mark.parametrize("mode", ["keep_images", "never"])
def test_going_through_the_readings_leaves_the_clipboard_alone_when_asked(quick: QuickRig, mode: str) -> None:
    quick.gate.touch()
    quick.settings.set("card.copy_text", mode)
    quick.clipboard.picture = QImage(2, 2, QImage.Format.Format_RGB32)
    quick.snip()
    quick.click("Next reading")
    assert quick.clipboard.texts == []
    quick.row("done", OTHERS[0])
    assert ("The picture in the clipboard was left alone." in quick.words()) == (mode == "keep_images")


def test_a_snip_that_waits_for_a_conversion_says_how_far_it_is(
    qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path
) -> None:
    # given weights that have to be converted first
    rig = Rig(qtbot, qapp, settings, tmp_path, engines=BOTH)
    rig.library.needs_conversion = True
    settings.set("card.quick_text", False)
    rig.open_overlay()
    rig.drag(QPoint(40, 60), QPoint(160, 140))
    qtbot.waitUntil(lambda: bool(rig.library.conversions), timeout=STALL)
    tell = rig.library.on_progress
    assert tell is not None

    # when the conversion gets on, then the card says so
    def words() -> list[str]:
        return [label.text() for label in rig.card.findChildren(QLabel) if label.isVisible()]

    for done, text in ((0, "Converting the model once…"), (41, "Converting the model once… 41 %")):
        tell(Progress("convert", "pytorch_model.bin", done, 100))
        qtbot.waitUntil(lambda text=text: text in words(), timeout=STALL)

    # and when it is done, then it reads as always
    tell(Progress("convert", "pytorch_model.bin", 100, 100))
    qtbot.waitUntil(lambda: "Reading…" in words(), timeout=STALL)
    rig.library.needs_conversion = False
    with qtbot.waitSignal(rig.controller.finished, timeout=STALL):
        rig.library.conversions[0].finish({}, 0.0)
    rig.row("done", TEXT)
    rig.close()


def test_a_quick_reading_says_that_the_model_is_being_converted(
    qtbot: QtBot, qapp: QApplication, settings: SettingsStore, tmp_path: Path
) -> None:
    rig = Rig(qtbot, qapp, settings, tmp_path, engines=BOTH)
    rig.library.needs_conversion = True
    rig.open_overlay()
    rig.drag(QPoint(40, 60), QPoint(160, 140))
    qtbot.waitUntil(lambda: READ in rig.card.findChild(QTextEdit).toPlainText(), timeout=STALL)
    tell = rig.library.on_progress
    assert tell is not None

    def words() -> list[str]:
        return [label.text() for label in rig.card.findChildren(QLabel) if label.isVisible()]

    tell(Progress("convert", "pytorch_model.bin", 41, 100))
    qtbot.waitUntil(lambda: "Quick reading. Converting the model once… 41 %" in words(), timeout=STALL)
    tell(Progress("convert", "pytorch_model.bin", 100, 100))
    qtbot.waitUntil(lambda: "Quick reading. MangaOCR is still reading…" in words(), timeout=STALL)
    rig.library.needs_conversion = False
    with qtbot.waitSignal(rig.controller.finished, timeout=STALL):
        rig.library.conversions[0].finish({}, 0.0)
    rig.row("done", TEXT)
    rig.close()


# ---- for the side panel


def test_a_snip_to_ask_shows_no_card_and_leaves_the_clipboard_alone(rig: Rig) -> None:
    asked: list[Reading] = []
    ended: list[tuple[Reading, object]] = []
    rig.controller.ask_requested.connect(asked.append)
    rig.controller.read.connect(lambda reading, result, error: ended.append((reading, result)))
    with rig.qtbot.waitSignal(rig.overlay.painted, timeout=STALL):
        rig.controller.snip(asks=True)

    rig.drag(QPoint(40, 60), QPoint(160, 140))
    rig.qtbot.waitUntil(lambda: bool(ended), timeout=STALL)

    # Then who asks is told of the picture before it is read, and of its text
    assert [reading for reading, _ in ended] == asked
    assert asked[0].row == rig.row("done", READ).id
    assert asked[0].result is ended[0][1] is not None
    assert not rig.card.isVisible()
    assert rig.clipboard.texts == []
    assert not rig.overlay.is_open


def test_the_next_snip_is_read_as_usual(rig: Rig) -> None:
    test_a_snip_to_ask_shows_no_card_and_leaves_the_clipboard_alone(rig)

    rig.snip()

    assert rig.card.isVisible()
    assert rig.clipboard.texts == [READ]


def test_the_card_hands_its_picture_over(rig: Rig) -> None:
    asked: list[Reading] = []
    rig.controller.ask_requested.connect(asked.append)
    rig.snip()

    rig.card.ask_requested.emit()

    assert [reading.result.text for reading in asked if reading.result] == [READ]
    assert not rig.card.isVisible()


def test_what_is_still_being_read_goes_on_in_the_panel(rig: Rig) -> None:
    # Given a picture that the engine reads until it is stopped
    asked: list[Reading] = []
    rig.controller.ask_requested.connect(asked.append)
    rig.capture.colour = ENDLESS
    rig.open_overlay()
    rig.drag(QPoint(40, 60), QPoint(160, 140))
    rig.qtbot.waitUntil(lambda: rig.card.isVisible(), timeout=STALL)

    # When the user asks about it from the card, then the card goes and the reading does not
    rig.card.ask_requested.emit()
    assert not rig.card.isVisible()
    assert asked[0].result is None
    rig.qtbot.waitUntil(lambda: asked[0].job is not None, timeout=STALL)
    assert not asked[0].cancelled
    assert asked[0].job is not None
    asked[0].job.cancel()
