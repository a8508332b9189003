"""What Yomitori remembers of models: ``models.json`` in the data folder.

Licences that were accepted, and per repository the commit in use, those before it, when each was used last,
and its files' names and contents as the hub announced them. What is missing here is made up for from the
cache's own folders, so a lost file costs no model.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.aside import free_name
from core.errors import YomitoriError
from core.models.lock import locked
from core.paths import ensure_private_folder
from core.settings import write_atomically

log = logging.getLogger(__name__)

VERSION = 1
_LOCK_LIMIT = 10.0
_TOUCH_SECONDS = 3600.0
"""How exactly it is known when a model was used last."""


def now() -> str:
    """This moment in UTC, as records keep it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """``oid`` is the content's name: sha256 (64 digits) or git's blob id (40 digits)."""

    size: int
    oid: str


@dataclass(slots=True)
class ModelRecord:
    """One repository. ``commit`` is the revision in use, ``previous`` those before it, the latest last;
    ``revision`` is the branch or reference that updates are looked for in. Times are ISO 8601 in UTC."""

    role: str = "ocr"
    commit: str = ""
    previous: list[str] = field(default_factory=list)
    revision: str = ""
    licence: str = ""
    added: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    imported: list[str] = field(default_factory=list)
    files: dict[str, dict[str, FileRecord]] = field(default_factory=dict)

    def use(self, commit: str) -> None:
        """Make ``commit`` the one in use; the one before it can be rolled back to."""
        self.previous = [known for known in self.previous if known != commit]
        if self.commit and self.commit != commit:
            self.previous = [*(known for known in self.previous if known != self.commit), self.commit]
        self.commit = commit

    def go_back(self, earlier: str) -> None:
        """Make ``earlier`` the one in use, so that once more goes back further: the one in use now becomes
        the last to go back to."""
        self.previous = [commit for commit in self.previous if commit != earlier]
        if self.commit:
            self.previous.insert(0, self.commit)
        self.commit = earlier

    def arrived(self, commit: str, files: dict[str, Any]) -> None:
        """``commit`` is here with these files, and in use."""
        self.added.setdefault(commit, now())
        self.files[commit] = {name: FileRecord(**entry) for name, entry in files.items()}
        self.use(commit)

    def forget(self, commit: str) -> None:
        """``commit`` was removed."""
        self.previous = [known for known in self.previous if known != commit]
        self.imported = [known for known in self.imported if known != commit]
        for times in (self.added, self.used):
            times.pop(commit, None)
        self.files.pop(commit, None)
        if self.commit == commit:
            self.commit = self.previous.pop() if self.previous else ""


@dataclass(frozen=True, slots=True)
class AcceptedLicence:
    licence: str
    when: str


class Records:
    """The file, shared by every front end of the user: read anew before each change, replaced in one step.

    Nothing here is worth failing for: a file that cannot be read is moved aside, and one that cannot be
    written is logged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def model(self, repo: str) -> ModelRecord | None:
        return self._read()[1].get(repo)

    def models(self) -> dict[str, ModelRecord]:
        return self._read()[1]

    def accepted(self, repo: str) -> AcceptedLicence | None:
        return self._read()[0].get(repo)

    def accept(self, repo: str, licence: str) -> None:
        """Keep that the user accepted ``licence`` for ``repo``, and when."""

        def change(licences: dict[str, AcceptedLicence], _models: dict[str, ModelRecord]) -> None:
            known = licences.get(repo)
            if known is None or known.licence != licence:
                licences[repo] = AcceptedLicence(licence, now())

        self._change(change)

    def touch(self, repo: str, commit: str, role: str) -> None:
        """Remember that ``commit`` was loaded now; the first use makes it the one in use."""
        known = self.model(repo)
        last = known.used.get(commit, "") if known and known.commit else ""
        with suppress(ValueError):
            if last and (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds() < _TOUCH_SECONDS:
                return

        def change(record: ModelRecord) -> None:
            record.role = role if known is None else record.role
            record.used[commit] = now()
            if not record.commit:
                record.use(commit)

        self.update(repo, change)

    def update(self, repo: str, change: Callable[[ModelRecord], None]) -> None:
        """Change the record of ``repo``, a new one when there is none."""
        self._change(lambda _licences, models: change(models.setdefault(repo, ModelRecord())))

    def forget(self, repo: str) -> None:
        """The repository was removed; licences stay accepted."""
        self._change(lambda _licences, models: models.pop(repo, None))

    def _change(self, change: Callable[[dict[str, AcceptedLicence], dict[str, ModelRecord]], Any]) -> None:
        try:
            ensure_private_folder(self._path.parent)
            with self._lock, locked(self._path.with_suffix(".lock"), _LOCK_LIMIT):
                licences, models = self._read()
                change(licences, models)
                tree = {
                    "version": VERSION,
                    "licences": {repo: asdict(value) for repo, value in licences.items()},
                    "models": {repo: asdict(value) for repo, value in models.items()},
                }
                write_atomically(self._path, json.dumps(tree, ensure_ascii=False, indent=2) + "\n")
        except (YomitoriError, OSError) as error:
            log.warning("%s was not written: %s", self._path, error)

    def _read(self) -> tuple[dict[str, AcceptedLicence], dict[str, ModelRecord]]:
        try:
            tree = json.loads(self._path.read_text("utf-8"))
            licences = {repo: AcceptedLicence(**value) for repo, value in tree["licences"].items()}
            return licences, {repo: _record(value) for repo, value in tree["models"].items()}
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("%s cannot be read: %s", self._path, error)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            aside = free_name(self._path)
            log.warning("%s was damaged; it is moved to %s", self._path, aside)
            try:
                self._path.replace(aside)
            except OSError as error:
                log.warning("%s cannot be moved: %s", self._path, error)
        return {}, {}


def _record(value: dict[str, Any]) -> ModelRecord:
    """A record of a newer version may hold more than is known here."""
    files = {
        commit: {name: FileRecord(**entry) for name, entry in entries.items()}
        for commit, entries in value.get("files", {}).items()
    }
    known = {entry.name for entry in fields(ModelRecord)} - {"files"}
    return ModelRecord(**{name: entry for name, entry in value.items() if name in known}, files=files)
