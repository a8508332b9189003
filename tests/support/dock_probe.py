"""A docked window, or another program's, as a program that a test steers through standard input.

``dock_probe.py panel`` docks a window with a text field, ``dock_probe.py other`` shows a maximised window,
``dock_probe.py bar left|top 40`` a bar that keeps its place free. Each line in is a JSON list: a command and
its arguments. Each line out is a JSON object with ``event``.
"""

from __future__ import annotations

import json
import os
import sys

from PySide6.QtCore import QRect, QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from core.errors import BackendUnavailable
from desktop import docking
from desktop.docking.fallback import PanelDock
from desktop.docking.struts import Strut


def say(event: str, **values: object) -> None:
    print(json.dumps({"event": event, **values}), flush=True)


class Window(QWidget):
    """Reads commands: every method that begins with ``do_`` is one."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setWindowTitle(title)
        self._notifier = QSocketNotifier(0, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    def _read(self) -> None:
        data = os.read(0, 65536)
        if not data:
            QApplication.quit()
        for line in data.splitlines():
            name, *arguments = json.loads(line)
            getattr(self, f"do_{name}")(*arguments)

    def do_where(self) -> None:
        """Its geometry in logical pixels, after what has been asked so far is done."""
        QTimer.singleShot(0, self._tell_where)

    def _tell_where(self) -> None:
        self.winId()
        say(
            "where",
            rect=list(self.geometry().getRect()),
            frame=list(self.windowHandle().frameGeometry().getRect()),
            scale=self.devicePixelRatio(),
            active=self.isActiveWindow(),
        )

    def do_show(self) -> None:
        self.show()

    def do_hide(self) -> None:
        self.hide()


class Panel(Window):
    def __init__(self) -> None:
        super().__init__("panel")
        self._edit = QLineEdit()
        self._edit.textChanged.connect(lambda text: say("text", text=text))
        layout = QVBoxLayout(self)
        layout.addWidget(self._edit)
        layout.addStretch()
        self._dock = PanelDock(docking.choose, self)
        self._dock.width_changed.connect(lambda width: say("width", width=width))
        self._dock.docked_changed.connect(lambda docked: say("docked", docked=docked))

    def do_attach(self, screen: str, side: docking.Side, width: int, keep_free: bool = True) -> None:
        found = next(each for each in QGuiApplication.screens() if each.name() == screen)
        self._dock.attach(self, found, side, width, keep_free)
        problem = self._dock.problem
        say("attached", docked=self._dock.docked, problem=problem.message if problem else "")

    def do_detach(self) -> None:
        self._dock.detach()
        say("detached")

    def do_usable(self, screen: str) -> None:
        found = next(each for each in QGuiApplication.screens() if each.name() == screen)
        say("usable", rect=list(docking.usable_area(found).getRect()))

    def do_choose(self, name: str) -> None:
        try:
            say("chosen", name=docking.choose(name).name)
        except BackendUnavailable as error:
            say("chosen", name="", text=error.message)

    def do_activate(self) -> None:
        self.activateWindow()

    def do_minimise(self) -> None:
        self.showMinimized()

    def do_normal(self) -> None:
        self.showNormal()

    def do_end(self) -> None:
        QTimer.singleShot(0, QApplication.quit)


class Other(Window):
    def __init__(self) -> None:
        super().__init__("other")
        # Without a frame its own place is all that it takes.
        self.setWindowFlag(Qt.WindowType.FramelessWindowHint)

    def do_maximise(self, x: int, y: int) -> None:
        self.setGeometry(QRect(x, y, 300, 200))
        self.showMaximized()


def bar(edge: str, thickness: int) -> Window:
    """A bar along a whole edge of the root window, at scale 1."""
    from desktop.docking.xcb import XcbDesk

    window = Window("bar")
    window.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    desk = XcbDesk.of_qt()
    assert desk is not None
    root = desk.root_size()
    if edge == "left":
        window.setGeometry(0, 0, thickness, root.height())
        values = [thickness, 0, 0, 0]
    else:
        window.setGeometry(0, 0, root.width(), thickness)
        values = [0, 0, thickness, 0]
    strut = Strut.of(values, root)
    assert strut is not None
    desk.keep_free(int(window.winId()), strut)
    window.show()
    return window


if __name__ == "__main__":
    application = QApplication(sys.argv)
    application.setQuitOnLastWindowClosed(False)
    kind = sys.argv[1]
    shown = bar(sys.argv[2], int(sys.argv[3])) if kind == "bar" else Panel() if kind == "panel" else Other()
    say("ready")
    sys.exit(application.exec())
