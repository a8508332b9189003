"""``yomitori models``: what is on this computer, and how it gets here, is checked, updated and removed.

Results go to stdout, sizes, progress and advice to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from core.engines import BUILT_IN, title_of
from core.errors import (
    AlreadyDownloading,
    HubAddressWrong,
    HubOffline,
    HubUnreachable,
    LicenceNotAccepted,
    ModelError,
    NothingToRemove,
    UsageError,
    YomitoriError,
)
from core.jobs import Job
from core.models.entries import Downloaded, DownloadPlan, FileCheck, ModelEntry
from core.models.imported import is_local, not_here, refuse_local
from core.models.layout import is_vision
from core.models.library import ModelLibrary
from core.models.renamed import conversion_of
from core.models.steps import free_disk
from core.models.stock import OwnFolder
from core.paths import Paths
from core.settings import Settings, SettingsStore, find_setting
from service.models_choice import AUTO, automatic_model, find_chosen
from service.models_text import (
    Choice,
    describe_folder,
    describe_model,
    describe_pause,
    describe_plan,
    folder_json,
    model_json,
    short,
    size_text,
)
from service.names import model_name
from service.progress import Stopped, TransferBar, wait_for

_ROLE = "ocr"
_ASKING = "vision"
_CANCELLED = 130


def add_parser(
    commands: argparse._SubParsersAction[Any],
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

    def add(name: str, help_text: str, model: str | None = None, kinds: str = "") -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = actions.add_parser(
            name, help=help_text, description=help_text, allow_abbrev=False
        )
        if model is not None:
            which = kinds or "name or hub id"
            parser.add_argument("model", metavar="MODEL", nargs=model or None, type=model_name, help=which)
        add_flags(parser)
        return parser

    listing = add("list", "show every model: what it is for, its state, size and licence")
    download = add("download", "download a model, or go on with a download that was stopped", "")
    folder_too = "name, hub id or folder"
    verify = add(
        "verify", "check every file of a model, or of all, against the hub's hashes", "*", folder_too
    )
    update = add("update", "fetch the newest revision of a model, or of all, and switch to it", "*")
    add("rollback", "switch back to the revision that was in use before", "")
    remove = add("remove", "delete a model, or one revision of it", "")
    importing = add("import", "take in a model from a folder or a zip file, without any network")
    add("path", "print the folder that a model is loaded from, by default the chosen one", "?", folder_too)
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
    clean.add_argument("--old", action="store_true", help="also revisions that are not current")


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


def _tell_how_to_choose(library: ModelLibrary, entry: ModelEntry, settings: SettingsStore) -> None:
    """A model that nothing reads or answers with would be a riddle."""
    current = settings.current
    if Choice(current, (), automatic_model(library, current)).chooses(entry):
        return
    if entry.role == _ROLE:
        flag = find_setting("models.ocr_model").flag
        _tell(f"To read with it, choose it in Settings, or give {flag} {entry.name}")
    else:
        flag = find_setting("vision.model").flag
        _tell(f"To ask it, choose it in Settings, or give {flag} {entry.name}")


def _list(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    choice = _choice(library, settings.current)
    for index, entry in enumerate(_listed(library, settings.current)):
        if arguments.json:
            _print_json(model_json(entry, choice))
        else:
            _out(("\n" if index else "") + describe_model(entry, choice))
    for own in _own_folders(library, settings.current):
        if arguments.json:
            _print_json(folder_json(own, settings.current))
        else:
            _out("\n" + describe_folder(own, settings.current))
    if not arguments.json:
        _tell(f"\nModels lie in {library.root(_ROLE)}")
    return 0


def _listed(library: ModelLibrary, settings: Settings) -> list[ModelEntry]:
    """Every model that is here or in the catalogue, and the chosen one wherever it is."""
    entries = library.all_models(_ROLE)
    named = [settings.models.ocr_model]
    if settings.vision.model != AUTO:
        named.append(settings.vision.model)
    for name in named:
        # It may be a folder, which has a row of its own, or nothing at all.
        with suppress(YomitoriError):
            chosen = library.model(name)
            if chosen.repo not in [entry.repo for entry in entries]:
                entries.append(chosen)
    return entries


def _own_folders(library: ModelLibrary, settings: Settings) -> list[OwnFolder]:
    """The folders that the settings choose as models."""
    named = ((_ROLE, settings.models.ocr_model), (_ASKING, settings.vision.model))
    found = [library.own_folder(role, name) for role, name in named]
    return [own for own in found if own is not None]


def _choice(library: ModelLibrary, settings: Settings) -> Choice:
    return find_chosen(library, settings)[0]


def _path(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    name = arguments.model or settings.current.models.ocr_model
    checkpoint = library.lookup(_ROLE, name)
    if checkpoint is None or (checkpoint.instead_of and arguments.model):
        raise not_here(name)
    if checkpoint.instead_of:
        _tell(f"{not_here(name).message} {checkpoint.title} takes its place.")
    if checkpoint.needs_conversion:
        _tell("Its weights are a .bin file: a copy in safetensors is made before it is loaded.")
    _out(str(checkpoint.folder))
    return 0


# ---- from the hub


def _download(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    name = arguments.model + (f"@{arguments.revision}" if arguments.revision else "")
    refuse_local(name)
    renamed = conversion_of(arguments.model)
    entry = library.model(name)
    if renamed is not None:
        _tell(renamed.why)
    # Said before the hub is asked: without a folder there is no download.
    library.ensure_root(entry.role)
    plan = wait_for(library.plan_download(name))
    _tell(describe_plan(entry, plan, library.root(entry.role)))
    _refuse_unaccepted(entry, plan, arguments.accept_license)
    code = _transfer(library.download, entry, name, arguments.accept_license)
    if code == 0:
        _tell_how_to_choose(library, entry, settings)
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
    """Of several models, one that cannot be updated costs only itself; the first such gives the code."""
    if len(arguments.model) == 1:
        return _update_one(library, arguments, arguments.model[0])
    here = [entry for entry in library.all_models(_ROLE) if entry.state == "ready" and not arguments.model]
    for entry in here:
        if not entry.from_hub:
            _tell(f"{entry.name} was imported: there is no hub to ask.")
    names = arguments.model or [entry.name for entry in here if entry.from_hub]
    if not names:
        _tell("No model that came from a hub is on this computer.")
    worst = 0
    for name in names:
        try:
            code = _update_one(library, arguments, name)
        except (HubAddressWrong, HubOffline, HubUnreachable):
            # It would be the same for the others.
            raise
        except YomitoriError as error:
            _tell(f"yomitori: {name}: {error.message}\n  {error.advice}")
            code = error.exit_code
        if code == _CANCELLED:
            return code
        worst = worst or code
    return worst


def _update_one(library: ModelLibrary, arguments: argparse.Namespace, name: str) -> int:
    refuse_local(name)
    entry = library.model(name)
    # Said before the hub is asked: a network that is not there must not hide it.
    if entry.current is None:
        raise not_here(entry.name)
    update = wait_for(library.check_update(name))
    if not update.current:
        raise not_here(entry.name)
    if not update.changed:
        _out(f"{entry.title} is up to date: revision {short(update.current)}.")
        return 0
    _out(
        f"{entry.title}: revision {short(update.latest)} is the newest, "
        f"revision {short(update.current)} is here."
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
    chosen = _own_folders(library, settings.current)
    names = list(arguments.model) or ready + [str(own.folder) for own in chosen]
    roles = {str(own.folder): own.role for own in chosen}
    if not names:
        _tell("No model is on this computer yet.")
    worst = 0
    for name in names:
        meant = _ASKING if is_vision(Path(name)) else _ROLE
        own = library.own_folder(roles.get(name, meant), name)
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
            if own is None and is_local(name):
                _tell(f"{name} is damaged. Mend it by importing it again.")
            elif own is None:
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
    commit = library.roll_back(arguments.model)
    _out(f"{entry.title}: revision {short(commit)} is current again.")
    return 0


def _remove(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    entry = library.model(arguments.model)
    commit = _find_revision(entry, arguments.revision) if arguments.revision else None
    if commit is None and entry.state == "missing" and not entry.revisions:
        raise NothingToRemove(model=entry.name)
    instead_of = _choice(library, settings.current).instead_of(entry)
    freed = wait_for(library.remove(arguments.model, commit))
    what = f"Revision {short(commit)} of {entry.title}" if commit else entry.title
    _out(f"{what} was removed, {size_text(freed)} are free again.")
    chosen = Choice(settings.current).names(entry)
    if library.model(entry.repo).current is None and (chosen or instead_of):
        was = "It was the chosen model." if chosen else f"It took the place of {instead_of}."
        _tell(f"{was} {_what_now(library, entry, settings.current)}")
    return 0


def _what_now(library: ModelLibrary, entry: ModelEntry, settings: Settings) -> str:
    """What becomes of a choice whose model is gone."""
    again = f"download {entry.name} again" if entry.from_hub else f"import {entry.name} again"
    advice = f"To change that, {again}, or choose another model in Settings."
    if entry.role != _ROLE:
        return f"Questions cannot be answered on this computer now. {advice}"
    instead = library.lookup(_ROLE, settings.models.ocr_model)
    if instead is not None:
        return f"{instead.title} takes its place. {advice}"
    if settings.reading.engine in ("auto", BUILT_IN):
        return f"The built-in engine reads now. {advice}"
    return f"{title_of(settings.reading.engine)} was chosen by name, so nothing can be read now. {advice}"


def _find_revision(entry: ModelEntry, digits: str) -> str:
    """The one commit here that begins with these digits."""
    commits = [revision.commit for revision in entry.revisions]
    found = [commit for commit in commits if commit.startswith(digits.lower())]
    if len(found) != 1:
        here = ", ".join(map(short, commits)) or "none"
        raise UsageError(option="--revision", reason=f"of {entry.name}, these are here: {here}")
    return found[0]


def _import(library: ModelLibrary, arguments: argparse.Namespace, settings: SettingsStore) -> int:
    source = arguments.source.absolute()
    role = _ASKING if is_vision(source) else _ROLE
    with TransferBar() as bar:
        done = wait_for(library.import_from(source, arguments.model, bar.show, role), bar)
    entry = library.model(done.repo)
    converted = ", converted to safetensors" if done.converted else ""
    _out(f"{entry.title} is ready: revision {short(done.commit)}, {size_text(done.total_bytes)}{converted}.")
    _tell_how_to_choose(library, entry, settings)
    return 0


def _clean(library: ModelLibrary, arguments: argparse.Namespace, _settings: SettingsStore) -> int:
    freed = 0
    busy: dict[str, AlreadyDownloading] = {}

    def free(repo: str, work: Callable[[], int]) -> int:
        try:
            return work()
        except AlreadyDownloading as error:
            busy[repo] = error
            return 0

    for repo in library.partials(_ROLE):
        freed += free(repo, partial(library.discard_partial, repo))
    if arguments.old:
        for entry in library.models():
            old = [revision for revision in entry.revisions if entry.current and not revision.current]
            for revision in old:
                job = partial(library.remove, entry.repo, revision.commit)
                freed += free(entry.repo, lambda job=job: wait_for(job()))  # type: ignore[misc]
    for error in busy.values():
        _tell(error.message)
    nothing = "There is nothing else to clean up." if busy else "There is nothing to clean up."
    _out(f"{size_text(freed)} are free again." if freed else nothing)
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
