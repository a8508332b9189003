"""Readings of a whole picture, made from the alternatives of its blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.alternatives import MOST, Variant, readings
from core.errors import LoadFailed
from core.ocr.postprocess import compose
from core.settings import Reading
from core.types import Alternative, Box, Direction, OcrResult, TextBlock, TextLine

OPTIONS = Reading()


def block(text: str, confidence: float | None, *others: Alternative, place: int = 0) -> TextBlock:
    box = Box(0, 100 * place, 10, 90)
    values = () if confidence is None else (confidence,) * len(text)
    return TextBlock(box, Direction.VERTICAL, (TextLine(text, box, values),), others)


def beam(text: str, confidence: float = 0.5) -> Alternative:
    return Alternative(text, "beam", (confidence,) * len(text))


def result(*blocks: TextBlock, options: Reading = OPTIONS) -> OcrResult:
    return OcrResult(compose(blocks, options), blocks, "manga-ocr", "cuda:0", 0.2, LoadFailed())


def texts(found: list[Variant]) -> list[str]:
    return [variant.text for variant in found]


def test_the_result_itself_comes_first_and_alone_without_alternatives() -> None:
    read = result(block("はい", 0.9))
    assert readings(read, OPTIONS) == [Variant(read)]


def test_each_alternative_of_a_bubble_is_a_reading() -> None:
    read = result(block("ドドド", 0.4, beam("ドド"), Alternative("トドド", "enlarged")))
    found = readings(read, OPTIONS)
    assert texts(found) == ["ドドド", "ドド", "トドド"]
    assert [variant.how for variant in found] == ["", "beam", "enlarged"]
    assert all(variant.result.notice is read.notice for variant in found)


def test_the_most_doubtful_bubble_comes_first_and_the_others_stay_as_they_are() -> None:
    read = result(
        block("はい", 0.9, beam("ほい"), place=0),
        block("学佼", 0.4, beam("学校"), beam("字校"), place=1),
        block("うん", None, beam("ろん"), place=2),
    )
    assert texts(readings(read, OPTIONS)) == [
        "はい\n学佼\nうん",
        "はい\n学校\nうん",
        "はい\n字校\nうん",
        "ほい\n学佼\nうん",
        "はい\n学佼\nろん",
    ]


def test_texts_come_once_and_never_empty() -> None:
    read = result(block("はい", 0.4, beam("は い"), beam("ほい"), beam(" "), beam("ほい"), beam("")))
    assert texts(readings(read, OPTIONS)) == ["はい", "ほい"]


def test_there_are_at_most_nine() -> None:
    read = result(block("はい", 0.4, *(beam(f"はい{n}") for n in range(20))))
    found = readings(read, OPTIONS)
    assert len(found) == MOST == 9
    assert found[-1].text == "はい7"


def test_the_text_is_written_as_the_settings_ask() -> None:
    options = Reading(full_width=True, line_breaks="drop", ellipsis="dots")
    read = result(block("3月", 0.9), block("え…", 0.4, beam("A…")), options=options)
    assert texts(readings(read, options)) == ["３月え．．．", "３月Ａ．．．"]


def test_characters_keep_the_likelihoods_of_their_own_reading() -> None:
    read = result(block("はい", 0.9), block("学佼", 0.4, Alternative("学校だ", "beam", (0.8, 0.3, 0.7))))
    (line,) = readings(read, OPTIONS)[1].result.blocks[1].lines
    assert (line.text, line.confidences) == ("学校だ", (0.8, 0.3, 0.7))


def test_rows_of_an_alternative_are_lines_with_their_own_likelihoods() -> None:
    with_breaks = Alternative("学校\nに", "enlarged", (0.8, 0.3, 1.0, 0.7))
    without = Alternative("学枚\nに", "enlarged", (0.8, 0.3, 0.7))
    wrong = Alternative("学牧\nに", "enlarged", (0.8, 0.3))
    found = readings(result(block("学佼に", 0.4, with_breaks, without, wrong)), OPTIONS)
    assert texts(found)[1:] == ["学校に", "学枚に", "学牧に"]
    lines = [[line.confidences for line in variant.result.blocks[0].lines] for variant in found[1:]]
    assert lines == [[(0.8, 0.3), (0.7,)], [(0.8, 0.3), (0.7,)], [(), ()]]


def test_a_text_all_by_the_built_in_engine_says_so() -> None:
    other = Alternative("はひ", "built-in", (0.5, 0.5))
    alone = readings(result(block("はい", 0.4, other), block("", None)), OPTIONS)[1].result
    assert (alone.engine, alone.device) == ("ppocr", "cpu")
    mixed = readings(result(block("はい", 0.4, other), block("うん", 0.9)), OPTIONS)[1].result
    assert (mixed.engine, mixed.device) == ("manga-ocr", "cuda:0")


kana = st.text(alphabet="あい… \nア", max_size=4)
blocks = st.lists(st.tuples(kana, st.floats(0, 1), st.lists(kana, max_size=4)), max_size=4)


@given(blocks)
def test_readings_differ_from_each_other_in_one_block_each(drawn: list[tuple[str, float, list[str]]]) -> None:
    read = result(*(block(text, value, *map(beam, others)) for text, value, others in drawn))
    found = readings(read, OPTIONS)
    assert found[0].result is read
    assert len(set(texts(found))) == len(found) <= MOST
    for variant in found[1:]:
        pairs = zip(read.blocks, variant.result.blocks, strict=True)
        assert sum(before.lines != after.lines for before, after in pairs) == 1
        assert variant.text == compose(variant.result.blocks, OPTIONS) != ""
