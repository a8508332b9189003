"""Models and downloads as sentences and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.engines import loading_engine
from core.memory import format_bytes
from core.models import licences
from core.models.entries import Checkpoint, DownloadPlan, ModelEntry, Progress, RevisionEntry
from core.models.estimate import memory_needed, memory_of
from core.models.renamed import conversion_of
from core.models.stock import OwnFolder
from core.settings import Settings

_DAY = 86400.0


def short(commit: str) -> str:
    """The first digits of a commit, enough to tell it from others."""
    return commit[:8]


def size_text(count: float) -> str:
    """``3.1 kB``, ``215 MB``, ``5.9 GB``."""
    if count < 1e3:
        return f"{count:.0f} bytes"
    if count < 9.995e6:
        return f"{count / 1e3:.0f} kB" if count < 999.5e3 else f"{count / 1e6:.1f} MB"
    return format_bytes(count)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the settings choose. ``loaded``: what they lead to for each role, where that is on this computer
    and a model loads it: of an import that is gone, what takes its place. ``automatic``: the name of the
    model that answers questions where the settings leave the choice to the program; empty where they do not,
    or none is here."""

    settings: Settings
    loaded: tuple[Checkpoint, ...] = ()
    automatic: str = ""

    def names(self, entry: ModelEntry) -> bool:
        """Whether the settings name this model."""
        named = self.settings.models.ocr_model if entry.role == "ocr" else self.settings.vision.model
        renamed = conversion_of(named)
        return (renamed.new if renamed else named.partition("@")[0]) in (entry.name, entry.repo)

    def takes(self, entry: ModelEntry) -> bool:
        """Whether the program takes this model because the settings name none."""
        return entry.role == "vision" and entry.name == self.automatic

    def chooses(self, entry: ModelEntry) -> bool:
        """Either of them."""
        return self.names(entry) or self.takes(entry)

    def uses(self, entry: ModelEntry, revision: RevisionEntry) -> bool:
        """Whether this revision is what reads, or answers."""
        return any((found.repo, found.commit) == (entry.repo, revision.commit) for found in self.loaded)

    def instead_of(self, entry: ModelEntry) -> str:
        """The import that is gone and whose place this model takes; empty for none."""
        return next((found.instead_of for found in self.loaded if found.repo == entry.repo), "")


def _memory(entry: ModelEntry, settings: Settings) -> int:
    """Bytes that working with it needs on the CPU, 0 when that is not known."""
    return memory_of(entry, "cpu", _precision(entry.role, settings))


def _precision(role: str, settings: Settings) -> str:
    return settings.vision.precision if role == "vision" else settings.models.precision


def share_text(part: int, whole: int) -> str:
    """``60 % (3.1 of 5.2 MB)``, or the part alone when the whole is not known."""
    if not whole:
        return size_text(part)
    return f"{min(99, 100 * part // whole)} % ({size_text(part)} of {size_text(whole)})"


def _state(entry: ModelEntry) -> str:
    if entry.state == "ready":
        return "ready"
    if not entry.from_hub:
        return "not on this computer any more, it was imported"
    if entry.state == "partial":
        return f"partly downloaded, {share_text(entry.partial_bytes, entry.needed_bytes)}"
    return "not downloaded" + (f", {size_text(entry.needed_bytes)}" if entry.needed_bytes else "")


def describe_model(entry: ModelEntry, choice: Choice) -> str:
    """A paragraph for a terminal."""
    chosen = ", chosen in the settings" if choice.names(entry) else ""
    if choice.takes(entry):
        chosen = ", chosen automatically"
    rows = [f"{entry.name}: {_state(entry)}{chosen}"]
    if instead_of := choice.instead_of(entry):
        rows[0] += f", takes the place of {instead_of}"
    if entry.known:
        rows.append(f"  {entry.known.title}. {entry.known.what_for}")
        rows.append(f"  from {entry.repo}")
    if entry.state == "missing" and not entry.from_hub:
        return rows[0]
    memory = _memory(entry, choice.settings)
    licence = entry.licence or licences.NOT_STATED
    if entry.licence and not licences.is_open(entry.licence):
        licence += " (to be accepted before a download)"
    needs = f", needs {size_text(memory)} of memory" if memory else ""
    rows.append(f"  licence {licence}{needs}")
    one = len(entry.revisions) == 1
    for revision in sorted(entry.revisions, key=_order):
        mark = "in use" if choice.uses(entry, revision) else "current" if revision.current and not one else ""
        rows.append(f"  {_revision(revision, mark)}")
    if entry.state == "ready" and entry.partial_bytes:
        rows.append(f"  besides, {size_text(entry.partial_bytes)} of a download that was not finished")
    return "\n".join(rows)


def _order(revision: RevisionEntry) -> bool:
    return not revision.current


def _revision(revision: RevisionEntry, mark: str) -> str:
    """``mark``: "in use" for what reads; of several revisions of another model, "current" for the one that
    would be loaded."""
    notes = [f"revision {short(revision.commit)}", size_text(revision.size)]
    if mark:
        notes.append(mark)
    if not revision.complete:
        notes.append("not complete")
    if revision.imported:
        notes.append("imported")
    if revision.converted:
        notes.append("converted to safetensors")
    elif revision.needs_conversion:
        notes.append("to be converted to safetensors")
    notes.append(_unused(revision.last_used))
    return ", ".join(notes)


def _unused(last_used: str) -> str:
    try:
        since = datetime.fromisoformat(last_used)
        days = int((datetime.now(UTC) - since).total_seconds() // _DAY)
    except (ValueError, TypeError):
        return "not used yet"
    return f"unused since {since.astimezone():%Y-%m-%d}" if days > 0 else "used today"


def model_json(entry: ModelEntry, choice: Choice) -> dict[str, Any]:
    """One row of ``models list --json``; sizes in bytes, times in ISO 8601."""
    known = entry.known
    return {
        "name": entry.name,
        "repo": entry.repo,
        "title": entry.title,
        "role": entry.role,
        "what_for": known.what_for if known else "",
        "state": entry.state,
        "chosen": choice.names(entry),
        "automatic": choice.takes(entry),
        "instead_of": choice.instead_of(entry) or None,
        "partial_bytes": entry.partial_bytes,
        "needed_bytes": entry.needed_bytes,
        "disk_bytes": entry.disk_bytes,
        "memory_bytes": _memory(entry, choice.settings),
        "licence": entry.licence or None,
        "licence_open": licences.is_open(entry.licence) if entry.licence else None,
        "folder": str(entry.folder),
        "revisions": [
            {
                "commit": revision.commit,
                "size": revision.size,
                "complete": revision.complete,
                "current": revision.current,
                "in_use": choice.uses(entry, revision),
                "last_used": revision.last_used or None,
                "converted": revision.converted,
                "imported": revision.imported,
            }
            for revision in entry.revisions
        ],
    }


def _folder_memory(own: OwnFolder, settings: Settings) -> int:
    engine = loading_engine(own.role)
    if own.problem or engine is None:
        return 0
    return memory_needed(own.folder, "cpu", _precision(own.role, settings), engine.memory)


def describe_folder(own: OwnFolder, settings: Settings) -> str:
    """A paragraph about the folder that is chosen as the model."""
    if own.problem:
        return f"{own.folder}: cannot be used: {own.problem}, chosen in the settings"
    memory = size_text(_folder_memory(own, settings))
    return (
        f"{own.folder}: ready, chosen in the settings\n"
        f"  a folder of your own, {size_text(own.disk_bytes)}, needs {memory} of memory"
    )


def folder_json(own: OwnFolder, settings: Settings) -> dict[str, Any]:
    """Its row of ``models list --json``, with the fields of ``model_json``; ``repo`` is empty."""
    return {
        "name": str(own.folder),
        "repo": "",
        "title": own.folder.name,
        "role": own.role,
        "what_for": "",
        "state": "unusable" if own.problem else "ready",
        "chosen": True,
        "automatic": False,
        "instead_of": None,
        "partial_bytes": 0,
        "needed_bytes": 0,
        "disk_bytes": own.disk_bytes,
        "memory_bytes": _folder_memory(own, settings),
        "licence": None,
        "licence_open": None,
        "folder": str(own.folder),
        "revisions": [],
    }


def describe_plan(entry: ModelEntry, plan: DownloadPlan, root: Path) -> str:
    """What is said before a download begins."""
    here = f", {size_text(plan.have_bytes)} of it are here already" if plan.have_bytes else ""
    licence = plan.licence + ("" if plan.licence_open else ", which is not an open-source licence")
    name = f"{entry.title}, {plan.repo}" if entry.known else plan.repo
    rows = [
        f"{name}, revision {short(plan.commit)} ({plan.revision})",
        f"  size     {size_text(plan.total_bytes)}{here}",
        f"  licence  {licence}",
        f"  folder   {root}, {size_text(plan.free_disk)} free, {size_text(plan.disk_bytes)} needed",
    ]
    if plan.will_convert:
        rows.append("  weights  pytorch_model.bin; converted to safetensors once it is here")
    return "\n".join(rows)


def describe_pause(progress: Progress | None) -> str:
    """What is said when Ctrl+C has stopped a download."""
    if progress is None or progress.phase not in ("download", "wait"):
        return "Paused. The same command goes on from here."
    share = share_text(progress.done_bytes, progress.total_bytes)
    return f"Paused at {share}. The same command goes on from there."
