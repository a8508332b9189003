"""MangaOCR's post-processing with a likelihood for every character: always the published text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ocr.manga_text import post_process, spread
from tests.support.manga_package import published_post_process

# What the published post-processing does something to, and what is near to it.
TRICKY = "…・.．。ｶﾞﾊﾟｳﾞﾞﾟｰ!?A1ａ１ 　\n\t\u2028\x1cあー〜～‥⋯"


PUBLISHED = published_post_process()


@settings(deadline=None, max_examples=300)
@given(text=st.text(st.one_of(st.sampled_from(TRICKY), st.characters()), max_size=30))
def test_it_gives_the_same_text_as_the_package(text: str) -> None:
    # given any text, when it is post-processed with a likelihood for each character
    done, likelihoods = post_process(text, [0.5] * len(text))

    # then the text is that of the manga-ocr package, and each of its characters has a likelihood
    assert done == PUBLISHED(text)
    assert likelihoods == (0.5,) * len(done)


@pytest.mark.parametrize(
    ("text", "likelihoods", "done", "kept"),
    [
        ("う…ん", (0.9, 0.2, 0.8), "う．．．ん", (0.9, 0.2, 0.2, 0.2, 0.8)),
        ("あ い", (0.9, 0.1, 0.8), "あい", (0.9, 0.8)),
        ("ｶﾞｶ", (0.9, 0.3, 0.8), "ガカ", (0.3, 0.8)),
        ("・・a", (0.9, 0.3, 0.8), "．．ａ", (0.9, 0.3, 0.8)),
        ("・", (0.9,), "・", (0.9,)),
        ("", (), "", ()),
    ],
)
def test_each_character_keeps_the_likelihood_of_what_it_was_made_of(
    text: str, likelihoods: tuple[float, ...], done: str, kept: tuple[float, ...]
) -> None:
    assert post_process(text, likelihoods) == (done, kept)


@pytest.mark.parametrize(
    ("text", "tokens", "values", "expected"),
    [
        ("はい", ["は", "い"], [0.9, 0.5], (0.9, 0.5)),
        # A token of several characters, and a special one that left nothing
        ("学校へ", ["学校", "", "へ"], [0.9, 0.1, 0.5], (0.9, 0.9, 0.5)),
        # The tokenizer dropped a token and put in a character of its own
        ("あうX", ["あ", "い", "う"], [0.9, 0.2, 0.5], (0.9, 0.5, 0.5)),
        ("", [], [], ()),
        ("あ", [], [], (0.0,)),
    ],
)
def test_tokens_are_spread_over_the_characters_they_became(
    text: str, tokens: list[str], values: list[float], expected: tuple[float, ...]
) -> None:
    assert spread(text, tokens, values) == expected
