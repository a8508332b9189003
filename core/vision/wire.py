"""One request to a server, on a thread of its own, so that whoever waits for it can always walk away.

Over ``http.client``: the host is looked up once, and the connection goes to one of the addresses that were
judged, with the certificate checked against the name. No cookies, no compression, no redirect to another
origin, no proxy on the way to this computer. ``stop`` shuts the connection down, whatever the thread waits
for, so that the server learns that nobody wants the rest.
"""

from __future__ import annotations

import base64
import http.client
import queue
import socket
import ssl
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote, urljoin, urlsplit

import truststore

from core import __version__
from core.errors import YomitoriError
from core.vision.address import Resolved, ServerAddress, check_route, resolve
from core.vision.errors import (
    RemoteEndedEarly,
    RemoteError,
    RemoteNotUnderstood,
    RemoteRedirected,
    RemoteUnreachable,
    RemoteUntrusted,
)

_PIECE = 64 * 1024
_WAITING = 64
"""Pieces that may wait to be taken; more of them wait in the socket, and make the server wait."""
_MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 307, 308)
_BACKSTOP = 3600.0
"""Seconds after which a socket gives up by itself, if nobody has stopped it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. ``path`` is below the base URL; ``body`` is JSON, None for a GET."""

    server: ServerAddress
    path: str
    body: bytes | None = None
    key: str = field(default="", repr=False)
    told_loopback: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection stands: ``address`` is the one in use, ``proxy`` the one on the way or empty."""

    address: str
    loopback: bool
    proxy: str


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and headers of the answer, names in lower case."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more comes; ``error`` when that is not how it should be."""

    error: YomitoriError | None = None


Arrival: TypeAlias = Connected | Head | bytes | End


class _Stopped(Exception):
    """Nobody waits any more."""


class Exchange:
    """A request under way. ``connect_timeout`` (seconds) is for each address of the server."""

    def __init__(self, request: Request, connect_timeout: float) -> None:
        self._request = request
        self._connect_timeout = connect_timeout
        self._arrivals: queue.Queue[Arrival] = queue.Queue(_WAITING)
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="remote", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def receive(self, timeout: float) -> Arrival | None:
        """What came next: once Connected and Head, bytes of the body, at last End. None: nothing in time."""
        try:
            return self._arrivals.get(timeout=timeout)
        except queue.Empty:
            return None

    def stop(self, timeout: float = 0.5) -> None:
        """Close the connection; waits for the thread, but not for one that looks up a name."""
        with self._lock:
            self._stopped = True
            if self._socket is not None:
                with suppress(OSError):
                    # The method of the plain socket: that of a TLS one is not made for other threads.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        self._thread.join(timeout)

    # ---- the thread

    def _run(self) -> None:
        end = End()
        try:
            self._converse()
        except _Stopped:
            return
        except YomitoriError as error:
            end = End(error)
        except Exception as error:
            # Its words could hold a header, and with it the key.
            end = End(RemoteError(host=self._shown, reason=type(error).__name__))
        finally:
            self._close()
        with suppress(_Stopped):
            self._put(end)

    def _put(self, arrival: Arrival) -> None:
        while not self._stopped:
            with suppress(queue.Full):
                self._arrivals.put(arrival, timeout=0.1)
                return
        raise _Stopped

    @property
    def _shown(self) -> str:
        return self._request.server.shown

    def _converse(self) -> None:
        server = self._request.server
        try:
            resolved = resolve(server)
        except RemoteUnreachable:
            # There are networks where only the proxy knows names.
            if _proxy_for(server) is None:
                raise
            resolved = Resolved(server, (), loopback=False)
        check_route(resolved, self._request.key, self._request.told_loopback)
        proxy = None if resolved.loopback else _proxy_for(server)
        target = server.path + self._request.path
        for attempt in range(_MAX_REDIRECTS + 1):
            address = self._connect(resolved.addresses, server.port) if proxy is None else self._tunnel(proxy)
            if attempt == 0:
                self._put(Connected(address, resolved.loopback, proxy.shown if proxy else ""))
            # The response holds the connection open as well as we do.
            with self._ask(target, proxy) as response:
                if response.status not in _REDIRECTS:
                    self._read(response)
                    return
                target = self._redirected(response, target)
            self._close()
        raise RemoteNotUnderstood(host=self._shown, reason="it redirects again and again")

    def _connect(self, addresses: tuple[str, ...], port: int, tls: bool | None = None) -> str:
        """Connect to the first address that takes it; that address."""
        failure: OSError = OSError()
        for address in addresses:
            try:
                self._dial(address, port)
                if self._request.server.secure if tls is None else tls:
                    self._secure()
            except ssl.SSLCertVerificationError as error:
                raise RemoteUntrusted(host=self._shown, reason=_words(error.verify_message)) from None
            except ssl.SSLError:
                self._check_stopped()
                reason = "it does not speak HTTPS, or not as this computer does"
                raise RemoteUnreachable(host=self._shown, reason=reason) from None
            except OSError as error:
                self._close()
                failure = error
                continue
            return address
        raise _unreachable(self._shown, failure)

    def _dial(self, address: str, port: int) -> None:
        flags = socket.AI_NUMERICHOST
        family, kind, protocol, _, where = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=flags
        )[0]
        plain = socket.socket(family, kind, protocol)
        self._hold(plain)
        plain.settimeout(self._connect_timeout)
        plain.connect(where)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def _secure(self) -> None:
        assert self._socket is not None
        # The certificates that the system trusts, on every system.
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        # The handshake afterwards: it may take for ever, and ``stop`` must know the socket by then.
        wrapped = context.wrap_socket(
            self._socket, server_hostname=self._request.server.host, do_handshake_on_connect=False
        )
        self._hold(wrapped)
        wrapped.do_handshake()

    def _tunnel(self, proxy: _Proxy) -> str:
        """Connect to the proxy and, for https, through it; the address of the proxy."""
        resolved = resolve(proxy.server)
        address = self._connect(resolved.addresses, proxy.server.port, tls=False)
        server = self._request.server
        if server.secure:
            host = f"[{server.host}]" if ":" in server.host else server.host
            lines = [f"CONNECT {host}:{server.port} HTTP/1.1", f"Host: {host}:{server.port}"]
            lines += [f"{name}: {value}" for name, value in proxy.headers.items()]
            self._pass_proxy("\r\n".join([*lines, "", ""]).encode())
            try:
                self._secure()
            except ssl.SSLCertVerificationError as error:
                raise RemoteUntrusted(host=self._shown, reason=_words(error.verify_message)) from None
            except OSError as error:
                raise _unreachable(self._shown, error) from None
        return address

    def _pass_proxy(self, request: bytes) -> None:
        assert self._socket is not None
        answer = b""
        try:
            self._socket.sendall(request)
            # Byte by byte: what comes after the empty line belongs to TLS.
            while not answer.endswith(b"\r\n\r\n") and len(answer) < _PIECE:
                byte = self._socket.recv(1)
                if not byte:
                    break
                answer += byte
        except OSError as error:
            raise _unreachable(self._shown, error) from None
        words = answer.split(b"\r\n")[0].split(maxsplit=2)
        if len(words) < 2 or words[1] != b"200":
            raise RemoteUnreachable(host=self._shown, reason="the proxy does not let this through")

    def _ask(self, target: str, proxy: _Proxy | None) -> http.client.HTTPResponse:
        server, body = self._request.server, self._request.body
        assert self._socket is not None
        self._socket.settimeout(_BACKSTOP)
        connection = http.client.HTTPConnection(server.host, server.port)
        # It must never make a connection of its own.
        connection.auto_open = 0
        connection.sock = self._socket
        headers = {
            "Host": server.shown,
            "User-Agent": f"yomitori/{__version__}",
            "Accept": "application/json" if body is None else "text/event-stream, application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        if self._request.key:
            headers["Authorization"] = f"Bearer {self._request.key}"
        if proxy is not None and not server.secure:
            target = server.origin + target
            headers |= proxy.headers
        try:
            connection.putrequest(
                "GET" if body is None else "POST", target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in headers.items():
                connection.putheader(name, value)
            # A server that does not want all of it says so and closes: its words are still to be read.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(body)
            return connection.getresponse()
        except http.client.RemoteDisconnected:
            self._check_stopped()
            reason = "it closed the connection without an answer"
            raise RemoteUnreachable(host=self._shown, reason=reason) from None
        except http.client.HTTPException:
            self._check_stopped()
            raise RemoteNotUnderstood(host=self._shown, reason="it does not speak HTTP") from None
        except OSError as error:
            self._check_stopped()
            raise _unreachable(self._shown, error) from None

    def _redirected(self, response: http.client.HTTPResponse, target: str) -> str:
        """The path to ask instead, of the same origin."""
        server = self._request.server
        try:
            parts = urlsplit(urljoin(server.origin + target, response.headers.get("Location", "")))
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        except ValueError:
            raise RemoteNotUnderstood(host=self._shown, reason="it redirects to nowhere") from None
        if (parts.scheme, parts.hostname, port) != (server.scheme, server.host, server.port):
            # Not all of it: there may be secrets in the rest.
            where = f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}"
            raise RemoteRedirected(host=self._shown, target=where)
        path = parts.path or "/"
        return f"{path}?{parts.query}" if parts.query else path

    def _read(self, response: http.client.HTTPResponse) -> None:
        self._put(Head(response.status, {name.lower(): value for name, value in response.headers.items()}))
        left = response.length
        try:
            while piece := response.read1(_PIECE):
                self._put(piece)
                if left is not None:
                    left -= len(piece)
        except (OSError, http.client.HTTPException):
            self._check_stopped()
            raise RemoteEndedEarly(host=self._shown) from None
        self._check_stopped()
        if left:
            raise RemoteEndedEarly(host=self._shown)

    # ---- the socket

    def _hold(self, held: socket.socket) -> None:
        """Make it the one that ``stop`` shuts down."""
        with self._lock:
            if self._stopped:
                held.close()
                raise _Stopped
            self._socket = held

    def _close(self) -> None:
        with self._lock:
            held, self._socket = self._socket, None
        if held is not None:
            held.close()

    def _check_stopped(self) -> None:
        """What failed may have failed because of ``stop``."""
        if self._stopped:
            raise _Stopped


@dataclass(frozen=True, slots=True)
class _Proxy:
    server: ServerAddress
    headers: Mapping[str, str] = field(repr=False)

    @property
    def shown(self) -> str:
        return self.server.shown


def _proxy_for(server: ServerAddress) -> _Proxy | None:
    """What the environment or the system names for that server (``HTTPS_PROXY``, ``NO_PROXY``, ...).

    Raises:
        RemoteUnreachable: it names one that cannot be used here; going without could be what is unwanted.
    """
    proxies = urllib.request.getproxies()
    found = proxies.get(server.scheme) or proxies.get("all")
    if not found or urllib.request.proxy_bypass(server.host):
        return None
    parts = urlsplit(found if "://" in found else f"http://{found}")
    try:
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        host, port = "", 0
    if parts.scheme != "http" or not host:
        raise RemoteUnreachable(host=server.shown, reason="only proxies that begin with http:// can be used")
    headers = {}
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode("ascii")
    return _Proxy(ServerAddress("http", host, port, ""), headers)


def _unreachable(host: str, error: OSError) -> RemoteUnreachable:
    if isinstance(error, TimeoutError):
        return RemoteUnreachable(host=host, reason="it does not answer")
    if isinstance(error, ConnectionRefusedError):
        return RemoteUnreachable(host=host, reason="no server listens there")
    if isinstance(error, ConnectionError):
        return RemoteUnreachable(host=host, reason="the connection was broken off")
    return RemoteUnreachable(host=host, reason=_words(error.strerror or type(error).__name__))


def _words(text: str) -> str:
    return text.strip().rstrip(".")
