"""Where a server is: what a user typed, made one address, and whether it leads off this computer.

Knows no HTTP. The front end asks it before anything is sent, the engine again before it connects.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from core.vision.errors import (
    RemoteAddressInvalid,
    RemoteElsewhere,
    RemoteKeyUnusable,
    RemoteNotSecure,
    RemoteUnreachable,
)

API_PATH = "/v1"
"""Where every known server has its OpenAI-compatible service; added to an address without any path."""

_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_ENDPOINTS = ("/chat/completions", "/completions", "/models")
# What servers print as "listening on" means every address of the machine they run on.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
Lookup = Callable[..., list[Any]]
"""``socket.getaddrinfo``, or what stands in for it."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The base URL of a server, in parts. ``path`` begins with a slash and does not end with one."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def shown(self) -> str:
        """Host and port for people and for the Host header; the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.shown}"

    @property
    def url(self) -> str:
        """The base URL in its one normal form; the name under which a key is kept."""
        return self.origin + self.path


@dataclass(frozen=True, slots=True)
class Resolved:
    """The IP addresses of a server. ``loopback``: all of them are this computer's own.

    A server of this computer that is reached over its address in the network does not count as such.
    """

    server: ServerAddress
    addresses: tuple[str, ...]
    loopback: bool


def parse_address(typed: str) -> ServerAddress:
    """What a user typed or pasted, as a base URL.

    ``http://`` is added where no scheme is named, ``/v1`` where there is no path; a slash at the end and the
    name of a single operation (``/chat/completions``) are cut off.

    Raises:
        RemoteAddressInvalid: it is none. What may be secret in it is not repeated.
    """
    text = typed.strip()

    def invalid(reason: str) -> RemoteAddressInvalid:
        return RemoteAddressInvalid(
            address=re.split(r"[?#]", text)[0].rsplit("@", 1)[-1] or "?", reason=reason
        )

    if not text:
        raise invalid(reason="it is empty")
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise invalid(reason="there is a space or a backslash in it")
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise invalid(reason="the host or the port is not valid") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise invalid(reason="only http:// and https:// are known")
    if "@" in parts.netloc:
        raise invalid(reason="a name or password does not belong into it")
    if parts.query or parts.fragment:
        raise invalid(reason="there is a ? or # in it")
    if port == 0 or not host:
        raise invalid(reason="the host or the port is not valid")
    host = _normal_host(host)
    if not host:
        raise invalid(reason="the host or the port is not valid")
    return ServerAddress(scheme, host, port or _PORTS[scheme], _normal_path(parts.path))


def _normal_host(host: str) -> str:
    """Lower case, ASCII; empty when it is no host."""
    try:
        address = str(ipaddress.ip_address(host))
        return _ANY.get(address, address)
    except ValueError:
        pass
    if ":" in host:
        return ""
    try:
        name = host.encode("ascii" if host.isascii() else "idna").decode().lower().removesuffix(".")
    except UnicodeError:
        return ""
    return name if len(name) < 254 and all(_LABEL.fullmatch(label) for label in name.split(".")) else ""


def _normal_path(path: str) -> str:
    path = re.sub(r"/{2,}", "/", path).rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    return quote(path, safe="/%:@-._~!$&'()*+,;=") or API_PATH


def resolve(server: ServerAddress, lookup: Lookup | None = None) -> Resolved:
    """Look the name up. It may take seconds: not for a thread that draws.

    Raises:
        RemoteUnreachable: nobody knows the name.
    """
    try:
        ipaddress.ip_address(server.host)
    except ValueError:
        pass
    else:
        return Resolved(server, (server.host,), is_loopback(server.host))
    try:
        rows = (lookup or socket.getaddrinfo)(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        rows = []
    # Once each, in the system's order of preference.
    addresses = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
    if not addresses:
        raise RemoteUnreachable(host=server.shown, reason="no computer of that name is known")
    return Resolved(server, addresses, all(map(is_loopback, addresses)))


def is_loopback(address: str) -> bool:
    """Whether an IP address never leaves this computer."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped.is_loopback
    return ip.is_loopback


def check_route(resolved: Resolved, key: str, told_loopback: bool = False) -> None:
    """Whether a question with this key may go there; ``told_loopback``: the user was told that it stays here.

    Raises:
        RemoteElsewhere: it does not stay here.
        RemoteNotSecure: the key would go over the network unencrypted.
        RemoteKeyUnusable: it cannot be in a header.
    """
    host = resolved.server.shown
    if told_loopback and not resolved.loopback:
        raise RemoteElsewhere(host=host)
    if key and not (resolved.server.secure or resolved.loopback):
        raise RemoteNotSecure(host=host)
    if not re.fullmatch(r"[!-~]*", key):
        raise RemoteKeyUnusable(host=host)
