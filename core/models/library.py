"""ModelLibrary: the models on this computer, as every front end holds them.

What there is, is read with the file system alone (``stock``). What talks to a hub, hashes, converts or
deletes is a job in a model process (``hub_engine``).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from core.engines import EngineSpec
from core.errors import (
    AlreadyDownloading,
    LicenceNotAccepted,
    ModelMissing,
    ModelsFolderUnusable,
    ModelUnusable,
)
from core.host import HostLimits
from core.jobs import Job
from core.memory import MemoryJudge
from core.models import estimate, licences
from core.models.catalogue import KnownModel, KnownRevision, load_catalogue
from core.models.converted import ConvertedStore
from core.models.entries import (
    Checkpoint,
    Downloaded,
    DownloadPlan,
    FileCheck,
    Imported,
    LibraryChanged,
    ModelEntry,
    Progress,
    Update,
)
from core.models.hosts import Hosts, RunnerFactory, thread_runner
from core.models.layout import RepoCache, is_commit, repos_in
from core.models.lock import try_lock
from core.models.records import FileRecord, ModelRecord, Records, now
from core.models.stock import Stock, Target
from core.paths import Paths
from core.settings import SettingsStore

log = logging.getLogger(__name__)

T = TypeVar("T")
OnProgress = Callable[[Progress], None]
Listener = Callable[[LibraryChanged], None]

HUB = EngineSpec("hub", "download", "downloads", "core.models.hub_engine:HubEngine", 64 * 1024 * 1024)
"""Not among the engines that read: it is started by the library alone. A download was measured at 30 MB of
memory of its own; converting asks for more itself."""
_TOUCH_SECONDS = 3600.0
"""How exactly it is known when a model was used last."""


class ModelLibrary:
    """Safe to use from any thread. Nothing runs before it is needed. Close it.

    ``on_progress`` is called in a host's thread, a few times a second. ``retry`` changes fields of
    ``transfer.Retry``; ``idle_seconds`` is for how long a process waits for another job.
    """

    def __init__(
        self,
        settings: SettingsStore,
        paths: Paths,
        log_folder: Path | None = None,
        runner: RunnerFactory = thread_runner,
        catalogue: Iterable[KnownModel] | None = None,
        hub_spec: EngineSpec = HUB,
        environ: Mapping[str, str] | None = None,
        memory: MemoryJudge | None = None,
        limits: HostLimits | None = None,
        retry: Mapping[str, float] | None = None,
        idle_seconds: float = 0.0,
    ) -> None:
        self._retry = dict(retry or {})
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()
        self.records = Records(paths.data / "models.json")
        self.converted = ConvertedStore(paths.data / "converted")
        known = tuple(load_catalogue() if catalogue is None else catalogue)
        environ = os.environ if environ is None else environ
        self._stock = Stock(settings, environ, known, self.records, self.converted)
        self._hosts = Hosts(hub_spec, runner, memory or MemoryJudge(), limits, log_folder, idle_seconds)

    # ---- what there is

    @property
    def catalogue(self) -> tuple[KnownModel, ...]:
        return self._stock.catalogue

    def root(self, role: str = "ocr") -> Path:
        """The cache folder for models of ``role``; it need not exist."""
        return self._stock.root(role)

    def models(self, role: str | None = None) -> list[ModelEntry]:
        """Every model of the catalogue, then every other one that was added or used here."""
        return self._stock.models(role)

    def model(self, name: str) -> ModelEntry:
        """One model by its name in the catalogue or its hub id, also one that is not here.

        Raises:
            ModelUnknown: ``name`` is neither.
        """
        return self._stock.model(name)

    def checkpoint(self, role: str, model_setting: str) -> Checkpoint | None:
        """``lookup`` for what can be loaded as it is: None also for what ``needs_conversion``."""
        found = self.lookup(role, model_setting)
        return None if found is None or found.needs_conversion else found

    def lookup(self, role: str, model_setting: str) -> Checkpoint | None:
        """What the setting's value means, also when it ``needs_conversion``; None when it is not here.

        Only file names, sizes and headers are read, never the network.

        Raises:
            ModelUnknown: the value is no name, hub id or folder.
            ModelUnusable: it is a folder without a checkpoint.
        """
        return self._stock.lookup(role, model_setting)

    def memory_needed(self, checkpoint: Checkpoint, precision: str, device: str) -> int:
        """Bytes that the weights and the work with them take on a device, beside what the engine itself
        needs; from the files' headers."""
        return estimate.memory_needed(checkpoint.folder, precision)

    def touch(self, checkpoint: Checkpoint, role: str = "ocr") -> None:
        """Remember that it was loaded now; the first use pins its commit."""
        if not checkpoint.repo:
            return
        known = self.records.model(checkpoint.repo)
        last = known.used.get(checkpoint.commit, "") if known and known.commit else ""
        with suppress(ValueError):
            if last and (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds() < _TOUCH_SECONDS:
                return

        def change(record: ModelRecord) -> None:
            record.role = role if known is None else record.role
            record.used[checkpoint.commit] = now()
            if not record.commit:
                record.use(checkpoint.commit)

        self.records.update(checkpoint.repo, change)

    # ---- jobs

    def plan_download(self, name: str) -> Job[DownloadPlan]:
        """Ask the hub what ``download`` would do."""

        def convert(answer: dict[str, Any], _seconds: float) -> DownloadPlan:
            licence = str(answer["licence"])
            accepted = self.records.accepted(target.repo)
            return DownloadPlan(
                repo=target.repo,
                commit=answer["commit"],
                revision=answer["revision"],
                total_bytes=answer["total"],
                have_bytes=answer["have"],
                disk_bytes=answer["disk"],
                free_disk=answer["free"],
                licence=licence,
                licence_open=licences.is_open(licence),
                licence_accepted=accepted is not None and accepted.licence == licence,
                will_convert=answer["convert"],
            )

        target = self._stock.target(name)
        params = self._hub_params(target, self._pinned(target))
        return self._submit("upkeep", Job("resolve", params, None, convert), target.repo)

    def download(
        self,
        name: str,
        accept_licence: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Job[Downloaded]:
        """Fetch what is missing of the revision in use, or of the newest when none is; check every file.

        ``job.cancel()`` pauses: what was received is kept, and the next call goes on from there.

        The job fails with LicenceNotAccepted before anything is transferred, NotEnoughDisk, HubError,
        StorageError, or ModelUnusable when its ``.bin`` cannot be converted.
        """
        target = self._stock.target(name)
        return self._download(target, self._pinned(target), accept_licence, on_progress)

    def update(
        self,
        name: str,
        accept_licence: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Job[Downloaded]:
        """Fetch the newest revision beside the one in use, and switch to it once it is whole."""
        target = self._stock.target(name)
        return self._download(target, target.revisions, accept_licence, on_progress)

    def _download(
        self,
        target: Target,
        revisions: Iterable[KnownRevision],
        accept_licence: bool,
        on_progress: OnProgress | None,
    ) -> Job[Downloaded]:
        accepted = self.records.accepted(target.repo)
        params = self._hub_params(target, revisions) | {
            "converted": str(self.converted.of_repo(target.repo)),
            "accepted": accepted.licence if accepted else "",
            "accept": accept_licence,
        }

        def convert(answer: dict[str, Any], _seconds: float) -> Downloaded:
            return self._downloaded(target, answer)

        def on_piece(piece: dict[str, Any]) -> None:
            if "accepted" in piece:
                self.records.accept(target.repo, piece["accepted"])
            else:
                self._progress(target.repo, piece, on_progress)

        job = Job("download", params, None, convert, on_piece)
        known = target.known
        if known and not known.licence_open:
            if not accept_licence and (accepted is None or accepted.licence != known.licence):
                job.fail(LicenceNotAccepted(model=known.title, licence=known.licence))
                return job
            self.records.accept(target.repo, known.licence)
        return self._submit("download", job, target.repo, "ready")

    def _pinned(self, target: Target) -> tuple[KnownRevision, ...]:
        """The revision in use first: a second download repairs it and does not move to another one."""
        record = self.records.model(target.repo)
        if record is None or not record.commit or target.exact or record.commit in record.imported:
            return target.revisions
        known = {revision.revision: revision for revision in target.revisions}
        return (known.get(record.commit) or KnownRevision(record.commit), *target.revisions)

    def _hub_params(self, target: Target, revisions: Iterable[KnownRevision]) -> dict[str, Any]:
        return self._params(target) | {
            "revisions": [asdict(revision) for revision in revisions],
            "licence": target.known.licence if target.known else "",
        }

    def _params(self, target: Target) -> dict[str, Any]:
        return {
            "root": str(self.root(target.role)),
            "repo": target.repo,
            "role": target.role,
            "title": target.title,
            "retry": self._retry,
        }

    def _downloaded(self, target: Target, answer: dict[str, Any]) -> Downloaded:
        commit, revision = str(answer["commit"]), str(answer["revision"])

        def change(record: ModelRecord) -> None:
            record.role = target.role
            record.licence = str(answer["licence"])
            if not is_commit(revision):
                record.revision = revision
            record.added.setdefault(commit, now())
            record.files[commit] = {name: FileRecord(**entry) for name, entry in answer["files"].items()}
            record.use(commit)

        self.records.update(target.repo, change)
        return Downloaded(
            repo=target.repo,
            commit=commit,
            revision=revision,
            total_bytes=answer["total"],
            received_bytes=answer["received"],
            converted=answer["converted"],
            licence=answer["licence"],
        )

    def verify(self, name: str, on_progress: OnProgress | None = None) -> Job[list[FileCheck]]:
        """Compare every file of the revision in use with the sum by which it is known; needs no network.

        A converted copy that is damaged is deleted, since it can be made again.
        """
        target = self._stock.target(name)
        commit = self._stock.in_use(target)
        known = self._stock.record(target).files.get(commit or "", {})
        params = self._params(target) | {
            "commit": commit or "",
            "files": {name: asdict(entry) for name, entry in known.items()},
            "copy": str(self.converted.of_commit(target.repo, commit or "")),
        }

        def convert(answer: dict[str, Any], _seconds: float) -> list[FileCheck]:
            return [FileCheck(**check) for check in answer["checks"]]

        job = Job("verify", params, None, convert, lambda p: self._progress(target.repo, p, on_progress))
        if commit is None:
            job.fail(ModelMissing(model=target.known.name if target.known else target.repo))
            return job
        return self._submit("upkeep", job, target.repo)

    def check_update(self, name: str) -> Job[Update]:
        """Ask the hub whether there is a newer revision than the one in use."""
        target = self._stock.target(name)
        current = self._stock.in_use(target) or ""

        def convert(answer: dict[str, Any], _seconds: float) -> Update:
            latest = str(answer["commit"])
            size = answer["total"] - answer["have"]
            return Update(target.repo, current, latest, size, changed=latest != current)

        params = self._hub_params(target, target.revisions)
        return self._submit("upkeep", Job("resolve", params, None, convert), target.repo)

    def roll_back(self, name: str) -> str:
        """Use the revision before the one in use again, and return its commit; once more goes further back.

        Raises:
            ModelMissing: there is no other whole revision.
        """
        target = self._stock.target(name)
        earlier = self._stock.earlier(target)
        if not earlier:
            raise ModelMissing(model=f"an earlier revision of {target.title}")

        def change(record: ModelRecord) -> None:
            record.previous = [commit for commit in record.previous if commit != earlier]
            if record.commit:
                record.previous.insert(0, record.commit)
            record.commit = earlier

        self.records.update(target.repo, change)
        self._emit(LibraryChanged("changed", target.repo))
        return earlier

    def remove(self, name: str, commit: str | None = None) -> Job[int]:
        """Delete one revision, or the model with everything of it; the bytes freed.

        Contents that another revision uses stay. A process that has the model loaded is to be ended first
        on Windows, where files in use cannot be deleted.
        """
        target = self._stock.target(name)
        copy = self.converted.of_repo(target.repo) if commit is None else None
        if commit is not None:
            copy = self.converted.of_commit(target.repo, commit)
        params = self._params(target) | {"commit": commit or "", "converted": str(copy)}

        def convert(answer: dict[str, Any], _seconds: float) -> int:
            if commit is None:
                self.records.forget(target.repo)
            else:
                self.records.update(target.repo, lambda record: record.forget(commit))
            return int(answer["freed"])

        return self._submit("upkeep", Job("remove", params, None, convert), target.repo, "changed")

    def discard_partial(self, name: str) -> int:
        """Delete what unfinished downloads received, also those of other programs that stopped over an hour
        ago; the bytes freed.

        Raises:
            AlreadyDownloading: a download of it is running; cancel it first.
            StorageError: it cannot be deleted.
        """
        target = self._stock.target(name)
        cache = self._stock.cache(target)
        partials = [partial for partial in cache.partials() if partial.ours or partial.stale]
        if not partials:
            return 0
        try:
            held = try_lock(cache.lock)
            if held is None:
                raise AlreadyDownloading(model=target.title)
            with held:
                for partial in partials:
                    partial.path.unlink(missing_ok=True)
        except OSError as error:
            raise ModelsFolderUnusable(path=cache.blobs, reason=error.strerror or str(error)) from error
        self._emit(LibraryChanged("changed", target.repo))
        return sum(partial.size for partial in partials)

    def partials(self, role: str = "ocr") -> dict[str, int]:
        """Unfinished downloads in the models folder, of whatever program: bytes by hub id."""
        root = self.root(role)
        sizes = {repo: sum(p.size for p in RepoCache(root, repo).partials()) for repo in repos_in(root)}
        return {repo: size for repo, size in sizes.items() if size}

    def import_from(
        self, path: Path, name: str = "", on_progress: OnProgress | None = None, role: str = "ocr"
    ) -> Job[Imported]:
        """Take a model from a folder or a zip file: a checkpoint, a model's folder of a hub cache, or a
        cache with one model. ``name`` says which it is; without it, what the folder itself tells counts.

        The job fails with ImportFailed, NotEnoughDisk or StorageError.
        """
        target = self._stock.target(name) if name else None
        known = [model for model in self.catalogue if target is None or model.repo == target.repo]
        params = {
            "root": str(self.root(target.role if target else role)),
            "repo": target.repo if target else "",
            "role": target.role if target else role,
            "title": target.title if target else path.name,
            "path": str(path),
            "known": [
                {"repo": model.repo, **asdict(revision)} for model in known for revision in model.revisions()
            ],
            "converted": str(self.converted.root),
        }

        def convert(answer: dict[str, Any], _seconds: float) -> Imported:
            return self._imported(str(params["role"]), answer)

        label = target.repo if target else path.name
        job = Job("import", params, None, convert, lambda p: self._progress(label, p, on_progress))
        return self._submit("upkeep", job, label, "ready")

    def _imported(self, role: str, answer: dict[str, Any]) -> Imported:
        repo, commit = str(answer["repo"]), str(answer["commit"])

        def change(record: ModelRecord) -> None:
            record.role = role
            record.added.setdefault(commit, now())
            record.files[commit] = {name: FileRecord(**entry) for name, entry in answer["files"].items()}
            if answer["derived"] and commit not in record.imported:
                record.imported.append(commit)
            record.use(commit)

        self.records.update(repo, change)
        return Imported(repo, commit, answer["total"], answer["converted"])

    def convert(
        self, role: str, model_setting: str, on_progress: OnProgress | None = None
    ) -> Job[Checkpoint]:
        """Make safetensors of a checkpoint that ``needs_conversion``; the checkpoint to load.

        The job fails with ModelMissing, ModelUnusable (the ``.bin`` holds more than tensors), NotEnoughDisk.
        """
        checkpoint = self.lookup(role, model_setting)
        label = checkpoint.repo or str(checkpoint.folder) if checkpoint else model_setting
        target = Path()
        if checkpoint is not None:
            by_commit = self.converted.of_commit(checkpoint.repo, checkpoint.commit)
            target = by_commit if checkpoint.repo else self.converted.of_folder(checkpoint.folder)

        def finish(answer: dict[str, Any], _seconds: float) -> Checkpoint:
            ready = self.lookup(role, model_setting)
            if ready is None or ready.needs_conversion:
                raise ModelUnusable(model=label, reason="its conversion is not there")
            return ready

        params = {
            "title": checkpoint.title if checkpoint else label,
            "role": role,
            "source": str(checkpoint.folder) if checkpoint else "",
            "target": str(target),
        }
        job = Job("convert", params, None, finish, lambda p: self._progress(label, p, on_progress))
        if checkpoint is None:
            job.fail(ModelMissing(model=model_setting))
        elif not checkpoint.needs_conversion:
            job.finish({}, 0.0)
        else:
            return self._submit("upkeep", job, label, "ready")
        return job

    # ---- events

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of progress and changes; returns the function that ends it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def close(self) -> None:
        """Pause what runs, end the processes, join the threads."""
        self._hosts.close()

    def _emit(self, event: LibraryChanged) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("A listener failed on %s", event)

    def _progress(self, repo: str, piece: dict[str, Any], on_progress: OnProgress | None) -> None:
        progress = Progress.from_json(piece)
        try:
            if on_progress is not None:
                on_progress(progress)
        finally:
            self._emit(LibraryChanged("progress", repo, progress))

    def _submit(self, role: str, job: Job[T], repo: str, done: str = "") -> Job[T]:
        def on_done(job: Job[T]) -> None:
            error = job.error()
            if error is not None:
                self._emit(LibraryChanged("failed", repo, error=error))
            elif done:
                self._emit(LibraryChanged(done, repo))

        job.on_done(on_done)
        self._hosts.submit(role, job)
        return job
