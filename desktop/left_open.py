"""Which conversation the side panel showed last, for the next start."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from core.settings import write_atomically

log = logging.getLogger(__name__)

_KEY = "conversation"


class LeftOpen:
    """The file ``path``. It holds an id of the history and nothing else: losing it costs one click."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int | None:
        """The conversation's id; None where a new one was open, or nothing is known."""
        try:
            kept = json.loads(self._path.read_text("utf-8"))[_KEY]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            log.warning("%s cannot be read: %s", self._path, error)
            return None
        # True is an int, too.
        return kept if type(kept) is int else None

    def write(self, conversation: int | None) -> None:
        """
        Raises:
            StorageError: the file cannot be written.
        """
        write_atomically(self._path, json.dumps({_KEY: conversation}) + "\n")
