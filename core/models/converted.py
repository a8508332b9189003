"""Where the safetensors made from a ``.bin`` lie: a folder of our own, since caches belong to others too."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.models.layout import BIN_WEIGHTS


class ConvertedStore:
    """Below one folder: a complete checkpoint per converted one, put in place in one step."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def of_repo(self, repo: str) -> Path:
        return self.root / repo.replace("/", "--")

    def of_commit(self, repo: str, commit: str) -> Path:
        return self.of_repo(repo) / commit

    def of_folder(self, folder: Path) -> Path:
        """For a folder of the user's own. Another ``.bin`` in its place has another name here."""
        weights = folder / BIN_WEIGHTS
        try:
            stat = weights.stat()
            version = f"{folder.resolve()}\n{stat.st_size}\n{stat.st_mtime_ns}"
        except OSError:
            version = str(folder)
        return self.root / "folders" / hashlib.sha256(version.encode()).hexdigest()[:40]
