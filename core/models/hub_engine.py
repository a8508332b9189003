"""The engine behind ``ModelLibrary``'s jobs: everything that talks to a hub, hashes, converts or deletes.

It runs in a model process like every engine, so that cancelling, a crash or a kill costs one job, and so
that a front end never imports the hub's client or torch.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.engines import Loaded, LoadOptions
from core.errors import LicenceNotAccepted, LoadFailed
from core.models import licences
from core.models.convert import check_copy, convert
from core.models.folder import advice_for, ensure_models_root
from core.models.hashing import Wanted
from core.models.hub_address import check_address
from core.models.importer import import_model
from core.models.layout import RepoCache
from core.models.lock import try_lock
from core.models.snapshot import delete, held, is_sound, place, remove, verify, where, write_ref
from core.models.steps import IsCancelled, Meter, Steps, disk_errors, free_disk, need_disk, pause
from core.types import RgbImage

if TYPE_CHECKING:
    from core.models.hub_client import Found, HubClient

Params = Mapping[str, Any]
_LOCK_SECONDS = 0.5


class HubEngine:
    """Operations: ``resolve``, ``download``, ``verify``, ``remove``, ``import``, ``convert``.

    Parameters and answers are those of ``ModelLibrary``; pieces are ``Progress.from_json``'s, and once per
    download ``{"accepted": licence}``.
    """

    def load(self, options: LoadOptions) -> Loaded:
        # Before the hub's library is imported: nothing is told to the hub, or asked of it, that a download
        # does not need (versions of other packages, a list of coding agents).
        os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
        return Loaded(device="cpu")

    def run(
        self,
        op: str,
        params: Params,
        images: tuple[RgbImage, ...],
        cancelled: Callable[[], bool],
    ) -> Generator[dict[str, Any], None, dict[str, Any]]:
        operations: dict[str, Callable[[Params, IsCancelled], Steps[dict[str, Any]]]] = {
            "resolve": self.resolve,
            "download": self.download,
            "verify": self.verify,
            "remove": self.remove,
            "import": import_model,
            "convert": self.convert,
        }
        with advice_for(Path(params.get("root", "")), str(params.get("source", ""))):
            return (yield from operations[op](params, cancelled))

    # ---- the hub

    def resolve(self, params: Params, cancelled: IsCancelled) -> Steps[dict[str, Any]]:
        """What a download would be."""
        cache = RepoCache(Path(params["root"]), str(params["repo"]))
        _, found = yield from self._find(params, cancelled)
        have, partial = _present(cache, found)
        return {
            "commit": found.commit,
            "revision": found.revision,
            "licence": str(params["licence"]) or found.licence,
            "total": found.total,
            "have": have + partial,
            "disk": found.total - have - partial + found.bin_size,
            "free": free_disk(cache.root),
            "convert": bool(found.bin_size),
        }

    def download(self, params: Params, cancelled: IsCancelled) -> Steps[dict[str, Any]]:
        """Fetch what is missing, check what is there, link it, convert it if need be."""
        root = ensure_models_root(Path(params["root"]))
        title = str(params["title"])
        cache = RepoCache(root, str(params["repo"]))
        with held(cache, title):
            hub, found = yield from self._find(params, cancelled)
            licence = str(params["licence"]) or found.licence
            yield from _accept(params, licence, title)
            with disk_errors(cache.folder):
                cache.blobs.mkdir(parents=True, exist_ok=True)
            have, partial = _present(cache, found)
            need_disk(root, found.total - have - partial + _copy_size(root, params, found))
            received = yield from self._fetch(hub, found, cache, cancelled)
            with disk_errors(cache.folder):
                place(cache, found.commit, found.files)
                write_ref(cache, found.revision, found.commit)
            copy = Path(params["converted"]) / found.commit
            snapshot = cache.snapshot(found.commit)
            if found.bin_size:
                yield from convert(snapshot, copy, title, str(params["role"]), cancelled)
        return {
            "commit": found.commit,
            "revision": found.revision,
            "licence": licence,
            "total": found.total,
            "received": received,
            "converted": bool(found.bin_size),
            "files": {file.name: {"size": file.size, "oid": file.oid} for file in found.files},
        }

    def _find(self, params: Params, cancelled: IsCancelled) -> Steps[tuple[HubClient, Found]]:
        check_address(os.environ)
        try:
            from core.models.hub_client import HubClient
            from core.models.transfer import Retry
        except ImportError as error:
            reason = f"{error.name} is not installed: it comes with the extra [models]"
            raise LoadFailed(engine="downloads", reason=reason) from error
        hub = HubClient(str(params["repo"]), Retry.from_json(params.get("retry") or {}))
        found = yield from hub.find(params["revisions"], Meter("wait", 0), cancelled)
        return hub, found

    def _fetch(self, hub: HubClient, found: Found, cache: RepoCache, cancelled: IsCancelled) -> Steps[int]:
        """Every content checked in the cache; the bytes that came over the network."""
        from core.models.transfer import fetch

        missing = []
        check = Meter("verify", _present(cache, found)[0])
        for file in found.files:
            there = where(cache, found.commit, file)
            if there is None:
                missing.append(file)
            elif not (yield from is_sound(there, file, check, cancelled)):
                with disk_errors(cache.folder):
                    there.unlink()
                missing.append(file)
        present = sum(file.size for file in found.files) - sum(file.size for file in missing)
        meter = Meter("download", found.total, present)
        received = 0
        for file in missing:
            blob = cache.blobs / file.oid
            meter.file = file.name
            with _their_lock(cache, file) as lock:
                # Another program of the hub's may be fetching this very content.
                while not lock():
                    yield from pause(_LOCK_SECONDS, meter, cancelled)
                there = where(cache, found.commit, file)
                if there is not None:
                    if (yield from is_sound(there, file, meter, cancelled)):
                        continue
                    meter.take_back(file.size)
                source = hub.source(found, file.name)
                received += yield from fetch(
                    source, file, cache.partial(file.oid), blob, hub.retry, meter, cancelled
                )
        yield meter.report()
        return received

    # ---- what is here

    def verify(self, params: Params, cancelled: IsCancelled) -> Steps[dict[str, Any]]:
        cache = RepoCache(Path(params["root"]), str(params["repo"]))
        checks = yield from verify(cache, str(params["commit"]), params["files"], cancelled)
        copy = yield from check_copy(Path(params["copy"]), cancelled)
        return {"checks": checks if copy is None else [*checks, copy]}

    def remove(self, params: Params, cancelled: IsCancelled) -> Steps[dict[str, Any]]:
        cache = RepoCache(Path(params["root"]), str(params["repo"]))
        with held(cache, str(params["title"])), disk_errors(cache.folder):
            freed = yield from remove(cache, str(params["commit"]), cancelled)
            freed += delete(Path(params["converted"]))
        return {"freed": freed}

    def convert(self, params: Params, cancelled: IsCancelled) -> Steps[dict[str, Any]]:
        source, target = Path(params["source"]), Path(params["target"])
        yield from convert(source, target, str(params["title"]), str(params["role"]), cancelled)
        return {}


def _present(cache: RepoCache, found: Found) -> tuple[int, int]:
    """Bytes of contents that are here, and of those that have been begun."""
    have = partial = 0
    for file in found.files:
        if where(cache, found.commit, file) is not None:
            have += file.size
        else:
            with contextlib.suppress(OSError):
                partial += min(file.size, cache.partial(file.oid).stat().st_size)
    return have, partial


def _copy_size(root: Path, params: Params, found: Found) -> int:
    """What the converted copy needs of the same disk; on another one it is looked at when it is made."""
    copy = Path(params["converted"])
    for folder in (copy, *copy.parents):
        with contextlib.suppress(OSError):
            return found.bin_size if folder.stat().st_dev == root.stat().st_dev else 0
    return found.bin_size


def _accept(params: Params, licence: str, title: str) -> Steps[None]:
    """Raises LicenceNotAccepted for one that is not open, was not accepted, and is not accepted now."""
    if licences.is_open(licence) or params["accepted"] == licence:
        return
    if not params["accept"]:
        raise LicenceNotAccepted(model=title, licence=licence)
    yield {"accepted": licence}


@contextlib.contextmanager
def _their_lock(cache: RepoCache, file: Wanted) -> Iterator[Callable[[], bool]]:
    """The lock that the hub's library takes for a content: call it until it is True."""
    path = cache.locks / f"{file.oid}.lock"
    with contextlib.ExitStack() as stack:

        def take() -> bool:
            with disk_errors(cache.locks):
                lock = try_lock(path)
            if lock is not None:
                stack.enter_context(lock)
            return lock is not None

        yield take
