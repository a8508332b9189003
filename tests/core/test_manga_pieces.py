"""Where long text is cut, which parts of a picture are shown, and how furigana comes to another text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from core.ocr.agreement import agreement, borders, distance
from core.ocr.pieces import LONGEST_LINE, LONGEST_TEXT, MOST_LINES, cut_block, cut_line, fits
from core.ocr.pixels import Picture, to_picture
from core.ocr.reader import Survey
from core.ocr.targets import MARGIN, targets
from core.ocr.transfer import furigana_for
from core.types import Box, Direction, Furigana, RgbImage, TextBlock, TextLine

EM = 20


def drawn_line(count: int, vertical: bool = False) -> tuple[Picture, Box]:
    """A line of ``count`` boxes as characters, each EM apart with 4 pixels between them, and where it is."""
    size = (EM, EM * count) if vertical else (EM * count, EM)
    page = Image.new("RGB", (size[0] + 40, size[1] + 40), "white")
    pen = ImageDraw.Draw(page)
    for k in range(count):
        x, y = (20, 20 + k * EM) if vertical else (20 + k * EM, 20)
        pen.rectangle((x + 2, y + 2, x + EM - 3, y + EM - 3), fill="black")
    box = Box(20, 20, *size)
    return to_picture(RgbImage(*page.size, page.tobytes())), box


def blank(width: int = 400, height: int = 400) -> Picture:
    return np.full((height, width, 3), 255, np.uint8)


def columns(*texts: str, height: int = 200) -> TextBlock:
    """Columns from right to left, each EM wide, with a character's width between them."""
    lines = []
    for k, text in enumerate(texts):
        x = 20 + 2 * EM * (len(texts) - 1 - k)
        lines.append(TextLine(text, Box(x, 30, EM, height), (0.9,) * len(text)))
    left, right = lines[-1].box, lines[0].box
    return TextBlock(left.union(right), Direction.VERTICAL, tuple(lines))


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("count", [15, 20, 28, 29, 50])
def test_a_long_line_is_cut_between_its_characters(count: int, vertical: bool) -> None:
    # given a line of more characters than fit
    picture, box = drawn_line(count, vertical)
    direction = Direction.VERTICAL if vertical else Direction.HORIZONTAL

    # when it is cut
    parts = cut_line(picture, box, direction, "あ" * count)

    # then each part holds whole characters, and not too many; nothing is left out
    assert len(parts) == -(-count // LONGEST_LINE)
    ends = [(p.y - box.y, p.bottom - box.y) if vertical else (p.x - box.x, p.right - box.x) for p in parts]
    assert ends[0][0] == 0
    assert ends[-1][1] == count * EM
    for (_, end), (start, _) in pairwise(ends):
        assert end == start
        assert end % EM <= 2 or end % EM >= EM - 2
    assert all(end - start <= (LONGEST_LINE + 1) * EM for start, end in ends)


@pytest.mark.parametrize("vertical", [False, True])
def test_lines_that_continue_each_other_count_as_one(vertical: bool) -> None:
    # given a line with a gap in it, of which the built-in engine makes two
    def block(*texts: str) -> TextBlock:
        lines = []
        for k, text in enumerate(texts):
            box = Box(20, 20 + 200 * k, EM, 180) if vertical else Box(20 + 200 * k, 20 + k, 180, EM)
            lines.append(TextLine(text, box, (0.9,) * len(text)))
        whole = lines[0].box.union(lines[-1].box)
        return TextBlock(whole, Direction.VERTICAL if vertical else Direction.HORIZONTAL, tuple(lines))

    # then what is too long together is read apart, and what is not, together
    long = block("夢じゃないよね？", "電車が来ちゃった。")
    assert not fits(long)
    assert cut_block(blank(), long) == [line.box for line in long.lines]
    assert fits(block("夢じゃないよね？", "うん。"))


def test_a_bubble_fits_and_is_one_part() -> None:
    assert fits(columns("これはとても", "長いせりふ", "です。"))
    assert not fits(columns("あ" * (LONGEST_LINE + 1)))
    assert not fits(columns(*["あ" * 10] * 6))
    assert not fits(columns(*["あ"] * (MOST_LINES + 1)))


def test_a_text_of_many_lines_is_cut_between_lines() -> None:
    # given twelve columns of ten characters
    block = columns(*["あ" * 10] * 12)

    # when it is cut, then each part holds whole columns in reading order, about as many in each
    parts = cut_block(blank(800), block)
    counts = [sum(part.contains(*line.box.center) for line in block.lines) for part in parts]
    assert counts == [4, 4, 4]
    assert parts[0].x > parts[1].x > parts[2].x


def test_a_long_column_among_short_ones_is_cut_alone() -> None:
    block = columns("あ" * 5, "い" * 20, "う" * 5)
    parts = cut_block(blank(), block)
    assert len(parts) == 4
    first, second, third, last = parts
    assert first == block.lines[0].box
    assert second.union(third) == block.lines[1].box
    assert last == block.lines[2].box


@given(st.lists(st.integers(1, 40), min_size=1, max_size=14))
def test_no_part_is_longer_than_what_can_be_read(lengths: list[int]) -> None:
    # given columns of any lengths, when they are cut, then every line lies in exactly one part or is cut
    block = columns(*["あ" * n for n in lengths])
    parts = cut_block(blank(1200), block)
    for line in block.lines:
        around = [part for part in parts if part.intersection(line.box).area > 0]
        assert sum(part.intersection(line.box).area for part in around) == line.box.area
    for part in parts:
        whole = [line for line in block.lines if part.intersection(line.box) == line.box]
        assert sum(len(line.text) for line in whole if len(line.text) <= LONGEST_LINE) <= (
            LONGEST_TEXT + LONGEST_LINE
        )


def shown(blocks: Sequence[TextBlock], picture: Picture) -> list[tuple[Box, ...]]:
    return [target.parts for target in targets(Survey(list(blocks), []), picture)]


def inked(width: int, height: int) -> Picture:
    page = blank(width, height)
    page[height // 3 : height // 2, width // 3 : width // 2] = 0
    return page


def test_a_snip_that_is_one_bubble_is_shown_whole() -> None:
    block = columns("ねえ", "先生")
    picture = inked(block.box.right + 20, block.box.bottom + 20)
    assert shown([block], picture) == [(Box(0, 0, picture.shape[1], picture.shape[0]),)]


def test_a_small_bubble_in_a_large_picture_is_cut_out_with_a_margin() -> None:
    block = columns("ねえ", "先生")
    ((part,),) = shown([block], inked(900, 900))
    margin = round(MARGIN * EM)
    box = block.box
    assert part == Box(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin)


def test_bubbles_are_cut_out_without_their_neighbours() -> None:
    # given two bubbles that stand close together
    left = columns("ねえ", "先生")
    moved = tuple(replace(line, box=replace(line.box, x=line.box.x + 62)) for line in left.lines)
    right = TextBlock(replace(left.box, x=left.box.x + 62), left.direction, moved)

    # when they are shown, then no part reaches into the other bubble
    (first,), (second,) = shown([right, left], inked(900, 900))
    assert first.intersection(left.box).area == 0
    assert second.intersection(right.box).area == 0


def test_where_nothing_stands_out_nothing_is_shown() -> None:
    assert shown([], blank()) == []
    assert len(shown([], inked(60, 200))) == 1


def test_a_long_strip_in_which_nothing_was_found_is_shown_in_parts() -> None:
    ((*parts,),) = shown([], inked(1000, 40))
    assert len(parts) == 2
    assert parts[0].union(parts[1]) == Box(0, 0, 1000, 40)


@pytest.mark.parametrize(
    ("left", "right", "value"),
    [
        ("はい", "はい", 1.0),
        ("う…ん！", "う...ん！", 1.0),
        ("ＡＢ", "AB", 1.0),
        ("", "", 1.0),
        ("はい", "", 0.0),
        ("はい", "はあ", 0.5),
    ],
)
def test_agreement_sees_through_ways_of_writing(left: str, right: str, value: float) -> None:
    assert agreement(left, right) == pytest.approx(value)


@given(st.text("あいう", max_size=8), st.text("あいう", max_size=8))
def test_distance_is_a_distance(left: str, right: str) -> None:
    assert distance(left, right) == distance(right, left)
    assert (distance(left, right) == 0) == (left == right)
    assert abs(len(left) - len(right)) <= distance(left, right) <= max(len(left), len(right))


@given(st.text("あいう…", max_size=10), st.text("あいう．", max_size=10))
def test_borders_rise(source: str, target: str) -> None:
    places = borders(source, target)
    assert places == sorted(places)
    assert len(places) == len(source) + 1
    assert 0 <= places[0] <= places[-1] <= len(target)
    # And the same text is where it was.
    assert borders(source, source) == list(range(len(source) + 1))


def annotated(*lines: tuple[str, list[tuple[str, int, int]]]) -> TextBlock:
    box = Box(0, 0, 10, 10)
    return TextBlock(
        box,
        Direction.VERTICAL,
        tuple(
            TextLine(text, box, (), tuple(Furigana(aid, box, start, end) for aid, start, end in aids))
            for text, aids in lines
        ),
    )


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # The same text
        (["明日は学校だ"], [[("あした", "明日"), ("がっこう", "学校")]]),
        # Characters put in before, one read otherwise inside
        (["あ、明日は学枚だ！"], [[("あした", "明日"), ("がっこう", "学枚")]]),
        # The first word is missing
        (["は学校だ"], [[("がっこう", "学校")]]),
        # Read in two parts
        (["明日は", "学校だ"], [[("あした", "明日")], [("がっこう", "学校")]]),
        ([""], [[]]),
    ],
)
def test_furigana_goes_to_the_same_characters_of_another_text(
    texts: list[str], expected: list[list[tuple[str, str]]]
) -> None:
    # given two columns with a word and its reading in each
    block = annotated(("明日は", [("あした", 0, 2)]), ("学校だ", [("がっこう", 0, 2)]))

    # when the readings are put on another engine's text
    found = furigana_for(block, texts)

    # then each stands beside the same word
    assert [
        [(aid.text, text[aid.start : aid.end]) for aid in aids]
        for text, aids in zip(texts, found, strict=True)
    ] == expected
