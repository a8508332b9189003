"""What the panel says for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

import desktop.notice
from desktop.notice import Notice
from desktop.theme import Theme

LONG = (
    "The clipboard holds no picture. Copy a picture first, for example with the screenshot key. "
    "/home/somebody/Pictures/a-folder-with-a-long-name/another-folder/and-a-picture-in-it.png"
)


@pytest.fixture
def notice(qtbot: QtBot, qapp: QApplication) -> Iterator[Notice]:
    Theme(qapp, "light")
    window = QWidget()
    qtbot.addWidget(window)
    notice = Notice()
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addStretch(1)
    layout.addWidget(notice)
    window.resize(340, 400)
    window.show()
    yield notice
    window.close()


def test_it_takes_no_room_without_words(notice: Notice) -> None:
    assert not notice.isVisible()
    notice.say("Something")
    assert notice.isVisible()

    notice.forget()

    assert not notice.isVisible()
    assert notice.text() == ""


@pytest.mark.parametrize("width", [320, 340, 420, 1600])
def test_all_of_a_long_sentence_is_shown_at_any_width(notice: Notice, qtbot: QtBot, width: int) -> None:
    notice.window().resize(width, 400)
    notice.say(LONG, "bad")

    qtbot.waitUntil(lambda: notice.height() >= notice.heightForWidth(notice.width()))
    assert notice.window().width() == width


def test_it_goes_after_a_while_that_grows_with_its_length(notice: Notice) -> None:
    notice.say("Short")
    short = notice._going.interval()
    notice.say(LONG)
    assert notice._going.isActive()
    assert notice._going.interval() > short

    notice._going.timeout.emit()

    assert not notice.isVisible()


def test_it_stays_under_the_pointer(notice: Notice) -> None:
    notice.say("Something")
    at = QPointF(5, 5)
    QApplication.sendEvent(notice, QEnterEvent(at, at, at))
    assert not notice._going.isActive()

    QApplication.sendEvent(notice, QEvent(QEvent.Type.Leave))

    assert notice._going.isActive()


def test_leaving_one_that_is_gone_says_nothing(notice: Notice) -> None:
    notice.say("Something")
    notice.forget()
    QApplication.sendEvent(notice, QEvent(QEvent.Type.Leave))
    assert not notice._going.isActive()


def test_screen_readers_hear_every_message(notice: Notice, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    class Accessible:
        @staticmethod
        def updateAccessibility(event: Any) -> None:
            heard.append(event.message())

    monkeypatch.setattr(desktop.notice, "QAccessible", Accessible)
    notice.say("Once")
    notice.say("Once")
    assert heard == ["Once", "Once"]
