"""ModelLibrary: the models on this computer, as every front end holds them.

What there is, is read with the file system alone (``stock``). What talks to a hub, hashes, converts or
deletes is a job in a model process (``hub_engine``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from core.engines import EngineSpec
from core.errors import (
    AlreadyDownloading,
    ModelsFolderUnusable,
    ModelUnusable,
    NoEarlierRevision,
)
from core.host import HostLimits
from core.jobs import Job
from core.memory import MemoryJudge
from core.models.catalogue import KnownModel, load_catalogue
from core.models.converted import ConvertedStore
from core.models.entries import (
    Checkpoint,
    Downloaded,
    DownloadPlan,
    FileCheck,
    Imported,
    LibraryChanged,
    ModelEntry,
    OnProgress,
    Update,
)
from core.models.folder import advice_for, ensure_models_root
from core.models.hosts import Hosts, RunnerFactory, thread_runner
from core.models.hub_jobs import HubJobs
from core.models.imported import not_here
from core.models.lock import try_lock
from core.models.news import Listener, News
from core.models.records import ModelRecord, Records
from core.models.stock import OwnFolder, Stock
from core.paths import Paths
from core.settings import SettingsStore

T = TypeVar("T")

HUB = EngineSpec("hub", "download", "downloads", "core.models.hub_engine:HubEngine", 64 * 1024 * 1024)
"""Not among the engines that read: it is started by the library alone. A download was measured at 30 MB of
memory of its own; converting asks for more itself."""


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
        self._news = News()
        self.records = Records(paths.data / "models.json")
        self.converted = ConvertedStore(paths.data / "converted")
        known = tuple(load_catalogue() if catalogue is None else catalogue)
        environ = os.environ if environ is None else environ
        self._stock = Stock(settings, environ, known, self.records, self.converted)
        self._hosts = Hosts(hub_spec, runner, memory or MemoryJudge(), limits, log_folder, idle_seconds)
        self._hub = HubJobs(self._stock, self._news, self._submit, retry or {})

    # ---- what there is

    @property
    def catalogue(self) -> tuple[KnownModel, ...]:
        return self._stock.catalogue

    def root(self, role: str = "ocr") -> Path:
        """The cache folder for models of ``role``; it need not exist."""
        return self._stock.root(role)

    def ensure_root(self, role: str = "ocr") -> Path:
        """``root``, made if it is not there.

        Raises:
            ModelsFolderUnusable: models cannot be kept there; the advice names what fixes the folder.
        """
        root = self.root(role)
        with advice_for(root, self._stock.root_source(role)):
            return ensure_models_root(root)

    def models(self, role: str | None = None) -> list[ModelEntry]:
        """Every model of the catalogue, then every other one that was added or used here."""
        return self._stock.models(role)

    def all_models(self, role: str = "ocr") -> list[ModelEntry]:
        """``models``, then what else of that role other programs have put into the folder that is shared."""
        return self._stock.all_models(role)

    def model(self, name: str) -> ModelEntry:
        """One model by its name in the catalogue or its hub id, also one that is not here.

        Raises:
            ModelUnknown: ``name`` is neither.
        """
        return self._stock.model(name)

    def lookup(self, role: str, model_setting: str) -> Checkpoint | None:
        """What the setting's value means, also when it ``needs_conversion``; None when it is not here.

        An imported model that is gone cannot be fetched again: to read with, the model that the catalogue
        offers first takes its place, and ``Checkpoint.instead_of`` says so.

        Only file names, sizes and headers are read, never the network.

        Raises:
            ModelUnknown: the value is no name, hub id or folder.
            ModelUnusable: it is a folder without a checkpoint.
        """
        return self._stock.lookup(role, model_setting)

    def meant(self, role: str, model_setting: str) -> ModelEntry:
        """The model that ``lookup`` finds, or would find if it were here.

        Raises:
            ModelUnknown: the value is no name or hub id.
        """
        return self._stock.meant(role, model_setting)

    def own_folder(self, role: str, model_setting: str) -> OwnFolder | None:
        """The folder that the setting's value names, usable or not; None when it is a name or a hub id."""
        return self._stock.own_folder(role, model_setting)

    def touch(self, checkpoint: Checkpoint, role: str = "ocr") -> None:
        """Remember that it was loaded now; the first use pins its commit."""
        if checkpoint.repo:
            self.records.touch(checkpoint.repo, checkpoint.commit, role)

    # ---- jobs that ask a hub

    def plan_download(self, name: str) -> Job[DownloadPlan]:
        """Ask the hub what ``download`` would do.

        Like every call that asks a hub, it raises ModelImported for a model that none knows.
        """
        return self._hub.plan(name)

    def download(
        self, name: str, accept_licence: bool = False, on_progress: OnProgress | None = None
    ) -> Job[Downloaded]:
        """Fetch what is missing of the revision in use, or of the newest when none is; check every file.

        ``job.cancel()`` pauses: what was received is kept, and the next call goes on from there.

        The job fails with LicenceNotAccepted before anything is transferred, NotEnoughDisk, HubError,
        StorageError, or ModelUnusable when its ``.bin`` cannot be converted.
        """
        return self._hub.download(name, accept_licence, on_progress)

    def update(
        self, name: str, accept_licence: bool = False, on_progress: OnProgress | None = None
    ) -> Job[Downloaded]:
        """Fetch the newest revision beside the one in use, and switch to it once it is whole."""
        return self._hub.update(name, accept_licence, on_progress)

    def check_update(self, name: str) -> Job[Update]:
        """Ask the hub whether there is a newer revision than the one in use."""
        return self._hub.check_update(name)

    # ---- jobs without a network

    def verify(self, name: str, on_progress: OnProgress | None = None) -> Job[list[FileCheck]]:
        """Compare every file of the revision in use with the sum by which it is known; needs no network.

        A converted copy that is damaged is deleted, since it can be made again.
        """
        target = self._stock.target(name)
        commit = self._stock.current(target)
        known = self._stock.record(target).files.get(commit or "", {})
        params = self._stock.params(target) | {
            "commit": commit or "",
            "files": {name: asdict(entry) for name, entry in known.items()},
            "copy": str(self.converted.of_commit(target.repo, commit or "")),
        }

        def convert(answer: dict[str, Any], _seconds: float) -> list[FileCheck]:
            return [FileCheck(**check) for check in answer["checks"]]

        job = Job("verify", params, (), convert, self._news.pieces(target.repo, on_progress))
        if commit is None:
            job.fail(not_here(target.known.name if target.known else target.repo))
            return job
        return self._submit("upkeep", job, target.repo)

    def roll_back(self, name: str) -> str:
        """Use the revision before the one in use again, and return its commit; once more goes further back.

        Raises:
            NoEarlierRevision: there is no other whole revision.
        """
        target = self._stock.target(name)
        earlier = self._stock.earlier(target)
        if not earlier:
            raise NoEarlierRevision(model=target.title)

        self.records.update(target.repo, lambda record: record.go_back(earlier))
        self._news.tell(LibraryChanged("changed", target.repo))
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
        params = self._stock.params(target) | {"commit": commit or "", "converted": str(copy)}

        def convert(answer: dict[str, Any], _seconds: float) -> int:
            if commit is None:
                self.records.forget(target.repo)
            else:
                self.records.update(target.repo, lambda record: record.forget(commit))
            return int(answer["freed"])

        return self._submit("upkeep", Job("remove", params, (), convert), target.repo, "changed")

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
        with advice_for(cache.root, self._stock.root_source(target.role)):
            try:
                held = try_lock(cache.lock)
                if held is None:
                    raise AlreadyDownloading(model=target.title)
                with held:
                    for partial in partials:
                        partial.path.unlink(missing_ok=True)
            except OSError as error:
                reason = error.strerror or str(error)
                raise ModelsFolderUnusable(path=cache.blobs, reason=reason) from error
        self._news.tell(LibraryChanged("changed", target.repo))
        return sum(partial.size for partial in partials)

    def partials(self, role: str = "ocr") -> dict[str, int]:
        """Unfinished downloads in the models folder, of whatever program: bytes by hub id."""
        return self._stock.partials(role)

    def import_from(
        self, path: Path, name: str = "", on_progress: OnProgress | None = None, role: str = "ocr"
    ) -> Job[Imported]:
        """Take a model from a folder or a zip file: a checkpoint, a model's folder of a hub cache, or a
        cache with one model. ``name`` says which it is; without it, what the folder itself tells counts.

        The job fails with FileUnreadable (it is not there), ImportFailed, NotEnoughDisk or StorageError.
        """
        target = self._stock.target(name) if name else None
        known = [model for model in self.catalogue if target is None or model.repo == target.repo]
        params = {
            "root": str(self.root(target.role if target else role)),
            "source": self._stock.root_source(target.role if target else role),
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
        job = Job("import", params, (), convert, self._news.pieces(label, on_progress))
        return self._submit("upkeep", job, label, "ready")

    def _imported(self, role: str, answer: dict[str, Any]) -> Imported:
        repo, commit = str(answer["repo"]), str(answer["commit"])

        def change(record: ModelRecord) -> None:
            record.role = role
            if answer["derived"] and commit not in record.imported:
                record.imported.append(commit)
            record.arrived(commit, answer["files"])

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
        job = Job("convert", params, (), finish, self._news.pieces(label, on_progress))
        if checkpoint is None:
            job.fail(not_here(model_setting))
        elif not checkpoint.needs_conversion:
            job.finish({}, 0.0)
        else:
            return self._submit("upkeep", job, label, "ready")
        return job

    # ---- events

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of progress and changes; returns the function that ends it."""
        return self._news.subscribe(listener)

    def close(self) -> None:
        """Pause what runs, end the processes, join the threads."""
        self._hosts.close()

    def _submit(self, role: str, job: Job[T], repo: str, done: str = "") -> Job[T]:
        self._news.follow(job, repo, done)
        self._hosts.submit(role, job)
        return job
