"""Prompts in the user's language, and what their variables stand for."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QLocale

from core.settings import Settings

_LEVELS: Mapping[str, str] = {
    "beginner": "beginner (JLPT N5 to N4)",
    "intermediate": "intermediate (JLPT N3 to N2)",
    "advanced": "advanced (JLPT N1)",
}
"""Told to the model, so not translated."""


def prompt_variables(settings: Settings, text: str) -> dict[str, str]:
    """What stands for ``{text}``, ``{language}`` and ``{level}`` in a prompt."""
    panel = settings.panel
    return {
        "text": text,
        "language": panel.language.strip() or menu_language(),
        "level": _LEVELS[panel.level],
    }


def menu_language() -> str:
    """The English name of the language of menus and windows."""
    written = QCoreApplication.translate("prompts", "English", "the language of this translation, in English")
    return written or QLocale.languageToString(QLocale().language())
