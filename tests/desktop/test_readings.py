"""Which reading is shown while the user steps, edits, and while a better one comes."""

from __future__ import annotations

from dataclasses import replace

from core.alternatives import Variant
from core.types import Box, Direction, OcrResult, TextBlock, TextLine
from desktop.readings import EDITED, PROVISIONAL, Readings, with_its_engine


def variant(text: str, how: str = "") -> Variant:
    return Variant(OcrResult(text, (), "manga-ocr", "cpu", 0.1), how)


def seen(readings: Readings) -> list[tuple[str, str]]:
    """Text and origin of each, from the current one on."""
    found = []
    for _ in range(len(readings)):
        found.append((readings.current.text, readings.current.how))
        readings.step(1)
    return found


def test_stepping_goes_round_both_ways() -> None:
    readings = Readings([variant("a"), variant("b", "beam"), variant("c", "beam")])
    assert readings.at_home
    readings.step(-1)
    assert (readings.current.text, readings.place) == ("c", 2)
    readings.step(1)
    assert (readings.current.text, readings.place) == ("a", 0)


def test_the_user_s_text_comes_first_and_the_engine_s_stays() -> None:
    readings = Readings([variant("a"), variant("b", "beam")])
    readings.step(1)
    readings.edit("x")
    assert seen(readings) == [("x", EDITED), ("a", ""), ("b", "beam")]


def test_a_second_edit_takes_the_place_of_the_first() -> None:
    readings = Readings([variant("a")])
    readings.edit("x")
    readings.edit("y")
    assert seen(readings) == [("y", EDITED), ("a", "")]


def test_an_edit_that_says_what_an_engine_says_is_there_once() -> None:
    readings = Readings([variant("a"), variant("b", "beam")])
    readings.edit("b")
    assert seen(readings) == [("b", EDITED), ("a", "")]


def test_an_edited_provisional_text_is_gone() -> None:
    readings = Readings([variant("a", PROVISIONAL)])
    readings.edit("x")
    assert seen(readings) == [("x", EDITED)]


def test_a_text_that_is_kept_stays_before_those_that_came() -> None:
    own = variant("a", PROVISIONAL)
    kept = Readings.keeping(own, [variant("b"), variant("c", "beam"), variant("a", "built-in")])
    assert seen(kept) == [("a", PROVISIONAL), ("b", ""), ("c", "beam")]


def test_a_text_that_proves_right_is_the_engine_s() -> None:
    kept = Readings.keeping(variant("a", PROVISIONAL), [variant("a"), variant("c", "beam")])
    assert seen(kept) == [("a", ""), ("c", "beam")]


def test_nothing_is_no_reading() -> None:
    assert seen(Readings.keeping(variant("a", PROVISIONAL), [variant("")])) == [("a", PROVISIONAL)]


def test_a_reading_of_mangaocr_names_it_where_the_built_in_engine_was_right() -> None:
    def block(text: str, how: str) -> TextBlock:
        box = Box(0, 0, 8, 8)
        return TextBlock(box, Direction.HORIZONTAL, (TextLine(text, box),), how=how)

    kept = OcrResult("山", (block("山", "built-in"),), "ppocr", "cpu", 0.6)
    own = replace(kept, text="川", blocks=(block("川", "enlarged"),))
    assert with_its_engine(Variant(own, "enlarged")).result.engine == "manga-ocr"
    assert with_its_engine(Variant(kept, "built-in")).result.engine == "ppocr"
    assert with_its_engine(Variant(kept)).result.engine == "ppocr"
