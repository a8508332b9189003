"""What ``serve`` and the program that started it say to each other: the tray.

Rows of JSON on stdout tell that program what people are else told; rows of words on stdin ask for something.
stdin ends when that program does, however that happens, so no service is left behind.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping

from core.errors import YomitoriError

_STDIN = 0
_LONGEST = 4096


def tell_ready(address: str, token_source: str) -> None:
    """It listens at ``address``."""
    _tell(address=address, token_source=token_source)


def tell_token(token: str) -> None:
    """Asked for by somebody who wants to copy it."""
    _tell(token=token)


def tell_error(error: YomitoriError) -> None:
    """It cannot start. With its parts, so that it can be told in the user's language."""
    _tell(**error.to_json())


def obey(orders: Mapping[str, Callable[[], object]]) -> None:
    """Do what is asked for, one after another; returns when the other program has ended."""
    for row in _rows():
        order = orders.get(row)
        if order is not None:
            order()


def _tell(**row: object) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def _rows() -> Iterator[str]:
    # Not sys.stdin: a thread that waits in it holds its lock, which the interpreter wants at its end.
    kept = b""
    while True:
        try:
            read = os.read(_STDIN, _LONGEST)
        except OSError:
            return
        if not read:
            return
        *rows, kept = (kept + read).split(b"\n")
        kept = kept[-_LONGEST:]
        for row in rows:
            yield row.decode("latin-1").strip()
