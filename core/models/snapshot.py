"""Putting contents into the cache's layout, checking them, and taking them out. Child process only."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import AlreadyDownloading
from core.models.hashing import Digest, Wanted, is_oid, pieces
from core.models.layout import RepoCache, is_commit
from core.models.lock import try_lock
from core.models.steps import IsCancelled, Meter, Steps, disk_errors, stop_if

_TEMPORARY = ".yomitori"
_SHARED_BLOB = re.compile(r"[0-9a-f]{64}")
LAST = "config.json"
"""Without it nothing takes the folder for a model, so it comes last."""


@contextlib.contextmanager
def held(cache: RepoCache, title: str) -> Iterator[None]:
    """Have the repository to ourselves among the processes of Yomitori.

    Raises:
        AlreadyDownloading: another one has it.
    """
    with disk_errors(cache.root):
        lock = try_lock(cache.lock)
    if lock is None:
        raise AlreadyDownloading(model=title)
    with lock:
        yield


def where(cache: RepoCache, commit: str, wanted: Wanted) -> Path | None:
    """The content, if a file of the right size has its name; where links cannot be made, it is the file."""
    for path in (cache.blobs / wanted.oid, cache.snapshot(commit) / wanted.name):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size == wanted.size and not _leads_elsewhere(path, wanted):
                return path
    return None


def _leads_elsewhere(path: Path, wanted: Wanted) -> bool:
    """Whether a link in a snapshot is to another content."""
    return path.name == wanted.name and path.is_symlink() and path.readlink().name != wanted.oid


def is_sound(path: Path, wanted: Wanted, meter: Meter, cancelled: IsCancelled) -> Steps[bool]:
    """Whether the bytes of ``path`` are the content wanted. ``meter`` hears of every byte."""
    digest = Digest(wanted.oid, wanted.size)
    meter.file = wanted.name
    for data in pieces(path):
        stop_if(cancelled)
        digest.update(data)
        yield from meter.add(len(data))
    return digest.matches


def place(cache: RepoCache, commit: str, files: Iterable[Wanted]) -> None:
    """Make the snapshot of ``commit``: every content is there and was checked.

    Raises:
        OSError: a file cannot be made; the snapshot is then without its config.json.
    """
    folder = cache.snapshot(commit)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f".*{_TEMPORARY}"):
        left.unlink(missing_ok=True)
    for file in sorted(files, key=lambda file: file.name == LAST):
        blob = cache.blobs / file.oid
        if blob.is_file():
            _place(cache, blob, folder / file.name)


def _place(cache: RepoCache, blob: Path, target: Path) -> None:
    """A relative link as the hub's library makes it; where there are no links, the file itself."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_TEMPORARY}")
    if os.environ.get("HF_HUB_DISABLE_SYMLINKS", "").upper() not in ("1", "ON", "YES", "TRUE"):
        try:
            temporary.symlink_to(os.path.relpath(blob, target.parent))
            temporary.replace(target)
            return
        except (OSError, NotImplementedError):
            # Windows without the right to make links, or a file system that has none.
            temporary.unlink(missing_ok=True)
    if blob in _links(cache):
        shutil.copyfile(blob, temporary)
    else:
        blob.replace(temporary)
    temporary.replace(target)


def _links(cache: RepoCache, but: str = "") -> set[Path]:
    """The contents that snapshots (all ``but`` one) link to."""
    found = set()
    for commit in cache.commits():
        if commit != but:
            found |= {target for path in cache.files(commit).values() if (target := _target(path))}
    return found


def _target(path: Path) -> Path | None:
    """What a link in a snapshot leads to: one hop, since a content may be a link into a shared store."""
    if not path.is_symlink():
        return None
    return Path(os.path.normpath(path.parent / path.readlink()))


def write_ref(cache: RepoCache, revision: str, commit: str) -> None:
    """Remember that ``revision`` meant ``commit``, where the hub's library looks for it."""
    if is_commit(revision):
        return
    path = cache.refs / revision
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    temporary.write_text(commit, "utf-8")
    temporary.replace(path)


def verify(
    cache: RepoCache, commit: str, recorded: Mapping[str, Mapping[str, Any]], cancelled: IsCancelled
) -> Steps[list[dict[str, Any]]]:
    """Compare the files of a snapshot with what their contents are called, and with what was recorded."""
    files = cache.files(commit)
    names = sorted({*files, *recorded})
    meter = Meter("verify", sum(_size(path) for path in files.values()))
    checks = []
    for name in names:
        check = yield from _verify(name, files.get(name), recorded.get(name), meter, cancelled)
        checks.append(check)
    yield meter.report()
    return checks


def _verify(
    name: str, path: Path | None, record: Mapping[str, Any] | None, meter: Meter, cancelled: IsCancelled
) -> Steps[dict[str, Any]]:
    if path is None or not path.is_file():
        return {"name": name, "ok": False, "detail": "is missing"}
    blob = _target(path)
    oid = blob.name if blob is not None and is_oid(blob.name) else ""
    if record is not None and oid and oid != record["oid"]:
        return {"name": name, "ok": False, "detail": "is not the file that was downloaded"}
    if record is not None:
        oid = str(record["oid"])
        if _size(path) != record["size"]:
            return {"name": name, "ok": False, "detail": "has another size than it should have"}
    if not oid:
        return {"name": name, "ok": True, "detail": "could not be checked: its sum is not known"}
    sound = yield from is_sound(path, Wanted(name, _size(path), oid), meter, cancelled)
    return {"name": name, "ok": sound, "detail": "" if sound else "is damaged"}


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def remove(cache: RepoCache, commit: str, cancelled: IsCancelled) -> Steps[int]:
    """Delete the snapshot of ``commit`` (empty: all of the repository); the bytes freed.

    Contents that another snapshot uses stay. Not with the hub's own ``delete_revisions``: it reads every
    repository of the cache first, and refuses one with a link that leads nowhere, which is when people
    clean up.

    Raises:
        OSError: something cannot be deleted.
    """
    freed = 0
    commits = [commit] if commit else cache.commits()
    for each in commits:
        stop_if(cancelled)
        freed += _remove(cache, each)
        yield {}
    if not commit or (not cache.commits() and not cache.partials()):
        freed += delete(cache.folder)
    return freed


def _remove(cache: RepoCache, commit: str) -> int:
    files = cache.files(commit)
    blobs = {target for path in files.values() if (target := _target(path))}
    # The configuration first: what is left after a kill loads nowhere.
    (cache.snapshot(commit) / LAST).unlink(missing_ok=True)
    freed = delete(cache.snapshot(commit))
    for blob in blobs - _links(cache, but=commit):
        if blob.parent == Path(os.path.normpath(cache.blobs)):
            freed += _delete_blob(cache, blob)
    for ref in [path for path in cache.refs.rglob("*") if path.is_file()]:
        if ref.read_text("utf-8").strip() == commit:
            ref.unlink()
    return freed


def _delete_blob(cache: RepoCache, blob: Path) -> int:
    if not blob.is_symlink():
        size = _size(blob)
        blob.unlink(missing_ok=True)
        return size
    shared = blob.resolve()
    blob.unlink()
    store = cache.root / "blobs"
    if not _SHARED_BLOB.fullmatch(shared.name) or store.resolve() not in shared.parents:
        return 0
    return _sweep_shared(store / shared.name[:2] / shared.name, cache.root)


def _sweep_shared(path: Path, root: Path) -> int:
    """The store that the hub's library shares between repositories knows itself who else uses a content."""
    try:
        from huggingface_hub.utils._shared_blobs import sweep_shared_blob
    except ImportError:
        return 0
    return int(sweep_shared_blob(path, cache_dir=root))


def delete(folder: Path) -> int:
    """Delete a folder, following no link; the bytes of the files in it."""
    if not folder.is_dir():
        return 0
    freed = 0
    for top, _, names in os.walk(folder):
        freed += sum(Path(top, name).lstat().st_size for name in names if not Path(top, name).is_symlink())
    shutil.rmtree(folder)
    return freed
