"""What the side panel says about models, pictures and answers on their way."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from core.chat import Phase
from core.devices import Device
from core.engines import title_of
from core.events import HostState, State
from core.memory import format_bytes
from core.models.estimate import Fit
from core.settings import Vision
from desktop.answering import Progress
from desktop.model_texts import fit_text
from desktop.server_card import Route
from desktop.texts import device_word, error_sentence

translate = QCoreApplication.translate


def waiting(progress: Progress, for_text: bool) -> tuple[str, int | None]:
    """What an answer waits for before its first word, and how far that is in percent where it is known.

    ``for_text``: its pictures are still being read.
    """
    if for_text:
        return translate("Panel", "Reading the text in the picture…"), None
    if progress.phase is Phase.LOADING:
        return translate("Panel", "Loading the model…"), None
    if progress.phase is Phase.ENCODING:
        return translate("Panel", "Looking at the picture…"), None
    if progress.phase is Phase.READING:
        done = round(100 * progress.done / progress.total) if progress.total else None
        return translate("Panel", "Reading the question…"), done
    return translate("Panel", "Waiting for the answer…"), None


def unloaded_line() -> tuple[str, str]:
    """While nothing is known of the model but that it is here."""
    return translate("Panel", "The model is loaded when you ask."), "muted"


def fit_line(title: str, fit: Fit, devices: Sequence[Device], speed: float | None) -> tuple[str, str]:
    """A model that is not loaded: what it needs, what is free, and how fast it was here before."""
    parts = [title, fit_text(fit, devices)]
    if speed is not None:
        parts.append(translate("Panel", "about {0} tokens/s").format(f"{speed:.0f}" if speed >= 1 else "1"))
    return " · ".join(parts), "muted" if fit.fits else "warn"


def server_line(vision: Vision, route: Route) -> tuple[str, str]:
    """A server: its model, where it is, and whether pictures leave this computer."""
    if route.problem is not None:
        return error_sentence(route.problem), "bad"
    if route.server is None or not vision.server_model:
        return translate("Panel", "No server is set yet. Choose Settings in the menu above."), "warn"
    model = _short(vision.server_model)
    if route.loopback is None:
        return f"{model} · {route.server.shown}", "muted"
    if route.loopback:
        stays = translate("Panel", "pictures stay on this computer")
        return f"{model} · {route.server.shown} · {stays}", "muted"
    leaves = translate("Panel", "pictures leave this computer")
    return f"{model} · {route.server.shown} · {leaves}", "warn"


def model_line(state: HostState) -> tuple[str, str]:
    """A model of this computer that is being loaded or is there: where it runs, and what it takes."""
    if state.error is not None and state.state is State.FAILED:
        return error_sentence(state.error), "bad"
    if state.state is State.LOADING:
        return translate("Panel", "Loading the model…"), "muted"
    name = _short(state.detail) or title_of(state.engine)
    memory = state.vram or state.memory
    device = device_word(state.device)
    place = f"{device} {format_bytes(memory)}" if memory else device
    return " · ".join(filter(None, (name, state.precision, place))), "muted"


def _short(model: str) -> str:
    """A hub id without its owner, or the last part of a folder."""
    return model.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
