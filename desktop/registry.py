"""How every kind of desktop backend is chosen: an ordered registry, the first that works wins."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from core.errors import BackendUnavailable

log = logging.getLogger(__name__)

_KINDS = {
    "capture": QT_TRANSLATE_NOOP("Backends", "Screen capture"),
    "clipboard": QT_TRANSLATE_NOOP("Backends", "The clipboard"),
    "hotkeys": QT_TRANSLATE_NOOP("Backends", "Hotkeys"),
    "notify": QT_TRANSLATE_NOOP("Backends", "Notifications"),
    "docking": QT_TRANSLATE_NOOP("Backends", "Keeping the panel's place free"),
}


class Backend(Protocol):
    """What all kinds of backends have in common."""

    name: str

    def unavailable(self) -> BackendUnavailable | None: ...


B = TypeVar("B", bound=Backend)


@dataclass(frozen=True)
class Entry(Generic[B]):
    """One line of a registry.

    ``make`` imports and builds the backend, cheaply; it is called only on the ``platforms`` named
    (as ``sys.platform`` writes them; none named: everywhere).
    """

    name: str
    make: Callable[[], B]
    platforms: tuple[str, ...] = ()


def _foreign(entry: Entry[B], platform: str) -> BackendUnavailable | None:
    if not entry.platforms or platform in entry.platforms:
        return None
    return BackendUnavailable(
        name=entry.name,
        reason=QCoreApplication.translate("Backends", "it belongs to another system"),
        fix=QCoreApplication.translate("Backends", "Choose Automatic in Settings."),
    )


def survey(
    backends: Sequence[Entry[B]], platform: str = sys.platform
) -> list[tuple[str, BackendUnavailable | None]]:
    """Every backend by name, in order, with why it does not work here (None: it does)."""
    return [(entry.name, _foreign(entry, platform) or entry.make().unavailable()) for entry in backends]


def choose(kind: str, name: str, backends: Sequence[Entry[B]], platform: str = sys.platform) -> B:
    """The backend called ``name``, or with ``auto`` the first of ``backends`` that works here.

    ``kind`` names what is chosen, for the log and for the message when nothing works.

    Raises:
        BackendUnavailable: the one named does not work here (or does not exist), or none does.
    """
    reasons: list[BackendUnavailable] = []
    for entry in backends:
        if name not in ("auto", entry.name):
            continue
        problem = _foreign(entry, platform)
        if problem is None:
            backend = entry.make()
            problem = backend.unavailable()
            if problem is None:
                log.info("%s: using %s", kind, entry.name)
                return backend
            log.info("%s: passing over %s: %s", kind, entry.name, problem.message)
            reasons.append(problem)
        if name == entry.name:
            raise problem
    if name != "auto":
        known = ", ".join(entry.name for entry in backends)
        raise BackendUnavailable(
            name=name,
            reason=QCoreApplication.translate("Backends", "there is no such backend"),
            fix=QCoreApplication.translate("Backends", "Choose one of: auto, {0}.").format(known),
        )
    raise BackendUnavailable(
        name=QCoreApplication.translate("Backends", _KINDS.get(kind, kind)),
        reason="; ".join(f"{p.params['name']}: {p.params['reason']}" for p in reasons)
        or QCoreApplication.translate("Backends", "no backend is made for this system"),
        fix=" ".join(dict.fromkeys(str(p.params["fix"]) for p in reasons))
        or QCoreApplication.translate("Backends", "Run 'yomitori doctor' to see what works here."),
    )
