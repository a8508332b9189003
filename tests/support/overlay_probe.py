"""The real overlay and card as a program, and a text field as another program that has the focus.

``overlay_probe.py snip`` reads ``open``, ``readings``, ``focus`` and ``quit`` from standard input; ``field``
shows the text field. Both print one JSON object a line for what happens.
"""

from __future__ import annotations

import json
import sys

from PySide6.QtCore import QRect, QSocketNotifier
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QLineEdit

from core.alternatives import Variant
from core.types import OcrResult
from desktop.capture.base import Shot
from desktop.capture.screens import describe_screens
from desktop.focus_choice import make_focus
from desktop.overlay import Overlay
from desktop.result import ResultCard
from desktop.theme import Theme


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


def read(text: str) -> OcrResult:
    return OcrResult(text, (), "ppocr", "cpu", 0.1)


def snip(app: QApplication) -> int:
    app.setQuitOnLastWindowClosed(False)
    theme = Theme(app, "light")
    overlay = Overlay(make_focus())
    card = ResultCard(theme, make_focus(), seconds=0)

    def selected(shot: Shot, rect: QRect) -> None:
        say(event="selected", screen=shot.screen.name, rect=list(rect.getRect()))
        scale, origin = shot.screen.scale, shot.screen.geometry.topLeft()
        x, y, width, height = (round(value / scale) for value in rect.getRect())
        card.show_pending(QRect(origin.x() + x, origin.y() + y, width, height))
        card.show_result(read("今日は"), True)
        say(event="card", place=list(card.geometry().getRect()))

    def command() -> None:
        match sys.stdin.readline().strip():
            case "open":
                shots = []
                for info in describe_screens(app):
                    image = QImage(info.native.size(), QImage.Format.Format_RGB32)
                    image.fill(QColor("#e9e9e9"))
                    shots.append(Shot(info, image))
                overlay.open(shots)
            case "readings":
                others = [Variant(read(text), "beam") for text in ("今日ば", "今目は")]
                card.show_result(read("今日は"), others=others)
            case "focus":
                card.take_focus()
            case _:
                app.quit()

    overlay.selected.connect(selected)
    overlay.cancelled.connect(lambda reason: say(event="cancelled", reason=reason))
    overlay.painted.connect(lambda: say(event="painted"))
    card.copy_requested.connect(lambda text: say(event="copy", text=text))
    card.chosen.connect(lambda text: say(event="chosen", text=text))
    card.closed.connect(lambda: say(event="closed"))
    notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
    notifier.activated.connect(command)
    say(event="ready")
    return app.exec()


def field(app: QApplication) -> int:
    edit = QLineEdit()
    edit.setWindowTitle("field")
    edit.setGeometry(300, 700, 400, 60)
    edit.textChanged.connect(lambda text: say(event="text", text=text))
    edit.show()
    return app.exec()


if __name__ == "__main__":
    application = QApplication(sys.argv)
    sys.exit(snip(application) if sys.argv[1] == "snip" else field(application))
