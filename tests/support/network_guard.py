"""Refuses every connection that leaves this machine, in this process and in Python children.

An audit hook cannot be taken out or patched around. Children get it through ``sitecustomize`` in
``tests/support/guard``, which ``tests/conftest.py`` and ``child_environment`` put on ``PYTHONPATH``.
Sockets with a path (AF_UNIX) do not leave the machine.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_ASKING = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def is_local(host: str) -> bool:
    """Whether ``host`` is a loopback address, ``localhost`` or nothing at all."""
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _text(host: Any) -> str:
    return bytes(host).decode("latin-1") if isinstance(host, bytes | bytearray) else str(host or "")


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in _SENDING:
        address = args[1]
        if isinstance(address, tuple) and not is_local(_text(address[0])):
            raise PermissionError(f"tests must not reach the network: {_text(address[0])}")
    elif event in _ASKING and not is_local(_text(args[0])):
        raise PermissionError(f"tests must not look up names: {_text(args[0])}")


def install() -> None:
    """Install the hook once per process."""
    if not getattr(sys, "_yomitori_network_guard", False):
        sys._yomitori_network_guard = True  # type: ignore[attr-defined]
        sys.addaudithook(_hook)
