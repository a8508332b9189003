"""Opening a checkpoint's processor: its tokenizer, its chat template, and how it prepares pictures.

Model process only. Many types have a part for films as well, which needs torchvision; it is left out here.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from transformers import AutoProcessor
from transformers.models.auto import processing_auto

from core.errors import ModelUnusable, PackageMissing
from core.models.layout import name_of

_FILMS = "video_processor"
_NAMED_IN = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
# How transformers says it; there is no error of its own for it.
_MISSING = (
    r"requires the (\w+) library",
    r"[Pp]ackage `(\w+)` is required",
    r"Missing optional dependencies: ([\w-]+)",
)


def open_processor(folder: Path, model_type: str) -> Any:
    """The processor of a checkpoint of that type.

    Raises:
        ModelUnusable: it has none.
        PackageMissing: it needs one that is not installed.
        Exception: whatever transformers raises.
    """
    kind = _class_of(folder, model_type)
    opener: Any = AutoProcessor if kind is None else kind
    try:
        # The PIL form is the one that needs no torchvision.
        processor = opener.from_pretrained(folder, local_files_only=True, backend="pil")
    except Exception as error:
        package = _missing(error)
        if package is None:
            raise
        raise PackageMissing(model=name_of(folder), library=package) from error
    if not hasattr(processor, "apply_chat_template") or not hasattr(processor, "tokenizer"):
        reason = "it has nothing that prepares pictures and text together"
        raise ModelUnusable(model=name_of(folder), reason=reason)
    if processor.chat_template is None:
        # Some have it with the tokenizer only.
        processor.chat_template = processor.tokenizer.chat_template
    return processor


def pictures_only(kind: Any) -> Any:
    """A processor class without its part for films; as it is where it has none."""
    if _FILMS not in kind.get_attributes():
        return kind
    _spell_nothing(kind)
    reader: Any = type(kind.__name__, (kind,), {"get_attributes": classmethod(lambda cls: _pictured(kind))})

    def arguments(cls: Any, *places: Any, **options: Any) -> list[Any]:
        found = dict(
            zip(_pictured(kind), reader._get_arguments_from_pretrained(*places, **options), strict=True)
        )
        return [found.get(name, NO_FILMS) for name in kind.get_attributes()]

    def check(self: Any, name: str, part: Any) -> Any:
        return None if part is NO_FILMS else kind.check_argument_for_proper_class(self, name, part)

    # Under the same name, by which processors look up what belongs to them.
    body = {
        "_get_arguments_from_pretrained": classmethod(arguments),
        "check_argument_for_proper_class": check,
    }
    return type(kind.__name__, (kind,), body)


class _NoFilms(dict[str, Any]):
    """Stands where the part for films would be, and says nothing of how those are prepared.

    Of the type of what a processor writes about its parts, so that it can be told and saved.
    """

    model_input_names: tuple[str, ...] = ()
    valid_kwargs = num_frames = fps = None


NO_FILMS = _NoFilms()


def _pictured(kind: Any) -> list[str]:
    return [name for name in kind.get_attributes() if name != _FILMS]


def _spell_nothing(kind: Any) -> None:
    """Some refuse to be made without a package that spells the number of a film's pictures in words."""
    module = sys.modules[kind.__module__]
    if getattr(module, "num2words", str) is None:
        module.num2words = str  # type: ignore[attr-defined]


def _class_of(folder: Path, model_type: str) -> Any:
    """What the checkpoint's files name, else what belongs to its type; None when nobody knows."""
    name = next(filter(None, (_named(folder / file) for file in _NAMED_IN)), None)
    names: Any = vars(processing_auto)["PROCESSOR_MAPPING_NAMES"]
    kind: Any = processing_auto.processor_class_from_name(name or names.get(model_type) or "")
    # What transformers puts in the place of a class whose package is missing has no parts to ask for.
    return kind if kind is None or _is_dummy(kind) else pictures_only(kind)


def _is_dummy(kind: Any) -> bool:
    return type(kind).__name__ == "DummyObject"


def _named(path: Path) -> str | None:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    name = content.get("processor_class") if isinstance(content, dict) else None
    return name if isinstance(name, str) else None


def _missing(error: BaseException) -> str | None:
    """The package for want of which a processor could not be opened."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return error.name.partition(".")[0]
    found = next(filter(None, (re.search(pattern, str(error)) for pattern in _MISSING)), None)
    return found[1].lower() if found else None
