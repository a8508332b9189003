"""Addresses of pictures: what they look like, and which of them the operator lets this service ask."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from core.service_errors import PictureHostNotAllowed, PictureUrlInvalid
from core.vision.address import ServerAddress

PORTS = {"http": 80, "https": 443}
_LONGEST = 8192
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"(\[[^\[\]]+\]|[^\[\]:]+)(:[0-9]*)?")
_SAFE = "/%:@!$&'()*+,;=~-._?"


@dataclass(frozen=True, slots=True)
class PictureUrl:
    """Where a picture is: ``host`` without brackets, in lower case; ``target`` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def server(self) -> ServerAddress:
        return ServerAddress(self.scheme, self.host, self.port, "")

    @property
    def url(self) -> str:
        return self.server.origin + self.target


def parse_url(text: str, base: PictureUrl | None = None) -> PictureUrl:
    """An http or https URL; of a redirect it may be relative to ``base``.

    Raises:
        PictureUrlInvalid: it is none. Nothing of it is repeated: it may hold a secret.
    """
    if len(text) > _LONGEST:
        raise PictureUrlInvalid(reason=f"it is longer than {_LONGEST} characters")
    # What has a colon behind its first name is of another kind, or means nothing here at all.
    scheme = _SCHEME.match(text)
    if scheme is None and base is None:
        raise PictureUrlInvalid(reason="it does not begin with data:, http: or https:")
    if scheme is not None and scheme[1].lower() not in PORTS:
        raise PictureUrlInvalid(reason="only data:, http: and https: are known")
    # Browsers drop some of these and take the backslash for a slash: no two readers agree on them.
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise PictureUrlInvalid(reason="there is a space, a control character or a backslash in it")
    try:
        parts = urlsplit(urljoin(base.url, text) if base is not None else text)
        host, port = parts.hostname or "", parts.port
        host = _ascii(host)
    except ValueError:
        raise PictureUrlInvalid(reason="its host or port is not valid") from None
    if "@" in parts.netloc:
        raise PictureUrlInvalid(reason="a name or password does not belong into it")
    if not host or port == 0 or not _AUTHORITY.fullmatch(parts.netloc):
        raise PictureUrlInvalid(reason="its host or port is not valid")
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE)
    return PictureUrl(parts.scheme, host, port or PORTS[parts.scheme], target)


def check_allowed(url: PictureUrl, hosts: Collection[str]) -> bool:
    """Whether one of ``hosts`` names that server, and whether it names that very address of the network.

    An entry is ``example.org``, ``*.example.org`` (names below it) or an IP address, at the ports of http and
    https, or with one port of its own: ``example.org:8080``, ``[::1]:8080``.

    Raises:
        PictureHostNotAllowed: none does.
    """
    for entry in hosts:
        host, port = _entry(entry)
        if url.port != (port or PORTS[url.scheme]):
            continue
        if url.host == host:
            return _address(host) is not None
        if host.startswith("*.") and url.host.endswith(host[1:]) and _address(url.host) is None:
            return False
    raise PictureHostNotAllowed(host=url.server.shown, reason="the operator has not allowed it")


def _entry(entry: str) -> tuple[str, int | None]:
    address = _address(entry)
    if address is not None:
        return address, None
    try:
        parts = urlsplit(f"//{entry}")
        return _ascii(parts.hostname or ""), parts.port
    except ValueError:
        return "", None


def _ascii(host: str) -> str:
    """The one way to write a host; raises ValueError where it is none."""
    address = _address(host)
    if address is not None:
        return address
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = host.lower().removesuffix(".")
    if ":" in host or not re.fullmatch(r"(\*\.)?[a-z0-9._-]{1,253}", host):
        raise ValueError(host)
    return host


def _address(host: str) -> str | None:
    """An IP address in its normal form; None for a name."""
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None
