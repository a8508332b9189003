"""Prompts in the user's language, and what their variables stand for."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, QLocale

from core.settings import Settings

_LEVELS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "beginner": "beginner (JLPT N5 to N4)",
        "intermediate": "intermediate (JLPT N3 to N2)",
        "advanced": "advanced (JLPT N1)",
    },
    "ja": {
        "beginner": "初級 (JLPT N5～N4)",
        "intermediate": "中級 (JLPT N3～N2)",
        "advanced": "上級 (JLPT N1)",
    },
}
"""Told to the model, in the language of the prompts."""


def prompt_variables(settings: Settings, text: str, language: str = "en") -> dict[str, str]:
    """What stands for ``{text}``, ``{language}`` and ``{level}`` in a prompt; ``language`` is that of the
    default prompts, ``en`` or ``ja``."""
    panel = settings.panel
    return {
        "text": text,
        "language": panel.language.strip() or ("日本語" if language == "ja" else menu_language()),
        "level": _LEVELS[language][panel.level],
    }


def menu_language() -> str:
    """The English name of the language of menus and windows."""
    written = QCoreApplication.translate("prompts", "English", "the language of this translation, in English")
    return written or QLocale.languageToString(QLocale().language())
