"""What the side panel showed last, for the next start: which conversation, and the question half written."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from core.settings import write_atomically

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """``conversation`` is its id in the history; None where a new one was open, or nothing is known, and then
    there is no ``question``."""

    conversation: int | None = None
    question: str = ""


class LeftOpen:
    """The file ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Left:
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            conversation, question = kept["conversation"], kept.get("question", "")
        except FileNotFoundError:
            return Left()
        except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            log.warning("%s cannot be read: %s", self._path, error)
            return Left()
        # True is an int, too.
        if type(conversation) is not int:
            return Left()
        return Left(conversation, question if isinstance(question, str) else "")

    def write(self, left: Left) -> None:
        """
        Raises:
            StorageError: the file cannot be written.
        """
        write_atomically(self._path, json.dumps(asdict(left), ensure_ascii=False) + "\n")
