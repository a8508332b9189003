"""Where Yomitori keeps its files: per user, by the platform's own rules (platformdirs)."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from platformdirs.api import PlatformDirsABC

from core.errors import StorageError


@dataclass(frozen=True)
class Paths:
    """The folders of one user. None is created before it is needed."""

    config: Path
    data: Path
    cache: Path
    log: Path
    runtime: Path

    @classmethod
    def for_user(cls) -> Paths:
        """The platform's folders, or everything below ``YOMITORI_HOME`` when that is set."""
        home = os.environ.get("YOMITORI_HOME")
        if home:
            return cls.below(Path(home))
        dirs = platformdirs.PlatformDirs("yomitori", appauthor=False)
        return cls(
            config=dirs.user_config_path,
            data=dirs.user_data_path,
            cache=dirs.user_cache_path,
            log=dirs.user_log_path,
            runtime=_runtime_folder(dirs),
        )

    @classmethod
    def below(cls, home: Path) -> Paths:
        """All folders below one, for portable use and for tests."""
        return cls(home / "config", home / "data", home / "cache", home / "log", home / "runtime")

    @property
    def settings_file(self) -> Path:
        return self.config / "settings.json"

    @property
    def history_file(self) -> Path:
        return self.data / "history.sqlite3"

    @property
    def log_file(self) -> Path:
        return self.log / "yomitori.log"


def _runtime_folder(dirs: PlatformDirsABC) -> Path:
    """Where the socket lies; without a login session (no XDG_RUNTIME_DIR) a folder of our own cache."""
    if sys.platform == "linux" and not os.environ.get("XDG_RUNTIME_DIR"):
        return dirs.user_cache_path / "run"
    return dirs.user_runtime_path


def ensure_private_folder(path: Path) -> Path:
    """Create ``path`` (0700) if it is not there and return it.

    Raises:
        StorageError: the folder cannot be created or written.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(path=path, reason=error.strerror or str(error)) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StorageError(path=path, reason="you may not write there")
    return path
