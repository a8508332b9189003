"""What a folder must hold to be read as a MangaOCR checkpoint. Imports no model library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import ModelUnusable
from core.models.layout import name_of

WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
NEEDED = ("config.json", "preprocessor_config.json", "vocab.txt")


def check(folder: Path) -> None:
    """Look at the files before a library does, so that what is missing can be named.

    Raises:
        ModelUnusable: the folder is not there, a file is missing or is no JSON, the weights are not in
            safetensors, or it is a model of another kind.
    """
    if not folder.is_dir():
        raise ModelUnusable(model=name_of(folder), reason=f"there is no folder {folder}")
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelUnusable(model=name_of(folder), reason=f"{', '.join(missing)} is missing in {folder}")
    if not any((folder / name).is_file() for name in WEIGHTS):
        if (folder / "pytorch_model.bin").is_file():
            raise ModelUnusable(
                model=name_of(folder), reason="its weights are a pytorch_model.bin that was not converted yet"
            )
        raise ModelUnusable(model=name_of(folder), reason=f"{WEIGHTS[0]} is missing in {folder}")
    kind = _json(folder, "config.json").get("model_type")
    if kind != "vision-encoder-decoder":
        raise ModelUnusable(model=name_of(folder), reason=f"it is a model of the type {kind}")
    _json(folder, "preprocessor_config.json")


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnusable(model=name_of(folder), reason=f"{name} cannot be read ({error})") from error
    if not isinstance(value, dict):
        raise ModelUnusable(model=name_of(folder), reason=f"{name} cannot be read")
    return value
