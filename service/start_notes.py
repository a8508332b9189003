"""What ``yomitori serve`` says when it listens."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.settings import unknown_variables
from service.token_store import VARIABLE, Token

if TYPE_CHECKING:
    from service.http.config import ServiceConfig


def listening(config: ServiceConfig, address: str) -> str:
    """The row on stdout; ``address`` is a URL of the host that was set. It names one that can be opened."""
    if not _is_unspecified(config.host):
        return f"Yomitori listens at {address} (what it takes: {address}/docs)"
    loopback = "[::1]" if ":" in config.host else "127.0.0.1"
    here = f"http://{loopback}:{urlsplit(address).port}"
    return (
        f"Yomitori listens at {here} and at every other address of this computer (what it takes: {here}/docs)"
    )


def start_notes(config: ServiceConfig, token: Token) -> Iterator[str]:
    """What else the operator should know, a row each."""
    needed = "every request needs it" if config.everywhere else "what changes models needs it"
    yield f"the token is in {token.source}; {needed}"
    if token.exposed:
        yield f"others on this computer may read the token (chmod 600 {token.source})"
    if not config.loopback and not config.allowed_hosts and not _is_one_address(config.host):
        yield (
            "others are refused so far: list the names and addresses by which they ask in "
            "YOMITORI_SERVICE_ALLOWED_HOSTS (or --service-allowed-hosts), such as 192.168.1.5"
        )


def misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    """A row for each variable that looks like one of a setting and is none."""
    for name, nearest in unknown_variables(environ, (VARIABLE,)):
        meant = f"is {nearest} meant?" if nearest else "docs/service.md lists those there are"
        yield f"there is no variable {name}, {meant}"


def _is_unspecified(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_unspecified


def _is_one_address(host: str) -> bool:
    address = _address(host)
    return address is not None and not address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
