"""Hotkeys through the GlobalShortcuts portal, against a portal of our own on a private bus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from core.errors import YomitoriError
from desktop.hotkeys.keys import parse
from desktop.hotkeys.portal import PortalHotkeys, trigger
from tests.support.bus import FakePortal, PrivateBus

pytestmark = pytest.mark.dbus

SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
SESSION = "/org/freedesktop/portal/desktop/session/1_1/test"


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with PrivateBus() as running:
        yield running


@pytest.fixture
def keys(bus: PrivateBus, qtbot: QtBot) -> Iterator[PortalHotkeys]:
    backend = PortalHotkeys(bus.address)
    yield backend
    backend.close()


class Heard:
    """What a backend announced, in order."""

    def __init__(self, keys: PortalHotkeys) -> None:
        self.events: list[tuple[str, ...]] = []
        self.errors: list[YomitoriError] = []
        keys.activated.connect(lambda action: self.events.append(("activated", action)))
        keys.bound.connect(lambda action, key: self.events.append(("bound", action, key)))
        keys.failed.connect(self._failed)

    def _failed(self, action: str, error: YomitoriError) -> None:
        self.events.append(("failed", action))
        self.errors.append(error)


def created(options: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 0, {"session_handle": ("s", SESSION)}


def granted(session: str, shortcuts: list[Any], parent: str, options: Any) -> tuple[int, dict[str, Any]]:
    described = [
        (action, {"trigger_description": ("s", f"Press {values['preferred_trigger'][1]}")})
        for action, values in shortcuts
    ]
    return 0, {"shortcuts": ("a(sa{sv})", described)}


def portal(bus: PrivateBus, bind: Any = granted, registry: bool = True) -> FakePortal:
    responses = {f"{SHORTCUTS}.CreateSession": created, f"{SHORTCUTS}.BindShortcuts": bind}
    return FakePortal(bus.address, (SHORTCUTS,), responses, registry)


def press(fake: FakePortal, action: str, session: str = SESSION) -> None:
    fake.service.emit(fake.PATH, f"{SHORTCUTS}.Activated", "osta{sv}", (session, action, 7, {}))


@pytest.mark.parametrize("registry", [True, False])
def test_bound_keys_are_told_and_fire(
    bus: PrivateBus, keys: PortalHotkeys, qtbot: QtBot, registry: bool
) -> None:
    """Given a portal, with or without a registry, when it grants keys and one is pressed, then it fires."""
    heard = Heard(keys)
    with portal(bus, registry=registry) as fake:
        assert keys.unavailable() is None
        keys.bind({"snip": "Ctrl+Alt+S", "repeat": "", "card": "Super+F9"}, {"snip": "Snip"})
        qtbot.waitUntil(lambda: len(heard.events) == 2)
        press(fake, "snip")
        press(fake, "snip", session="/somebody/else")
        press(fake, "card")
        qtbot.waitUntil(lambda: len(heard.events) == 4)
        keys.close()
        members = [member.rpartition(".")[2] for member, _ in fake.service.calls]
        (_, shortcuts, _, _) = fake.called(f"{SHORTCUTS}.BindShortcuts")[0]
    assert heard.events == [
        ("bound", "snip", "Press CTRL+ALT+s"),
        ("bound", "card", "Press LOGO+F9"),
        ("activated", "snip"),
        ("activated", "card"),
    ]
    assert members[-3:] == ["Register", "CreateSession", "BindShortcuts"]
    assert shortcuts[0][1]["description"] == ("s", "Snip")


def test_no_is_an_answer(bus: PrivateBus, keys: PortalHotkeys, qtbot: QtBot) -> None:
    heard = Heard(keys)
    with portal(bus, bind=lambda *_: (1, {})):
        keys.bind({"snip": "Ctrl+Alt+S", "card": "Ctrl+Alt+E"}, {})
        qtbot.waitUntil(lambda: len(heard.events) == 2)
    assert heard.events == [("failed", "snip"), ("failed", "card")]
    assert "you declined the shortcuts" in heard.errors[0].message
    assert "yomitori capture" in heard.errors[0].advice


def test_a_key_that_is_not_given_fails_alone(bus: PrivateBus, keys: PortalHotkeys, qtbot: QtBot) -> None:
    heard = Heard(keys)
    with portal(bus, bind=lambda *_: (0, {"shortcuts": ("a(sa{sv})", [("card", {})])})):
        keys.bind({"snip": "Ctrl+Alt+S", "card": "Ctrl+Alt+E"}, {})
        qtbot.waitUntil(lambda: len(heard.events) == 2)
    assert heard.events == [("failed", "snip"), ("bound", "card", "")]


def test_wrong_keys_fail_before_the_portal_is_asked(
    bus: PrivateBus, keys: PortalHotkeys, qtbot: QtBot
) -> None:
    heard = Heard(keys)
    with portal(bus) as fake:
        keys.bind({"snip": "Ctrl+Foo", "card": ""}, {})
        assert heard.events == [("failed", "snip")]
        assert fake.service.calls == []


def test_closing_while_the_user_is_being_asked_joins_at_once(
    bus: PrivateBus, keys: PortalHotkeys, qtbot: QtBot
) -> None:
    """Given a portal that waits for its user, when we close, then the thread ends and nothing is told."""
    heard = Heard(keys)
    with portal(bus, bind=lambda *_: None) as fake:
        keys.bind({"snip": "Ctrl+Alt+S"}, {})
        qtbot.waitUntil(lambda: bool(fake.called(f"{SHORTCUTS}.BindShortcuts")))
        keys.close()
        qtbot.wait(20)
    assert heard.events == []


def test_binding_again_opens_a_new_session(bus: PrivateBus, keys: PortalHotkeys, qtbot: QtBot) -> None:
    heard = Heard(keys)
    with portal(bus) as fake:
        keys.bind({"snip": "Ctrl+Alt+S"}, {})
        qtbot.waitUntil(lambda: len(heard.events) == 1)
        keys.bind({"card": "Ctrl+Alt+E"}, {})
        qtbot.waitUntil(lambda: len(heard.events) == 2)
        press(fake, "snip")
        press(fake, "card")
        qtbot.waitUntil(lambda: len(heard.events) == 3)
    assert heard.events[2] == ("activated", "card")


def test_a_session_or_a_bus_that_ends_is_told_once(
    bus: PrivateBus, keys: PortalHotkeys, qtbot: QtBot
) -> None:
    heard = Heard(keys)
    with portal(bus) as fake:
        keys.bind({"snip": "Ctrl+Alt+S"}, {})
        qtbot.waitUntil(lambda: len(heard.events) == 1)
        fake.service.emit(SESSION, "org.freedesktop.portal.Session.Closed", "a{sv}", ({},))
        qtbot.waitUntil(lambda: len(heard.events) == 2)
        keys.bind({"snip": "Ctrl+Alt+S"}, {})
        qtbot.waitUntil(lambda: len(heard.events) == 3)
        bus.end()
        qtbot.waitUntil(lambda: len(heard.events) == 4)
    assert [event[0] for event in heard.events] == ["bound", "failed", "bound", "failed"]
    assert "ended the session" in heard.errors[0].message


def test_without_a_portal_it_says_so(bus: PrivateBus, keys: PortalHotkeys) -> None:
    problem = keys.unavailable()
    assert problem is not None
    assert "org.freedesktop.portal.Desktop is not running" in problem.message


def test_a_portal_without_shortcuts_is_of_no_use(bus: PrivateBus, keys: PortalHotkeys) -> None:
    with FakePortal(bus.address, ("org.freedesktop.portal.Screenshot",), {}):
        problem = keys.unavailable()
    assert problem is not None
    assert "No such interface" in problem.message


def test_without_a_bus_it_says_so(qtbot: QtBot) -> None:
    keys = PortalHotkeys("unix:path=/nonexistent/bus")
    heard = Heard(keys)
    problem = keys.unavailable()
    assert problem is not None
    assert "cannot be reached" in problem.message
    keys.bind({"snip": "Ctrl+Alt+S"}, {})
    qtbot.waitUntil(lambda: bool(heard.events))
    assert heard.events == [("failed", "snip")]
    keys.close()


def test_triggers_follow_the_shortcuts_specification() -> None:
    assert trigger(parse("Ctrl+Alt+Shift+Super+PgUp")) == "CTRL+ALT+SHIFT+LOGO+Page_Up"
