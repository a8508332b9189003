"""Where the hub is, as the environment says it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from core.errors import HubAddressWrong

_NAME = "HF_ENDPOINT"


def check_address(environ: Mapping[str, str]) -> None:
    """To be called before the hub's library is imported, which takes whatever is there for an address.

    Raises:
        HubAddressWrong: it is none.
    """
    value = environ.get(_NAME, "")
    if value and not _is_address(value):
        raise HubAddressWrong(variable=_NAME, value=value)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # A port that is no number, or a bracket that is not closed.
        return False
