"""Core's English sentences in the user's language.

Core knows no Qt; its errors and settings carry templates, which are looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from core.devices import Device
from core.engines import title_of
from core.errors import YomitoriError
from core.events import HostState, State
from core.memory import format_bytes
from core.service_errors import AddressUnusable, TokenRequired

_REASONS = (
    QT_TRANSLATE_NOOP("Reasons", "there are only {0}"),
    QT_TRANSLATE_NOOP("Reasons", "there is no folder {0}"),
    QT_TRANSLATE_NOOP("Reasons", "no answer for {0} s"),
    QT_TRANSLATE_NOOP("Reasons", "{0} sets it for this run"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is no name or address alone, such as manga.example.org or 192.168.1.5"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is no origin, such as https://reader.example.org"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is no server, such as example.org, *.example.org or example.org:8080"),
    QT_TRANSLATE_NOOP("Reasons", "the zip file cannot be read ({0})"),
    QT_TRANSLATE_NOOP("Reasons", "it holds {0}: say which one"),
    QT_TRANSLATE_NOOP("Reasons", "it holds {0}, not {1}"),
    QT_TRANSLATE_NOOP("Reasons", "there are several: {0}"),
    QT_TRANSLATE_NOOP("Reasons", "it is a model of the type {0}"),
    QT_TRANSLATE_NOOP("Reasons", "it is in LLaVA's original format, take {0} instead"),
    QT_TRANSLATE_NOOP("Reasons", "it is a {0} and not in MangaOCR's format"),
    QT_TRANSLATE_NOOP("Reasons", "it is of the type {0}, which cannot be asked about pictures"),
    QT_TRANSLATE_NOOP(
        "Reasons", "it is of the type {0}, which needs code of its own, and nobody's code is run here"
    ),
    QT_TRANSLATE_NOOP("Reasons", "it does not take this conversation ({0})"),
    QT_TRANSLATE_NOOP("Reasons", "it answers with the status {0}"),
    QT_TRANSLATE_NOOP("Reasons", "its {0} holds no weights"),
    QT_TRANSLATE_NOOP("Reasons", "its {0} is no plain list of weights"),
    QT_TRANSLATE_NOOP("Reasons", "its {0} is damaged ({1})"),
    QT_TRANSLATE_NOOP("Reasons", "the hub tells no size or sum of {0}"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is missing in {1}"),
    QT_TRANSLATE_NOOP("Reasons", "{0} was changed meanwhile"),
    QT_TRANSLATE_NOOP("Reasons", "{0} cannot be read ({1})"),
    QT_TRANSLATE_NOOP("Reasons", "{0} cannot be read"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is too large"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is not complete"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is empty"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is damaged"),
    QT_TRANSLATE_NOOP("Reasons", "{0} is missing"),
)
"""Reasons that core makes with a name or a number in them; those that say more come first."""

_PLAIN = (
    QT_TRANSLATE_NOOP("errors", "The picture"),
    QT_TRANSLATE_NOOP("errors", "The picture in the clipboard"),
    QT_TRANSLATE_NOOP("errors", "there is no such folder"),
    QT_TRANSLATE_NOOP("errors", "it has no chat template, so it cannot be asked"),
    QT_TRANSLATE_NOOP("errors", "it has nothing that prepares pictures and text together"),
    QT_TRANSLATE_NOOP("errors", "it does not answer in words"),
    QT_TRANSLATE_NOOP("errors", "its chat template leaves out pictures"),
    QT_TRANSLATE_NOOP("errors", "name each one, * does not stand for all"),
    QT_TRANSLATE_NOOP(
        "errors", "name each one, * does not stand for all, only *.example.org for what is below a name"
    ),
    QT_TRANSLATE_NOOP("errors", "any page can have the origin null"),
    QT_TRANSLATE_NOOP("errors", "there is no list of models in it"),
    QT_TRANSLATE_NOOP("errors", "it closed the connection without an answer"),
    QT_TRANSLATE_NOOP(
        "errors", "it is in LLaVA's original format, take a conversion, such as those of llava-hf instead"
    ),
)
"""Words that core fills into its errors from elsewhere than where they are raised, where the texts to
translate are looked for."""


_IN_WINDOWS: dict[type[YomitoriError], str] = {
    AddressUnusable: QT_TRANSLATE_NOOP(
        "errors",
        "Choose another address or port in Settings, Service, or end the program that listens there.",
    ),
    TokenRequired: QT_TRANSLATE_NOOP(
        "errors",
        "Set the address to 127.0.0.1 once: a token is made then. "
        "Or make one with 'yomitori serve --new-token'.",
    ),
}
"""Hints where those of the errors themselves speak of the command line."""


def error_sentence(error: YomitoriError) -> str:
    """What happened, in the user's language."""
    return _fill("errors", error.sentence, error)


def error_hint(error: YomitoriError) -> str:
    """What to do about it, in the user's language."""
    return _fill("errors", _IN_WINDOWS.get(type(error), error.hint), error)


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
    """A parameter in the user's language if it is itself one of core's texts: an engine's title, a device,
    the error that came before."""
    if isinstance(value, YomitoriError):
        return error_sentence(value)
    if value in ("cpu", "mps"):
        return device_word(str(value))
    if isinstance(value, str) and value:
        for context in ("errors", "engines", "settings"):
            translated = QCoreApplication.translate(context, value)
            if translated != value:
                return translated
        return _reason(value)
    return value


def _reason(text: str) -> str:
    """A reason with a name in it, in the user's language; as it is when nobody has foreseen it."""
    for template in _REASONS:
        pattern = re.sub(r"\\{\d\\}", "(.+)", re.escape(template))
        found = re.fullmatch(pattern, text)
        translated = QCoreApplication.translate("Reasons", template)
        if found is not None and translated != template:
            return translated.format(*found.groups())
    return text


_JAPANESE_END = "[\u3040-\u30ff\u4e00-\u9fff]{4}。$"
"""Not broken: a line with nothing but す。 looks lost."""


def breakable(text: str) -> str:
    """``text`` with places in long paths and names where a line may end, and none in the last word of a
    Japanese sentence; nothing of it is seen.

    A label that wraps its words is else as wide as the longest of them.
    """
    text = re.sub(r"\S{40,}", lambda found: re.sub(r"([/\\._-])(?=.)", "\\1\u200b", found[0]), text)
    return re.sub(_JAPANESE_END, lambda found: "\u2060".join(found[0]), text, flags=re.MULTILINE)


def engine_title(name: str) -> str:
    """What people call the engine of that name, in the user's language."""
    return QCoreApplication.translate("engines", title_of(name))


def device_title(device: Device) -> str:
    """A device with its memory: ``CPU (25.2 GB RAM)``, ``NVIDIA GeForce RTX 3060 (12.9 GB)``."""
    translate = QCoreApplication.translate
    memory = format_bytes(device.total)
    if device.name == "cpu":
        return translate("State", "CPU ({0} RAM)").format(memory)
    if device.name == "mps":
        return translate("State", "Apple GPU (shares {0} RAM)").format(memory)
    return f"{device.title} ({memory})"


def device_word(name: str, devices: Sequence[Device] = ()) -> str:
    """What to call ``cpu``, ``mps`` or ``cuda:0`` in a sentence: a card by its title where that is known."""
    if name == "cpu":
        return QCoreApplication.translate("State", "CPU")
    if name == "mps":
        return QCoreApplication.translate("State", "Apple GPU")
    return next((device.title for device in devices if device.name == name), name)


def memory_in_use(state: HostState) -> str:
    """``620 MB``, or ``620 MB + 1.2 GB on the graphics card``."""
    ram = format_bytes(state.memory)
    if not state.vram:
        return ram
    vram = format_bytes(state.vram)
    return QCoreApplication.translate("State", "{0} + {1} on the graphics card").format(ram, vram)


def memory_freed(state: HostState) -> str:
    """What the system had more of after a model's process had ended; empty when that is not known."""
    return format_bytes(state.freed + state.freed_vram) if state.freed + state.freed_vram else ""


def model_state(state: HostState) -> str:
    """One line about a model, for the tray's tooltip and the settings dialog."""
    translate = QCoreApplication.translate
    engine = engine_title(state.engine)
    if state.state == State.LOADING:
        return translate("State", "{engine}: loading…").format(engine=engine)
    if state.state == State.BUSY:
        return translate("State", "{engine}: reading").format(engine=engine)
    if state.state == State.READY:
        memory = memory_in_use(state)
        if not state.device:
            return translate("State", "{engine}: ready, {memory} in use").format(engine=engine, memory=memory)
        return translate("State", "{engine}: ready on {device}, {memory} in use").format(
            engine=engine, device=device_word(state.device), memory=memory
        )
    if state.state == State.FAILED and state.error is not None:
        return error_sentence(state.error)
    if freed := memory_freed(state):
        return translate("State", "No model in memory, {0} freed").format(freed)
    return translate("State", "No model in memory")
