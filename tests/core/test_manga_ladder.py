"""Doubt and the ladder: which readings are doubted, what is tried then, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest
from PIL import Image

from core.ocr.doubt import Candidate, Judge, geometric_mean
from core.ocr.ladder import RUNGS, Kept, climb
from core.ocr.manga_text import Read
from core.ocr.targets import Target
from core.types import Box, Direction, TextBlock, TextLine

PAGE = Image.new("RGB", (120, 120), "white")


def block(*texts: str, likelihood: float = 0.95) -> TextBlock:
    lines = tuple(
        TextLine(text, Box(60 - 30 * k, 10, 20, 90), (likelihood,) * len(text))
        for k, text in enumerate(texts)
    )
    return TextBlock(Box(20, 10, 80, 90), Direction.VERTICAL, lines)


def target(built_in: TextBlock | None = None) -> Target:
    return Target(Box(20, 10, 80, 90), Direction.VERTICAL, (Box(15, 5, 90, 100),), built_in)


def read(text: str, likelihood: float = 0.99, *others: str) -> Read:
    return Read(text, (likelihood,) * len(text), others)


class Script:
    """Answers each batch of pictures with the readings that are next in the script."""

    def __init__(self, *batches: list[Read]) -> None:
        self._batches = list(batches)
        self.sizes: list[list[tuple[int, int]]] = []

    def __call__(self, pictures: Sequence[Image.Image]) -> Generator[dict[str, Any], None, list[Read]]:
        self.sizes.append([picture.size for picture in pictures])
        found = self._batches.pop(0) if pictures else []
        assert len(found) == len(pictures)
        yield {"lines_done": len(found), "lines": len(found)}
        return found


def kept(steps: Generator[dict[str, Any], None, list[Kept]]) -> list[Kept]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return list(end.value)


def test_the_mean_of_likelihoods_is_geometric() -> None:
    assert geometric_mean([0.5, 0.5]) == pytest.approx(0.5)
    assert geometric_mean([1.0, 0.25]) == pytest.approx(0.5)
    assert geometric_mean([]) == 0.0
    assert geometric_mean([0.0, 1.0]) < 0.01


@pytest.mark.parametrize(
    ("text", "likelihoods", "built_in", "doubtful"),
    [
        ("ねえ、先生。", (0.99,) * 6, block("ねえ、", "先生。"), False),
        ("ねえ、先生。", (0.5,) * 6, block("ねえ、", "先生。"), True),
        ("ねえ、先生。", (0.99, 0.99, 0.99, 0.1, 0.99, 0.99), block("ねえ、", "先生。"), True),
        # Made up: likely to itself, but the other engine has seen something else
        ("そうですね。", (0.99,) * 6, block("ねえ、", "先生。"), True),
        # But as sure as it is of what it reads rightly
        ("そうですね。", (0.999,) * 6, block("ねえ、", "先生。"), False),
        # The other engine is not sure itself
        ("そうですね。", (0.99,) * 6, block("ねえ、", "先生。", likelihood=0.5), False),
        # Nothing to compare with
        ("そうですね。", (0.99,) * 6, None, False),
        # Going round in circles
        ("あいあいあいあいあい", (0.99,) * 10, None, True),
        # As it is written
        ("ドドドドドドドドドド", (0.99,) * 10, block("ドドドドドドドドドド"), False),
        ("", (), None, True),
    ],
)
def test_what_is_doubted(
    text: str, likelihoods: tuple[float, ...], built_in: TextBlock | None, doubtful: bool
) -> None:
    assert Judge(built_in).is_doubtful(Candidate((text,), likelihoods)) is doubtful


def test_a_good_reading_is_kept_without_another_look() -> None:
    script = Script([read("ねえ、先生。")])
    (result,) = kept(climb(PAGE, [target(block("ねえ、", "先生。"))], script))
    assert result.best.text == "ねえ、先生。"
    assert script.sizes == [[(90, 100)]]


def test_only_doubtful_bubbles_are_looked_at_again_and_all_of_them_at_once() -> None:
    # given three bubbles, two of them doubtful, the second look at one of these is good
    found = [target(block("はい")), target(block("いいえ")), target(block("うん"))]
    script = Script(
        [read("はい"), read("えええ", 0.4), read("ううう", 0.4)],
        [read("いいえ"), read("ううう", 0.4)],
        [read("うん")],
    )

    # when they climb
    results = kept(climb(PAGE, found, script, rungs=RUNGS[:2]))

    # then each rung is one batch of those that are still doubtful
    assert [len(sizes) for sizes in script.sizes] == [1 + 2, 2, 1]
    assert [result.best.text for result in results] == ["はい", "いいえ", "うん"]
    assert [result.best.how for result in results] == ["", RUNGS[0][0], RUNGS[1][0]]


def test_the_best_is_kept_and_the_rest_are_others() -> None:
    # given a first look that is better than the second
    script = Script([read("いいえ", 0.7, "いいね")], [read("えええ", 0.3)])
    (result,) = kept(climb(PAGE, [target(block("いいえ", likelihood=0.5))], script, rungs=RUNGS[:1]))

    # when it has climbed, then the first is kept, with what else was read
    assert result.best.text == "いいえ"
    assert result.best.others == ("いいね",)
    assert [other.text for other in result.others] == ["えええ", "いいえ"]
    assert [other.how for other in result.others] == [RUNGS[0][0], "built-in"]


def test_when_every_look_is_made_up_the_built_in_reading_is_kept() -> None:
    script = Script([read("そうですね。", 0.9)], [read("ではまた。", 0.9)])
    (result,) = kept(climb(PAGE, [target(block("冒険だ"))], script, rungs=RUNGS[:1]))
    assert result.best.texts == ("冒険だ",)
    assert result.best.how == "built-in"


def test_without_the_second_engine_its_reading_is_only_an_alternative() -> None:
    script = Script([read("そうですね。", 0.9)])
    found = [target(block("冒険だ"))]
    (result,) = kept(climb(PAGE, found, script, rungs=(), second_engine=False))
    assert result.best.text == "そうですね。"
    assert [other.how for other in result.others] == ["built-in"]


@pytest.mark.parametrize(
    ("text", "likelihoods", "built_in", "made_up"),
    [
        # The other engine saw nothing, or strokes: only what is sure is text
        ("そうですね。", (0.99,) * 6, None, False),
        ("そうですね。", (0.9,) * 6, None, True),
        ("そうですね。", (1.0, 1.0, 1.0, 1.0, 1.0, 0.5), block("ﾉ|", likelihood=0.6), True),
        # It saw text, if another
        ("そうですね。", (0.5,) * 6, block("ねえ、", "先生。"), False),
        # It saw the same letters
        ("ＯＫ！", (0.9,) * 3, block("OK!"), False),
        ("", (), block("ねえ、"), True),
    ],
)
def test_what_is_taken_for_made_up(
    text: str, likelihoods: tuple[float, ...], built_in: TextBlock | None, made_up: bool
) -> None:
    # given one look at a bubble, when it is read, then the result says whether there is text at all
    script = Script([Read(text, likelihoods)])
    (result,) = kept(climb(PAGE, [target(built_in)], script, rungs=(), second_engine=False))
    assert result.best.text == text
    assert result.made_up is made_up


@pytest.mark.parametrize(("name", "show"), RUNGS)
def test_every_rung_shows_something_else_than_the_first_look(name: str, show: Callable[..., Any]) -> None:
    # given a bubble of two columns, black on white
    page = PAGE.copy()
    page.paste("black", (30, 20, 50, 90))
    bubble = target(block("ねえ、", "先生。"))

    # when a rung shows it, then it is not the first look
    looks = show(page, bubble)
    first = page.crop((15, 5, 105, 105))
    assert looks
    assert all(look.tobytes() != first.tobytes() for look in looks)


def test_no_bubbles_need_no_reading() -> None:
    script = Script()
    assert kept(climb(PAGE, [], script)) == []
