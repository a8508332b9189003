"""Making the folder for models, and saying what to do when that cannot be done."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.errors import (
    FixedFolderFull,
    FixedFolderLocked,
    FixedFolderUnusable,
    ModelsFolderLocked,
    ModelsFolderUnusable,
    NotEnoughDisk,
    StorageError,
)


def ensure_models_root(path: Path) -> Path:
    """Make the folder if it is not there, and try to write to it.

    Raises:
        ModelsFolderLocked: the user may not write there; tells the command that changes it.
        ModelsFolderUnusable: it cannot be made, or written for another reason.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except PermissionError as error:
        raise ModelsFolderLocked(path=path, command=_take_over(_existing(path))) from error
    except FileExistsError as error:
        raise ModelsFolderUnusable(path=path, reason="it is a file") from error
    except OSError as error:
        raise ModelsFolderUnusable(path=path, reason=error.strerror or str(error)) from error
    return path


_FIXED: dict[type[StorageError], type[StorageError]] = {
    ModelsFolderLocked: FixedFolderLocked,
    ModelsFolderUnusable: FixedFolderUnusable,
    NotEnoughDisk: FixedFolderFull,
}


@contextlib.contextmanager
def advice_for(root: Path, source: str) -> Iterator[None]:
    """Have errors about a folder for models give advice that leads somewhere.

    ``source`` is what fixes ``root`` for this run, a flag or an environment variable, so that it cannot be
    changed in the settings; empty when nothing does.
    """
    try:
        yield
    except StorageError as error:
        kind = _FIXED.get(type(error)) if source else None
        if kind is None or not Path(error.params["path"]).is_relative_to(root):
            raise
        raise kind(**error.params, source=source) from error


def _existing(path: Path) -> Path:
    """The nearest folder above that is there: the one whose rights are in the way."""
    for folder in (path, *path.parents):
        try:
            if folder.exists():
                return folder
        except OSError:
            continue
    return path


def _take_over(path: Path) -> str:
    if sys.platform == "win32":
        return f'icacls "{path}" /grant "%USERNAME%:(OI)(CI)F" /T'
    return f'sudo chown -R "$USER" "{path}"'
