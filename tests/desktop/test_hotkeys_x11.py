"""X11 key grabs, on a real X server with real key presses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import xcffib.xproto as xp
from hypothesis import given
from hypothesis import strategies as st

from desktop.hotkeys.keys import parse
from desktop.hotkeys.x11 import Keyboard, X11Hotkeys
from tests.support.desktop_probe import Probe
from tests.support.xserver import XServer


@pytest.fixture(scope="module")
def server() -> Iterator[XServer]:
    with XServer(screens=[(800, 600)]) as running:
        yield running


@pytest.fixture
def probe(server: XServer) -> Iterator[Probe]:
    with Probe(server.environment()) as running:
        yield running


def bind(probe: Probe, **bindings: str) -> list[tuple[str, str]]:
    probe.do("bind", backend="x11", bindings=bindings)
    return [(e["event"], e["action"]) for e in probe.settle()]


# --- the keyboard as data -------------------------------------------------------------------------------

COLUMNS = {
    10: (ord("s"), ord("S")),
    11: (0x6D9, 0x6F9, ord("a"), ord("A")),  # Cyrillic first, Latin as the second layout
    12: (ord("7"), ord("/")),
    20: (0xFF7F,),
    21: (0xFFE9,),
    22: (0xFFEB,),
    23: (0xFF14,),
}


@given(st.permutations([8, 16, 32, 64, 128]))
def test_modifiers_are_found_wherever_the_server_puts_them(masks: list[int]) -> None:
    num, alt, win, scroll, _ = masks
    keyboard = Keyboard.build(COLUMNS, {num: (20,), alt: (21,), win: (22,), scroll: (23,)})
    assert keyboard.find(parse("Ctrl+Alt+Super+S")) == (10, xp.ModMask.Control | alt | win)
    assert set(keyboard.locks) == {xp.ModMask.Lock, num, scroll}
    assert sorted(keyboard.lock_variants()) == sorted(
        a | b | c for a in (0, xp.ModMask.Lock) for b in (0, num) for c in (0, scroll)
    )


def test_a_keyboard_without_lock_keys_has_only_caps_lock() -> None:
    keyboard = Keyboard.build({10: (ord("s"),)}, {})
    assert list(keyboard.lock_variants()) == [0, xp.ModMask.Lock]
    assert keyboard.find(parse("Alt+S")) == (10, xp.ModMask._1)


def test_keys_of_a_second_layout_and_shifted_keys_are_found() -> None:
    keyboard = Keyboard.build(COLUMNS, {8: (21,)})
    assert keyboard.find(parse("Ctrl+A")) == (11, xp.ModMask.Control)
    assert keyboard.find(parse("Ctrl+Slash")) == (12, xp.ModMask.Control | xp.ModMask.Shift)
    assert keyboard.find(parse("Ctrl+F5")) is None


# --- availability ---------------------------------------------------------------------------------------


def test_without_a_display_it_says_so_and_what_to_do(qapp: object) -> None:
    problem = X11Hotkeys(environ={}).unavailable()
    assert problem is not None
    assert "no X11 display" in problem.message
    assert "yomitori capture" in problem.advice


def test_a_display_that_does_not_answer(qapp: object) -> None:
    problem = X11Hotkeys(environ={"DISPLAY": ":62999"}).unavailable()
    assert problem is not None
    assert ":62999 cannot be reached" in problem.message


# --- a real server --------------------------------------------------------------------------------------


@pytest.mark.x11
def test_a_key_press_anywhere_fires_with_any_locks_on(server: XServer, probe: Probe) -> None:
    """Given a bound key, when it is pressed with Num and Caps Lock on and off, then it fires each time."""
    assert bind(probe, snip="Ctrl+Alt+S", card="Ctrl+Alt+Shift+Super+E") == [
        ("bound", "snip"),
        ("bound", "card"),
    ]
    for lock in ("Num_Lock", "Caps_Lock", "Num_Lock", "Caps_Lock"):
        server.xdotool("key", lock)
        server.xdotool("key", "ctrl+alt+s")
        assert probe.wait("activated")["action"] == "snip"
    server.xdotool("key", "ctrl+alt+shift+super+e")
    assert probe.wait("activated")["action"] == "card"
    server.xdotool("key", "ctrl+s")
    server.xdotool("key", "ctrl+alt+s")
    probe.wait("activated")
    assert probe.settle() == []
    assert probe.quit() == 0


@pytest.mark.x11
def test_a_key_held_down_fires_once(server: XServer, probe: Probe) -> None:
    """Given auto-repeat, when the key is held longer than its delay, then it fires once, not in a row."""
    bind(probe, snip="Ctrl+Alt+S", other="Ctrl+Alt+A")
    server.run("xset", "r", "rate", "100", "50")
    server.xdotool("keydown", "ctrl", "keydown", "alt", "keydown", "s", "sleep", "0.6")
    server.xdotool("keyup", "s", "key", "a", "keyup", "alt", "keyup", "ctrl")
    assert [probe.wait("activated")["action"] for _ in range(2)] == ["snip", "other"]
    assert probe.settle() == []


@pytest.mark.x11
def test_a_key_another_program_has_is_told_and_the_rest_still_works(server: XServer, probe: Probe) -> None:
    with Probe(server.environment()) as second:
        bind(probe, snip="Ctrl+Alt+S")
        second.do("bind", backend="x11", bindings={"snip": "Ctrl+Alt+S", "repeat": "Ctrl+Alt+R"})
        events = second.settle()
        assert [(e["event"], e["action"]) for e in events] == [("failed", "snip"), ("bound", "repeat")]
        assert events[0]["text"] == "HotkeyTaken: The key Ctrl+Alt+S is already used by another program."
        server.xdotool("key", "ctrl+alt+r")
        assert second.wait("activated")["action"] == "repeat"
        # Given the first program gives its keys back, then the second may have them.
        probe.do("unbind")
        probe.settle()
        assert bind(second, snip="Ctrl+Alt+S") == [("bound", "snip")]


@pytest.mark.x11
def test_binding_again_replaces_what_was_bound(server: XServer, probe: Probe) -> None:
    bind(probe, snip="Ctrl+Alt+S", repeat="Ctrl+Alt+R")
    assert bind(probe, snip="Ctrl+Alt+R", repeat="") == [("bound", "snip")]
    server.xdotool("key", "ctrl+alt+s")
    server.xdotool("key", "ctrl+alt+r")
    assert probe.wait("activated")["action"] == "snip"
    assert probe.settle() == []


@pytest.mark.x11
def test_wrong_keys_fail_by_name(probe: Probe) -> None:
    probe.do("bind", backend="x11", bindings={"snip": "Ctrl+Foo", "repeat": "Ctrl+Alt+F24"})
    texts = {event["action"]: event["text"] for event in probe.settle()}
    assert "no key called “Foo”" in texts["snip"]
    assert (
        texts["repeat"]
        == "BackendUnavailable: Ctrl+Alt+F24 cannot be used here: this keyboard has no such key."
    )


@pytest.mark.x11
def test_a_new_keyboard_layout_moves_the_grab_to_the_key_that_types_it_now(
    server: XServer, probe: Probe
) -> None:
    """Given a French layout is set after binding, when Ctrl+Alt+A is pressed there, then it fires."""
    bind(probe, snip="Ctrl+Alt+A")
    try:
        server.run("setxkbmap", "fr")
        probe.settle()
        server.xdotool("key", "ctrl+alt+a")
        assert probe.wait("activated")["action"] == "snip"
    finally:
        server.run("setxkbmap", "us")


@pytest.mark.x11
def test_it_works_while_a_second_layout_is_on(server: XServer, probe: Probe) -> None:
    """Given Russian and US layouts, when S's key is pressed while Russian is on, then it fires."""
    try:
        server.run("setxkbmap", "ru,us")
        bind(probe, snip="Ctrl+Alt+S")
        server.xdotool("keydown", "ctrl", "keydown", "alt", "key", "39", "keyup", "alt", "keyup", "ctrl")
        assert probe.wait("activated")["action"] == "snip"
    finally:
        server.run("setxkbmap", "us")


@pytest.mark.x11
def test_a_lost_server_is_told_once() -> None:
    """Given a bound key, when its X server ends, then each action fails once and nothing spins."""
    with XServer(screens=[(640, 480)], window_manager=False) as grabbed:
        environment = grabbed.environment({"QT_QPA_PLATFORM": "offscreen"})
        with Probe(environment) as probe:
            bind(probe, snip="Ctrl+Alt+S")
            grabbed.close()
            event = probe.wait("failed")
            assert (event["action"], "was lost" in event["text"]) == ("snip", True)
            assert probe.settle() == []
            assert probe.quit() == 0
