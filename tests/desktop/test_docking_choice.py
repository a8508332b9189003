"""Which dock a panel gets, and what every dock does: widths, and what is left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import delete, isValid

from core.errors import BackendUnavailable
from desktop import docking
from desktop.docking.edge import EdgeDock
from desktop.docking.fallback import PanelDock
from desktop.docking.grip import EdgeGrip
from desktop.docking.plain import PlainDock
from desktop.docking.x11 import X11Dock
from desktop.panel_place import Side
from tests.support.environment import child_environment
from tests.support.sway import Sway

NO = BackendUnavailable(name="a dock", reason="it is broken", fix="Mend it.")


class RecordingDock(EdgeDock):
    """Reserves in a list."""

    name = "recording"

    def __init__(self) -> None:
        super().__init__()
        self.reserved: list[QRect] = []
        self.refused: BackendUnavailable | None = None

    def unavailable(self) -> BackendUnavailable | None:
        return None

    def refusal(self, screen: QScreen, side: Side) -> BackendUnavailable | None:
        return self.refused

    def _usable(self, window: QWidget, screen: QScreen, side: Side) -> QRect:
        return screen.geometry().adjusted(0, 30, 0, 0)

    def _reserve(self, window: QWidget, screen: QScreen, side: Side, place: QRect) -> QRect:
        self.reserved = [place]
        return place

    def _withdraw(self, window: QWidget) -> None:
        self.reserved = []


@pytest.fixture
def screen(qapp: QGuiApplication) -> QScreen:
    return qapp.primaryScreen()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    found = QWidget()
    qtbot.addWidget(found)
    return found


# --- choosing -------------------------------------------------------------------------------------------


def test_without_x11_the_x11_dock_says_so_and_automatic_is_the_ordinary_window(qapp: object) -> None:
    problem = X11Dock().unavailable()
    assert problem is not None
    assert "not shown through X11" in problem.message
    assert docking.choose("auto").name == "plain"
    with pytest.raises(BackendUnavailable):
        X11Dock().attach(QWidget(), QGuiApplication.primaryScreen(), "left", 400)


def test_windows_and_macos_need_no_x11() -> None:
    """Given a Python without xcffib, then all that Windows and macOS use is importable."""
    code = """
import sys
sys.modules["xcffib"] = None
import desktop.docking.windows, desktop.docking.plain, desktop.docking.fallback
from desktop import docking
print([entry.name for entry in docking.BACKENDS])
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=child_environment({"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "['windows', 'x11', 'plain']"


def test_the_panel_is_docked_only_where_it_is_wished_and_works(
    window: QWidget, screen: QScreen, qtbot: QtBot
) -> None:
    recording = RecordingDock()
    panel = PanelDock(lambda name: recording if name == "auto" else PlainDock())
    told: list[bool] = []
    panel.docked_changed.connect(told.append)
    window.show()

    panel.attach(window, screen, "right", 400, keep_free=True)
    assert (panel.docked, panel.problem, len(recording.reserved)) == (True, None, 1)
    panel.attach(window, screen, "right", 400, keep_free=False)
    assert (panel.docked, panel.problem, recording.reserved) == (False, None, [])
    recording.refused = NO
    panel.attach(window, screen, "right", 400, keep_free=True)
    assert (panel.docked, panel.problem) == (False, NO)
    recording.refused = None
    panel.attach(window, screen, "right", 400, keep_free=True)
    assert (panel.docked, panel.problem) == (True, None)
    panel.detach()
    assert not panel.docked
    assert told == [True, False, True, False]


def test_where_nothing_can_be_reserved_it_says_so(window: QWidget, screen: QScreen) -> None:
    panel = PanelDock(docking.choose)
    panel.attach(window, screen, "left", 400, keep_free=True)
    assert not panel.docked
    assert panel.problem is not None
    assert "does not let windows do that" in panel.problem.message
    panel.detach()


def test_an_edge_that_is_lost_makes_it_an_ordinary_window(
    window: QWidget, screen: QScreen, qtbot: QtBot
) -> None:
    recording = RecordingDock()
    panel = PanelDock(lambda name: recording if name == "auto" else PlainDock())
    window.show()
    panel.attach(window, screen, "right", 400, keep_free=True)
    recording.refused = NO
    screen.availableGeometryChanged.emit(screen.availableGeometry())
    qtbot.waitUntil(lambda: not panel.docked)
    assert panel.problem is NO
    assert recording.reserved == []
    assert window.geometry().right() == screen.geometry().right()
    panel.detach()


# --- the inner edge -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "step"), [("left", 60), ("right", -60)])
def test_dragging_the_edge_tells_the_width_once(
    window: QWidget, screen: QScreen, qtbot: QtBot, side: Side, step: int
) -> None:
    dock = RecordingDock()
    window.show()
    dock.attach(window, screen, side, 340)
    assert len(window.findChildren(EdgeGrip)) == 1
    grip = window.findChild(EdgeGrip)
    widths: list[int] = []
    dock.width_changed.connect(widths.append)
    start = grip.mapToGlobal(QPoint(2, 100))

    def at(x: int) -> QPoint:
        return grip.mapFromGlobal(start + QPoint(x, 0))

    QTest.mousePress(grip, Qt.MouseButton.LeftButton, pos=at(0))
    for part in (1, 2, 3):
        QTest.mouseMove(grip, at(step * part // 6))
    assert dock.reserved[0].width() == 340
    QTest.mouseRelease(grip, Qt.MouseButton.LeftButton, pos=at(step // 2))
    qtbot.waitUntil(lambda: widths != [])
    assert widths == [370]
    assert window.geometry() == dock.reserved[0]
    assert window.width() == 370
    dock.detach()
    assert dock.reserved == []
    qtbot.waitUntil(lambda: not window.findChildren(EdgeGrip))


def test_a_window_that_was_moved_away_comes_back(window: QWidget, screen: QScreen, qtbot: QtBot) -> None:
    dock = RecordingDock()
    window.show()
    dock.attach(window, screen, "right", 400)
    place = window.geometry()
    assert place.top() == 30
    window.move(20, 60)
    qtbot.waitUntil(lambda: window.geometry() == place)
    dock.detach()


def test_a_content_that_needs_more_gets_it_and_it_is_reserved(window: QWidget, screen: QScreen) -> None:
    dock = RecordingDock()
    window.setMinimumWidth(390)
    window.show()
    dock.attach(window, screen, "right", 330)
    assert dock.reserved == [window.geometry()]
    assert window.width() == 390
    dock.detach()


# --- the ordinary window --------------------------------------------------------------------------------


def test_an_ordinary_window_is_put_at_the_edge_and_left_alone(
    window: QWidget, screen: QScreen, qtbot: QtBot
) -> None:
    dock = PlainDock(lambda _: QRect(10, 20, 700, 500))
    dock.attach(window, screen, "right", 350)
    window.show()
    assert window.geometry() == QRect(360, 20, 350, 500)
    # When the user makes it wider and moves it, then it stays there
    qtbot.waitUntil(lambda: dock._watch is not None and not dock._watch._settle.isActive())
    with qtbot.waitSignal(dock.width_changed) as told:
        window.setGeometry(100, 50, 380, 300)
    assert told.args == [380]
    assert window.geometry() == QRect(100, 50, 380, 300)
    # And a window that is deleted is let go of
    dock.detach()
    window.resize(500, 300)


def test_an_ordinary_window_is_put_to_its_place_when_its_frame_comes_after_another_window_went(
    window: QWidget, screen: QScreen
) -> None:
    dock = PlainDock(lambda _: QRect(10, 20, 700, 500))
    dock.attach(window, screen, "right", 350)
    # With a widget that has asked for its screen, every reference to the screen goes
    other = QWidget()
    other.screen()
    delete(other)
    assert not isValid(screen)
    window.setGeometry(0, 0, 350, 300)

    dock._put(window)

    assert window.geometry() == QRect(360, 20, 350, 500)


@pytest.mark.wayland
def test_on_wayland_nothing_is_placed() -> None:
    probe = Path(__file__).resolve().parents[1] / "support" / "dock_probe.py"
    commands = [["choose", "auto"], ["attach", "HEADLESS-1", "right", 400], ["where"], ["end"]]
    with Sway([(1280, 720, 1)]) as desktop:
        done = subprocess.run(
            [sys.executable, "-P", str(probe), "panel"],
            env=child_environment(desktop.environment()),
            input="".join(json.dumps(command) + "\n" for command in commands),
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.stderr == ""
    chosen, attached, where = (json.loads(line) for line in done.stdout.splitlines()[1:])
    assert chosen["name"] == "plain"
    assert attached["docked"] is False
    assert "does not let windows do that" in attached["problem"]
    assert where["rect"][:3] == [0, 0, 400]
