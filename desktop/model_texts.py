"""Words about models: what they need, how far a download is, when one was used last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale, Qt

from core.devices import Device
from core.errors import ModelUnknown, YomitoriError
from core.memory import format_bytes
from core.models.entries import DownloadPlan, ModelEntry, Progress
from core.models.estimate import Fit
from core.models.renamed import Renamed
from desktop.texts import device_word, error_hint, error_sentence

_SHORT_COMMIT = 7


translate = QCoreApplication.translate
"""Under this name ``make translations`` finds the texts."""


def told(error: YomitoriError) -> str:
    """What happened and what to do in a window, in one line."""
    hint = error_hint(error)
    if isinstance(error, ModelUnknown):
        # Its own hint is for who types commands.
        hint = translate(
            "ModelTexts",
            "Choose one in the window “Models”: from the list, a hub id (owner/name) or a folder.",
        )
    return f"{error_sentence(error)} {hint}"


def short_commit(commit: str) -> str:
    """A commit as people write it: its first 7 digits."""
    return commit[:_SHORT_COMMIT]


def what_for(entry: ModelEntry) -> str:
    """What the model is good for, in the user's language."""
    return (
        translate("models", entry.known.what_for) if entry.known else translate("ModelTexts", "Added by you")
    )


def licence_title(licence: str) -> str:
    """``apache-2.0`` as it is written in print; others as the hub has them."""
    if not licence:
        return translate("ModelTexts", "not stated")
    known = {"apache-2.0": "Apache 2.0", "mit": "MIT", "llama2": "Llama 2 Community License"}
    return known.get(licence, licence)


def amount_of(done: int, total: int) -> str:
    """``6.1 of 15.1 GB``, ``43 of 444 MB``, ``950 MB of 15.1 GB``; without a total ``43 MB``."""
    if not total:
        return format_bytes(done)
    first, second = format_bytes(done), format_bytes(total)
    number, unit = first.rsplit(" ", 1)
    return translate("ModelTexts", "{0} of {1}").format(number if second.endswith(unit) else first, second)


def rate_text(rate: float) -> str:
    """Bytes per second: ``42 MB/s``, ``310 kB/s``."""
    if rate < 1e6:
        return f"{rate / 1e3:.0f} kB/s"
    return f"{rate / 1e6:.1f} MB/s" if rate < 10e6 else f"{rate / 1e6:.0f} MB/s"


def time_left(seconds: float) -> str:
    """``4 min left``."""
    if seconds < 60:
        return translate("ModelTexts", "{0} s left").format(max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return translate("ModelTexts", "{0} min left").format(minutes)
    return translate("ModelTexts", "{0} h {1} min left").format(minutes // 60, minutes % 60)


def progress_line(progress: Progress) -> str:
    """``6.1 of 15.1 GB · 42 MB/s · 4 min left``."""
    parts = [amount_of(progress.done_bytes, progress.total_bytes)]
    if progress.phase == "wait":
        parts.append(translate("ModelTexts", "waiting for the network"))
        return " · ".join(parts)
    if progress.phase == "download":
        if progress.rate > 0:
            parts.append(rate_text(progress.rate))
        if progress.seconds_left is not None:
            parts.append(time_left(progress.seconds_left))
    return " · ".join(parts)


def download_button(size: int) -> str:
    """``Download (444 MB)…``; the dots say that a question follows."""
    if not size:
        return translate("ModelTexts", "Download…")
    return translate("ModelTexts", "Download ({0})…").format(format_bytes(size))


def downloading(name: str, progress: Progress | None) -> str:
    """``Downloading MangaOCR 43 %``, in one line."""
    how_far = f" {percent(progress)} %" if progress is not None else ""
    return translate("ModelTexts", "Downloading {0}").format(name) + how_far


def percent(progress: Progress) -> int:
    """How far it is, 0 to 100; 100 only when all is there."""
    if progress.total_bytes <= 0:
        return 0
    return min(100, int(100 * progress.done_bytes / progress.total_bytes))


def phase_title(phase: str, title: str) -> str:
    """``Downloading MangaOCR base``."""
    words = {
        "verify": translate("ModelTexts", "Checking {0}"),
        "convert": translate("ModelTexts", "Converting {0} to safetensors"),
        "import": translate("ModelTexts", "Importing {0}"),
    }
    return words.get(phase, translate("ModelTexts", "Downloading {0}")).format(title)


def fit_text(fit: Fit | None, devices: Sequence[Device] = ()) -> str:
    """``Fits: needs 1.1 GB of memory, 20.4 GB free on CPU.``; where it would run instead, or that it does not
    fit; empty where that is not known."""
    if fit is None:
        return ""
    need, free = format_bytes(fit.need), format_bytes(fit.free)
    where = device_word(fit.device, devices)
    if not fit.fits:
        return translate("ModelTexts", "Does not fit: needs {0} of memory, {1} free on {2}.").format(
            need, free, where
        )
    if fit.tight:
        first = fit.tight[0]
        return translate(
            "ModelTexts", "Needs {0}, {1} free on {2}: will run on {3} (needs {4} there, {5} free)."
        ).format(
            format_bytes(first.need),
            format_bytes(first.free),
            device_word(first.device, devices),
            _with_article(fit.device, devices),
            need,
            free,
        )
    return translate("ModelTexts", "Fits: needs {0} of memory, {1} free on {2}.").format(need, free, where)


def _with_article(device: str, devices: Sequence[Device]) -> str:
    return translate("ModelTexts", "the CPU") if device == "cpu" else device_word(device, devices)


def needs_text(needs: Mapping[str, int]) -> str:
    """``Needs 5.3 GB of memory with fp32, 3.1 GB with bf16, fp16.``; empty where that is not known."""
    if not needs:
        return ""
    by_need: dict[int, list[str]] = {}
    for precision, need in needs.items():
        by_need.setdefault(need, []).append(precision)
    parts = [
        translate("ModelTexts", "{0} with {1}").format(format_bytes(need), ", ".join(precisions))
        for need, precisions in sorted(by_need.items(), reverse=True)
    ]
    return translate("ModelTexts", "Memory needed: {0}").format("; ".join(parts))


def renamed_text(renamed: Renamed | None) -> str:
    """What is taken in the place of a model that cannot be loaded, and why; empty for none."""
    if renamed is None:
        return ""
    return translate(
        "ModelTexts",
        "{0} is in LLaVA's original format, which cannot be loaded. Its conversion {1} is taken instead.",
    ).format(renamed.old, renamed.new)


def plan_text(plan: DownloadPlan) -> str:
    """What a download would do: size, room, licence."""
    lines = [
        translate("ModelTexts", "{0} to download, {1} free on the disk.").format(
            format_bytes(plan.total_bytes - plan.have_bytes), format_bytes(plan.free_disk)
        )
    ]
    if plan.have_bytes and plan.have_bytes < plan.total_bytes:
        lines[0] += " " + translate("ModelTexts", "{0} are here already.").format(
            format_bytes(plan.have_bytes)
        )
    if plan.will_convert:
        lines.append(
            translate(
                "ModelTexts",
                "Its weights come in an older format and are converted once; with the copy, {0} of disk.",
            ).format(format_bytes(plan.disk_bytes))
        )
    if plan.licence_open:
        lines.append(
            translate("ModelTexts", "Licence: {0} (open source).").format(licence_title(plan.licence))
        )
    else:
        lines.append(
            translate("ModelTexts", "Licence: {0}. It is not an open one.").format(
                licence_title(plan.licence)
            )
        )
    return "\n".join(lines)


def last_used(when: str, in_use: bool = False, now: QDateTime | None = None) -> str:
    """``used today``, ``unused since 12/05/2025``; ``when`` is ISO 8601 in UTC, empty for never."""
    if not when:
        return translate("ModelTexts", "not used yet")
    moment = QDateTime.fromString(when, Qt.DateFormat.ISODate).toLocalTime()
    today = (now or QDateTime.currentDateTime()).date()
    if not moment.isValid():
        return translate("ModelTexts", "not used yet")
    day: QDate = moment.date()
    if day >= today:
        return translate("ModelTexts", "used today")
    if day.daysTo(today) == 1:
        return translate("ModelTexts", "used yesterday")
    words = translate("ModelTexts", "unused since {0}")
    if in_use:
        words = translate("ModelTexts", "last used {0}")
    return words.format(QLocale().toString(day, QLocale.FormatType.ShortFormat))
