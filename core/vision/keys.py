"""The key of a server, in the system's keyring, never in a file of ours.

``keyring`` is imported when a key is asked for. It may talk to another program and wait for the user to
unlock the keyring: not for a thread that draws.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from core.vision.address import parse_address
from core.vision.errors import KeyringUnavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "yomitori"
VARIABLE = "YOMITORI_REMOTE_KEY"
"""An environment variable that is taken before the keyring, as every ``YOMITORI_*`` before what is stored."""

# Files, some of them plain text, that call themselves keyrings when nothing better is there.
_REFUSED = ("keyrings.alt",)


def get_key(base_url: str, environ: Mapping[str, str] | None = None) -> str:
    """The key for that server; empty when there is none.

    Raises:
        RemoteAddressInvalid: no such address.
        KeyringUnavailable: there is a keyring, but it does not open.
    """
    user = parse_address(base_url).url
    key = (os.environ if environ is None else environ).get(VARIABLE, "").strip()
    if key:
        return key
    ring = _find()
    if ring is None:
        return ""
    try:
        return ring.get_password(SERVICE, user) or ""
    except Exception as error:
        raise _unavailable(error) from None


def set_key(base_url: str, key: str) -> None:
    """Keep the key for that server; an empty one deletes what is kept.

    Raises:
        RemoteAddressInvalid: no such address.
        KeyringUnavailable: it could not be kept.
    """
    key = key.strip()
    if not key:
        delete_key(base_url)
        return
    user = parse_address(base_url).url
    ring = _find()
    if ring is None:
        raise KeyringUnavailable(reason="there is no keyring on this computer")
    try:
        ring.set_password(SERVICE, user, key)
        kept = ring.get_password(SERVICE, user) == key
    except Exception as error:
        raise _unavailable(error) from None
    if not kept:
        raise KeyringUnavailable(reason="it does not give back what was put in")


def delete_key(base_url: str) -> None:
    """Forget the key for that server; without effect when there is none.

    Raises:
        RemoteAddressInvalid: no such address.
        KeyringUnavailable: there is a keyring, but it does not open.
    """
    user = parse_address(base_url).url
    ring = _find()
    if ring is None:
        return
    try:
        if ring.get_password(SERVICE, user) is not None:
            ring.delete_password(SERVICE, user)
    except Exception as error:
        raise _unavailable(error) from None


def _find() -> KeyringBackend | None:
    """The keyring that the system or the user has chosen; None when there is none that is safe."""
    try:
        import keyring
        from keyring.backends.chainer import ChainerBackend
        from keyring.backends.fail import Keyring as NoKeyring

        chosen = keyring.get_keyring()
    except Exception as error:
        # A variable or a file of the user's can name a keyring that does not exist.
        raise _unavailable(error) from None
    rings: Iterable[KeyringBackend] = chosen.backends if isinstance(chosen, ChainerBackend) else (chosen,)
    for ring in rings:
        if not isinstance(ring, NoKeyring) and not type(ring).__module__.startswith(_REFUSED):
            return ring
    return None


def _unavailable(error: Exception) -> KeyringUnavailable:
    """Keyrings raise their own errors, those of their bus, and those of the system."""
    # By name, since the package itself may be what could not be imported. And not the words of the error:
    # nobody knows what they quote.
    name = type(error).__name__
    return KeyringUnavailable(
        reason="it is locked" if name == "KeyringLocked" else f"it does not open ({name})"
    )
