"""The error rate that every claim about accuracy rests on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.error_rate import Count, count, distance, normal, pooled, quantile

texts = st.text(alphabet="あいうーっ、。！？日本ｱア Aａ", max_size=12)


@given(texts, texts)
def test_distance_is_symmetric_and_zero_only_for_equal_texts(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)


@given(texts, texts, texts)
def test_a_detour_is_never_shorter(a: str, b: str, c: str) -> None:
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@given(texts, texts)
def test_distance_lies_between_the_difference_and_the_maximum_of_the_lengths(a: str, b: str) -> None:
    assert abs(len(a) - len(b)) <= distance(a, b) <= max(len(a), len(b))


@given(texts, st.integers(0, 11), st.sampled_from("あ、！"))
def test_one_inserted_character_costs_one(a: str, at: int, added: str) -> None:
    assert distance(a, a[:at] + added + a[at:]) == 1


@given(st.text(max_size=20))
def test_what_is_normal_stays_so_and_has_no_white_space(text: str) -> None:
    once = normal(text)
    assert normal(once) == once
    assert not any(c.isspace() for c in once)


def test_width_and_white_space_do_not_count_but_punctuation_and_small_kana_do() -> None:
    # Given a truth over two columns; when it is read in one line with half-width marks; then it is right.
    assert count("えっ!? ｶﾒﾗ", "えっ！？\nカメラ") == Count(0, 7)
    # When the comma is dropped and the small kana read large, then these are two errors.
    assert count("えつ待って。", "えっ、待って。") == Count(2, 7)


def test_nothing_read_is_wholly_wrong() -> None:
    assert count("", "はい。") == Count(3, 3)


def test_long_samples_weigh_more_than_short_ones() -> None:
    # Given a short sample read wrong and a long one read right; when pooled, then characters count.
    rate = pooled([Count(2, 2), Count(0, 98)])
    assert rate.value == pytest.approx(0.02)
    assert (rate.errors, rate.characters, rate.samples) == (2, 100, 2)


@given(st.lists(st.builds(Count, st.integers(0, 9), st.integers(1, 30)), min_size=1, max_size=20))
def test_the_interval_lies_in_the_range_of_the_samples_and_comes_again(counts: list[Count]) -> None:
    rate = pooled(counts, rounds=100)
    worst = max(c.errors / c.characters for c in counts)
    best = min(c.errors / c.characters for c in counts)
    assert best <= rate.low + 1e-9
    assert rate.low <= rate.high <= worst + 1e-9
    assert rate == pooled(counts, rounds=100)


def test_equal_samples_leave_no_doubt_and_more_of_them_narrow_it() -> None:
    same = pooled([Count(1, 10)] * 5)
    assert same.low == same.value == same.high
    few = pooled([Count(0, 10), Count(2, 10)] * 5)
    many = pooled([Count(0, 10), Count(2, 10)] * 200)
    assert many.high - many.low < few.high - few.low


def test_a_rate_without_characters_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        pooled([Count(1, 0)])


def test_quantiles_are_values_that_were_measured() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([float(n) for n in range(100)], 0.95) == 95.0
    assert quantile([7.0], 0.95) == 7.0
