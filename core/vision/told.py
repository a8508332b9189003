"""Which servers the user was told to be on this computer.

A question to one of them is not sent when its name leads elsewhere by then.
"""

from __future__ import annotations

import ipaddress
import threading

from core.vision.address import is_loopback, parse_address


class ToldLocal:
    """Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._urls: set[str] = set()

    def tell(self, base_url: str, local: bool) -> None:
        """The user sees now that this server is on this computer, or that it is not.

        Raises:
            RemoteAddressInvalid: no such address.
        """
        url = parse_address(base_url).url
        with self._lock:
            if local:
                self._urls.add(url)
            else:
                self._urls.discard(url)

    def was_told(self, base_url: str) -> bool:
        """Whether it must be on this computer. ``localhost`` and this computer's own addresses say so.

        Raises:
            RemoteAddressInvalid: no such address.
        """
        server = parse_address(base_url)
        with self._lock:
            return server.url in self._urls or _says_so(server.host)


def _says_so(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return is_loopback(host)
