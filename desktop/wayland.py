"""What a Wayland compositor offers, asked over its socket without any library."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

_DISPLAY, _REGISTRY, _CALLBACK = 1, 2, 3
_GET_REGISTRY, _SYNC = 1, 0
_GLOBAL, _DONE = 0, 0


def _message(target: int, opcode: int, new_id: int) -> bytes:
    return struct.pack("=III", target, 12 << 16 | opcode, new_id)


def offered_interfaces(environ: Mapping[str, str] = os.environ, limit: float = 1.0) -> frozenset[str]:
    """The names of the compositor's global interfaces; empty when there is none or it does not answer.

    Waits at most ``limit`` seconds; in normal operation well under a millisecond.
    """
    display = environ.get("WAYLAND_DISPLAY")
    if not display:
        return frozenset()
    path = Path(environ.get("XDG_RUNTIME_DIR", "/")) / display
    end = time.monotonic() + limit
    found: set[str] = set()
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(limit)
            link.connect(str(path))
            link.sendall(_message(_DISPLAY, _GET_REGISTRY, _REGISTRY) + _message(_DISPLAY, _SYNC, _CALLBACK))
            buffer = b""
            while True:
                link.settimeout(max(0.001, end - time.monotonic()))
                piece = link.recv(65536)
                if not piece:
                    return frozenset()
                buffer, done = _take_events(buffer + piece, found)
                if done:
                    return frozenset(found)
    except OSError:
        return frozenset()


def _take_events(buffer: bytes, found: set[str]) -> tuple[bytes, bool]:
    """Note the globals told in ``buffer``; what is left of it, and whether the list is complete."""
    while len(buffer) >= 8:
        sender, word = struct.unpack_from("=II", buffer)
        size, opcode = word >> 16, word & 0xFFFF
        if size < 8 or len(buffer) < size:
            break
        if (sender, opcode) == (_CALLBACK, _DONE):
            return buffer[size:], True
        if (sender, opcode) == (_REGISTRY, _GLOBAL):
            (length,) = struct.unpack_from("=I", buffer, 12)
            # The length counts the closing zero byte.
            found.add(buffer[16 : 16 + length - 1].decode("ascii", "replace"))
        buffer = buffer[size:]
    return buffer, False
