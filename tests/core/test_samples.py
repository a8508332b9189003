"""The generated samples: the same from the same seed, legible, and with a truth that fits the picture."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.accuracy import furigana_leaked, measure_bubbles, measure_pages, order_is_right, report
from core.types import Box, Direction, TextBlock, TextLine
from resources.samples import fonts, pages, phrases, typeset
from resources.samples.draw import BUBBLES, CATEGORIES, HERE, PAGES, Sample, bubble, page
from tests.support.requirements import skip_or_fail

DATA = Path(__file__).resolve().parents[1] / "data"


@pytest.fixture(scope="module")
def japanese_fonts() -> None:
    try:
        fonts.installed()
    except fonts.FontsMissing as missing:
        skip_or_fail(str(missing))


def test_without_fonts_the_message_names_the_packages(tmp_path: Path) -> None:
    with pytest.raises(fonts.FontsMissing, match="apt-get install fonts-noto-cjk fonts-ipafont"):
        fonts.find_fonts([tmp_path, tmp_path / "missing"])


# Phrases


def test_markup_gives_words_readings_and_places_to_break() -> None:
    words = phrases.parse("{明日/あした}は|{学校/がっこう}、で")
    assert [t.text for t in words] == ["明日", "は", "学校", "、", "で"]
    assert [t.reading for t in words] == ["あした", "", "がっこう", "", ""]
    assert [t.breaks for t in words] == [False, True, False, True, False]
    assert phrases.plain(words) == "明日は学校、で"


def test_phrases_are_many_and_hold_the_marks_that_are_hard_to_read() -> None:
    # Given a thousand phrases, then hundreds differ, and 30 % and more hold a hard mark or a small kana.
    rng = random.Random(1)
    texts = [phrases.plain(phrases.phrase(rng)) for _ in range(1000)]
    assert len(set(texts)) >= 400
    hard = set("ー、。！？ぁぃぅぇぉっゃゅょァィゥェォッャュョ")
    assert sum(bool(hard & set(text)) for text in texts) >= 300
    assert {len(text) <= 3 for text in texts} == {True, False}
    assert not any(set("{|}/") & set(text) for text in texts)


@pytest.mark.parametrize("limit", range(2, 12))
def test_lines_lose_nothing_and_begin_with_no_mark(limit: int) -> None:
    rng = random.Random(limit)
    for _ in range(60):
        words = phrases.phrase(rng)
        lines = ["".join(t.text for t in line) for line in typeset.wrap(words, limit)]
        assert "".join(lines) == phrases.plain(words)
        assert not any(line[0] in "、。！？ー…っゃゅょ" for line in lines)


# Bubbles and pages


def inside(block: TextBlock, image: Image.Image) -> bool:
    boxes = [block.box, *(line.box for line in block.lines)]
    boxes += [aid.box for line in block.lines for aid in line.furigana]
    return all(b.x >= 0 and b.y >= 0 and b.right <= image.width and b.bottom <= image.height for b in boxes)


@pytest.mark.usefixtures("japanese_fonts")
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_bubble_is_the_same_again_and_its_truth_lies_in_it(category: str) -> None:
    for seed in range(6):
        first, again = bubble(seed, category), bubble(seed, category)
        assert first.image.mode == "RGB"
        assert first.image.tobytes() == again.image.tobytes()
        assert first.blocks == again.blocks
        (block,) = first.blocks
        assert inside(block, first.image)
        assert TextBlock.from_json(json.loads(json.dumps(block.to_json()))) == block
    texts = {bubble(seed, category).text for seed in range(12)}
    assert len(texts) > 6


@pytest.mark.usefixtures("japanese_fonts")
def test_the_categories_are_what_they_are_called() -> None:
    for seed in range(8):
        assert bubble(seed, "vertical").blocks[0].direction is Direction.VERTICAL
        assert bubble(seed, "horizontal").blocks[0].direction is Direction.HORIZONTAL
        aids = [a for line in bubble(seed, "furigana").blocks[0].lines for a in line.furigana]
        assert aids
        small = bubble(seed, "small").blocks[0].lines[0].box
        assert min(small.width, small.height) <= 18
        dark = bubble(seed, "inverted").image.convert("L").histogram()
        assert sum(dark[:64]) > sum(dark[192:])


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(ValueError, match="vertical, horizontal"):
        bubble(0, "diagonal")


@pytest.mark.usefixtures("japanese_fonts")
def test_columns_run_from_right_to_left_with_furigana_on_their_right() -> None:
    for seed in range(20):
        block = bubble(seed, "furigana").blocks[0]
        if block.direction is Direction.HORIZONTAL:
            continue
        for right, left in itertools.pairwise(block.lines):
            assert left.box.center[0] < right.box.center[0]
        for line in block.lines:
            for aid in line.furigana:
                assert aid.box.center[0] > line.box.center[0]
                assert 0 <= aid.start < aid.end <= len(line.text)


@pytest.mark.usefixtures("japanese_fonts")
@pytest.mark.parametrize("direction", Direction)
def test_readings_of_neighbouring_words_do_not_run_into_each_other(direction: Direction) -> None:
    # Given words side by side whose readings are longer than they are.
    words = phrases.parse("{毎晩/まいばん}{妹/いもうと}が{光/ひかり}{私/わたくし}")
    style = typeset.Style(fonts.names()[0], 30, direction, 1.8, furigana=True)
    # When they are set, then every reading is there and none covers another.
    aids = typeset.typeset(words, style, 20).truth.lines[0].furigana
    assert [aid.text for aid in aids] == ["まいばん", "いもうと", "ひかり", "わたくし"]
    for one, other in itertools.combinations(aids, 2):
        assert one.box.intersection(other.box).area == 0


@pytest.mark.usefixtures("japanese_fonts")
def test_vertical_marks_are_the_vertical_forms() -> None:
    # Given a column of its own, when ー is set in every font, then it is taller than wide.
    for face in fonts.names():
        for mark in ("ー", "…"):
            setting = typeset.typeset(phrases.parse(mark), typeset.Style(face, 40), 5)
            assert setting.size[1] > setting.size[0] * 2
        # And the comma stands in the upper right of its cell, right of the column's middle.
        comma = typeset.typeset(phrases.parse("口、"), typeset.Style(face, 40), 5)
        lower = comma.ink.crop((0, 38, *comma.size)).getbbox()
        assert lower is not None
        assert (lower[0] + lower[2]) / 2 > comma.size[0] / 2


@pytest.mark.usefixtures("japanese_fonts")
def test_a_page_has_irregular_panels_and_bubbles_that_do_not_overlap() -> None:
    for seed in range(6):
        sample = page(seed)
        assert sample.image.size == pages.SIZE
        assert sample.image.tobytes() == page(seed).image.tobytes()
        assert len(sample.blocks) >= 3
        assert all(inside(block, sample.image) for block in sample.blocks)
        for one, other in itertools.combinations(sample.blocks, 2):
            assert one.box.intersection(other.box).area == 0


def test_panels_are_three_to_seven_and_in_reading_order() -> None:
    for seed in range(200):
        panels = pages.layout(random.Random(seed))
        assert 3 <= len(panels) <= 7
        for before, after in itertools.combinations(panels, 2):
            # The later panel is further down, or in the same band and further left.
            below = after.inner.center[1] > before.inner.bottom
            left = after.inner.right <= before.inner.x
            assert below or left
            assert before.inner.intersection(after.inner).area == 0


# The pictures that are kept


@pytest.mark.parametrize("name", PAGES)
def test_the_kept_pages_have_a_truth_that_fits(name: str) -> None:
    picture, truth = HERE / f"{name}.png", json.loads((HERE / f"{name}.json").read_text("utf-8"))
    assert picture.stat().st_size < 400_000
    blocks = tuple(TextBlock.from_json(block) for block in truth["blocks"])
    with Image.open(picture) as image:
        assert image.size == pages.SIZE
        assert all(inside(block, image) for block in blocks)
    assert truth["text"] == "\n".join(block.text for block in blocks)


def test_the_kept_bubbles_cover_every_category() -> None:
    truths = json.loads((DATA / "bubbles.json").read_text("utf-8"))
    assert set(truths) == set(BUBBLES)
    assert {truth["category"] for truth in truths.values()} == set(CATEGORIES)
    for name, truth in truths.items():
        with Image.open(DATA / f"{name}.png") as image:
            assert all(inside(TextBlock.from_json(block), image) for block in truth["blocks"])


# The accuracy benchmark's own judgements


def block(text: str, x: int, y: int, width: int = 40, height: int = 100) -> TextBlock:
    box = Box(x, y, width, height)
    return TextBlock(box, Direction.VERTICAL, (TextLine(text, box),))


def test_reading_order_is_judged_by_what_overlaps() -> None:
    truth = [block("一", 200, 0), block("二", 100, 0), block("三", 0, 200)]
    moved = [block("x", 205, 5), block("y", 95, 0), block("z", 0, 190)]
    assert order_is_right(truth, moved)
    assert not order_is_right(truth, [moved[1], moved[0], moved[2]])
    # A bubble read in two parts is in order, a drawing taken for text has no place in it.
    halves = [block("a", 200, 0, 40, 50), block("b", 200, 50, 40, 50)]
    assert order_is_right(truth, [*halves, block("猫", 400, 400), *moved[1:]])
    # What was missed has no place either, as long as enough was found; what was read as one is not in order.
    more = [block(str(n), 0, 400 + 200 * n) for n in range(3)]
    assert order_is_right([*truth, *more], [*moved, *more[:2]])
    assert not order_is_right(truth, moved[:2])
    assert not order_is_right(truth, [block("xy", 100, 0, 140, 100), moved[2]])


def test_a_reading_in_the_main_text_is_a_leak_and_a_misread_character_is_none() -> None:
    word = phrases.parse("{明日/あした}は")
    assert word[0].reading == "あした"
    aids = typeset.Furigana("あした", Box(0, 0, 9, 40), 0, 2)
    line = TextLine("明日は", Box(0, 0, 40, 120), (), (aids,))
    truth = Sample(Image.new("RGB", (9, 9)), (TextBlock(line.box, Direction.VERTICAL, (line,)),))
    assert not furigana_leaked("明日は", truth)
    assert not furigana_leaked("明目は", truth)
    assert not furigana_leaked("明日は。", truth)
    assert furigana_leaked("あした\n明日は", truth)
    assert furigana_leaked("明した日は", truth)
    # Even where as many characters of the main text are lost, and where they are misread.
    assert furigana_leaked("あした", truth)
    assert furigana_leaked("ぁじた\n明日は", truth)


@pytest.mark.usefixtures("japanese_fonts")
def test_a_perfect_reader_passes_and_a_blind_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    # Given a reader that answers the truth of whatever picture it is given.
    known = {bubble(s, c).image.tobytes(): bubble(s, c) for s in range(12) for c in ("vertical", "furigana")}
    known |= {page(s).image.tobytes(): page(s) for s in range(2)}

    def perfect(image: Image.Image) -> list[TextBlock]:
        return list(known[image.tobytes()].blocks)

    # When measured, then there is no error and every limit is met.
    for found in (
        measure_bubbles(perfect, "vertical", 60, 0),
        measure_bubbles(perfect, "furigana", 60, 0),
        measure_pages(perfect, 2, 0),
    ):
        figures, passed = report(found)
        assert passed
        assert figures["error_rate"]["value"] == 0
        assert figures["failures"] == []
    assert "FAIL" not in capsys.readouterr().out
    # When nothing is read, then all is wrong and the limits are not met.
    figures, passed = report(measure_bubbles(lambda image: [], "vertical", 60, 0))
    assert not passed
    assert figures["error_rate"]["value"] == 1
    assert "FAIL (<= 3.0%)" in capsys.readouterr().out
