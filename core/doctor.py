"""What works on this machine, one line each, with what to do about what does not."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from core import __version__
from core.devices import list_devices
from core.engine import Engine
from core.engines import title_of
from core.errors import YomitoriError
from core.memory import MemoryJudge, format_bytes
from core.models.imported import is_local, not_here
from core.models.library import ModelLibrary
from core.ocr.ppocr import DETECTION, RECOGNITION, model_folder
from core.paths import Paths, ensure_private_folder
from core.settings import SettingsStore, find_setting, value_of
from core.types import RgbImage


@dataclass(frozen=True, slots=True)
class Check:
    """``ok`` is None where it is a fact, not a test. ``fix`` says what to do when it is False."""

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


def check_machine() -> Iterator[Check]:
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    yield Check("Yomitori", None, f"{__version__} on {system}")
    for device in list_devices():
        sizes = f"{format_bytes(device.free)} of {format_bytes(device.total)} free"
        yield Check(f"Device {device.name}", None, f"{device.title}, {sizes}")


def check_folders(paths: Paths) -> Iterator[Check]:
    folders: dict[str, Path] = {
        "Settings": paths.config,
        "History": paths.data,
        "Cache": paths.cache,
        "Log": paths.log,
        "Socket": paths.runtime,
    }
    for name, folder in folders.items():
        try:
            ensure_private_folder(folder)
        except YomitoriError as error:
            yield Check(f"Folder {name.lower()}", False, error.message, error.advice)
        else:
            yield Check(f"Folder {name.lower()}", True, str(folder))


def check_model_files() -> Iterator[Check]:
    """The files of the built-in engine."""
    try:
        folder = model_folder()
        for name in (DETECTION, RECOGNITION):
            size = format_bytes((folder / name).stat().st_size)
            yield Check(f"Model {name}", True, f"{size} in {folder}")
    except (YomitoriError, OSError) as error:
        fix = "Install the locked packages again: make setup, or pip install rapidocr."
        yield Check("Model files", False, str(error), fix)


def check_weights(settings: SettingsStore, library: ModelLibrary) -> Iterator[Check]:
    """The folder for models, the model that the settings name, and the library that runs it."""
    try:
        yield Check("Folder models", True, str(library.ensure_root("ocr")))
    except YomitoriError as error:
        yield Check("Folder models", False, error.message, error.advice)
    version = _torch_version()
    installed = f"{version}{_build(version)}" if version else "not installed; the built-in engine needs none"
    yield Check("PyTorch", None, installed)
    model = settings.current.models.ocr_model
    try:
        found = library.lookup("ocr", model)
    except YomitoriError as error:
        yield Check(f"Model {model}", False, error.message, error.advice)
        return
    if is_local(model) and (found is None or found.instead_of):
        gone = not_here(model)
        instead = f" {found.title} takes its place." if found is not None else ""
        yield Check(f"Model {model}", False, gone.message + instead, gone.advice)
    elif found is None:
        yield Check(f"Model {model}", None, "not downloaded; the built-in engine reads")
    else:
        yield Check(f"Model {model}", True, str(found.folder))


def check_devices(settings: SettingsStore, memory: MemoryJudge) -> Iterator[Check]:
    """The devices that the settings name: whether they are there, and whether PyTorch can use them."""
    listed = {device.name for device in memory.devices()}
    for key in ("models.device", "vision.device"):
        asked = value_of(settings.current, key)
        if asked in ("auto", "cpu") or (
            key == "vision.device" and settings.current.vision.backend == "remote"
        ):
            continue
        device = "cuda:0" if asked == "cuda" else str(asked)
        if memory.is_absent(device):
            why = "it is not on this computer"
        elif device.startswith("cuda") and _torch_version().partition("+")[2] == "cpu":
            why = "PyTorch here was installed without CUDA"
        else:
            state = "is there" if device in listed else "is not listed by its driver; loading a model tells"
            yield Check(f"Chosen {key}", True if device in listed else None, f"{device} {state}")
            continue
        fix = f"Choose another device in Settings, or with {find_setting(key).flag} auto."
        yield Check(f"Chosen {key}", False, f"{device} cannot be used: {why}; the CPU is used", fix)


def _torch_version() -> str:
    """Empty when PyTorch is not installed."""
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""


def _build(version: str) -> str:
    """What a build of PyTorch is for, where its version says so (``2.13.0+cpu``)."""
    local = version.partition("+")[2]
    if local == "cpu":
        return ", for the CPU only"
    return f", for NVIDIA cards ({local})" if local.startswith("cu") else ""


def check_engine(engine: Engine) -> Check:
    """Load the engine in its process and read an empty picture."""
    blank = RgbImage(64, 64, b"\xff" * (64 * 64 * 3))
    try:
        result = engine.recognize(blank).result(120)
    except YomitoriError as error:
        return Check("Reading engine", False, error.message, error.advice)
    except TimeoutError:
        return Check("Reading engine", False, "it did not answer in 2 minutes", "Try again.")
    memory = format_bytes(engine.state("ocr").memory)
    return Check(
        "Reading engine", True, f"{title_of(result.engine)} on {result.device}, {memory} while loaded"
    )
