"""Where a file goes that cannot be understood: nothing of the user's is ever overwritten."""

from __future__ import annotations

import time
from pathlib import Path


def free_name(path: Path) -> Path:
    """A name beside ``path`` that nothing has yet: ``name.broken-DATE-TIME``, with a number where needed."""
    stem = f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}"
    aside, number = path.with_name(stem), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{stem}-{number}")
    return aside
