"""Which IP addresses lead out to the public network, and to nothing of the operator's own.

After the registries of special-purpose addresses (RFC 6890). Python's ``is_global`` is not enough: what it
says differs between its versions, and it does not look into addresses that carry an IPv4 address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_V6_UNICAST = ipaddress.IPv6Network("2000::/3")
_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_ISATAP = (0x00005EFE, 0x02005EFE)
"""The middle of an interface's identifier that an IPv4 address follows (RFC 5214)."""


def is_public(address: str) -> bool:
    """Whether a connection to it leaves for the public network, also when a gateway translates it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _V4)
    if ip.scope_id is not None:
        return False
    carried = list(_carried(ip))
    if any(not is_public(str(inner)) for inner in carried):
        return False
    if ip in _MAPPED or ip in _NAT64:
        return True
    return ip in _V6_UNICAST and not any(ip in network for network in _V6)


def _carried(ip: ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses to which it may lead in the end."""
    number = int(ip)
    last = ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if ip in _MAPPED or ip in _NAT64 or number >> 32 & 0xFFFFFFFF in _ISATAP:
        yield last
    if ip in _SIX_TO_FOUR:
        yield ipaddress.IPv4Address(number >> 80 & 0xFFFFFFFF)
