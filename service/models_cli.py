"""``yomitori models``: what is on this computer, and how it gets here, is checked, updated and removed.

Results go to stdout, sizes, progress and advice to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from core.errors import AlreadyDownloading, LicenceNotAccepted, ModelError, ModelMissing, UsageError
from core.jobs import Job
from core.models.entries import Downloaded, DownloadPlan, FileCheck, ModelEntry
from core.models.library import ModelLibrary
from core.models.places import ensure_models_root
from core.models.steps import free_disk
from core.models.stock import OwnFolder
from core.paths import Paths
from core.settings import SettingsStore, find_setting
from service.models_text import (
    describe_folder,
    describe_model,
    describe_pause,
    describe_plan,
    folder_json,
    is_selected,
    model_json,
    short,
    size_text,
)
from service.names import model_name
from service.progress import Stopped, TransferBar, wait_for

_ROLE = "ocr"
_CANCELLED = 130


def add_parser(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    add_flags: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Register ``models`` and its actions; ``add_flags`` adds what every command takes."""
    models = commands.add_parser(
        "models",
        help="download, check, update and remove models",
        description="Models on this computer. A MODEL is a name of the list or a hub id (owner/name).",
        allow_abbrev=False,
    )
    actions = models.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, help_text: str, model: str | None = None) -> argparse.ArgumentParser:
        parser = actions.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        if model is not None:
            # Where none need be named, it may be the user's own folder.
            which = "name, hub id or folder" if model else "name or hub id"
            parser.add_argument("model", metavar="MODEL", nargs=model or None, type=model_name, help=which)
        add_flags(parser)
        return parser

    listing = add("list", "show every model: what it is for, its state, size and licence")
    download = add("download", "download a model, or go on with a download that was stopped", "")
    verify = add("verify", "check every file of a model against the hub's hashes", "*")
    update = add("update", "fetch the newest revision of a model and switch to it", "")
    add("rollback", "switch back to the revision that was in use before", "")
    remove = add("remove", "delete a model, or one revision of it", "")
    importing = add("import", "take in a model from a folder or a zip file, without any network")
    add("path", "print the folder of a model that is loaded", "?")
    clean = add("clean", "delete what unfinished downloads have left")
    accept = "accept the model's licence, where it is not an open-source one"
    which = "its name or hub id, where the folder does not tell"

    for parser in (listing, verify):
        parser.add_argument("--json", action="store_true", help="one JSON object per row")
    for parser in (download, update):
        parser.add_argument("--accept-license", "--accept-licence", action="store_true", help=accept)
    download.add_argument(
        "--revision", metavar="NAME", help="a branch, reference or commit of the repository"
    )
    update.add_argument("--check", action="store_true", help="only tell whether there is a newer revision")
    remove.add_argument("--revision", metavar="COMMIT", help="only this one; its first digits are enough")
    importing.add_argument("source", metavar="PATH", type=Path, help="folder or zip file")
    importing.add_argument("model", metavar="MODEL", nargs="?", default="", help=which)
    clean.add_argument("--old", action="store_true", help="also revisions that are not in use")


def run(arguments: argparse.Namespace, settings: SettingsStore, paths: Paths) -> int:
    """Do one action and return the exit code.

    Raises:
        YomitoriError: it could not be done.
        KeyboardInterrupt: Ctrl+C, in everything but a download, which says that it was paused.
    """
    library = ModelLibrary(settings, paths, paths.log)
    try:
        action: Callable[[ModelLibrary, argparse.Namespace, SettingsStore], int] = _ACTIONS[arguments.action]
        return action(library, arguments, settings)
    except Stopped:
        raise KeyboardInterrupt from None
    finally:
        library.close()


def _out(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _print_json(row: object) -> None:
    _out(json.dumps(row, ensure_ascii=False))


# ---- what there is


def _tell_how_to_choose(entry: ModelEntry, settings: SettingsStore) -> None:
    """A model that nothing reads with would be a riddle."""
    if entry.role == _ROLE and not is_selected(entry, settings.current):
        flag = find_setting("models.ocr_model").flag
        _tell(f"To read with it, choose it in Settings, or give {flag} {entry.name}")


def _list(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    entries = library.all_models(_ROLE)
    for index, entry in enumerate(entries):
        if arguments.json:
            _print_json(model_json(entry, settings.current))
        else:
            _out(("\n" if index else "") + describe_model(entry, settings.current))
    own = library.own_folder(_ROLE, settings.current.models.ocr_model)
    if own is not None and arguments.json:
        _print_json(folder_json(own, settings.current))
    elif own is not None:
        _out("\n" + describe_folder(own, settings.current))
    if not arguments.json:
        _tell(f"\nModels lie in {library.root(_ROLE)}")
    return 0


def _path(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    name = arguments.model or settings.current.models.ocr_model
    checkpoint = library.lookup(_ROLE, name)
    if checkpoint is None:
        raise ModelMissing(model=name)
    if checkpoint.needs_conversion:
        _tell("Its weights are a .bin file: a copy in safetensors is made before it is loaded.")
    _out(str(checkpoint.folder))
    return 0


# ---- from the hub


def _download(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    name = arguments.model + (f"@{arguments.revision}" if arguments.revision else "")
    entry = library.model(name)
    # Said before the hub is asked: without a folder there is no download.
    ensure_models_root(library.root(entry.role))
    plan = wait_for(library.plan_download(name))
    _tell(describe_plan(entry, plan, library.root(entry.role)))
    _refuse_unaccepted(entry, plan, arguments.accept_license)
    code = _transfer(library.download, entry, name, arguments.accept_license)
    if code == 0:
        _tell_how_to_choose(entry, settings)
    return code


def _refuse_unaccepted(entry: ModelEntry, plan: DownloadPlan, accepted: bool) -> None:
    """Raises LicenceNotAccepted before anything is begun."""
    if not (plan.licence_open or plan.licence_accepted or accepted):
        if entry.known:
            _tell(f"  to read  {entry.known.licence_url}")
        raise LicenceNotAccepted(model=entry.title, licence=plan.licence)


def _transfer(
    start: Callable[..., Job[Downloaded]], entry: ModelEntry, name: str, accept_licence: bool
) -> int:
    with TransferBar() as bar:
        try:
            done = wait_for(start(name, accept_licence, bar.show), bar)
        except Stopped as stopped:
            bar.close()
            _tell(describe_pause(stopped.progress))
            return _CANCELLED
    received = f"{size_text(done.received_bytes)} received" if done.received_bytes else "it was here already"
    converted = ", converted to safetensors" if done.converted else ""
    _out(f"{entry.title} is ready: revision {short(done.commit)}, {received}{converted}.")
    return 0


def _update(library: ModelLibrary, arguments: argparse.Namespace, _settings: SettingsStore) -> int:
    name = arguments.model
    entry = library.model(name)
    # Said before the hub is asked: a network that is not there must not hide it.
    if entry.in_use is None:
        raise ModelMissing(model=entry.name)
    update = wait_for(library.check_update(name))
    if not update.current:
        raise ModelMissing(model=entry.name)
    if not update.changed:
        _out(f"{entry.title} is up to date: revision {short(update.current)}.")
        return 0
    _out(
        f"{entry.title}: revision {short(update.latest)} is the newest, "
        f"revision {short(update.current)} is in use."
    )
    root = library.root(entry.role)
    _tell(f"  {size_text(update.size)} to download into {root}, {size_text(free_disk(root))} free")
    if arguments.check:
        _tell(f"  with: yomitori models update {name}")
        return 0
    return _transfer(library.update, entry, name, arguments.accept_license)


# ---- what is here


def _verify(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    """0 when every file is as it should be, else 4."""
    ready = [entry.name for entry in library.all_models(_ROLE) if entry.state == "ready"]
    chosen = library.own_folder(_ROLE, settings.current.models.ocr_model)
    names = list(arguments.model) or ready + ([str(chosen.folder)] if chosen else [])
    if not names:
        _tell("No model is on this computer yet.")
    worst = 0
    for name in names:
        own = library.own_folder(_ROLE, name)
        if own is not None:
            checks = [_check_folder(own)]
        else:
            with TransferBar() as bar:
                checks = wait_for(library.verify(name, bar.show), bar)
        for check in checks:
            if arguments.json:
                _print_json({"model": name, "file": check.name, "ok": check.ok, "detail": check.detail})
            else:
                _out(_check_text(name, check))
        if not all(check.ok for check in checks):
            worst = ModelError.exit_code
            if own is None:
                _tell(f"{name} is damaged. Mend it with: yomitori models download {name}")
    return worst


def _check_folder(own: OwnFolder) -> FileCheck:
    """No hub has told the sums of its files: what can be checked is whether they are there and whole."""
    return FileCheck("folder", not own.problem, own.problem or "its files are complete, their sums not known")


def _check_text(name: str, check: FileCheck) -> str:
    detail = f": {check.detail}" if check.detail else ""
    return f"{'ok' if check.ok else 'NO'}  {name}  {check.name}{detail}"


def _rollback(library: ModelLibrary, arguments: argparse.Namespace, _settings: SettingsStore) -> int:
    entry = library.model(arguments.model)
    try:
        commit = library.roll_back(arguments.model)
    except ModelMissing as error:
        # Its hint is to download it, which does not lead backwards.
        _tell(f"yomitori: {error.message}")
        return error.exit_code
    _out(f"{entry.title}: revision {short(commit)} is in use again.")
    return 0


def _remove(library: ModelLibrary, arguments: argparse.Namespace, _settings: SettingsStore) -> int:
    entry = library.model(arguments.model)
    commit = _find_revision(entry, arguments.revision) if arguments.revision else None
    if commit is None and entry.state == "missing" and not entry.revisions:
        raise ModelMissing(model=entry.name)
    freed = wait_for(library.remove(arguments.model, commit))
    what = f"Revision {short(commit)} of {entry.title}" if commit else entry.title
    _out(f"{what} was removed, {size_text(freed)} are free again.")
    return 0


def _find_revision(entry: ModelEntry, digits: str) -> str:
    """The one commit here that begins with these digits."""
    commits = [revision.commit for revision in entry.revisions]
    found = [commit for commit in commits if commit.startswith(digits.lower())]
    if len(found) != 1:
        here = ", ".join(map(short, commits)) or "none"
        raise UsageError(option="--revision", reason=f"of {entry.name}, these are here: {here}")
    return found[0]


def _import(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    with TransferBar() as bar:
        done = wait_for(library.import_from(arguments.source.absolute(), arguments.model, bar.show), bar)
    entry = library.model(done.repo)
    converted = ", converted to safetensors" if done.converted else ""
    _out(f"{entry.title} is ready: revision {short(done.commit)}, {size_text(done.total_bytes)}{converted}.")
    _tell_how_to_choose(entry, settings)
    return 0


def _clean(library: ModelLibrary, arguments: argparse.Namespace, _settings: SettingsStore) -> int:
    freed = 0
    for repo in library.partials(_ROLE):
        try:
            freed += library.discard_partial(repo)
        except AlreadyDownloading as error:
            _tell(error.message)
    if arguments.old:
        for entry in library.models():
            old = [revision for revision in entry.revisions if entry.in_use and not revision.in_use]
            freed += sum(wait_for(library.remove(entry.repo, revision.commit)) for revision in old)
    _out(f"{size_text(freed)} are free again." if freed else "There is nothing to clean up.")
    return 0


_ACTIONS: dict[str, Callable[[ModelLibrary, argparse.Namespace, SettingsStore], int]] = {
    "list": _list,
    "download": _download,
    "verify": _verify,
    "update": _update,
    "rollback": _rollback,
    "remove": _remove,
    "import": _import,
    "path": _path,
    "clean": _clean,
}
