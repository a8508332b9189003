"""The prompt library: what the quick actions of the panel ask, as the user likes it.

A prompt is a text with variables, ``{text}``, ``{language}`` and ``{level}``, which ``fill`` replaces. The
defaults ask in the user's language. Their titles are English here and looked up by the desktop; what the user
writes stays as it is.
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

_TEXT_JA = "画像の文字：{text}\n"
_LEVEL_JA = "私の日本語のレベル：{level}\n"

_JAPANESE: Mapping[str, str] = {
    # Manga that is read in Japanese need not be translated into it: then it is put into plain words.
    "translate": _TEXT_JA
    + "画像の文章を{language}に訳してください。もともと{language}の文章は、意味を変えずに、やさしい言葉に"
    "言い換えてください。誰が話しているかを画像から読み取り、口調を保ってください。"
    "できた文章だけを答えてください。",
    "grammar": _TEXT_JA
    + _LEVEL_JA
    + "画像の日本語の文法を、文節ごとに説明してください。助詞、動詞や形容詞の活用、省略された言葉を"
    "取り上げてください。{language}で答えてください。",
    "word": _TEXT_JA
    + _LEVEL_JA
    + "画像の日本語の単語を説明してください。かなでの読み、辞書形、ここでの意味、別の例文を一つ"
    "挙げてください。単語がいくつもあるときは、いちばん難しいものを説明してください。"
    "{language}で答えてください。",
    "scene": _TEXT_JA
    + "この画像では何が起きていますか。誰がいて、何をしていて、どんな気持ちで、直前に何があったと"
    "思われるかを述べてください。{language}で答えてください。",
    "speakers": _TEXT_JA
    + "この画像では誰が誰に話していますか。ふきだしの向き、表情、人称、語尾、敬語を手がかりに"
    "してください。分からないところは、分からないと述べてください。{language}で答えてください。",
    "describe": _TEXT_JA
    + "この画像を、見えない人のために説明してください。まず全体を一文で、次に人物とその表情やしぐさ、"
    "場所、描き文字の音や動きを述べてください。見えるものだけを述べてください。"
    "{language}で答えてください。",
}
"""The texts of the defaults for who has Japanese menus, by key."""


def defaults(language: str = "en") -> tuple[Prompt, ...]:
    """Those that a new library has; their texts are in ``language``, ``en`` or ``ja``."""
    if language != "ja":
        return DEFAULTS
    return tuple(replace(prompt, text=_JAPANESE[prompt.key]) for prompt in DEFAULTS)


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

    ``language`` is that of the defaults' texts, ``en`` or ``ja``; a default that the user has not changed
    follows it. Without a file there are the defaults, also the new ones of a later version. A file that is
    damaged is put aside, with an error in ``warnings``. Listeners run in the thread that made the change.
    """

    def __init__(self, path: Path, language: str = "en") -> None:
        self.language = language
        self._defaults = defaults(language)
        self._by_key = {prompt.key: prompt for prompt in self._defaults}
        self._file = KeptList(path, "prompts")
        self._listeners: list[Callable[[tuple[Prompt, ...]], None]] = []
        kept = self._file.read(self._from_json)
        self._prompts = self._defaults if kept is None else tuple(kept)

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
        self._take(tuple(prompts), lambda: self._file.write([self._to_json(prompt) for prompt in prompts]))

    def reset(self) -> None:
        """Back to the defaults; raises as ``set`` does."""
        self._take(self._defaults, self._file.remove)

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

    def _to_json(self, prompt: Prompt) -> dict[str, Any]:
        """A default's text is not kept unless it was changed, so that a later version may better it."""
        default = self._by_key.get(prompt.key)
        if default is None:
            return {"title": prompt.title, "text": prompt.text}
        entry = {"key": prompt.key, "title": prompt.title}
        return entry if prompt.text == default.text else {**entry, "text": prompt.text}

    def _from_json(self, entry: dict[str, Any]) -> Prompt | None:
        """None for a default that this version does not have."""
        values = {name: entry[name] for name in ("key", "title", "text") if name in entry}
        if not all(isinstance(value, str) for value in values.values()):
            raise TypeError("not a text")
        default = self._by_key.get(values.get("key", ""))
        if default is not None:
            return replace(default, text=values.get("text", default.text))
        if "key" in values and "text" not in values:
            return None
        return Prompt(values["title"], values["text"])
