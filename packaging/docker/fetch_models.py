#!/usr/bin/env python3
"""Download the models that are not in the volume yet, each as ``yomitori models download`` does.

Of those that are there no hub is asked, so that a container starts again without a network. Which ones: the
arguments, else ``YOMITORI_DOWNLOAD`` (names or hub ids between spaces), else those that the settings choose.
``YOMITORI_ACCEPT_LICENSE=true`` accepts licences that are not open.
"""

import os
import signal
import sys

from core.errors import YomitoriError
from core.models.catalogue import default_model
from core.models.imported import is_local
from core.models.library import ModelLibrary
from core.paths import Paths
from core.settings import Settings, SettingsStore
from main import main as run_command

CANCELLED = 130


def chosen(library: ModelLibrary, settings: Settings) -> list[str]:
    """What the settings read and answer with, as far as a hub has it."""
    named = [("ocr", settings.models.ocr_model)] if settings.reading.engine != "ppocr" else []
    if settings.vision.backend == "local":
        first = default_model("vision", library.catalogue)
        automatic = settings.vision.model == "auto" and first is not None
        named.append(("vision", first.name if automatic and first else settings.vision.model))
    return [name for role, name in named if not is_local(name) and library.own_folder(role, name) is None]


def is_here(library: ModelLibrary, name: str) -> bool:
    try:
        return library.model(name).state == "ready"
    except YomitoriError:
        # The download says what is wrong with the name.
        return False


def main() -> int:
    # How a container is ended: the download is paused as by Ctrl+C, and goes on with the next start.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    paths = Paths.for_user()
    settings = SettingsStore(paths.settings_file)
    for warning in settings.warnings:
        sys.stderr.write(f"yomitori: {warning}\n")
    library = ModelLibrary(settings, paths, paths.log)
    try:
        names = sys.argv[1:] or os.environ.get("YOMITORI_DOWNLOAD", "").split()
        names = names or chosen(library, settings.current)
        missing = [name for name in names if not is_here(library, name)]
    finally:
        library.close()
    here = ", ".join(name for name in names if name not in missing)
    sys.stdout.write(f"Models that are here: {here or 'none'}\n")
    accepted = os.environ.get("YOMITORI_ACCEPT_LICENSE", "").lower() in ("1", "true", "yes")
    worst = 0
    for name in missing:
        sys.stdout.write(f"Downloading {name} ...\n")
        sys.stdout.flush()
        sys.argv = ["yomitori", "models", "download", name, *(["--accept-license"] if accepted else [])]
        code = run_command()
        if code == CANCELLED:
            return code
        worst = worst or code
    return worst


if __name__ == "__main__":
    sys.exit(main())
