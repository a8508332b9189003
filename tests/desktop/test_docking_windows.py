"""Docking on Windows, with the few system calls replaced by an object of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QByteArray, QRect, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from core.errors import BackendUnavailable
from desktop.docking.windows import CALLBACK, FULL_SCREEN, POSITION_CHANGED, WindowsDock, _Filter
from desktop.panel_place import Side


class FakeShell:
    """A shell with a taskbar of 40 native pixels at the bottom and another program's bar at the left.

    A message's address is an index into ``messages``, whose entries are window, message, kind and flag.
    """

    def __init__(self, area: QRect) -> None:
        self.free = area.adjusted(60, 0, 0, -40)
        self.bars: dict[int, QRect | None] = {}
        self.calls: list[str] = []
        self.full = False
        self.messages: list[tuple[int, int, int, bool]] = []

    def new(self, window: int, callback: int) -> bool:
        assert window not in self.bars
        assert callback == CALLBACK
        self.calls.append("new")
        if self.full:
            return False
        self.bars[window] = None
        return True

    def query(self, window: int, side: Side, wanted: QRect) -> QRect:
        assert window in self.bars
        self.calls.append("query")
        return wanted.intersected(self.free)

    def set(self, window: int, side: Side, place: QRect) -> QRect:
        self.calls.append("set")
        self.bars[window] = place.intersected(self.free)
        return place.intersected(self.free)

    def remove(self, window: int) -> None:
        self.calls.append("remove")
        del self.bars[window]

    def notice(self, message: int) -> tuple[int, int, bool] | None:
        window, number, kind, flag = self.messages[message]
        return (window, kind, flag) if number == CALLBACK else None


@pytest.fixture
def screen(qapp: QGuiApplication) -> QScreen:
    return qapp.primaryScreen()


@pytest.fixture
def shell(screen: QScreen) -> FakeShell:
    return FakeShell(screen.geometry())


@pytest.fixture
def dock(shell: FakeShell) -> Iterator[WindowsDock]:
    found = WindowsDock(shell, "win32")
    yield found
    found.detach()
    found.deleteLater()


class Window(QWidget):
    lowered = 0

    def lower(self) -> None:
        self.lowered += 1


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    found = Window()
    qtbot.addWidget(found)
    return found


def test_it_is_for_windows_alone(qapp: object) -> None:
    problem = WindowsDock(platform="linux").unavailable()
    assert isinstance(problem, BackendUnavailable)
    assert "not Windows" in problem.message


def test_a_shown_window_is_a_bar_beside_those_of_others(
    dock: WindowsDock, shell: FakeShell, window: QWidget, screen: QScreen
) -> None:
    # Given a window that is attached while hidden, then nothing is reserved
    room = screen.geometry()
    dock.attach(window, screen, "left", 400)
    assert shell.bars == {}
    # When it is shown, then it stands right of the other bar, as wide as was asked for
    window.show()
    place = QRect(60, 0, 400, room.height() - 40)
    assert list(shell.bars.values()) == [place]
    assert window.geometry() == place
    assert window.windowHandle().flags() & Qt.WindowType.FramelessWindowHint
    # When it goes to the other side, then the same bar moves
    dock.attach(window, screen, "right", 350)
    place = QRect(room.width() - 350, 0, 350, room.height() - 40)
    assert list(shell.bars.values()) == [place]
    assert window.geometry() == place
    assert shell.calls == ["new", "query", "set", "query", "set"]


def test_hidden_and_detached_windows_reserve_nothing(
    dock: WindowsDock, shell: FakeShell, window: QWidget, screen: QScreen
) -> None:
    dock.attach(window, screen, "right", 400)
    window.show()
    window.hide()
    assert shell.bars == {}
    window.show()
    assert len(shell.bars) == 1
    dock.detach()
    assert shell.bars == {}
    assert not window.windowHandle().flags() & Qt.WindowType.FramelessWindowHint
    window.hide()
    window.show()
    assert shell.bars == {}


def test_a_window_that_is_deleted_reserves_nothing(
    dock: WindowsDock, shell: FakeShell, screen: QScreen, qtbot: QtBot
) -> None:
    window = QWidget()
    dock.attach(window, screen, "right", 400)
    window.show()
    assert len(shell.bars) == 1
    window.deleteLater()
    qtbot.waitUntil(lambda: shell.bars == {})
    dock.detach()
    assert shell.calls.count("remove") == 1


def test_it_moves_when_the_shell_says_so_and_makes_way_for_full_screens(
    dock: WindowsDock, shell: FakeShell, window: Window, screen: QScreen, qtbot: QtBot
) -> None:
    dock.attach(window, screen, "left", 400)
    window.show()
    number = int(window.winId())
    shell.messages = [
        (number, CALLBACK, POSITION_CHANGED, False),
        (number, CALLBACK, FULL_SCREEN, True),
        (number + 1, CALLBACK, POSITION_CHANGED, False),
        (number, CALLBACK + 1, POSITION_CHANGED, False),
    ]
    events = _Filter(dock)
    kind = QByteArray(b"windows_generic_MSG")
    # When another program's bar at the left goes away, and the shell tells
    shell.free.setLeft(0)
    assert events.nativeEventFilter(kind, 0)[0] is True
    # Then the panel takes its place
    qtbot.waitUntil(lambda: window.geometry().left() == 0)
    assert window.width() == 400
    assert events.nativeEventFilter(kind, 1)[0] is True
    assert window.lowered == 1
    assert events.nativeEventFilter(kind, 2)[0] is False
    assert events.nativeEventFilter(kind, 3)[0] is False
    assert events.nativeEventFilter(QByteArray(b"xcb_generic_event_t"), 0)[0] is False


def test_a_shell_that_refuses_leaves_it_at_the_edge(
    dock: WindowsDock, shell: FakeShell, window: QWidget, screen: QScreen
) -> None:
    shell.full = True
    dock.attach(window, screen, "right", 400)
    window.show()
    room = screen.geometry()
    assert shell.bars == {}
    assert window.geometry() == QRect(room.width() - 400, 0, 400, room.height())
