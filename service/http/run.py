"""The server: listening, and ending so that nobody waits for an answer in vain."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from core.service_errors import AddressUnusable
from service.http.config import ServiceConfig
from service.http.context import Context
from service.http.limits import Connection, Connections

log = logging.getLogger(__name__)

_BACKLOG = 128
"""Small, since the event loop takes in all of them at once before it closes any."""
_WAITING = 1024
_LAST = 5.0
"""Seconds for answers that were told to end."""
_FILES_BESIDE = 256
"""Open files for everything but connections."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets at every address of ``host``; port 0 takes one that is free.

    Raises:
        AddressUnusable: no such address, or somebody listens there.
    """
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            try:
                listener = socket.socket(family, kind, protocol)
            except OSError:
                # A system may know names of a kind of address that it does not have.
                if len(found) > 1:
                    continue
                raise
            opened.append(listener)
            if sys.platform == "win32":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if port == 0 and len(opened) > 1:
                address = (address[0], opened[0].getsockname()[1], *address[2:])
            listener.bind(address)
            listener.listen(_BACKLOG)
            listener.setblocking(False)
    except (OSError, UnicodeError) as error:
        for listener in opened:
            listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise AddressUnusable(host=host, port=port, reason=reason) from None
    return opened


def serve(
    app: FastAPI,
    listeners: Sequence[socket.socket],
    on_ready: Callable[[str], None] = lambda url: None,
    until: Callable[[], None] | None = None,
) -> None:
    """Answer until SIGTERM or SIGINT; in the main thread. ``on_ready`` is given the address.

    ``until`` is called in a thread of its own, and the server ends when it returns, too.
    """
    server = serving(app, listeners, on_ready)

    def wait(until: Callable[[], None]) -> None:
        try:
            until()
        finally:
            server.should_exit = True

    if until is not None:
        threading.Thread(target=wait, args=(until,), name="until", daemon=True).start()
    asyncio.run(server.serve(sockets=list(listeners)))


def serving(
    app: FastAPI, listeners: Sequence[socket.socket], on_ready: Callable[[str], None] = lambda url: None
) -> Server:
    """A server that has not started. Setting ``should_exit`` ends it, from any thread."""
    context: Context = app.state.context
    config = context.config
    places = Connections(min(config.connections, _files_allowed(config) - _FILES_BESIDE))
    protocol: Any = partial(Connection, places=places, limits=config)
    return Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=int(config.keep_alive),
            timeout_graceful_shutdown=int(config.grace + _LAST),
        ),
        context,
        lambda: on_ready(address_of(config, listeners[0])),
    )


def address_of(config: ServiceConfig, listener: socket.socket) -> str:
    """As a browser takes it."""
    host = config.host.strip("[]")
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, context: Context, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._context = context
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            # The system may keep more of them waiting than the event loop takes in at a time.
            with contextlib.suppress(OSError):
                listener.listen(_WAITING)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers that are under way may finish for a while; then they are told that they cannot."""
        loop = asyncio.get_running_loop()
        told = loop.call_later(self._context.config.grace, self._context.gate.stop)
        try:
            await super().shutdown(sockets)
        finally:
            told.cancel()
        if self.force_exit:
            log.warning("Told again to end: answers under way were not waited for")
            # The framework leaves it out then, and its task would be cancelled with a traceback in the log.
            await self.lifespan.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not kept to be raised again afterwards, as the framework does: the model processes are ended then.
        if self.should_exit:
            self._context.gate.stop()
            self.force_exit = True
        self.should_exit = True


def _files_allowed(config: ServiceConfig) -> int:
    """How many files this process may open, after asking for as many as the service needs."""
    needed = config.connections + _FILES_BESIDE
    if sys.platform == "win32":
        return needed
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):
        return max(soft, 2 * _FILES_BESIDE)
    return max(wanted, _FILES_BESIDE + 16)
