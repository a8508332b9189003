"""Secrets in the system's keyring: the key of a server, never in a file of ours, and the service's token.

``keyring`` is imported when a key is asked for. It may talk to another program and wait for the user to
unlock the keyring: not for a thread that draws. One that never answers is given up after ``PATIENCE``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from core.vision.address import parse_address
from core.vision.errors import KeyringUnavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "yomitori"
VARIABLE = "YOMITORI_REMOTE_KEY"
"""An environment variable that is taken before the keyring, as every ``YOMITORI_*`` before what is stored."""

PATIENCE = 60.0
"""Seconds in which a keyring has to answer; the user may be asked to unlock it meanwhile."""

T = TypeVar("T")

# Files, some of them plain text, that call themselves keyrings when nothing better is there.
_REFUSED = ("keyrings.alt",)


def get_key(base_url: str, environ: Mapping[str, str] | None = None) -> str:
    """The key for that server; empty when there is none.

    Raises:
        RemoteAddressInvalid: no such address.
        KeyringUnavailable: there is a keyring, but it does not open or answer.
    """
    user = parse_address(base_url).url
    key = (os.environ if environ is None else environ).get(VARIABLE, "").strip()
    if key:
        return key
    return get_secret(user)


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
    set_secret(parse_address(base_url).url, key)


def delete_key(base_url: str) -> None:
    """Forget the key for that server; without effect when there is none.

    Raises:
        RemoteAddressInvalid: no such address.
        KeyringUnavailable: there is a keyring, but it does not open or answer.
    """
    user = parse_address(base_url).url

    def forget(ring: KeyringBackend | None) -> None:
        if ring is not None and ring.get_password(SERVICE, user) is not None:
            ring.delete_password(SERVICE, user)

    _ask(forget)


def get_secret(name: str, patience: float | None = None) -> str:
    """What is kept under that name; empty when there is nothing, or no keyring.

    Raises:
        KeyringUnavailable: there is a keyring, but it does not open, or answer within ``patience`` seconds.
    """
    return _ask(lambda ring: "" if ring is None else ring.get_password(SERVICE, name) or "", patience)


def set_secret(name: str, secret: str) -> None:
    """Keep a secret under that name.

    Raises:
        KeyringUnavailable: it could not be kept.
    """

    def keep(ring: KeyringBackend | None) -> None:
        if ring is None:
            raise KeyringUnavailable(reason="there is no keyring on this computer")
        ring.set_password(SERVICE, name, secret)
        if ring.get_password(SERVICE, name) != secret:
            raise KeyringUnavailable(reason="it does not give back what was put in")

    _ask(keep)


def _ask(question: Callable[[KeyringBackend | None], T], patience: float | None = None) -> T:
    """What ``question`` makes of the keyring, None where there is none.

    Raises:
        KeyringUnavailable: it does not answer in time, or raises an error of its own.
    """
    answers: list[T] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            answers.append(question(_find()))
        except Exception as error:
            errors.append(error)

    # A daemon: a program that ends must not wait for a keyring that never answers.
    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE if patience is None else patience)
    if answers:
        return answers[0]
    if not errors:
        raise KeyringUnavailable(reason="it does not answer")
    raise errors[0] if isinstance(errors[0], KeyringUnavailable) else _unavailable(errors[0]) from None


def _find() -> KeyringBackend | None:
    """The keyring that the system or the user has chosen; None when there is none that is safe.

    A variable or a file of the user's can name a keyring that does not exist: any error may come.
    """
    import keyring
    from keyring.backends.chainer import ChainerBackend
    from keyring.backends.fail import Keyring as NoKeyring

    chosen = keyring.get_keyring()
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
