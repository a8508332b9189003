"""What a library tells of models. Sizes and amounts are in bytes, times are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import YomitoriError
from core.models.catalogue import KnownModel
from core.models.imported import is_local


@dataclass(frozen=True, slots=True)
class RevisionEntry:
    """One revision on this computer. ``size`` counts what revisions share in each of them.

    ``current``: it is the one that is loaded when the model is used; whether that is, the settings tell.
    ``converted``: its ``.bin`` was converted, and the copy is what is loaded. ``last_used`` is empty when it
    was never used by Yomitori. ``needs_conversion``: its only weights are a ``.bin``, not converted yet.
    """

    commit: str
    size: int
    complete: bool
    current: bool
    last_used: str
    converted: bool
    needs_conversion: bool = False
    imported: bool = False


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model, in the catalogue or added by the user.

    ``partial_bytes`` is what a download that was not finished has received; ``needed_bytes`` the size of the
    whole download as the catalogue has it, rounded, 0 when it is not known. ``earlier`` is the commit that
    ``ModelLibrary.roll_back`` leads to, empty when there is none. ``weights`` is the folder that would be
    loaded, or converted before that; None when nothing is whole.
    """

    known: KnownModel | None
    repo: str
    title: str
    role: str
    licence: str
    folder: Path
    revisions: tuple[RevisionEntry, ...] = ()
    partial_bytes: int = 0
    needed_bytes: int = 0
    disk_bytes: int = 0
    earlier: str = ""
    weights: Path | None = None

    @property
    def name(self) -> str:
        """What to call it in commands and settings."""
        return self.known.name if self.known else self.repo

    @property
    def state(self) -> str:
        """``ready`` (something can be loaded), ``partial`` (a download was begun) or ``missing``."""
        if any(revision.complete for revision in self.revisions):
            return "ready"
        return "partial" if self.partial_bytes else "missing"

    @property
    def current(self) -> RevisionEntry | None:
        return next((revision for revision in self.revisions if revision.current), None)

    @property
    def from_hub(self) -> bool:
        """Whether a hub can be asked for it: to download, update or mend it."""
        return not is_local(self.repo)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder to load a model from. ``repo`` and ``commit`` are empty for a folder of the user's own.

    ``needs_conversion``: its weights are a ``.bin``; ``ModelLibrary.convert`` comes first. ``converted``:
    this is the copy that came out of it. ``instead_of``: the imported model that is chosen and gone; this is
    the one that the catalogue offers first.
    """

    folder: Path
    title: str
    repo: str = ""
    commit: str = ""
    needs_conversion: bool = False
    converted: bool = False
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """``phase``: ``download``, ``wait`` (before another try), ``verify``, ``convert`` or ``import``.

    ``done`` and ``total`` count bytes of the whole job in that phase; ``rate`` is bytes per second over the
    last seconds, ``seconds_left`` None while it cannot be told.
    """

    phase: str
    file: str
    done_bytes: int
    total_bytes: int
    rate: float = 0.0
    seconds_left: float | None = None

    @classmethod
    def from_json(cls, piece: dict[str, Any]) -> Progress:
        left = piece.get("left")
        return cls(
            phase=str(piece["phase"]),
            file=str(piece["file"]),
            done_bytes=int(piece["done"]),
            total_bytes=int(piece["total"]),
            rate=float(piece.get("rate", 0.0)),
            seconds_left=None if left is None else float(left),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "phase": self.phase,
            "file": self.file,
            "done": self.done_bytes,
            "total": self.total_bytes,
            "rate": self.rate,
            "left": self.seconds_left,
        }


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What a download would do. ``have_bytes`` need not be fetched any more; ``disk_bytes`` is what it still
    needs on the disk, with the copy that a ``.bin`` is converted to."""

    repo: str
    commit: str
    revision: str
    total_bytes: int
    have_bytes: int
    disk_bytes: int
    free_disk: int
    licence: str
    licence_open: bool
    licence_accepted: bool
    will_convert: bool


@dataclass(frozen=True, slots=True)
class Downloaded:
    """``received_bytes`` came over the network this time. ``converted``: its ``.bin`` was."""

    repo: str
    commit: str
    revision: str
    total_bytes: int
    received_bytes: int
    converted: bool
    licence: str


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file. ``detail`` is the end of a sentence: what is wrong, or that it could not be checked."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """``size`` is what would have to be fetched."""

    repo: str
    current: str
    latest: str
    size: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Imported:
    repo: str
    commit: str
    total_bytes: int
    converted: bool


@dataclass(frozen=True, slots=True)
class LibraryChanged:
    """``kind``: ``progress``, ``ready`` (something new can be loaded), ``changed`` (removed, rolled back) or
    ``failed``. Listeners are called in a host's thread, or in that of the caller."""

    kind: str
    repo: str
    progress: Progress | None = None
    error: YomitoriError | None = None
