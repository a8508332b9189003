"""The commands. Text for people and programs on stdout, everything else on stderr.

Exit codes: 0 done; 1 something unexpected; 2 wrong usage or setting; 3 what was given cannot be read: a
picture, or a model to import; 4 a model failed or is not here; 5 a folder or disk; 6 the desktop refused;
7 the running instance could not be reached; 8 busy: too much is waiting, or a model is being downloaded;
9 a download failed; 130 cancelled.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from core import __version__
from core.doctor import (
    Check,
    check_devices,
    check_engine,
    check_folders,
    check_machine,
    check_model_files,
    check_weights,
)
from core.engine import Engine
from core.engines import BUILT_IN, title_of
from core.errors import (
    FileUnreadable,
    NoPictures,
    NotRunning,
    PicturesDeeper,
    StorageError,
    UsageError,
    YomitoriError,
)
from core.images import MAX_BYTES, SUFFIXES, load_image
from core.instance import Instance
from core.models.entries import Progress
from core.models.imported import is_local, not_here
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import SettingInfo, Settings, SettingsStore, iter_settings, parse_value, with_value
from core.types import OcrResult, RgbImage
from service import ask_cli, models_cli, serve_cli
from service.engines import AnyEngine, add_standalone, open_engine
from service.names import model_name
from service.progress import TransferBar

STDIN_NAME = "standard input"
_PICTURES = "picture, folder of pictures (without the folders inside it), or - for stdin"
_SHORT_TITLE = 3
"""Words: a title of so few does not tell what the setting does."""
_MAX_FOLDERS = 1000
_NAMED_FOLDERS = 3


@dataclass(frozen=True)
class FrontEnd:
    """What only the desktop can do; given by ``main.py``, the one place that knows both sides."""

    start_tray: Callable[[dict[str, Any], str], int]
    """Takes setting flags and the command that comes first (``capture``, ``panel`` or none); returns the
    exit code."""
    check_desktop: Callable[[SettingsStore], Iterable[Check]]


def main(argv: Sequence[str], front_end: FrontEnd) -> int:
    """Run one command and return its exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    _log_to_stderr(arguments.verbose)
    # Japanese has to come out whatever the locale of a terminal or a redirected output is.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        flags = _setting_flags(arguments)
        if arguments.command is None:
            return front_end.start_tray(flags, "")
        command: Callable[..., int] = _COMMANDS[arguments.command]
        return command(arguments, flags, front_end)
    except YomitoriError as error:
        _complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("Cancelled.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough.
        sys.stderr.close()
        return 0
    except OSError as error:
        failed = StorageError(path="standard output", reason=error.strerror or str(error))
        _complain(failed)
        # What is still buffered would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failed.exit_code


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line; the usage would push it out of sight."""

    def error(self, message: str) -> NoReturn:
        self.exit(
            UsageError.exit_code, f"yomitori: {message}\n  '{self.prog} --help' tells what can be given.\n"
        )


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="yomitori",
        usage="yomitori [SETTINGS] [COMMAND ...]",
        description="Snip Japanese text from the screen. Without a command: start in the tray.",
        epilog="Exit codes: " + (__doc__ or "").split("Exit codes: ")[1].replace("\n", " ").strip(),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"yomitori {__version__}")
    parser.add_argument("--verbose", action="store_true", help="log to stderr")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", prog="yomitori")

    ocr = commands.add_parser(
        "ocr",
        help="read pictures and print their text",
        usage="yomitori ocr [SETTINGS] [--json] [--annotate OUT.png] FILE [FILE ...]",
        allow_abbrev=False,
    )
    ocr.add_argument("files", nargs="+", metavar="FILE", help=_PICTURES)
    ocr.add_argument("--json", action="store_true", help="one JSON object per picture and row")
    ocr.add_argument("--annotate", metavar="OUT.png", type=Path, help="draw what was read; one picture only")
    ocr.add_argument(
        "--engine",
        dest="reading.engine",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="short for --reading-engine",
    )
    add_standalone(ocr)
    _add_setting_flags(ocr, ("reading", "models"))

    for name, help_text in (
        ("capture", "snip now, in the running Yomitori or in a new one"),
        ("panel", "open the side panel, in the running Yomitori or in a new one"),
        ("show", "open the history of the running Yomitori"),
        ("unload", "have the running Yomitori free the memory of its models"),
        ("quit", "end the running Yomitori"),
    ):
        commands.add_parser(name, help=help_text, allow_abbrev=False)
    doctor = commands.add_parser(
        "doctor",
        usage="yomitori doctor [SETTINGS] [--json]",
        help="say what works on this machine",
        description="Say what works on this machine, and what to do about the rest. "
        "The exit code tells only whether pictures can be read: 0 or 4, whatever else does not work.",
        allow_abbrev=False,
    )
    doctor.add_argument("--json", action="store_true", help="one JSON object per check and row")
    _add_setting_flags(doctor, ("reading", "models", "vision"))
    for command in (ocr, doctor):
        _add_verbose(command)
    models_cli.add_parser(commands, _add_models_flags)
    ask_cli.add_parser(commands, _add_asking_flags)
    serve_cli.add_parser(commands, _add_serving_flags)
    _add_setting_flags(parser, None)
    return parser


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    """``--verbose`` after the command means the same as before it."""
    parser.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _add_asking_flags(parser: argparse.ArgumentParser) -> None:
    _add_verbose(parser)
    _add_setting_flags(parser, ("vision", "reading", "models"))


def _add_serving_flags(parser: argparse.ArgumentParser) -> None:
    _add_verbose(parser)
    _add_setting_flags(parser, ("service", "reading", "models", "vision"))


def _add_models_flags(parser: argparse.ArgumentParser) -> None:
    _add_verbose(parser)
    _add_setting_flags(parser, ("models",))


def _add_setting_flags(parser: argparse.ArgumentParser, groups: tuple[str, ...] | None) -> None:
    section = parser.add_argument_group("settings, for this run only")
    for info in iter_settings():
        if groups is None or info.group in groups:
            section.add_argument(
                info.flag,
                dest=info.key,
                metavar=_metavar(info),
                type=model_name if info.kind == "model" else str,
                default=argparse.SUPPRESS,
                help=_help(info).replace("%", "%%"),
            )


def _metavar(info: SettingInfo) -> str:
    """What is to be given, with its unit."""
    if info.kind == "choice":
        return "{" + ",".join(info.labels) + "}"
    if info.unit:
        return {"s": "SECONDS", "px": "PIXELS"}.get(info.unit, info.unit.upper())
    words = {"bool": "{true,false}", "int": "N", "float": "X", "hotkey": "KEY"}
    return words.get(info.kind, info.kind.upper())


def _help(info: SettingInfo) -> str:
    """The title, with the first sentence of the description where the title is too short to tell."""
    text = info.title
    if len(info.title.split()) <= _SHORT_TITLE:
        text += ". " + re.split(r"(?<=\.)\s", info.description)[0].removesuffix(".")
    default = str(info.default).lower() if info.kind == "bool" else str(info.default)
    return f"{text} (default: {f'{default} {info.unit}'.strip() or 'empty'})"


def _setting_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings named on the command line, checked.

    Raises:
        SettingsError: a value that is not allowed; on the command line that is no warning but an error.
    """
    flags: dict[str, Any] = {}
    for info in iter_settings():
        text = getattr(arguments, info.key, None)
        if text is not None:
            flags[info.key] = parse_value(info, text)
            with_value(Settings(), info.key, flags[info.key])
    return flags


def _complain(error: YomitoriError) -> None:
    print(f"yomitori: {error.message}", file=sys.stderr)
    if error.advice:
        print(f"  {error.advice}", file=sys.stderr)


def _open_settings(paths: Paths, flags: dict[str, Any]) -> SettingsStore:
    store = SettingsStore(paths.settings_file, flags=flags)
    for warning in store.warnings:
        print(f"yomitori: {warning}", file=sys.stderr)
    return store


# ---- ocr


def _ocr(arguments: argparse.Namespace, flags: dict[str, Any], _front_end: FrontEnd) -> int:
    paths = Paths.for_user()
    store = _open_settings(paths, flags)
    sources = list(_find_pictures(arguments.files))
    if arguments.annotate:
        _check_annotate(arguments.annotate, len(sources))
    worst = 0
    told = ""
    library = ModelLibrary(store, paths, paths.log)
    engine = open_engine(store, paths, library, arguments.standalone)
    try:
        _tell_what_reads(store, library, engine, flags)
        for index, (source, outcome) in enumerate(_read_all(engine, sources)):
            told = _tell_fallback(engine, told)
            if isinstance(outcome, YomitoriError):
                _complain(outcome)
                worst = worst or outcome.exit_code
                continue
            image, result = outcome
            if arguments.json:
                _print_json(source, result, store.current)
            else:
                print(("" if index == 0 else "\n") + result.text, flush=True)
            _tell_result(source, result)
            if arguments.annotate:
                from service.annotate import annotate

                annotate(image, result, arguments.annotate)
    finally:
        engine.close()
        library.close()
    return worst


def _tell_what_reads(
    store: SettingsStore, library: ModelLibrary, engine: AnyEngine, flags: dict[str, Any]
) -> None:
    """Say where another model, engine or device than the one that was asked for is used from the start."""
    reads = engine.reading_engine()
    model, device = store.current.models.ocr_model, flags.get("models.device", "auto")
    if store.current.reading.engine != BUILT_IN and is_local(model):
        found = library.lookup("ocr", model)
        instead = found.title if found is not None else f"The {title_of(BUILT_IN)} engine"
        # Where nothing reads, every picture fails with that sentence.
        if reads and (found is None or found.instead_of):
            print(f"yomitori: {not_here(model).message} {instead} reads instead.", file=sys.stderr)
    if reads == BUILT_IN and device not in ("auto", "cpu"):
        print(
            f"yomitori: The {title_of(BUILT_IN)} engine reads, which runs on the CPU: "
            f"--models-device {device} changes nothing.",
            file=sys.stderr,
        )


def _tell_fallback(engine: AnyEngine, told: str) -> str:
    """Say why the model runs elsewhere than asked, unless ``told`` says it already; what is told now.

    Without its hint, which is about a button of the desktop.
    """
    notice = engine.state().notice
    if notice is None or notice.message == told:
        return told
    print(f"yomitori: {notice.message}", file=sys.stderr)
    return notice.message


def _check_annotate(path: Path, pictures: int) -> None:
    """Say what cannot be before anything is read."""
    if pictures != 1:
        raise UsageError(option="--annotate", reason=f"there are {pictures} pictures, it draws on one")
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(option="--annotate", reason=f"{path.name} does not end in {', '.join(SUFFIXES)}")
    if not path.parent.is_dir():
        raise StorageError(path=path, reason="there is no such folder")


def _find_pictures(names: Sequence[str]) -> Iterator[str]:
    """Each name as given; a folder gives the pictures in it, in order of name.

    Raises:
        FileUnreadable: a folder that may not be read.
        NoPictures: one without a picture; PicturesDeeper when there are some in folders inside it.
    """
    for name in names:
        folder = Path(name)
        try:
            if name == "-" or not folder.is_dir():
                yield name
                continue
            found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
        except OSError as error:
            raise FileUnreadable(name=name, reason=error.strerror or str(error)) from error
        if not found:
            deeper = _folders_with_pictures(folder)
            if deeper:
                raise PicturesDeeper(name=name, folders=", ".join(deeper))
            raise NoPictures(name=name, suffixes=" ".join(SUFFIXES))
        yield from map(str, found)


def _folders_with_pictures(top: Path) -> list[str]:
    """A few of the folders below ``top`` that hold pictures."""
    found: list[str] = []
    # Somebody's whole disk is not worth the wait.
    for folder, _, names in islice(os.walk(top), _MAX_FOLDERS):
        if any(Path(name).suffix.lower() in SUFFIXES for name in names):
            found.append(folder)
        if len(found) == _NAMED_FOLDERS:
            break
    return found


def _read_all(
    engine: AnyEngine, sources: Sequence[str]
) -> Iterator[tuple[str, tuple[RgbImage, OcrResult] | YomitoriError]]:
    """Read one after another; a progress bar on stderr when there are several, and for a conversion."""
    from tqdm import tqdm

    with (
        tqdm(
            total=len(sources), unit="picture", file=sys.stderr, disable=len(sources) < 2, leave=False
        ) as bar,
        TransferBar() as conversion,
    ):

        def on_piece(piece: dict[str, Any]) -> None:
            if "conversion" in piece:
                conversion.show(Progress.from_json(piece["conversion"]))

        for source in sources:
            try:
                image = _load(source)
                outcome: tuple[RgbImage, OcrResult] | YomitoriError = (
                    image,
                    engine.recognize(image, on_piece).result(),
                )
            except YomitoriError as error:
                outcome = error
            conversion.close()
            bar.clear()
            yield source, outcome
            bar.update()


def _load(source: str) -> RgbImage:
    if source == "-":
        return load_image(sys.stdin.buffer.read(MAX_BYTES + 1), STDIN_NAME)
    return load_image(Path(source), source)


def _print_json(source: str, result: OcrResult, settings: Settings) -> None:
    """One row, with what was asked for beside what was used."""
    models = settings.models
    asked = {
        "engine": settings.reading.engine,
        "model": models.ocr_model,
        "device": models.device,
        "precision": models.precision,
    }
    row = {"file": source, **result.to_json(), "asked": asked}
    print(json.dumps(row, ensure_ascii=False), flush=True)


def _tell_result(source: str, result: OcrResult) -> None:
    if result.notice is not None:
        print(
            f"yomitori: {result.notice.message} Read by the {title_of(result.engine)} engine.",
            file=sys.stderr,
        )
    if not result.text.strip():
        print(f"yomitori: no text was found in {source}", file=sys.stderr)


# ---- the running instance


def _call(arguments: argparse.Namespace, flags: dict[str, Any], front_end: FrontEnd) -> int:
    command = arguments.command
    try:
        Instance(Paths.for_user().runtime).call(command)
    except NotRunning:
        if command in ("capture", "panel"):
            return front_end.start_tray(flags, command)
        raise
    return 0


# ---- doctor


def _doctor(arguments: argparse.Namespace, flags: dict[str, Any], front_end: FrontEnd) -> int:
    """Prints every check, and each advice once; 0 when reading works, whatever else does not."""
    paths = Paths.for_user()
    store = _open_settings(paths, flags)
    library = ModelLibrary(store, paths, paths.log)
    engine = Engine(store, paths.log, library=library)
    try:
        reading = check_engine(engine)
        weights = [*check_weights(store, library), *check_devices(store, engine.memory)]
    finally:
        engine.close()
        library.close()
    checks = [
        *check_machine(),
        reading,
        *check_model_files(),
        *weights,
        *check_folders(paths),
        *front_end.check_desktop(store),
    ]
    for check in checks:
        if arguments.json:
            row = {"name": check.name, "ok": check.ok, "detail": check.detail, "fix": check.fix}
            print(json.dumps(row, ensure_ascii=False))
        else:
            mark = {True: "ok", False: "NO", None: "--"}[check.ok]
            print(f"{mark}  {check.name}: {check.detail}")
    if not arguments.json:
        _print_advice(checks)
    return 0 if reading.ok else 4


def _print_advice(checks: Sequence[Check]) -> None:
    """What to do, each once with all that it is for."""
    failed: dict[str, list[str]] = {}
    for check in checks:
        if check.ok is False and check.fix:
            failed.setdefault(check.fix, []).append(check.name)
    if failed:
        print("\nWhat to do:")
    for fix, names in failed.items():
        print(f"  {', '.join(names)}: {fix}")


# ---- ask


def _ask(arguments: argparse.Namespace, flags: dict[str, Any], _front_end: FrontEnd) -> int:
    paths = Paths.for_user()
    return ask_cli.run(arguments, _open_settings(paths, flags), paths, _load)


# ---- serve


def _serve(arguments: argparse.Namespace, flags: dict[str, Any], _front_end: FrontEnd) -> int:
    return serve_cli.run(arguments, lambda paths: _open_settings(paths, flags))


# ---- models


def _models(arguments: argparse.Namespace, flags: dict[str, Any], _front_end: FrontEnd) -> int:
    paths = Paths.for_user()
    return models_cli.run(arguments, _open_settings(paths, flags), paths)


def _log_to_stderr(verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
    )


_COMMANDS: dict[str, Callable[..., int]] = {
    "ocr": _ocr,
    "capture": _call,
    "panel": _call,
    "show": _call,
    "unload": _call,
    "quit": _call,
    "doctor": _doctor,
    "models": _models,
    "ask": _ask,
    "serve": _serve,
}
