"""In which folder a file dialog opens: the one that was used last, else the user's documents."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from core.errors import StorageError
from core.settings import write_atomically

log = logging.getLogger(__name__)

_KEY = "folder"


class LastFolder:
    """Kept in the file ``path``, which holds nothing else: losing it costs a few clicks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: Path | None = None

    def find(self) -> Path:
        """A folder that is there now."""
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        for folder in (self._folder or self._read(), Path(documents) if documents else None):
            if folder is not None and _is_folder(folder):
                return folder
        return Path.home()

    def remember(self, folder: Path) -> None:
        """Told in the log alone when it cannot be kept: it holds until the end then."""
        if folder == self._folder:
            return
        self._folder = folder
        try:
            write_atomically(self._path, json.dumps({_KEY: str(folder)}) + "\n")
        except StorageError as error:
            log.warning("%s", error)

    def _read(self) -> Path | None:
        try:
            kept = json.loads(self._path.read_text("utf-8"))[_KEY]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            log.warning("%s cannot be read: %s", self._path, error)
            return None
        return Path(kept) if isinstance(kept, str) and kept else None


def _is_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except (OSError, ValueError):
        return False
