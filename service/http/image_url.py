"""Fetching a picture that a request names, so that nobody can have this service reach what they cannot.

A name is looked up once; every address it has must lead to the public network; the connection goes to one of
the addresses that were checked, with the name in the Host header and for TLS. Each redirect is an address
like the first one. Nothing but a GET is sent: no cookies, no token, through no proxy of the environment.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

import anyio.to_thread
import truststore

from core import __version__
from core.service_errors import (
    PictureHostNotAllowed,
    PictureNotFetched,
    PictureTooHeavy,
    PictureTooSlow,
)
from core.vision.address import Lookup, resolve
from core.vision.errors import RemoteUnreachable
from service.http.picture_url import PictureUrl, check_allowed, parse_url
from service.http.public_address import is_public

_PIECE = 64 * 1024
_MB = 1_000_000
_REDIRECTS = (301, 302, 303, 307, 308)
_ADDRESSES = 4
"""Of one name, at most so many are tried."""
_AT_ONCE = 16
_fetches = anyio.CapacityLimiter(_AT_ONCE)


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """``max_bytes`` of the picture; ``seconds`` for all of it, ``connect`` for each address tried."""

    max_bytes: int
    seconds: float = 20.0
    connect: float = 5.0
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Network:
    """How names are looked up and connections made: the system's ways, or what stands in for them."""

    lookup: Lookup | None = None
    connect: Callable[[str, int, float], socket.socket] = field(
        default=lambda address, port, timeout: socket.create_connection((address, port), timeout)
    )


async def fetch(
    text: str, hosts: Collection[str], limits: FetchLimits, network: Network | None = None
) -> bytes:
    """What lies at an http(s) URL.

    Raises:
        PictureUrlInvalid, PictureHostNotAllowed, PictureTooHeavy, PictureNotFetched, PictureTooSlow
    """
    url = parse_url(text)
    exchange = _Exchange(url, frozenset(hosts), limits, network or Network())
    try:
        async with asyncio.timeout(limits.seconds):
            # A name that is being looked up cannot be interrupted; its thread is left to its end.
            return await anyio.to_thread.run_sync(exchange.run, abandon_on_cancel=True, limiter=_fetches)
    except TimeoutError:
        raise PictureTooSlow(host=exchange.shown, seconds=f"{limits.seconds:g}") from None
    finally:
        exchange.stop()


class _Exchange:
    """The requests for one picture, in a thread; ``stop`` ends them from another one."""

    def __init__(self, url: PictureUrl, hosts: frozenset[str], limits: FetchLimits, network: Network) -> None:
        self._url = url
        self._hosts = hosts
        self._limits = limits
        self._network = network
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._stopped = False

    @property
    def shown(self) -> str:
        """The host that is being asked, as people write it."""
        return self._url.server.shown

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._socket is not None:
                with suppress(OSError):
                    # The method of the plain socket: that of a TLS one is not made for other threads.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def run(self) -> bytes:
        try:
            for _ in range(self._limits.redirects + 1):
                with self._ask() as response:
                    if response.status not in _REDIRECTS:
                        return self._read(response)
                    self._url = parse_url(response.headers.get("Location", ""), self._url)
                self._close()
            raise self._failed("it redirects again and again")
        except ssl.SSLCertVerificationError:
            raise self._failed("its certificate is not to be trusted") from None
        except http.client.HTTPException:
            raise self._failed("it does not speak HTTP, or broke off") from None
        except ValueError:
            raise self._failed("its answer cannot be understood") from None
        except TimeoutError:
            raise self._failed("it does not answer") from None
        except OSError:
            raise self._failed("the connection was refused or broken off") from None
        finally:
            self._close()

    def _failed(self, reason: str) -> PictureNotFetched:
        return PictureNotFetched(host=self.shown, reason=reason)

    def _addresses(self) -> tuple[str, ...]:
        """Where to connect to; each of them was checked.

        Raises:
            PictureHostNotAllowed: the operator has not named the host, or it leads into a private network.
        """
        named = check_allowed(self._url, self._hosts)
        try:
            addresses = resolve(self._url.server, self._network.lookup).addresses
        except RemoteUnreachable:
            raise self._failed("no computer of that name is known") from None
        # An address that the operator wrote down is meant as it is; a name may lead anywhere tomorrow.
        if not named and not all(map(is_public, addresses)):
            raise PictureHostNotAllowed(host=self.shown, reason="it leads into a private network")
        return addresses[:_ADDRESSES]

    def _connect(self) -> socket.socket:
        failure: OSError = OSError()
        for address in self._addresses():
            try:
                plain = self._network.connect(address, self._url.port, self._limits.connect)
            except OSError as error:
                failure = error
                continue
            self._hold(plain)
            plain.settimeout(self._limits.seconds)
            return self._secured(plain) if self._url.scheme == "https" else plain
        raise failure

    def _secured(self, plain: socket.socket) -> ssl.SSLSocket:
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        wrapped = context.wrap_socket(plain, server_hostname=self._url.host, do_handshake_on_connect=False)
        self._hold(wrapped)
        wrapped.do_handshake()
        return wrapped

    def _ask(self) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._url.host, self._url.port)
        # It must never make a connection of its own.
        connection.auto_open = 0
        connection.sock = self._connect()
        connection.putrequest("GET", self._url.target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", self.shown)
        connection.putheader("User-Agent", f"yomitori/{__version__}")
        connection.putheader("Accept", "image/*")
        connection.putheader("Accept-Encoding", "identity")
        connection.putheader("Connection", "close")
        connection.endheaders()
        return connection.getresponse()

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        if response.status != 200:
            raise self._failed(f"it answered with the status {response.status}")
        if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise self._failed("it packs what it sends, which was not asked for")
        limit = self._limits.max_bytes
        expected = response.length
        too_heavy = PictureTooHeavy(host=self.shown, limit=f"{limit / _MB:g}")
        if expected is not None and expected > limit:
            raise too_heavy
        received = bytearray()
        while piece := response.read1(_PIECE):
            received += piece
            if len(received) > limit:
                raise too_heavy
        if expected is not None and len(received) < expected:
            raise self._failed("it broke off")
        return bytes(received)

    # ---- the socket

    def _hold(self, held: socket.socket) -> None:
        """Make it the one that ``stop`` shuts down."""
        with self._lock:
            self._socket = held
            if self._stopped:
                raise ConnectionAbortedError

    def _close(self) -> None:
        with self._lock:
            held, self._socket = self._socket, None
        if held is not None:
            held.close()
