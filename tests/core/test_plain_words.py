"""Markdown without its marks, as lists show it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plain_words import plain_line, plain_words


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("This is **bold** and *slanted* and ***both***.", "This is bold and slanted and both."),
        ("**bold with *slanted* words**", "bold with slanted words"),
        ("*a* and *b*", "a and b"),
        ("__strong__ and _soft_ words", "strong and soft words"),
        ("これは**助詞**です。", "これは助詞です。"),
        ("~~not this~~ that", "not this that"),
        ("# Grammar", "Grammar"),
        ("### は, the topic ###", "は, the topic"),
        ("- one\n* two\n+ three\n1. four", "one\ntwo\nthree\n1. four"),
        ("> said\n> again", "said\nagain"),
        ("> **said**", "said"),
        ("Use `a_b * c` here", "Use a_b * c here"),
        ("``a ` b``", "a ` b"),
        ("```python\nx = a * b * c\n# no heading\n```\nafter", "x = a * b * c\n# no heading\nafter"),
        ("~~~\n```\n~~~", "```"),
        ("one\n\n---\n\ntwo", "one\n\n\ntwo"),
        ("[a page](https://example.org/x_y_z) and ![a cat](cat.png)", "a page and a cat"),
        ("see <https://example.org/a_b_c>", "see https://example.org/a_b_c"),
        ("| word | reading |\n|---|:-:|\n| **学校** | がっこう |", "word reading\n学校 がっこう"),
        (r"\*not slanted\* and \# no heading", "*not slanted* and # no heading"),
        # What only looks like a mark stays
        ("2*3*4 and 2 * 3 * 4", "2*3*4 and 2 * 3 * 4"),
        ("snake_case_name and a__b__c", "snake_case_name and a__b__c"),
        ("#hashtag ** alone *", "#hashtag ** alone *"),
        ("a ~ b ~ c", "a ~ b ~ c"),
        ("「***」", "「***」"),
        ("an array[3](4", "an array[3](4"),
        ("", ""),
    ],
)
def test_marks_go_and_words_stay(markdown: str, plain: str) -> None:
    assert plain_words(markdown) == plain


def test_a_title_keeps_the_dash_at_its_beginning() -> None:
    assert plain_line("- and then?") == "- and then?"
    assert plain_line("## **What** is `this`") == "What is this"


@given(
    st.text(
        st.characters(exclude_characters="*_~`#>[]()\\<>|-+=!\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\ufdd0")
    )
)
def test_a_text_without_marks_is_left_alone(text: str) -> None:
    assert plain_words(text) == text
    assert plain_line(text) == text


@given(st.text("*_~`#> []()\\|-a1日\n", max_size=60))
def test_no_word_is_lost_or_made(text: str) -> None:
    """Whatever marks there are: all that goes are marks, addresses, and languages of code."""
    left = "".join(plain_words(text).split())
    rest = iter(text)
    assert all(character in rest for character in left)
