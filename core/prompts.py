"""The prompt library: what the quick actions of the panel ask, as the user likes it.

A prompt is a text with variables, ``{text}``, ``{language}`` and ``{level}``, which ``fill`` replaces. The
titles of the defaults are English here and looked up by the desktop; what the user writes stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import YomitoriError
from core.kept_list import KeptList

VARIABLES = ("text", "language", "level")
"""What was read in the picture, the language to answer in, how much Japanese the user knows."""

DIRECT = 9
"""So many prompts, the first ones, have a key of their own: Alt+1 to Alt+9."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A quick action. ``key`` names the default whose title it has; it is empty for a title of the user's."""

    title: str
    text: str
    key: str = ""


_TEXT = "The text in the picture is: {text}\n"
_LEVEL = "My level of Japanese: {level}.\n"

DEFAULTS = (
    Prompt(
        "Translate",
        _TEXT + "Translate the text in the picture into {language}. Use the picture to find out who speaks, "
        "and keep the tone. Answer with the translation only.",
        "translate",
    ),
    Prompt(
        "Explain the grammar",
        _TEXT + _LEVEL + "Explain the grammar of the Japanese text in the picture, phrase by phrase: the "
        "particles, the forms of verbs and adjectives, and what is left out. Answer in {language}.",
        "grammar",
    ),
    Prompt(
        "Explain this word",
        _TEXT + _LEVEL + "Explain the Japanese word in the picture: its reading in kana, its dictionary "
        "form, what it means here, and one more example with its translation. If there are several words, "
        "explain the hardest of them. Answer in {language}.",
        "word",
    ),
    Prompt(
        "What is happening",
        _TEXT + "What is happening in this picture? Say who is there, what they are doing, how they feel, "
        "and what has probably just happened. Answer in {language}.",
        "scene",
    ),
    Prompt(
        "Who speaks to whom",
        _TEXT + "Who is speaking in this picture, and to whom? Look at where the speech bubbles point, at "
        "the faces, and at pronouns, endings and politeness. Say so where it cannot be known. "
        "Answer in {language}.",
        "speakers",
    ),
    Prompt(
        "Describe for someone who cannot see it",
        _TEXT + "Describe this picture for someone who cannot see it: first the whole in one sentence, then "
        "the people, their faces and gestures, the place, and drawn sounds and movements. Say only what can "
        "be seen. Answer in {language}.",
        "describe",
    ),
)

_BY_KEY = {prompt.key: prompt for prompt in DEFAULTS}
_VARIABLE = re.compile(r"\{(\w+)\}")


def fill(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with the names of ``variables`` in braces replaced by their values; other braces stay.

    A line with a variable whose value is empty is left out, unless nothing would be left of the text.
    """
    values = {name: value.strip() for name, value in variables.items()}

    def lacks(line: str) -> bool:
        return any(name in values and not values[name] for name in _VARIABLE.findall(line))

    def filled(line: str) -> str:
        return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), line)

    lines = text.splitlines()
    kept: list[str] = []
    gap = False
    for line in lines:
        if lacks(line):
            gap = True
            continue
        # Where a line between two empty ones is left out, one of them is enough.
        if not (gap and not line.strip() and (not kept or not kept[-1].strip())):
            kept.append(filled(line))
        gap = gap and not line.strip()
    whole = "\n".join(kept).strip()
    return whole or " ".join(" ".join(map(filled, lines)).split())


class PromptLibrary:
    """The prompts in their order, and the file that keeps them.

    Without a file they are the defaults, also the new ones of a later version. A file that is damaged is
    put aside, with an error in ``warnings``. Listeners run in the thread that made the change.
    """

    def __init__(self, path: Path) -> None:
        self._file = KeptList(path, "prompts")
        self._listeners: list[Callable[[tuple[Prompt, ...]], None]] = []
        kept = self._file.read(_from_json)
        self._prompts = DEFAULTS if kept is None else tuple(kept)

    @property
    def warnings(self) -> Sequence[YomitoriError]:
        """What was wrong with the file."""
        return self._file.warnings

    def prompts(self) -> tuple[Prompt, ...]:
        """All of them, in the user's order."""
        return self._prompts

    def set(self, prompts: Sequence[Prompt]) -> None:
        """Take these, in this order.

        Raises:
            StorageError: the file cannot be written; they are in force all the same.
        """
        self._take(tuple(prompts), lambda: self._file.write([_to_json(prompt) for prompt in prompts]))

    def reset(self) -> None:
        """Back to the defaults; raises as ``set`` does."""
        self._take(DEFAULTS, self._file.remove)

    def subscribe(self, listener: Callable[[tuple[Prompt, ...]], None]) -> Callable[[], None]:
        """Call ``listener`` with the prompts after every change; returns the function that ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            self._listeners = [known for known in self._listeners if known is not listener]

        return unsubscribe

    def _take(self, prompts: tuple[Prompt, ...], keep: Callable[[], None]) -> None:
        self._prompts = prompts
        try:
            keep()
        finally:
            for listener in tuple(self._listeners):
                listener(prompts)


def _to_json(prompt: Prompt) -> dict[str, Any]:
    """A default's text is not kept unless it was changed, so that a later version may better it."""
    default = _BY_KEY.get(prompt.key)
    if default is None:
        return {"title": prompt.title, "text": prompt.text}
    entry = {"key": prompt.key, "title": prompt.title}
    return entry if prompt.text == default.text else {**entry, "text": prompt.text}


def _from_json(entry: dict[str, Any]) -> Prompt | None:
    """None for a default that this version does not have."""
    values = {name: entry[name] for name in ("key", "title", "text") if name in entry}
    if not all(isinstance(value, str) for value in values.values()):
        raise TypeError("not a text")
    default = _BY_KEY.get(values.get("key", ""))
    if default is not None:
        return replace(default, text=values.get("text", default.text))
    if "key" in values and "text" not in values:
        return None
    return Prompt(values["title"], values["text"])
