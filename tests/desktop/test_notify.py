"""Notifications: a service of our own on a private bus, and the tray icon's messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from core.errors import BackendUnavailable
from desktop import notify
from desktop.notify.dbus import DbusNotify
from desktop.notify.tray import TrayNotify
from tests.support.bus import FakeService, PrivateBus, Refusal

NAME = "org.freedesktop.Notifications"
pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with PrivateBus() as running:
        yield running


def service(bus: PrivateBus, *abilities: str) -> FakeService:
    def notified(sender: str, *arguments: Any) -> tuple[str, tuple[int]]:
        if arguments[3] == "refuse":
            raise Refusal("not now")
        return "u", (arguments[1] or 41,)

    return FakeService(
        bus.address,
        NAME,
        {
            f"{NAME}.GetCapabilities": lambda sender: ("as", (list(abilities),)),
            f"{NAME}.Notify": notified,
        },
    )


def notified(fake: FakeService) -> list[tuple[Any, ...]]:
    return [body for member, body in fake.calls if member == f"{NAME}.Notify"]


@pytest.mark.dbus
def test_a_newer_notification_replaces_the_older(bus: PrivateBus) -> None:
    with service(bus) as fake:
        backend = DbusNotify(bus.address)
        assert backend.unavailable() is None
        backend.notify("Read", "学校 <3")
        backend.notify("Read", "second")
        backend.close()
        first, second = notified(fake)
    assert (first[0], first[1], first[3], first[4]) == ("Yomitori", 0, "Read", "学校 <3")
    assert second[1] == 41


@pytest.mark.dbus
def test_text_is_escaped_where_the_desktop_reads_markup(bus: PrivateBus) -> None:
    with service(bus, "body", "body-markup") as fake:
        backend = DbusNotify(bus.address)
        backend.notify("Read", "a < b & <i>c</i>")
        backend.close()
        assert notified(fake)[0][4] == "a &lt; b &amp; &lt;i&gt;c&lt;/i&gt;"


@pytest.mark.dbus
def test_a_refusal_is_logged_and_the_next_is_sent(bus: PrivateBus, caplog: pytest.LogCaptureFixture) -> None:
    with service(bus) as fake:
        backend = DbusNotify(bus.address)
        backend.notify("refuse", "")
        backend.notify("Read", "text")
        backend.close()
        assert len(notified(fake)) == 2
    assert "not now" in caplog.text


@pytest.mark.dbus
def test_no_service_and_no_bus_are_told(bus: PrivateBus) -> None:
    backend = DbusNotify(bus.address)
    problem = backend.unavailable()
    assert problem is not None
    assert f"{NAME} is not running" in problem.message
    backend.close()


class FakeTray:
    """A tray icon on a desktop that shows messages, or does not."""

    def __init__(self, shows: bool) -> None:
        self._shows = shows
        self.messages: list[tuple[str, str]] = []

    def isSystemTrayAvailable(self) -> bool:
        return True

    def supportsMessages(self) -> bool:
        return self._shows

    def icon(self) -> str:
        return "icon"

    def showMessage(self, title: str, body: str, icon: str) -> None:
        self.messages.append((title, body))


def test_the_tray_shows_messages_with_our_icon() -> None:
    tray = FakeTray(shows=True)
    backend = TrayNotify(tray)  # type: ignore[arg-type]
    assert backend.unavailable() is None
    backend.notify("Read", "text")
    assert tray.messages == [("Read", "text")]


@pytest.mark.parametrize("tray", [None, FakeTray(shows=False)])
def test_without_a_tray_it_is_unavailable(tray: Any) -> None:
    problem = TrayNotify(tray).unavailable()
    assert problem is not None
    assert "no tray" in problem.message


def test_a_named_backend_that_does_not_work_is_an_error(qtbot: QtBot) -> None:
    with pytest.raises(BackendUnavailable) as caught:
        notify.choose("tray", None)
    assert "panel" in caught.value.advice
