"""Refuses every connection that leaves this machine, in this process and in Python children.

An audit hook cannot be taken out or patched around. Children get it through ``sitecustomize`` in
``tests/support/guard``, which the Makefile puts on ``PYTHONPATH``.
"""

from __future__ import annotations

import sys
from typing import Any

_LOCAL = ("127.", "::1", "localhost", "0.0.0.0")


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(_LOCAL):
            raise PermissionError(f"tests must not reach the network: {address[0]}")
    elif event == "socket.getaddrinfo":
        host = args[0]
        name = host.decode("ascii") if isinstance(host, bytes) else str(host or "localhost")
        if not name.startswith(_LOCAL):
            raise PermissionError(f"tests must not look up names: {name}")


def install() -> None:
    """Install the hook once per process."""
    if not getattr(sys, "_yomitori_network_guard", False):
        sys._yomitori_network_guard = True  # type: ignore[attr-defined]
        sys.addaudithook(_hook)
