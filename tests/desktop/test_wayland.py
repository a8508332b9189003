"""Reading a compositor's list of interfaces."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.wayland import _take_events, offered_interfaces


def global_event(number: int, name: str) -> bytes:
    text = name.encode() + b"\0"
    padded = text.ljust((len(text) + 3) // 4 * 4, b"\0")
    body = struct.pack("=II", number, len(text)) + padded + struct.pack("=I", 1)
    return struct.pack("=II", 2, (8 + len(body)) << 16) + body


DONE = struct.pack("=III", 3, 12 << 16, 0)
names = st.lists(st.from_regex(r"[a-z_0-9]{1,40}", fullmatch=True), max_size=20)


@given(names, st.integers(1, 40))
def test_the_list_is_complete_however_the_bytes_arrive(offered: list[str], piece: int) -> None:
    stream = b"".join(global_event(n, name) for n, name in enumerate(offered)) + DONE
    found: set[str] = set()
    buffer, done = b"", False
    for start in range(0, len(stream), piece):
        assert not done
        buffer, done = _take_events(buffer + stream[start : start + piece], found)
    assert done
    assert found == set(offered)


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A compositor that takes connections and says nothing."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-9"))
        server.listen()
        yield {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-9"}


def test_a_compositor_that_hangs_offers_nothing(silent: dict[str, str]) -> None:
    assert offered_interfaces(silent, limit=0.05) == frozenset()


def test_a_compositor_that_hangs_up_offers_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-9"))
        server.listen()
        thread = threading.Thread(target=lambda: server.accept()[0].close())
        thread.start()
        environ = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-9"}
        assert offered_interfaces(environ) == frozenset()
        thread.join()


def test_no_session_offers_nothing(tmp_path: Path) -> None:
    assert offered_interfaces({}) == frozenset()
    assert offered_interfaces({"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "none"}) == frozenset()
