"""What models there are on this computer, read with nothing but the file system and the records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import ModelUnknown, ModelUnusable
from core.models.catalogue import KnownModel, KnownRevision, default_model, find_model
from core.models.converted import ConvertedStore
from core.models.entries import Checkpoint, ModelEntry, RevisionEntry
from core.models.imported import is_local
from core.models.layout import (
    RepoCache,
    checkpoint_problem,
    is_repo_id,
    is_revision,
    is_vision,
    needs_conversion,
    repos_in,
)
from core.models.places import models_place
from core.models.records import ModelRecord, Records
from core.models.renamed import Renamed, conversion_of
from core.settings import SettingsStore


@dataclass(frozen=True, slots=True)
class Target:
    """A model that was named: where it comes from, and in what order its revisions are tried.

    ``exact``: the name said which revision, so no other will do. ``renamed``: the name was that of a model
    which cannot be loaded, and this is its conversion; the user should be told.
    """

    known: KnownModel | None
    repo: str
    role: str
    title: str
    revisions: tuple[KnownRevision, ...]
    exact: bool = False
    renamed: Renamed | None = None


@dataclass(frozen=True, slots=True)
class OwnFolder:
    """A folder of the user's own that is named as a model.

    ``problem``: why it cannot be loaded, as the end of a sentence; empty when it can. ``disk_bytes`` counts
    the files in it and its converted copy, 0 where there is a problem.
    """

    folder: Path
    role: str
    problem: str = ""
    disk_bytes: int = 0


class Stock:
    """Thread-safe: it keeps nothing but where to look."""

    def __init__(
        self,
        settings: SettingsStore,
        environ: Mapping[str, str],
        catalogue: tuple[KnownModel, ...],
        records: Records,
        converted: ConvertedStore,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self.catalogue = catalogue
        self.records = records
        self.converted = converted

    def root(self, role: str) -> Path:
        return models_place(self._settings, role, self._environ)[0]

    def root_source(self, role: str) -> str:
        """What fixes ``root`` for this run, empty when the user's settings decide."""
        return models_place(self._settings, role, self._environ)[1]

    def cache(self, target: Target) -> RepoCache:
        return RepoCache(self.root(target.role), target.repo)

    def record(self, target: Target) -> ModelRecord:
        """What is remembered of it, an empty record when that is nothing."""
        return self.records.model(target.repo) or ModelRecord(role=target.role)

    def params(self, target: Target) -> dict[str, Any]:
        """What ``HubEngine`` has to know for any job about a model."""
        return {
            "root": str(self.root(target.role)),
            "repo": target.repo,
            "role": target.role,
            "title": target.title,
            "source": self.root_source(target.role),
        }

    def current(self, target: Target) -> str | None:
        """The commit that would be loaded."""
        record = ModelRecord(role=target.role) if target.exact else self.record(target)
        return _commit_to_load(
            self.cache(target), target.role, record, target.revisions, only_these=target.exact
        )

    def earlier(self, target: Target) -> str:
        """The last commit before the one in use that is still whole, empty when there is none."""
        return _earlier(self.cache(target), target.role, self.record(target))

    def target(self, name: str, role: str = "ocr") -> Target:
        """The model of that name in the catalogue, hub id, or ``owner/name@revision``.

        ``role`` is what it is for when nothing here tells. For a model that cannot be loaded it is its
        conversion (``core.models.renamed``).

        Raises:
            ModelUnknown: it is none of these.
            ModelUnusable: it is a revision of a model that cannot be loaded.
        """
        repo, _, revision = name.partition("@")
        renamed = conversion_of(repo)
        if renamed is not None:
            if revision:
                reason = f"it is in LLaVA's original format, take {renamed.new} instead"
                raise ModelUnusable(model=name, reason=reason)
            repo = renamed.new
        known = find_model(repo, self.catalogue)
        if known is not None and not revision:
            return Target(known, known.repo, known.role, known.title, known.revisions(), renamed=renamed)
        repo = known.repo if known else repo
        if not is_repo_id(repo) or (revision and not is_revision(revision)):
            raise ModelUnknown(model=name)
        record = self.records.model(repo)
        role = known.role if known else self._role(repo, record, role)
        wanted = (KnownRevision(revision),) if revision else _revisions(None, record)
        title = known.title if known else repo
        return Target(known, repo, role, title, wanted, exact=bool(revision), renamed=renamed)

    def _role(self, repo: str, record: ModelRecord | None, otherwise: str) -> str:
        """What a model outside of the catalogue is for; its own files know best."""
        cache = RepoCache(self.root("vision"), repo)
        if any(is_vision(cache.snapshot(commit)) for commit in cache.commits()):
            return "vision"
        return record.role if record else otherwise

    def models(self, role: str | None = None) -> list[ModelEntry]:
        """Every model of the catalogue, then every other one that was added or used here."""
        known = [model for model in self.catalogue if role in (None, model.role)]
        records = self.records.models()
        entries = [
            self._entry(model, model.repo, model.role, model.title, records.get(model.repo))
            for model in known
        ]
        catalogued = {model.repo for model in self.catalogue}
        for repo, record in sorted(records.items()):
            if repo in catalogued or not is_repo_id(repo):
                continue
            its = self._role(repo, record, record.role)
            if role in (None, its):
                entry = self._entry(None, repo, its, repo, record)
                if entry.revisions or entry.partial_bytes:
                    entries.append(entry)
        return entries

    def all_models(self, role: str) -> list[ModelEntry]:
        """``models``, then what else lies in the folder for that role, which is shared with other programs:
        whole ones that can be loaded, and those of which we have begun a download."""
        entries = self.models()
        listed = {entry.repo for entry in entries}
        root = self.root(role)
        for repo in repos_in(root):
            if repo not in listed and conversion_of(repo) is None:
                entry = self.model(repo)
                if entry.state == "ready" or any(part.ours for part in RepoCache(root, repo).partials()):
                    entries.append(entry)
        return entries

    def partials(self, role: str) -> dict[str, int]:
        """Unfinished downloads in the models folder, of whatever program: bytes by hub id."""
        root = self.root(role)
        sizes = {repo: sum(p.size for p in RepoCache(root, repo).partials()) for repo in repos_in(root)}
        return {repo: size for repo, size in sizes.items() if size}

    def model(self, name: str) -> ModelEntry:
        """One model by its name in the catalogue or its hub id, also one that is not here.

        Raises:
            ModelUnknown: ``name`` is neither.
        """
        target = self.target(name)
        record = self.records.model(target.repo)
        return self._entry(target.known, target.repo, target.role, target.title, record)

    def _entry(
        self, known: KnownModel | None, repo: str, role: str, title: str, record: ModelRecord | None
    ) -> ModelEntry:
        cache = RepoCache(self.root(role), repo)
        record = record or ModelRecord(role=role)
        licence = known.licence if known else record.licence
        current = _commit_to_load(cache, role, record, _revisions(known, record))
        weights = self._weights(cache, role, title, current).folder if current else None
        converted = self.converted.of_repo(repo)
        return ModelEntry(
            known=known,
            repo=repo,
            title=title,
            role=role,
            licence=licence,
            folder=cache.folder,
            revisions=tuple(
                self._revision(cache, role, record, commit, current) for commit in cache.commits()
            ),
            partial_bytes=sum(partial.size for partial in cache.partials()),
            needed_bytes=known.download_size if known else 0,
            disk_bytes=cache.disk_size() + _folder_size(converted),
            earlier=_earlier(cache, role, record),
            weights=weights,
        )

    def _revision(
        self, cache: RepoCache, role: str, record: ModelRecord, commit: str, current: str | None
    ) -> RevisionEntry:
        copy = self.converted.of_commit(cache.repo, commit)
        converted = checkpoint_problem(copy, role) is None
        return RevisionEntry(
            commit=commit,
            size=cache.size(commit) + _folder_size(copy),
            complete=cache.is_complete(commit, role),
            current=commit == current,
            last_used=record.used.get(commit, ""),
            converted=converted,
            needs_conversion=not converted and needs_conversion(cache.snapshot(commit)),
            imported=commit in record.imported,
        )

    def lookup(self, role: str, model_setting: str) -> Checkpoint | None:
        """What the setting's value means, also when it ``needs_conversion``; None when it is not here.

        An imported model that is gone cannot be fetched again: to read with, the model that the catalogue
        offers first takes its place. Only file names, sizes and headers are read, never the network.

        Raises:
            ModelUnknown: the value is no name, hub id or folder.
            ModelUnusable: it is a folder without a checkpoint.
        """
        folder = self._named_folder(model_setting)
        if folder is not None:
            problem = checkpoint_problem(folder, role)
            if problem is not None:
                raise ModelUnusable(model=folder, reason=problem)
            return _checkpoint(folder, self.converted.of_folder(folder), role, folder.name)
        target = self.target(model_setting, role)
        commit = self.current(target)
        if commit is not None:
            return self._weights(self.cache(target), role, target.title, commit)
        stand_in = self._stand_in(role, target)
        instead = self.lookup(role, stand_in.name) if stand_in is not None else None
        return None if instead is None else replace(instead, instead_of=target.repo)

    def meant(self, role: str, model_setting: str) -> ModelEntry:
        """The model that ``lookup`` finds, or would find if it were here.

        Raises:
            ModelUnknown: the value is no name or hub id.
        """
        target = self.target(model_setting, role)
        stand_in = self._stand_in(role, target)
        return self.model(model_setting if stand_in is None else stand_in.name)

    def _stand_in(self, role: str, target: Target) -> KnownModel | None:
        """What takes the place of an import that is gone; None when it is here, or a hub has it."""
        # What answers questions is not replaced: a conversation would go on with another one, unnoticed.
        if role != "ocr" or not is_local(target.repo) or self.current(target) is not None:
            return None
        return default_model(role, self.catalogue)

    def own_folder(self, role: str, model_setting: str) -> OwnFolder | None:
        """The folder that the setting's value names; None when it is a name or a hub id."""
        folder = self._named_folder(model_setting)
        if folder is None:
            return None
        problem = checkpoint_problem(folder, role)
        if problem is not None:
            return OwnFolder(folder, role, problem)
        own = 0
        with suppress(OSError):
            # Not what lies deeper: a checkpoint has no folders, and this may be somebody's home.
            own = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        return OwnFolder(folder, role, "", own + _folder_size(self.converted.of_folder(folder)))

    def _named_folder(self, model_setting: str) -> Path | None:
        return _as_folder(model_setting) if find_model(model_setting, self.catalogue) is None else None

    def _weights(self, cache: RepoCache, role: str, title: str, commit: str) -> Checkpoint:
        copy = self.converted.of_commit(cache.repo, commit)
        return _checkpoint(cache.snapshot(commit), copy, role, title, cache.repo, commit)


def _revisions(known: KnownModel | None, record: ModelRecord | None) -> tuple[KnownRevision, ...]:
    """In what order a model's revisions are tried when none is in use."""
    if known is not None:
        return known.revisions()
    return (KnownRevision((record.revision if record else "") or "main"),)


def _checkpoint(
    folder: Path, copy: Path, role: str, title: str, repo: str = "", commit: str = ""
) -> Checkpoint:
    if not needs_conversion(folder):
        return Checkpoint(folder, title, repo, commit)
    if checkpoint_problem(copy, role) is None:
        return Checkpoint(copy, title, repo, commit, converted=True)
    return Checkpoint(folder, title, repo, commit, needs_conversion=True)


def _commit_to_load(
    cache: RepoCache,
    role: str,
    record: ModelRecord,
    revisions: Iterable[KnownRevision],
    only_these: bool = False,
) -> str | None:
    """The commit in use; else one that the catalogue names; else any that is whole, since another
    program may have fetched it."""
    resolved = [cache.resolve(known.revision) for known in revisions]
    others = [] if only_these else cache.commits()
    wanted = dict.fromkeys(commit for commit in (record.commit, *resolved, *others) if commit)
    return next((commit for commit in wanted if cache.is_complete(commit, role)), None)


def _as_folder(setting: str) -> Path | None:
    """The folder that a setting names: an absolute path, or one from the home folder."""
    with suppress(RuntimeError):
        path = Path(setting).expanduser()
        return path if path.is_absolute() else None
    return None


def _earlier(cache: RepoCache, role: str, record: ModelRecord) -> str:
    """The last commit before the one in use that is still whole."""
    return next((commit for commit in reversed(record.previous) if cache.is_complete(commit, role)), "")


def _folder_size(folder: Path) -> int:
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(top, name).stat().st_size
    return total
