"""Core's English sentences in the user's language.

Core knows no Qt; its errors and settings carry templates, which are looked up here.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from core.engines import title_of
from core.errors import YomitoriError
from core.events import HostState, State
from core.memory import format_bytes


def error_sentence(error: YomitoriError) -> str:
    """What happened, in the user's language."""
    return _fill("errors", error.sentence, error)


def error_hint(error: YomitoriError) -> str:
    """What to do about it, in the user's language."""
    return _fill("errors", error.hint, error)


def _fill(context: str, template: str, error: YomitoriError) -> str:
    if not template:
        return ""
    translated = QCoreApplication.translate(context, template)
    try:
        return translated.format(**{name: _known(value) for name, value in error.params.items()})
    except (KeyError, IndexError, ValueError):
        # A translation with a wrong placeholder must not hide the error.
        return error.message if template == error.sentence else error.advice


def _known(value: object) -> object:
    """A parameter in the user's language if it is itself one of core's texts, such as an engine's title."""
    if isinstance(value, str) and value:
        for context in ("errors", "engines", "settings"):
            translated = QCoreApplication.translate(context, value)
            if translated != value:
                return translated
    return value


def engine_title(name: str) -> str:
    """What people call the engine of that name, in the user's language."""
    return QCoreApplication.translate("engines", title_of(name))


def model_state(state: HostState) -> str:
    """One line about a model, for the tray's tooltip and the settings dialog."""
    translate = QCoreApplication.translate
    engine = engine_title(state.engine)
    if state.state == State.LOADING:
        return translate("State", "{engine}: loading…").format(engine=engine)
    if state.state in (State.READY, State.BUSY):
        memory = format_bytes(state.memory)
        if state.state == State.BUSY:
            return translate("State", "{engine}: reading").format(engine=engine)
        return translate("State", "{engine}: ready, {memory} in use").format(engine=engine, memory=memory)
    if state.state == State.FAILED and state.error is not None:
        return error_sentence(state.error)
    return translate("State", "No model in memory")
