"""The overlay with a real mouse and keyboard, on the offscreen platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.capture.base import ScreenInfo, Shot
from desktop.focus import Focus
from desktop.overlay import Overlay
from desktop.overlay_window import SnipWindow
from desktop.theme import OVERLAY

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
PAPER = QColor("#e0d0c0")


class RecordingFocus(Focus):
    """Remembers who asked for the focus."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def take(self, widget: QWidget) -> None:
        self.log.append("take")
        super().take(widget)

    def give_back(self) -> None:
        self.log.append("give back")


class Heard:
    """Everything an overlay said, in order."""

    def __init__(self, overlay: Overlay) -> None:
        self.events: list[tuple[Any, ...]] = []
        overlay.selected.connect(lambda shot, rect: self.events.append(("selected", shot, rect)))
        overlay.cancelled.connect(lambda reason: self.events.append(("cancelled", reason)))
        overlay.block_requested.connect(lambda shot, at: self.events.append(("block", shot, at)))


def make_shot(scale: float = 1.0, geometry: QRect | None = None, name: str = "") -> Shot:
    """A screen of 800 x 600 logical pixels, its native pixels told apart by their colour."""
    screen = QGuiApplication.primaryScreen()
    rect = geometry or QRect(0, 0, 800, 600)
    image = QImage(round(rect.width() * scale), round(rect.height() * scale), QImage.Format.Format_RGB32)
    image.fill(PAPER)
    info = ScreenInfo(name or screen.name(), rect, scale, image.rect())
    return Shot(info, image)


Opener = Callable[..., tuple[Overlay, SnipWindow, Heard]]


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Opener]:
    overlays: list[Overlay] = []

    def make(
        *shots: Shot, focus: Focus | None = None, magnifier: bool = True, stays_open: bool = False
    ) -> tuple[Overlay, SnipWindow, Heard]:
        overlay = Overlay(focus or Focus(), magnifier, stays_open)
        overlays.append(overlay)
        heard = Heard(overlay)
        with qtbot.waitSignal(overlay.painted):
            overlay.open(shots or (make_shot(),))
        return overlay, overlay.windows[0], heard

    yield make
    for overlay in overlays:
        overlay.close()
        overlay.deleteLater()


def drag(window: QWidget, *way: tuple[int, int]) -> None:
    first, *rest = [QPoint(*point) for point in way]
    QTest.mousePress(window, LEFT, Qt.KeyboardModifier.NoModifier, first)
    for point in rest:
        QTest.mouseMove(window, point)
    QTest.mouseRelease(window, LEFT, Qt.KeyboardModifier.NoModifier, rest[-1])


def press(window: QWidget, key: Qt.Key, times: int = 1, modifiers: Any = None) -> None:
    for _ in range(times):
        QTest.keyClick(window, key, modifiers or Qt.KeyboardModifier.NoModifier)


@pytest.mark.parametrize("way", [((100, 80), (259, 199)), ((259, 199), (100, 80)), ((259, 80), (100, 199))])
def test_dragging_in_any_direction_selects_and_closes(
    opened: Opener, way: tuple[tuple[int, int], ...]
) -> None:
    overlay, window, heard = opened()

    drag(window, *way)

    assert heard.events == [("selected", window.shot, QRect(100, 80, 160, 120))]
    assert not overlay.is_open


def test_the_region_is_told_in_native_pixels(opened: Opener) -> None:
    _, window, heard = opened(make_shot(scale=2.0))

    drag(window, (100, 80), (150, 120))

    ((_, _, rect),) = heard.events
    assert rect == QRect(200, 160, 101, 81)


def test_a_drag_off_the_screen_ends_at_its_edge(opened: Opener) -> None:
    _, window, heard = opened()

    drag(window, (700, 500), (900, 900))

    ((_, _, rect),) = heard.events
    assert rect == QRect(700, 500, 100, 100)


def test_space_moves_the_selection_while_dragging(opened: Opener) -> None:
    _, window, heard = opened()
    none = Qt.KeyboardModifier.NoModifier

    QTest.mousePress(window, LEFT, none, QPoint(100, 100))
    QTest.mouseMove(window, QPoint(199, 149))
    QTest.keyPress(window, Qt.Key.Key_Space)
    QTest.mouseMove(window, QPoint(249, 169))
    QTest.keyRelease(window, Qt.Key.Key_Space)
    QTest.mouseMove(window, QPoint(259, 169))
    QTest.mouseRelease(window, LEFT, none, QPoint(259, 169))

    ((_, _, rect),) = heard.events
    assert rect == QRect(150, 120, 110, 50)


def test_the_keyboard_alone_selects(opened: Opener) -> None:
    overlay, window, heard = opened()
    window.point_at(QPoint(50, 60))
    shift, control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier

    press(window, Qt.Key.Key_Right, 2)
    press(window, Qt.Key.Key_Down, 1, shift)
    press(window, Qt.Key.Key_Space)
    press(window, Qt.Key.Key_Right, 3, shift)
    press(window, Qt.Key.Key_Down, 2, shift)
    press(window, Qt.Key.Key_Left, 5, control)
    assert heard.events == []
    press(window, Qt.Key.Key_Return)

    assert heard.events == [("selected", window.shot, QRect(47, 70, 31, 21))]
    assert not overlay.is_open


def test_enter_anchors_too(opened: Opener) -> None:
    _, window, heard = opened()
    window.point_at(QPoint(50, 60))

    press(window, Qt.Key.Key_Enter)
    press(window, Qt.Key.Key_Right, 9)
    press(window, Qt.Key.Key_Up, 9)
    press(window, Qt.Key.Key_Enter)

    assert heard.events == [("selected", window.shot, QRect(50, 51, 10, 10))]


def test_a_jolt_of_the_mouse_does_not_disturb_the_keyboard(opened: Opener) -> None:
    _, window, _ = opened()
    QTest.mouseMove(window, QPoint(300, 300))
    press(window, Qt.Key.Key_Right, 1, Qt.KeyboardModifier.ShiftModifier)

    QTest.mouseMove(window, QPoint(302, 301))
    assert window.selection.cursor == (310, 300)

    QTest.mouseMove(window, QPoint(320, 340))
    assert window.selection.cursor == (320, 340)


@pytest.mark.parametrize("state", ["idle", "anchored", "dragging", "waiting"])
@pytest.mark.parametrize("how", ["escape", "right click"])
def test_escape_and_right_click_cancel_in_every_state(opened: Opener, state: str, how: str) -> None:
    overlay, window, heard = opened()
    if state == "anchored":
        press(window, Qt.Key.Key_Space)
        press(window, Qt.Key.Key_Right, 20)
    elif state == "dragging":
        QTest.mousePress(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(50, 50))
        QTest.mouseMove(window, QPoint(150, 150))
    elif state == "waiting":
        QTest.mouseDClick(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(50, 50))
    heard.events.clear()

    if how == "escape":
        press(window, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(window, RIGHT, Qt.KeyboardModifier.NoModifier, QPoint(60, 60))

    assert heard.events == [("cancelled", "")]
    assert not overlay.is_open


@pytest.mark.parametrize("end", [(300, 105), (105, 300)])
def test_a_thin_drag_is_cancelled_as_too_small(opened: Opener, end: tuple[int, int]) -> None:
    overlay, window, heard = opened()

    drag(window, (100, 100), end)

    assert heard.events == [("cancelled", "too_small")]
    assert not overlay.is_open


def test_a_thin_keyboard_selection_is_too_small(opened: Opener) -> None:
    _, window, heard = opened()

    press(window, Qt.Key.Key_Space)
    press(window, Qt.Key.Key_Right, 30)
    press(window, Qt.Key.Key_Return)

    assert heard.events == [("cancelled", "too_small")]


def test_a_click_is_cancelled_only_when_no_second_one_follows(opened: Opener, qtbot: QtBot) -> None:
    overlay, window, heard = opened()

    QTest.mouseClick(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(100, 100))
    assert overlay.is_open

    with qtbot.waitSignal(overlay.cancelled):
        pass
    assert heard.events == [("cancelled", "too_small")]


def double_click(window: QWidget, x: int, y: int) -> None:
    QTest.mouseClick(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(x, y))
    QTest.mouseDClick(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(x, y))


def test_a_double_click_takes_the_block_under_the_pointer(opened: Opener) -> None:
    overlay, window, heard = opened(make_shot(scale=2.0))

    double_click(window, 100, 100)
    assert heard.events == [("block", window.shot, QPoint(200, 200))]
    overlay.set_blocks(window.shot, [QRect(500, 500, 50, 50), QRect(150, 180, 90, 200)])

    assert heard.events[1:] == [("selected", window.shot, QRect(150, 180, 90, 200))]
    assert not overlay.is_open


@pytest.mark.parametrize("blocks", [[], [QRect(500, 400, 50, 50)]])
def test_a_double_click_beside_every_block_says_so_and_stays(opened: Opener, blocks: list[QRect]) -> None:
    overlay, window, heard = opened()
    double_click(window, 100, 100)

    if blocks:
        overlay.set_blocks(window.shot, blocks)
    else:
        overlay.no_block(window.shot)
    assert overlay.is_open
    drag(window, (100, 100), (200, 200))

    assert [event[0] for event in heard.events] == ["block", "selected"]


def test_blocks_that_come_after_a_new_drag_began_are_ignored(opened: Opener) -> None:
    overlay, window, heard = opened()
    double_click(window, 100, 100)

    QTest.mousePress(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(90, 90))
    overlay.set_blocks(window.shot, [QRect(80, 80, 50, 50)])

    assert overlay.is_open
    assert [event[0] for event in heard.events] == ["block"]


def test_only_what_is_outside_the_selection_is_dimmed(opened: Opener) -> None:
    _, window, _ = opened(magnifier=False)
    QTest.mousePress(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(100, 100))
    QTest.mouseMove(window, QPoint(199, 199))

    picture = window.grab().toImage()

    assert picture.pixelColor(100, 100) == PAPER
    assert picture.pixelColor(199, 199) == PAPER
    assert picture.pixelColor(99, 150) == QColor(OVERLAY.accent)
    assert picture.pixelColor(200, 150) == QColor(OVERLAY.accent)
    assert picture.pixelColor(50, 150).lightness() < PAPER.lightness() * 0.6


def test_the_frozen_picture_is_drawn_pixel_for_pixel(opened: Opener) -> None:
    shot = make_shot()
    for i in range(0, 200, 2):
        shot.image.setPixelColor(100 + i, 150, QColor("black"))
    _, window, _ = opened(shot, magnifier=False)
    QTest.mousePress(window, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(90, 90))
    QTest.mouseMove(window, QPoint(350, 350))

    row = window.grab().toImage().copy(QRect(100, 150, 200, 1))

    assert row == shot.image.copy(QRect(100, 150, 200, 1)).convertToFormat(row.format())


def test_keys_reach_the_screen_with_the_pointer_and_tab_goes_to_the_next(opened: Opener) -> None:
    one, two = make_shot(), make_shot(geometry=QRect(800, 0, 400, 300), name="other")
    overlay, first, heard = opened(one, two)
    second = overlay.windows[1]

    QTest.mouseMove(second, QPoint(100, 100))
    press(first, Qt.Key.Key_Right)
    assert second.selection.cursor == (101, 100)

    press(first, Qt.Key.Key_Tab)
    press(first, Qt.Key.Key_Space)
    press(first, Qt.Key.Key_Right, 1, Qt.KeyboardModifier.ShiftModifier)
    press(first, Qt.Key.Key_Down, 1, Qt.KeyboardModifier.ShiftModifier)
    press(first, Qt.Key.Key_Return)
    assert heard.events[0][1] is one


def test_the_focus_is_taken_once_and_given_back(opened: Opener) -> None:
    focus = RecordingFocus()
    overlay, _, _ = opened(focus=focus)
    assert focus.log == ["take"]

    overlay.close()
    overlay.close()

    assert focus.log == ["take", "give back"]


def test_it_opens_again_after_it_was_closed_and_not_twice(opened: Opener, qtbot: QtBot) -> None:
    overlay, window, _ = opened()
    overlay.open([make_shot()])
    assert overlay.windows == (window,)

    overlay.close()
    with qtbot.waitSignal(overlay.painted):
        overlay.open([make_shot()])

    assert overlay.windows[0] is not window


def test_a_screen_reader_is_told_what_to_do(opened: Opener) -> None:
    _, window, _ = opened()

    assert window.accessibleName() == "Choose what to read"
    assert "Escape cancels" in window.accessibleDescription()


class Guest(QWidget):
    closed = Signal()

    def embed(self, parent: QWidget) -> None:
        self.setParent(parent)

    def detach(self) -> None:
        self.setParent(None)


def test_where_windows_cannot_be_placed_the_card_lives_in_the_overlay(opened: Opener, qtbot: QtBot) -> None:
    one, two = make_shot(), make_shot(geometry=QRect(800, 0, 400, 300), name="other")
    overlay, window, heard = opened(one, two, stays_open=True)
    guest = Guest()
    qtbot.addWidget(guest)

    drag(window, (100, 100), (200, 200))
    assert overlay.windows == (window,), "the other screens are free again"
    overlay.host(guest)
    assert guest.parentWidget() is window

    press(window, Qt.Key.Key_Escape)
    assert not overlay.is_open
    assert guest.parentWidget() is None
    assert [event[0] for event in heard.events] == ["selected"], "dismissing a result cancels nothing"


def test_the_overlay_goes_with_its_guest(opened: Opener, qtbot: QtBot) -> None:
    overlay, window, _ = opened(stays_open=True)
    guest = Guest()
    qtbot.addWidget(guest)
    drag(window, (100, 100), (200, 200))
    overlay.host(guest)

    guest.closed.emit()

    assert not overlay.is_open
