"""Write the tables in docs/service.md from settings, catalogue and error tree: ``make docs``."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from core.errors import (  # noqa: E402
    BackendError,
    FellBack,
    FileUnreadable,
    HistoryDamaged,
    HubError,
    ImportFailed,
    InputError,
    InstanceError,
    Interrupted,
    KeyInUse,
    ModelError,
    NoEarlierRevision,
    NoPictures,
    NothingInClipboard,
    NothingToRemove,
    NotRunning,
    Offloaded,
    Quantized,
    SawLess,
    ServerNotSet,
    SettingsError,
    StorageError,
    UsageError,
    YomitoriError,
    known_errors,
)
from core.memory import format_bytes  # noqa: E402
from core.models.catalogue import load_catalogue  # noqa: E402
from core.service_errors import PictureNotFetched, RequestRefused, ServiceEnded  # noqa: E402
from core.settings import iter_settings  # noqa: E402
from core.vision.errors import RemoteAddressInvalid, RemoteError  # noqa: E402
from service.http.hints import template_of  # noqa: E402

GUIDE = HERE.parent / "docs" / "service.md"

_ELSEWHERE = (
    BackendError,
    FileUnreadable,
    HistoryDamaged,
    ImportFailed,
    Interrupted,
    KeyInUse,
    NoEarlierRevision,
    NoPictures,
    NotRunning,
    NothingInClipboard,
    NothingToRemove,
    RemoteAddressInvalid,
    ServiceEnded,
)
"""What only windows and other commands run into. Everything else may be met here."""
_BASES = (ModelError, InstanceError)
"""They only hold others together."""
_NOTICES = (SawLess, Offloaded, Quantized, FellBack)
"""Told beside a result, never instead of one."""
_AT_START: tuple[type[YomitoriError], ...] = (UsageError, SettingsError)
_GROUPS: tuple[tuple[str, tuple[type[YomitoriError], ...]], ...] = (
    ("The request", (RequestRefused,)),
    ("The picture", (InputError, PictureNotFetched)),
    ("A server that answers instead of a model here", (RemoteError, ServerNotSet)),
    ("Downloads", (HubError,)),
    ("The disk", (StorageError,)),
    ("The model", (ModelError,)),
    ("The service", (YomitoriError,)),
)
"""Each error stands in the first group that it belongs to."""


def errors() -> str:
    """Every error that the service tells: what it says and what to do."""
    told = [cls for cls in known_errors().values() if not issubclass(cls, _ELSEWHERE) and cls not in _BASES]
    notices = [cls for cls in told if issubclass(cls, _NOTICES)]
    # That no server is named may also be found when a question comes.
    starting = [cls for cls in told if issubclass(cls, _AT_START) and cls is not ServerNotSet]
    left = [cls for cls in told if cls not in notices and cls not in starting]
    parts: list[str] = []
    for title, bases in _GROUPS:
        found = [cls for cls in left if issubclass(cls, bases)]
        left = [cls for cls in left if cls not in found]
        parts.append(_table(title, ("status", "code", "again"), found, _answered))
    parts.append(_table("At the start", ("exit code", "code"), starting, _started))
    parts.append(_table("Notices, beside a result", ("code",), notices, lambda cls: (_code(cls),)))
    return "\n".join(parts)


def _answered(cls: type[YomitoriError]) -> tuple[str, ...]:
    return str(cls.http_status), _code(cls), "yes" if cls.retryable else ""


def _started(cls: type[YomitoriError]) -> tuple[str, ...]:
    return str(cls.exit_code), _code(cls)


def _code(cls: type[YomitoriError]) -> str:
    return f"`{cls.__name__}`"


def _table(
    title: str,
    columns: tuple[str, ...],
    classes: Sequence[type[YomitoriError]],
    cells: Callable[[type[YomitoriError]], tuple[str, ...]],
) -> str:
    rows = sorted((*cells(cls), _text(cls.sentence), _text(template_of(cls))) for cls in classes)
    return f"### {title}\n\n" + _rows((*columns, "what it says", "what to do"), rows)


def _text(template: str) -> str:
    """A template as it is, without what Markdown would take for its own."""
    return template.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _rows(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def models() -> str:
    """What each model of the catalogue takes. Of a card half precision is used, on the CPU full precision."""
    rows = []
    for model in load_catalogue():
        memory = model.memory
        rows.append(
            (
                f"`{model.name}`",
                format_bytes(model.download_size),
                format_bytes(memory["fp32"]),
                format_bytes(memory["fp16"]),
                *(format_bytes(memory[bits]) if bits in memory else "" for bits in ("int8", "int4")),
                model.licence,
            )
        )
    head = ("model", "disk", "RAM, on the CPU", "VRAM, 16 bits", "VRAM, 8 bits", "VRAM, 4 bits", "licence")
    return _rows(head, rows)


def settings() -> str:
    """The settings of the service, with what sets them from outside."""
    values: Callable[[Any], str] = runpy.run_path(str(HERE / "settings_table.py"))["values"]
    rows = [
        (
            f"`{info.key}`",
            f"`{info.env_name}`",
            f"{info.title}. {info.description}",
            values(info),
            f"`{str(info.default).lower() if info.kind == 'bool' else info.default}`"
            if info.default != ""
            else "empty",
        )
        for info in iter_settings()
        if info.group == "service"
    ]
    return _rows(("setting", "variable", "meaning", "values", "default"), rows)


TABLES: dict[str, Callable[[], str]] = {"settings": settings, "models": models, "errors": errors}


def guide_with_tables(text: str) -> str:
    """``docs/service.md`` with each table between its two marks."""
    for name, table in TABLES.items():
        before, begin, rest = text.partition(f"<!-- {name}: begin -->\n")
        _, end, after = rest.partition(f"<!-- {name}: end -->\n")
        if not begin or not end:
            raise SystemExit(f"{GUIDE.name} has no place for the table of {name}")
        text = before + begin + table() + end + after
    return text


if __name__ == "__main__":
    GUIDE.write_text(guide_with_tables(GUIDE.read_text("utf-8")), "utf-8")
