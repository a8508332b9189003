"""What prompts, their variables and presets are called in the user's language. Core has them in English."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from core.presets import Preset
from core.prompts import DEFAULTS, DIRECT, Prompt

translate = QCoreApplication.translate

TITLES = (
    QT_TRANSLATE_NOOP("prompts", "Translate"),
    QT_TRANSLATE_NOOP("prompts", "Explain the grammar"),
    QT_TRANSLATE_NOOP("prompts", "Explain this word"),
    QT_TRANSLATE_NOOP("prompts", "What is happening"),
    QT_TRANSLATE_NOOP("prompts", "Who speaks to whom"),
    QT_TRANSLATE_NOOP("prompts", "Describe for someone who cannot see it"),
)
"""Those of ``core.prompts.DEFAULTS``; written here, where the texts to translate are looked for."""

VARIABLES = {
    "text": QT_TRANSLATE_NOOP("prompts", "what was read in the picture"),
    "language": QT_TRANSLATE_NOOP("prompts", "the language of “Answer in” above"),
    "level": QT_TRANSLATE_NOOP("prompts", "your Japanese: beginner, intermediate or advanced"),
}
"""What each variable of ``core.prompts.VARIABLES`` stands for."""

PRESETS = (
    QT_TRANSLATE_NOOP("presets", "Exact"),
    QT_TRANSLATE_NOOP("presets", "Balanced"),
    QT_TRANSLATE_NOOP("presets", "Lively"),
)
"""The names of ``core.presets.built_in``."""

_LONGEST = 40


def prompt_title(prompt: Prompt) -> str:
    """What a quick action is called: a default in the user's language, one without a title by its text."""
    if prompt.key:
        return translate("prompts", prompt.title)
    title = " ".join(prompt.title.split()) or " ".join(prompt.text.split())
    if not title:
        return translate("prompts", "Empty prompt")
    return title if prompt.title.strip() or len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…"


def written_prompt(title: str, text: str) -> Prompt:
    """The prompt that the user has written; with the title of a default it is told in any language."""
    for default in DEFAULTS:
        if title == prompt_title(default):
            return Prompt(default.title, text, default.key)
    return Prompt(title, text)


def direct_key(place: int) -> str:
    """The key of the prompt at ``place`` (from 0), empty when it has none."""
    return f"Alt+{place + 1}" if place < DIRECT else ""


def preset_name(preset: Preset) -> str:
    """What a preset is called: a built-in one in the user's language."""
    return translate("presets", preset.name) if preset.key else preset.name
