"""The log of the HTTP service that the tray started: what it writes to its standard error, bounded."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from core.errors import StorageError
from core.paths import ensure_private_folder

log = logging.getLogger(__name__)

_MAX_BYTES = 1_000_000
_LONGEST = 8192
"""Bytes of one row."""


class ServiceLog:
    """``path`` with one older file beside it, private. Its rows are JSON already; others get the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handler: logging.Handler | None = None
        self._kept = b""

    def write(self, data: bytes) -> None:
        """What was read, which may end within a row."""
        *rows, kept = (self._kept + data).split(b"\n")
        self._kept = kept[:_LONGEST]
        for row in rows:
            self._write_row(row[:_LONGEST].decode("utf-8", "replace").rstrip())

    def close(self) -> None:
        """Also between two runs of the service."""
        if self._kept:
            self.write(b"\n")
        if self._handler is not None:
            self._handler.close()
            self._handler = None

    def _write_row(self, row: str) -> None:
        if self._handler is None:
            self._handler = self._open()
        style = "%(message)s" if row.startswith("{") else "%(asctime)s %(message)s"
        self._handler.setFormatter(logging.Formatter(style))
        self._handler.handle(logging.LogRecord("service", logging.INFO, "", 0, row, None, None))

    def _open(self) -> logging.Handler:
        try:
            ensure_private_folder(self.path.parent)
            handler = logging.handlers.RotatingFileHandler(
                self.path, maxBytes=_MAX_BYTES, backupCount=1, encoding="utf-8"
            )
            self.path.chmod(0o600)
        except (OSError, StorageError) as error:
            # The service needs no log.
            log.warning("%s cannot be written: %s", self.path, error)
            return logging.NullHandler()
        return handler
