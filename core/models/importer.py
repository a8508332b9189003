"""Models from a folder or a zip file, for computers without a network. Child process only.

What is taken: a checkpoint; the folder of one model of a hub cache (``models--owner--name``); a cache with
one model in it. It ends up in the same layout as a download. Nothing is written under a name out of the
source: contents are received under their sums, and of file names only those that loading asks for are used.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import posixpath
import re
import secrets
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from core.errors import AlreadyDownloading, FileUnreadable, ImportFailed
from core.models.convert import convert
from core.models.converted import ConvertedStore
from core.models.folder import ensure_models_root
from core.models.hashing import CHUNK, Naming, Wanted, is_large, is_oid
from core.models.imported import local_id
from core.models.layout import (
    RepoCache,
    checkpoint_problem,
    is_commit,
    is_repo_id,
    is_revision,
    needs_conversion,
)
from core.models.lock import try_lock
from core.models.selection import choose, has_weights
from core.models.snapshot import LAST, delete, held, place, write_ref
from core.models.steps import IsCancelled, Meter, Steps, disk_errors, need_disk, stop_if

_STAGING = "yomitori-import-"
_MAX_NAMES = 20_000
_MAX_TEXT = 256 * 1024 * 1024
_MAX_LINK = 4096
_SNAPSHOT = re.compile(r"(?P<repo>.*?)/?snapshots/(?P<commit>[0-9a-f]{40})/(?P<name>[^/]+)")
_REPO_FOLDER = re.compile(r"(?:.*/)?models--(?P<owner>[^/]+?)--(?P<name>[^/]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the source. ``oid`` is what a cache said its content is, empty when nothing did."""

    size: int
    open: Callable[[], IO[bytes]]
    oid: str = ""


@dataclass(frozen=True, slots=True)
class _Model:
    """What was found: its files by name. ``commit`` is empty when the source does not tell it."""

    repo: str
    commit: str
    files: dict[str, Entry]
    refs: tuple[str, ...] = ()


def import_model(params: Mapping[str, Any], cancelled: IsCancelled) -> Steps[dict[str, Any]]:
    """Take the model in; see ``ModelLibrary.import_from``.

    Raises:
        FileUnreadable: there is no such source.
        ImportFailed: it holds no model, or more than one, or a damaged one.
        NotEnoughDisk, ModelsFolderUnusable: it cannot be kept.
        ModelUnusable: it is there, but its ``.bin`` cannot be converted.
        AlreadyDownloading: another process imports, or receives the same model.
    """
    path, root, role = Path(params["path"]), Path(params["root"]), str(params["role"])
    title = str(params["title"])
    ensure_models_root(root)
    with _staging(root, title) as folder:
        with _opened(path) as entries:
            model = _choose_model(path, entries, str(params["repo"]), params["known"])
            meter = Meter("import", sum(entry.size for entry in model.files.values()))
            need_disk(root, meter.total)
            staged = yield from _stage(path, folder, model, meter, cancelled)
        problem = checkpoint_problem(folder, role)
        if problem is not None:
            raise ImportFailed(name=path.name, reason=problem)
        repo, commit, derived = _identify(path, model, staged, params["known"])
        cache = RepoCache(root, repo)
        with held(cache, title), disk_errors(root):
            _settle(cache, commit, folder, staged, model.refs)
    converted = needs_conversion(cache.snapshot(commit))
    if converted:
        copy = ConvertedStore(Path(params["converted"])).of_commit(repo, commit)
        yield from convert(cache.snapshot(commit), copy, title, role, cancelled)
    return {
        "repo": repo,
        "commit": commit,
        "files": {name: {"size": file.size, "oid": file.oid} for name, file in staged.items()},
        "total": meter.total,
        "derived": derived,
        "converted": converted,
    }


# ---- reading the source


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[dict[str, Entry]]:
    """Every file of the source by its name with ``/``."""
    try:
        if path.is_dir():
            yield _in_folder(path)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _in_zip(path, archive)
        elif path.exists():
            raise ImportFailed(name=path.name, reason="it is neither a folder nor a zip file")
        else:
            raise FileUnreadable(name=path, reason="there is no such file or folder")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        # RuntimeError is how zipfile says that an archive is encrypted.
        raise ImportFailed(name=path.name, reason=f"the zip file cannot be read ({error})") from error


def _in_folder(top: Path) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                oid = path.readlink().name if path.is_symlink() else ""
                size = path.stat().st_size
                entry = Entry(size, lambda path=path: path.open("rb"), oid if is_oid(oid) else "")  # type: ignore[misc]
                found[path.relative_to(top).as_posix()] = entry
        if len(found) > _MAX_NAMES:
            raise ImportFailed(name=top.name, reason="it has too many files; give the model's own folder")
    return found


def _in_zip(path: Path, archive: zipfile.ZipFile) -> dict[str, Entry]:
    infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if len(infos) > _MAX_NAMES:
        raise ImportFailed(name=path.name, reason="it has too many files; pack the model's own folder")
    found = {}
    for name, info in infos.items():
        target, oid = info, ""
        if stat.S_ISLNK(info.external_attr >> 16):
            if info.file_size > _MAX_LINK:
                continue
            link = archive.read(info).decode("utf-8", "replace")
            resolved = infos.get(posixpath.normpath(posixpath.join(posixpath.dirname(name), link)))
            if resolved is None or stat.S_ISLNK(resolved.external_attr >> 16):
                continue
            target, oid = resolved, posixpath.basename(link)
        entry = Entry(target.file_size, lambda info=target: archive.open(info), oid if is_oid(oid) else "")  # type: ignore[misc]
        found[name] = entry
    return found


def _choose_model(
    path: Path, entries: dict[str, Entry], repo: str, known: Iterable[Mapping[str, Any]]
) -> _Model:
    by_snapshot: dict[tuple[str, str], dict[str, Entry]] = {}
    for name, entry in entries.items():
        if found := _SNAPSHOT.fullmatch(name):
            place = (found["repo"], found["commit"])
            by_snapshot.setdefault(place, {})[found["name"]] = entry
    models = [
        _Model(_repo_of(path, folder) or repo, commit, _needed(path, files), _refs(entries, folder, commit))
        for (folder, commit), files in by_snapshot.items()
        if LAST in files and has_weights(files)
    ]
    if not models:
        return _plain(path, entries, repo)
    mine = [model for model in models if repo in ("", model.repo)]
    if not mine:
        raise ImportFailed(name=path.name, reason=f"it holds {_list(models)}, not {repo}")
    if len({model.repo for model in mine}) > 1:
        raise ImportFailed(name=path.name, reason=f"it holds {_list(mine)}: say which one")
    if not is_repo_id(mine[0].repo):
        raise ImportFailed(name=path.name, reason="it does not tell which model it is: say its hub id")
    # Of several revisions the one that the catalogue names, then one that a branch points to.
    wanted = [str(entry["revision"]) for entry in known if entry["repo"] == mine[0].repo]
    return max(
        mine,
        key=lambda model: (
            model.commit in wanted,
            any(ref in wanted for ref in model.refs),
            "main" in model.refs,
            len(model.refs),
        ),
    )


def _list(models: Iterable[_Model]) -> str:
    return ", ".join(sorted({model.repo for model in models}))


def _repo_of(path: Path, folder: str) -> str:
    """``owner/name`` from the name of its folder in a cache, inside the source or of the source itself."""
    found = _REPO_FOLDER.fullmatch(folder) or _REPO_FOLDER.fullmatch(path.name.removesuffix(".zip"))
    return f"{found['owner']}/{found['name']}" if found else ""


def _refs(entries: Mapping[str, Entry], folder: str, commit: str) -> tuple[str, ...]:
    """The branches and references that the source says point to ``commit``."""
    top = f"{folder}/refs/" if folder else "refs/"
    found = []
    for name, entry in entries.items():
        if name.startswith(top) and entry.size <= 64 and is_revision(name.removeprefix(top)):
            with entry.open() as file:
                if file.read(64).strip() == commit.encode():
                    found.append(name.removeprefix(top))
    return tuple(found)


def _plain(path: Path, entries: dict[str, Entry], repo: str) -> _Model:
    folders: dict[str, dict[str, Entry]] = {}
    for name, entry in entries.items():
        folders.setdefault(posixpath.dirname(name), {})[posixpath.basename(name)] = entry
    whole = {folder: files for folder, files in folders.items() if LAST in files and has_weights(files)}
    if not whole:
        found = any(LAST in files for files in folders.values())
        reason = "there are no weights beside config.json" if found else "there is no config.json in it"
        raise ImportFailed(name=path.name, reason=reason)
    if len(whole) > 1 and "" not in whole:
        raise ImportFailed(name=path.name, reason=f"there are several: {', '.join(sorted(whole))}")
    folder = "" if "" in whole else next(iter(whole))
    return _Model(repo, "", _needed(path, whole[folder]))


def _needed(path: Path, files: dict[str, Entry]) -> dict[str, Entry]:
    needed = {name: files[name] for name in choose(files)}
    for name, entry in needed.items():
        if not is_large(name) and entry.size > _MAX_TEXT:
            raise ImportFailed(name=path.name, reason=f"{name} is too large")
    return needed


# ---- taking it in


@dataclass(frozen=True, slots=True)
class _Staged:
    size: int
    sha256: str
    oid: str


@contextlib.contextmanager
def _staging(root: Path, title: str) -> Iterator[Path]:
    """A folder on the same disk, where no program looks for models; gone afterwards.

    Raises:
        AlreadyDownloading: another process imports.
    """
    locks = root / ".locks"
    with disk_errors(root):
        lock = try_lock(locks / "yomitori-import.lock")
    if lock is None:
        raise AlreadyDownloading(model=title)
    with lock:
        with disk_errors(root):
            for left in locks.glob(f"{_STAGING}*"):
                delete(left)
            folder = locks / f"{_STAGING}{secrets.token_hex(4)}"
            folder.mkdir()
        try:
            yield folder
        finally:
            delete(folder)


def _stage(
    path: Path, folder: Path, model: _Model, meter: Meter, cancelled: IsCancelled
) -> Steps[dict[str, _Staged]]:
    """Copy the files, reading each once."""
    staged: dict[str, _Staged] = {}
    for name, entry in model.files.items():
        meter.file = name
        naming = Naming(entry.size)
        size = 0
        with (
            _source(path, name, entry) as source,
            disk_errors(folder.parent.parent, meter.total),
            (folder / name).open("xb") as target,
        ):
            while data := _read(path, name, source):
                stop_if(cancelled)
                target.write(data)
                naming.update(data)
                size += len(data)
                yield from meter.add(len(data))
            target.flush()
            os.fsync(target.fileno())
        if size != entry.size or (entry.oid and entry.oid not in (naming.sha256, naming.git)):
            raise ImportFailed(name=path.name, reason=f"{name} is damaged")
        own = naming.sha256 if is_large(name) else naming.git
        staged[name] = _Staged(size, naming.sha256, entry.oid or own)
    yield meter.report()
    return staged


def _source(path: Path, name: str, entry: Entry) -> IO[bytes]:
    try:
        return entry.open()
    except OSError as error:
        raise ImportFailed(name=path.name, reason=f"{name} cannot be read ({error})") from error


def _read(path: Path, name: str, source: IO[bytes]) -> bytes:
    try:
        return source.read(CHUNK)
    except (OSError, zipfile.BadZipFile, EOFError, io.UnsupportedOperation, ValueError) as error:
        raise ImportFailed(name=path.name, reason=f"{name} cannot be read ({error})") from error


def _identify(
    path: Path, model: _Model, staged: Mapping[str, _Staged], known: Iterable[Mapping[str, Any]]
) -> tuple[str, str, bool]:
    """Hub id, commit, and whether the commit was made up from the contents."""
    if model.commit:
        return model.repo, model.commit, False
    for entry in known:
        sums = {file["name"]: file["sha256"] for file in entry["files"]}
        same = all(name in staged and staged[name].sha256 == sha256 for name, sha256 in sums.items())
        if same and sums and is_commit(str(entry["revision"])):
            return str(entry["repo"]), str(entry["revision"]), False
    label = re.sub(r"[^A-Za-z0-9_.]+", "-", path.name.removesuffix(".zip")).strip("-.") or "model"
    rows = "".join(f"{name} {staged[name].oid}\n" for name in sorted(staged))
    commit = hashlib.sha1(rows.encode(), usedforsecurity=False).hexdigest()
    return model.repo or local_id(re.sub("-+", "-", label)), commit, True


def _settle(
    cache: RepoCache, commit: str, folder: Path, staged: Mapping[str, _Staged], refs: Iterable[str]
) -> None:
    """Give the contents their names in the cache, then make the snapshot."""
    cache.blobs.mkdir(parents=True, exist_ok=True)
    for name, file in staged.items():
        (folder / name).replace(cache.blobs / file.oid)
    place(cache, commit, [Wanted(name, file.size, file.oid) for name, file in staged.items()])
    for ref in refs:
        write_ref(cache, ref, commit)
