"""The token of the HTTP service: where it is looked for, and how one is made."""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.paths import Paths
from core.service_errors import TokenUnusable
from core.settings import write_atomically
from core.vision.errors import KeyringUnavailable
from core.vision.keys import get_secret, set_secret

log = logging.getLogger(__name__)

VARIABLE = "YOMITORI_SERVICE_TOKEN_FILE"
NAME = "service-token"
"""In the keyring, and of the file in the folder of the settings."""
KEYRING = "the keyring"

_SECRETS = "/run/secrets"
"""Where containers have what they are given: nobody else is in there."""
_USABLE = re.compile(r"[\x21-\x7e]{16,512}")
_PATIENCE = 5.0
"""Seconds for a keyring that may be waiting for somebody to unlock it."""


@dataclass(frozen=True, slots=True)
class Token:
    """``source`` is a path, or the keyring. The token itself is not shown when this is printed.

    ``exposed``: it is in a file that other users of this computer may read.
    """

    value: str
    source: str
    exposed: bool = False

    def __repr__(self) -> str:
        return f"Token(source={self.source!r})"


def find_token(paths: Paths, environ: Mapping[str, str], patience: float = _PATIENCE) -> Token | None:
    """From the file that YOMITORI_SERVICE_TOKEN_FILE names, the keyring, or a file of the user's own.

    Raises:
        TokenUnusable: a file cannot be read, may be read by others, or holds no token.
    """
    named = environ.get(VARIABLE, "")
    if named:
        # Who named it knows for whom it is: a container's secret is often readable by all inside it.
        return _from_file(Path(named).expanduser(), private=False)
    kept = _from_keyring(patience)
    if kept:
        return Token(_checked(kept, KEYRING), KEYRING)
    own = paths.config / NAME
    return _from_file(own, private=True) if own.exists() else None


def make_token(paths: Paths, environ: Mapping[str, str], keyring: bool = True) -> Token:
    """A new one in place of the one there is: in the keyring, or in a file that only the user can read.

    Raises:
        UsageError: something else names the token.
        StorageError: the file cannot be written.
    """
    if environ.get(VARIABLE):
        raise UsageError(option="--new-token", reason=f"{VARIABLE} names the file with the token")
    value = secrets.token_urlsafe(32)
    own = paths.config / NAME
    if keyring:
        try:
            set_secret(NAME, value)
        except KeyringUnavailable as error:
            log.info("%s", error)
        else:
            own.unlink(missing_ok=True)
            return Token(value, KEYRING)
    write_atomically(own, value + "\n")
    return Token(value, str(own))


def _from_file(path: Path, private: bool) -> Token:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(4096)
    except OSError as error:
        raise TokenUnusable(path=path, reason=error.strerror or str(error)) from None
    exposed = sys.platform != "win32" and bool(mode & 0o077)
    if private and exposed:
        raise TokenUnusable(path=path, reason=f"others may read it (chmod 600 {path})")
    value = _checked(text.decode("latin-1").strip(), str(path))
    return Token(value, str(path), exposed and not path.is_relative_to(_SECRETS))


def _checked(text: str, source: str) -> str:
    if not _USABLE.fullmatch(text):
        raise TokenUnusable(path=source, reason="a token has 16 to 512 letters, digits and signs")
    return text


def _from_keyring(patience: float) -> str:
    """Empty where it does not open in time: a server has nobody to unlock it."""
    try:
        return get_secret(NAME, patience)
    except KeyringUnavailable as error:
        log.warning("%s", error)
        return ""
