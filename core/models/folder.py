"""Making the folder for models, and saying what to do when that cannot be done."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from core.errors import ModelsFolderLocked, ModelsFolderUnusable


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
