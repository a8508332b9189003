"""Questions about a drawn scene and their answers, in English and Japanese, with follow-ups.

What can be asked, by kind: ``colour``, ``shape`` and ``side`` of one shape; ``count``; ``describe``; the
follow-ups ``it`` (another question about the same shape), ``other`` (the same question about the other of
two) and ``and`` (the same question about a shape that is named); ``text`` (repeat the recognised text that
was given with a question, if it is one of ``READABLE``); ``endless`` (an answer that never stops, for tests
of stopping).

Each has one plain wording, and with a random generator many: synonyms, capitals, with and without the mark
at the end. The answers have one wording only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.models import lexicon

if TYPE_CHECKING:
    from tests.models.vision_scenes import Scene

LANGUAGES = ("en", "ja")
KINDS = ("colour", "shape", "side", "count", "describe", "it", "other", "and", "text", "endless")
ASPECTS = ("colour", "shape", "side")

COLOURS = {"red": "赤", "blue": "青", "green": "緑", "yellow": "黄色", "purple": "紫", "orange": "オレンジ"}
SHAPES = {"circle": "円", "square": "四角", "triangle": "三角", "star": "星"}
_ADJECTIVES = {
    "red": "赤い",
    "blue": "青い",
    "green": "緑の",
    "yellow": "黄色い",
    "purple": "紫の",
    "orange": "オレンジの",
}
_NUMBERS = {
    "en": ("One.", "Two.", "Three.", "Four."),
    "ja": ("一つです。", "二つです。", "三つです。", "四つです。"),
}
_SIDES = {
    "left": ("On the left.", "左です。"),
    "middle": ("In the middle.", "真ん中です。"),
    "right": ("On the right.", "右です。"),
    "top": ("At the top.", "上です。"),
    "bottom": ("At the bottom.", "下です。"),
}
READABLE = tuple(lexicon.plain(marked) for marked in (*lexicon.PLAIN, *lexicon.DRAWN_OUT))
"""The recognised texts that can be asked for. Others may be given, and must not confuse."""
NO_TEXT = {"en": "No text was given.", "ja": "文字はありません。"}
GIVEN = {"en": 'Text in the picture: "{}"', "ja": "画像の文字：「{}」"}
_QUOTED = {"en": '"{}"', "ja": "「{}」"}
ENDLESS_WORDS = {"en": ("ha", " "), "ja": ("は", "")}
"""What an endless answer repeats, and what stands between."""


# The first of each is the plain wording. "{}" is the name of a shape.
_ASK: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "colour": (
            "What colour is {}?",
            "What color is {}?",
            "Which colour is {}?",
            "Which color is {}?",
            "Tell me the colour of {}.",
            "What is the color of {}?",
        ),
        "shape": (
            "What shape is {}?",
            "Which shape is {}?",
            "What kind of shape is {}?",
            "Tell me the shape of {}.",
            "What is the shape of {}?",
        ),
        "side": ("Which side is {} on?", "Where is {}?", "On which side is {}?", "Tell me where {} is."),
        "count": (
            "How many shapes are there?",
            "How many shapes do you see?",
            "How many shapes are in the picture?",
            "Count the shapes.",
            "How many are there?",
        ),
        "describe": (
            "Describe the picture.",
            "Please describe the picture.",
            "Describe the image.",
            "What is in the picture?",
            "What do you see?",
            "What is shown in this image?",
        ),
        "text": (
            "What does the text say?",
            "What does it say?",
            "What is written in the picture?",
            "What is written?",
            "Read the text.",
        ),
        "endless": ("Say ha without end.", "Say ha forever.", "Say ha and never stop."),
        "it colour": ("What colour is it?", "What color is it?", "And its colour?", "And the color?"),
        "it shape": ("What shape is it?", "Which shape is it?", "And its shape?", "And the shape?"),
        "it side": ("Which side is it on?", "Where is it?", "On which side is it?"),
        "other": ("And the other one?", "What about the other one?", "And the other?", "The other one?"),
        "and": ("And {}?", "What about {}?"),
    },
    "ja": {
        "colour": (
            "{}は何色？",
            "{}は何色ですか？",
            "{}の色は？",
            "{}の色は何ですか？",
            "{}の色を教えて。",
            "{}はどんな色？",
        ),
        "shape": (
            "{}はどんな形？",
            "{}はどんな形ですか？",
            "{}の形は？",
            "{}の形は何ですか？",
            "{}の形を教えて。",
            "{}は何の形？",
        ),
        "side": ("{}はどちら側？", "{}はどこ？", "{}はどこにありますか？", "{}はどちら側にある？"),
        "count": (
            "図形はいくつ？",
            "図形はいくつありますか？",
            "図形の数は？",
            "いくつある？",
            "図形を数えて。",
        ),
        "describe": (
            "絵を説明して。",
            "この絵を説明してください。",
            "何が見える？",
            "何がありますか？",
            "画像の説明をして。",
        ),
        "text": (
            "何と書いてある？",
            "何と書いてありますか？",
            "何て書いてあるの？",
            "文字を読んで。",
            "文字は何？",
        ),
        "endless": ("ずっと「は」と言って", "「は」と言い続けて", "止まらずに「は」と言って"),
        "it colour": ("何色？", "色は？", "それは何色？", "その色は？", "何色ですか？"),
        "it shape": ("どんな形？", "形は？", "それはどんな形？", "その形は？", "どんな形ですか？"),
        "it side": ("どちら側？", "どこにある？", "それはどこ？", "それはどちら側？"),
        "other": ("もう一つは？", "もう一方は？", "じゃあ、もう一つは？", "ではもう一つは？"),
        "and": ("{}は？", "じゃあ、{}は？", "では{}は？"),
    },
}
_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "only": ("the shape", "it", "this shape"),
        "left": ("the left one", "the shape on the left", "the left shape", "the one on the left"),
        "right": ("the right one", "the shape on the right", "the right shape", "the one on the right"),
        "top": ("the top one", "the shape at the top", "the upper one", "the top shape", "the upper shape"),
        "bottom": ("the bottom one", "the shape at the bottom", "the lower one", "the bottom shape"),
        "leftmost": ("the leftmost one", "the leftmost shape", "the shape on the far left"),
        "rightmost": ("the rightmost one", "the rightmost shape", "the shape on the far right"),
        "middle": ("the middle one", "the shape in the middle", "the middle shape"),
    },
    "ja": {
        "only": ("図形", "この図形", "それ"),
        "left": ("左", "左の図形", "左側", "左のもの", "左側の図形"),
        "right": ("右", "右の図形", "右側", "右のもの", "右側の図形"),
        "top": ("上", "上の図形", "上のもの"),
        "bottom": ("下", "下の図形", "下のもの"),
        "leftmost": ("一番左", "一番左の図形", "一番左のもの"),
        "rightmost": ("一番右", "一番右の図形", "一番右のもの"),
        "middle": ("真ん中", "真ん中の図形", "真ん中のもの"),
    },
}


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its only right answer.

    ``given`` is the recognised text that comes with the question. ``index`` and ``aspect`` say what was asked
    about, where a follow-up may refer to it.
    """

    kind: str
    language: str
    question: str
    answer: str
    given: str = ""
    index: int | None = None
    aspect: str = ""

    @property
    def prompt(self) -> str:
        """What the user's message says: the recognised text, if any, and below it the question."""
        return f"{GIVEN[self.language].format(self.given)}\n{self.question}" if self.given else self.question


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns about one picture, with a system prompt or without."""

    turns: tuple[Turn, ...]
    system: str = ""

    def messages(self, asked: int | None = None) -> list[dict[str, Any]]:
        """For a chat template: up to the question number ``asked``, or all with the last answer.

        The image goes with the first question.
        """
        made = [_message("system", self.system)] if self.system else []
        for number, turn in enumerate(self.turns):
            made.append(_message("user", turn.prompt))
            if number == 0:
                made[-1]["content"].insert(0, {"type": "image"})
            if number == asked:
                break
            made.append(_message("assistant", turn.answer))
        return made


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


class Asker:
    """Makes the turns about one scene in one language; with a generator the wording varies."""

    def __init__(self, scene: Scene, language: str, rng: random.Random | None = None) -> None:
        self.scene, self.language, self.rng = scene, language, rng

    def about(self, aspect: str, index: int) -> Turn:
        """Colour, shape or side of a shape that the question names."""
        names = self._names(index, aspect)
        question = self._say(aspect, self._one(names))
        return self._turn(aspect, question, self._value(aspect, index), index, aspect)

    def it(self, aspect: str, index: int) -> Turn:
        """Another question about the shape that was spoken of last."""
        question = self._say(f"it {aspect}")
        return self._turn("it", question, self._value(aspect, index), index, aspect)

    def other(self, before: Turn) -> Turn:
        """The same question about the other of two shapes."""
        assert before.index is not None
        index = 1 - before.index
        value = self._value(before.aspect, index)
        return self._turn("other", self._say("other"), value, index, before.aspect)

    def another(self, before: Turn, index: int) -> Turn:
        """The same question about a shape that the question names."""
        question = self._say("and", self._one(self._names(index, before.aspect)))
        return self._turn("and", question, self._value(before.aspect, index), index, before.aspect)

    def count(self) -> Turn:
        answer = _NUMBERS[self.language][len(self.scene.things) - 1]
        return self._turn("count", self._say("count"), answer)

    def describe(self) -> Turn:
        return self._turn("describe", self._say("describe"), description(self.scene, self.language))

    def text(self, given: str) -> Turn:
        """Ask what the recognised text says; ``given`` is that of this turn or of an earlier one, or ""."""
        answer = _QUOTED[self.language].format(given) if given else NO_TEXT[self.language]
        return self._turn("text", self._say("text"), answer)

    def endless(self, times: int = 30) -> Turn:
        """The answer is its beginning: ``times`` repetitions."""
        word, gap = ENDLESS_WORDS[self.language]
        return self._turn("endless", self._say("endless"), gap.join([word] * times))

    def askable(self, aspect: str, index: int) -> bool:
        """Whether a shape can be named, without giving the answer away, and the aspect has one answer."""
        return bool(self._names(index, aspect)) and (aspect != "side" or self.scene.side(index) != "")

    def _names(self, index: int, aspect: str) -> list[tuple[str, ...]]:
        """Ways to name a shape: by its place, by its shape, by its colour, by both."""
        thing, things = self.scene.things[index], self.scene.things
        ways: list[tuple[str, ...]] = []
        place = self.scene.place(index)
        if place and aspect != "side":
            ways.append(_NAMES[self.language][place])
        if len(things) > 1:
            if aspect != "shape" and [t.shape for t in things].count(thing.shape) == 1:
                ways.append(self._by_shape(thing.shape))
            if aspect != "colour" and [t.colour for t in things].count(thing.colour) == 1:
                ways.append(self._by_colour(thing.colour))
        return ways

    def _by_shape(self, shape: str) -> tuple[str, ...]:
        return (f"the {shape}",) if self.language == "en" else (SHAPES[shape], f"{SHAPES[shape]}形")[:1]

    def _by_colour(self, colour: str) -> tuple[str, ...]:
        if self.language == "en":
            return (f"the {colour} one", f"the {colour} shape")
        return (f"{_ADJECTIVES[colour]}図形", f"{_ADJECTIVES[colour]}もの")

    def _value(self, aspect: str, index: int) -> str:
        thing = self.scene.things[index]
        if aspect == "side":
            return _SIDES[self.scene.side(index)][LANGUAGES.index(self.language)]
        if self.language == "ja":
            return f"{COLOURS[thing.colour] if aspect == 'colour' else SHAPES[thing.shape]}です。"
        return f"{thing.colour.capitalize()}." if aspect == "colour" else f"A {thing.shape}."

    def _turn(
        self, kind: str, question: str, answer: str, index: int | None = None, aspect: str = ""
    ) -> Turn:
        if index is None and len(self.scene.things) == 1 and kind in ("count", "describe"):
            index = 0
        return Turn(kind, self.language, question, answer, index=index, aspect=aspect)

    def _one(self, ways: Sequence[tuple[str, ...]]) -> str:
        if self.rng is None:
            return ways[0][0]
        return self.rng.choice(self.rng.choice(ways))

    def _say(self, key: str, name: str = "") -> str:
        wordings = _ASK[self.language][key]
        if self.rng is None:
            return _capital(wordings[0].format(name))
        said = self.rng.choice(wordings).format(name)
        lots = [self.rng.random() for _ in range(3)]
        said = said if lots[0] < 0.15 else _capital(said)
        if lots[1] < 0.2:
            said = said.rstrip("?.？。")
        return said.replace("？", "?") if lots[2] < 0.15 else said


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def description(scene: Scene, language: str) -> str:
    """Every shape with its colour, from left to right, or from top to bottom."""
    if language == "ja":
        named = "、".join(f"{_ADJECTIVES[t.colour]}{SHAPES[t.shape]}" for t in scene.things)
        order = "" if len(scene.things) == 1 else "上から順に、" if scene.column else "左から順に、"
        return f"絵には{order}{named}があります。"
    names = [f"{'an' if t.colour == 'orange' else 'a'} {t.colour} {t.shape}" for t in scene.things]
    if len(names) == 1:
        return f"The picture shows {names[0]}."
    order = "top to bottom" if scene.column else "left to right"
    return f"The picture shows, from {order}, {', '.join(names[:-1])} and {names[-1]}."


def plain_conversations(scene: Scene, language: str) -> list[Conversation]:
    """Conversations in plain wording that together ask all there is to ask about a scene."""
    asker = Asker(scene, language)
    talks: list[list[Turn]] = [[asker.count()], [asker.describe()]]
    for index in range(len(scene.things)):
        for aspect in ASPECTS:
            if not asker.askable(aspect, index):
                continue
            talk = [asker.about(aspect, index)]
            if len(scene.things) == 2:
                talk.append(asker.other(talk[0]))
            now = talk[-1].index
            assert now is not None
            other = "shape" if aspect == "colour" else "colour"
            talk.append(asker.it(other, now))
            if len(scene.things) > 2:
                following = [n for n in range(len(scene.things)) if n != index and asker.askable(other, n)]
                talk.extend(asker.another(talk[-1], n) for n in following[:1])
            talks.append(talk)
    return [Conversation(tuple(talk)) for talk in talks]


def varied_conversation(
    scene: Scene, rng: random.Random, length: int, language: str, text: str = "", system: str = ""
) -> Conversation:
    """A conversation by lot, as long as asked for, mostly in one language; ``text`` comes with the first
    question, sometimes with every question."""
    turns: list[Turn] = []
    every = rng.random() < 0.15
    for number in range(length):
        spoken = language
        if number and rng.random() < 0.12:
            spoken = LANGUAGES[1 - LANGUAGES.index(language)]
        turn = _next(Asker(scene, spoken, rng), rng, turns[-1] if turns else None, text)
        turns.append(replace(turn, given=text) if text and (every or not number) else turn)
    return Conversation(tuple(turns), system)


def _next(asker: Asker, rng: random.Random, before: Turn | None, text: str) -> Turn:
    things = asker.scene.things
    if before is not None and before.index is not None and rng.random() < 0.65:
        ways = [("it", aspect) for aspect in ASPECTS if aspect != before.aspect]
        ways = [(how, a) for how, a in ways if a != "side" or asker.scene.side(before.index)]
        if before.aspect and len(things) == 2:
            ways += [("other", "")] * 2
        others = [n for n in range(len(things)) if n != before.index]
        others = [n for n in others if before.aspect and asker.askable(before.aspect, n)]
        if others:
            ways.append(("and", ""))
        how, aspect = rng.choice(ways)
        if how == "it":
            return asker.it(aspect, before.index)
        return asker.other(before) if how == "other" else asker.another(before, rng.choice(others))
    lot = rng.random()
    if lot < 0.10:
        return asker.count()
    if lot < 0.24:
        return asker.describe()
    if lot < (0.40 if text in READABLE else 0.24 if text else 0.28):
        return asker.text(text)
    if lot < (0.43 if text in READABLE else 0.31):
        return asker.endless(rng.randint(3, 12))
    pairs = [(a, n) for a in ASPECTS for n in range(len(things)) if asker.askable(a, n)]
    aspect = rng.choice(sorted({a for a, _ in pairs}))
    return asker.about(aspect, rng.choice([n for a, n in pairs if a == aspect]))
