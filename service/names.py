"""What is typed for a model: a name, a hub id, or a folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_RELATIVE = ("./", "../", ".\\", "..\\", "~")


def model_name(text: str) -> str:
    """What was typed, a relative folder (``./x``, ``../x``, ``~/x``, ``.``) as its absolute path.

    Only what cannot be a hub id is taken for a folder: ``owner/name`` may be a path as well.
    """
    if not text.startswith(_RELATIVE) and text not in (".", ".."):
        return text
    # A home folder of a user who is not known stays as it was typed.
    with suppress(RuntimeError):
        return str(Path(text).expanduser().resolve())
    return text
