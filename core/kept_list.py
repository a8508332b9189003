"""A list of the user's own things in a JSON file of its own: prompts, presets."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.aside import free_name
from core.errors import SettingsDamaged, SettingsError, StorageError, YomitoriError
from core.settings import write_atomically

log = logging.getLogger(__name__)

T = TypeVar("T")


class KeptList:
    """The file ``path``, which holds ``{name: [entry, ...]}``.

    What is in it and is not understood is never overwritten: it is put aside first, with an error in
    ``warnings``.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._in_the_way = False
        """The file holds something that was not read, and could not be put aside yet."""
        self.warnings: list[YomitoriError] = []

    def read(self, understand: Callable[[dict[str, Any]], T | None]) -> list[T] | None:
        """What ``understand`` makes of each entry, without those of which it makes None.

        ``understand`` may raise KeyError, TypeError, ValueError or SettingsError. Returns None when nothing
        is kept, or nothing that can be read.
        """
        try:
            raw = json.loads(self._path.read_text("utf-8"))[self._name]
            if not isinstance(raw, list):
                raise TypeError("not a list")
        except FileNotFoundError:
            return None
        except OSError as error:
            self._in_the_way = True
            self._warn(StorageError(path=self._path, reason=error.strerror or str(error)))
            return None
        except (ValueError, TypeError, LookupError, RecursionError):
            self._in_the_way = True
            try:
                self._put_aside()
            except StorageError as error:
                self._warn(error)
            return None
        found, good = [], []
        for entry in raw:
            try:
                thing = understand(entry)
            except (KeyError, TypeError, ValueError, SettingsError):
                continue
            good.append(entry)
            if thing is not None:
                found.append(thing)
        if len(good) < len(raw):
            self._keep_only(good)
        return found

    def write(self, entries: Sequence[dict[str, Any]]) -> None:
        """Keep ``entries``.

        Raises:
            StorageError: the file cannot be written, or what is in its way cannot be put aside.
        """
        self._clear_the_way()
        write_atomically(
            self._path, json.dumps({self._name: list(entries)}, ensure_ascii=False, indent=2) + "\n"
        )

    def remove(self) -> None:
        """Keep nothing.

        Raises:
            StorageError: the file cannot be removed.
        """
        self._clear_the_way()
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(path=self._path, reason=error.strerror or str(error)) from error

    def _clear_the_way(self) -> None:
        if self._in_the_way:
            self._put_aside()

    def _put_aside(self) -> None:
        """Raises StorageError."""
        aside = free_name(self._path)
        try:
            self._path.replace(aside)
        except FileNotFoundError:
            self._in_the_way = False
            return
        except OSError as error:
            raise StorageError(path=self._path, reason=error.strerror or str(error)) from error
        self._in_the_way = False
        self._warn(SettingsDamaged(aside=aside))

    def _keep_only(self, entries: Sequence[dict[str, Any]]) -> None:
        """The whole file is kept aside; next time it holds what was understood, and nothing is told."""
        aside = free_name(self._path)
        try:
            shutil.copy2(self._path, aside)
            self._warn(SettingsDamaged(aside=aside))
            self.write(entries)
        except OSError as error:
            self._in_the_way = True
            self._warn(StorageError(path=self._path, reason=error.strerror or str(error)))
        except StorageError as error:
            self._warn(error)

    def _warn(self, error: YomitoriError) -> None:
        self.warnings.append(error)
        log.warning("%s", error)
