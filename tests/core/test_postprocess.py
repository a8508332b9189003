"""What was read becomes the text people paste. Each setting's own example is true."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ocr.postprocess import compose, tidy
from core.settings import Reading, find_setting
from core.types import Box, Direction, TextBlock, TextLine

BOX = Box(0, 0, 10, 10)
RAW = Reading(join_lines=False, spaces="keep", ellipsis="keep")


def block(*lines: str, direction: Direction = Direction.VERTICAL) -> TextBlock:
    return TextBlock(BOX, direction, tuple(TextLine(line, BOX) for line in lines))


def rows(*lines: str) -> TextBlock:
    return block(*lines, direction=Direction.HORIZONTAL)


def settings(**values: object) -> Reading:
    return Reading.model_validate(Reading().model_dump() | values)


def test_the_example_of_joining_lines() -> None:
    assert "今日は / 学校に becomes 今日は学校に" in find_setting("reading.join_lines").description
    assert compose([block("今日は", "学校に")], settings(join_lines=True)) == "今日は学校に"
    assert compose([block("今日は", "学校に")], settings(join_lines=False)) == "今日は\n学校に"


def test_the_example_of_full_width_letters() -> None:
    assert "3月 ABC! becomes ３月　ＡＢＣ！" in find_setting("reading.full_width").description
    assert compose([rows("3月 ABC!")], settings(full_width=True)) == "３月　ＡＢＣ！"
    assert compose([rows("3月 ABC!")], settings(full_width=False)) == "3月 ABC!"


def test_the_example_of_spaces() -> None:
    assert "そ う か becomes そうか" in find_setting("reading.spaces").description
    assert compose([block("そ う か")], settings(spaces="remove")) == "そうか"
    assert compose([block("そ う か")], settings(spaces="keep")) == "そ う か"
    assert compose([rows("Hello big World")], settings(spaces="remove")) == "Hello big World"


@pytest.mark.parametrize("dots", ["え・・・", "え...", "え…"])
def test_the_example_of_dots(dots: str) -> None:
    said = find_setting("reading.ellipsis").description
    assert "え・・・ stays え・・・ as read, becomes え... with full stops, or え… with one character" in said
    assert compose([block(dots)], settings(ellipsis="char")) == "え…"
    assert compose([block(dots)], settings(ellipsis="dots")) == "え..."
    assert compose([block(dots)], settings(ellipsis="keep")) == dots


def test_a_single_dot_is_no_row_of_dots() -> None:
    assert compose([block("ジョン・スミス 3.5")], settings(ellipsis="char")) == "ジョン・スミス 3.5"


def test_the_example_of_several_bubbles() -> None:
    said = find_setting("reading.line_breaks").description
    assert "はい and そうか become はい / そうか or はいそうか" in said
    bubbles = [block("はい"), block("そうか")]
    assert compose(bubbles, settings(line_breaks="keep")) == "はい\nそうか"
    assert compose(bubbles, settings(line_breaks="drop")) == "はいそうか"


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (("The quick", "brown fox"), "The quick brown fox"),
        (("It ends here.", "Then more"), "It ends here. Then more"),
        (("a well-", "known face"), "a well-known face"),
        (("page", "12 of 20"), "page 12 of 20"),
        (("第1", "2話"), "第12話"),
        (("これはABC", "です"), "これはABCです"),
        (("そうだ！", "OK"), "そうだ！OK"),
    ],
)
def test_latin_words_of_rows_do_not_run_into_each_other(lines: tuple[str, ...], joined: str) -> None:
    assert compose([rows(*lines)], Reading()) == joined


def test_columns_are_joined_without_a_space() -> None:
    assert compose([block("DJ", "MC")], Reading()) == "DJMC"


def test_nothing_read_is_empty_and_leaves_no_empty_rows() -> None:
    assert compose([], Reading()) == ""
    assert compose([block(""), block("はい", ""), block(" ")], Reading(join_lines=False)) == "はい"


text = st.text(alphabet="あアー漢っ、。！？!?.・…‥ 　\tABZaz09ＡＢ３-ｱｶﾞ", max_size=14)
options = st.builds(
    Reading,
    join_lines=st.booleans(),
    line_breaks=st.sampled_from(["keep", "drop"]),
    spaces=st.sampled_from(["remove", "keep"]),
    full_width=st.booleans(),
    ellipsis=st.sampled_from(["keep", "dots", "char"]),
)


@given(text, options)
def test_tidying_twice_changes_nothing_more(piece: str, reading: Reading) -> None:
    once = tidy(piece, reading)
    assert tidy(once, reading) == once


@given(st.lists(st.lists(text, max_size=3), max_size=3), options)
def test_no_row_is_empty_or_framed_by_spaces(bubbles: Sequence[Sequence[str]], reading: Reading) -> None:
    composed = compose([rows(*lines) for lines in bubbles], reading)
    assert all(row and row == row.strip() for row in composed.split("\n")) or composed == ""


@given(st.lists(st.text(alphabet="あ漢ー、", min_size=1, max_size=6), max_size=4))
def test_with_everything_off_the_lines_come_as_read(lines: list[str]) -> None:
    assert compose([block(*lines)], RAW) == "\n".join(lines)
